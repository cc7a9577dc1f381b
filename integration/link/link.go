package link

import (
	"math/rand/v2"
	"sync"
	"time"
)

// A Link is all connections that one member makes to another.
type Link struct {
	network *Network

	mu sync.Mutex // guards all below
	// fault is what is wrong now; changed is closed and made anew when that changes.
	fault   Fault
	changed chan struct{}
	conns   map[*conn]bool // those that are open
	passed  [2]int64       // bytes, by direction
}

// Set puts another fault in the place of the one before.
func (l *Link) Set(f Fault) {
	f.fill()
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.fault
	l.fault = f
	close(l.changed)
	l.changed = make(chan struct{})
	for c := range l.conns {
		if f.Kind == Cut || before.Kind == Hang || c.lossy.Load() {
			c.reset()
		} else if f.Kind == Resets {
			c.expire(f.Life)
		}
	}
}

// Fault is what is wrong with the link.
func (l *Link) Fault() Fault {
	f, _ := l.state()
	return f
}

// Passed is how many bytes have gone each way.
func (l *Link) Passed() (out, back int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.passed[Out], l.passed[Back]
}

// state is the fault, and what is closed when it is another one.
func (l *Link) state() (Fault, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fault, l.changed
}

func (l *Link) count(d Direction, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passed[d] += int64(n)
}

// admit takes a connection in, unless the link is cut.
func (l *Link) admit(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault.Kind == Cut {
		return false
	}
	l.conns[c] = true
	if l.fault.Kind == Resets {
		c.expire(l.fault.Life)
	}
	return true
}

func (l *Link) release(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.conns, c)
	if c.timer != nil {
		c.timer.Stop()
	}
}

// expire resets the connection when it has lived for so long; the caller holds the link's mutex.
func (c *conn) expire(life time.Duration) {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.timer = time.AfterFunc(life/2+rand.N(life/2), func() {
		if c.link.Fault().Kind == Resets {
			c.reset()
		}
	})
}
