package aio

import "sync"

// Rings are those that nobody uses at the moment: never more than there were requests at once. The zero Rings has none yet.
type Rings struct {
	mu      sync.Mutex // guards what follows
	idle    []*Ring
	refused bool // by the system, for good
}

// Take returns nil where the system has none to give.
func (r *Rings) Take() *Ring {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused {
		return nil
	}
	if n := len(r.idle); n > 0 {
		ring := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return ring
	}
	ring, err := NewRing()
	r.refused = err != nil
	return ring
}

// Give takes a Ring back. With refused set, there is none any more.
func (r *Rings) Give(ring *Ring, refused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, ring)
	r.refused = r.refused || refused
}

// Refuse has Take return nil from now on.
func (r *Rings) Refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = true
}
