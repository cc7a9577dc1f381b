package aio

import (
	"errors"
	"sync"
)

// Rings are those that nobody uses at the moment: never more than there were requests at once. The zero Rings has none yet.
type Rings struct {
	mu      sync.Mutex // guards what follows
	idle    []*Ring
	refused bool // by the system, for good
}

// Do has a ring carry out a request. It returns ErrRefused where the system has none, or did not take the request on; from then on it
// does not try again.
func (r *Rings) Do(request func(*Ring) error) error {
	ring := r.take()
	if ring == nil {
		return ErrRefused
	}
	err := request(ring)
	r.give(ring, errors.Is(err, ErrRefused))
	return err
}

// take returns nil where the system has none to give.
func (r *Rings) take() *Ring {
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
	ring, err := newRing()
	r.refused = err != nil
	return ring
}

func (r *Rings) give(ring *Ring, refused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, ring)
	r.refused = r.refused || refused
}

// Refuse has Do refuse from now on.
func (r *Rings) Refuse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = true
}
