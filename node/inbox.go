package node

import (
	"sync"
)

// An event is one thing for the loop to do: a frame from a member, a client's request, or a function.
type event struct {
	from uint64
	kind byte
	body []byte
	req  *request
	fn   func(*Core) error
}

// inbox is what waits for the loop. Frames are bounded by their bytes: a member that sends faster than we write waits in
// its own connection. Requests are bounded by the core, functions by the number of those who wait for them.
type inbox struct {
	mu     sync.Mutex
	room   sync.Cond // the loop took the frames, or closed
	events []event
	bytes  int
	closed bool
	wake   chan struct{} // holds one token while there are events
}

// maxInboxBytes bounds the frames that wait for the loop.
const maxInboxBytes = 32 << 20

func newInbox() *inbox {
	b := &inbox{wake: make(chan struct{}, 1)}
	b.room.L = &b.mu
	return b
}

// put reports false once the loop has ended.
func (b *inbox) put(e event) bool {
	b.mu.Lock()
	for b.bytes > 0 && b.bytes+len(e.body) > maxInboxBytes && !b.closed {
		b.room.Wait()
	}
	if b.closed {
		b.mu.Unlock()
		return false
	}
	b.events = append(b.events, e)
	b.bytes += len(e.body)
	b.mu.Unlock()
	b.poke()
	return true
}

// poke wakes the loop.
func (b *inbox) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns all that waits, and takes spare in exchange.
func (b *inbox) take(spare []event) []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	events := b.events
	clear(spare)
	b.events, b.bytes = spare[:0], 0
	b.room.Broadcast()
	return events
}

// close refuses what comes, and returns what had come.
func (b *inbox) close() []event {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.room.Broadcast()
	events := b.events
	b.events = nil
	return events
}
