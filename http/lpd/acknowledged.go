package lpd

import (
	"sync"
	"time"
)

// maxAcknowledged is how many jobs are remembered in one window.
const maxAcknowledged = 1 << 14

// acknowledged remembers of the jobs that this member has taken whether their clients know it. It forgets them after one to two
// windows, or sooner where there are too many; what it has forgotten is as if another member had taken it.
type acknowledged struct {
	mu sync.Mutex
	// Guarded by mu: since begin, and in the window before.
	begin       time.Time
	now, before map[identity]receipt
}

type receipt struct {
	round     int
	confirmed bool
}

// next is the round that a job is of when it comes now: the next one, if the client knew of the last; the last one, if that
// was not confirmed; without memory, whichever the log knows.
func (a *acknowledged) next(id identity, window time.Duration) round {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(window)
	last, known := a.now[id]
	if !known {
		last, known = a.before[id]
	}
	switch {
	case !known:
		return round{}
	case last.confirmed:
		return round{number: last.round + 1}
	}
	return round{number: last.round}
}

// note remembers the round of a job that was committed.
func (a *acknowledged) note(id identity, round int, confirmed bool, window time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(window)
	a.now[id] = receipt{round, confirmed}
}

// confirm notes that the client knows.
func (a *acknowledged) confirm(id identity, window time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turn(window)
	last, known := a.now[id]
	if !known {
		last, known = a.before[id]
	}
	if known {
		last.confirmed = true
		a.now[id] = last
	}
}

// turn begins a new window where the old one is over. The caller holds the mutex.
func (a *acknowledged) turn(window time.Duration) {
	now := time.Now()
	switch age := now.Sub(a.begin); {
	case age >= 2*window:
		a.before, a.now = nil, map[identity]receipt{}
	case age >= window, len(a.now) >= maxAcknowledged:
		a.before, a.now = a.now, map[identity]receipt{}
	default:
		return
	}
	a.begin = now
}
