package node

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"printq/queue"
)

// tail serves the committed job log: the newest lines from memory, older ones from the store. The loop appends; anyone
// reads.
type tail struct {
	mu    sync.Mutex
	lines []queue.Line // contiguous; a part of held
	held  []queue.Line
	bytes int
	last  uint64 // seq of the newest line there is
	// Lines up to here are in the store too: only those may leave memory.
	durable uint64
	store   *boltStore
	more    chan struct{} // closed at the next append
	// Who waits, whether anybody has since followed was asked last, and whether it said then that nobody does.
	waiting       int
	waited, quiet bool
	// woken is called when somebody waits who was not expected.
	woken func()
}

// tailBytes bounds the lines that are kept in memory although the store has them.
const tailBytes = 16 << 20

func newTail(woken func()) *tail { return &tail{more: make(chan struct{}), woken: woken} }

// reset begins anew after a start or a snapshot: everything up to last is in the store.
func (t *tail) reset(store *boltStore, last uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.store, t.lines, t.held, t.bytes, t.last, t.durable = store, nil, nil, 0, last, last
	t.announce()
}

func (t *tail) announce() {
	close(t.more)
	t.more = make(chan struct{})
}

func (t *tail) append(lines []queue.Line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, l := range lines {
		t.bytes += len(l.JSON)
	}
	t.add(lines)
	t.last = lines[len(lines)-1].Seq
	t.trim()
	t.announce()
}

// add puts lines behind those there are. Where the end is reached, they move to the front if that makes much room: to append to what is left
// at the end would copy it all again for each few.
func (t *tail) add(lines []queue.Line) {
	gone := len(t.held) - len(t.lines)
	if len(t.held)+len(lines) > cap(t.held) && gone > len(t.held)/2 {
		n := copy(t.held, t.lines)
		clear(t.held[n:])
		t.held, gone = t.held[:n], 0
	}
	t.held = append(t.held, lines...)
	t.lines = t.held[gone:]
}

// stored tells that the store holds the lines up to seq.
func (t *tail) stored(seq uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.durable = max(t.durable, seq)
	t.trim()
}

func (t *tail) trim() {
	i := 0
	for i < len(t.lines) && t.bytes > tailBytes && t.lines[i].Seq <= t.durable {
		t.bytes -= len(t.lines[i].JSON)
		t.lines[i] = queue.Line{}
		i++
	}
	t.lines = t.lines[i:]
}

// read returns up to limit lines from seq on.
func (t *tail) read(seq uint64, limit int) ([]queue.Line, error) {
	t.mu.Lock()
	store := t.store
	if seq > t.last || store == nil {
		t.mu.Unlock()
		return nil, nil
	}
	if len(t.lines) > 0 && seq >= t.lines[0].Seq {
		i := int(seq - t.lines[0].Seq)
		lines := t.lines[i:min(len(t.lines), i+limit)]
		lines = append([]queue.Line(nil), lines...)
		t.mu.Unlock()
		return lines, nil
	}
	t.mu.Unlock()
	lines, err := store.Lines(seq, limit)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 || lines[0].Seq != seq {
		return nil, fmt.Errorf("%w: line %d", ErrTrimmed, seq)
	}
	return lines, nil
}

// wait returns when the line with that seq exists.
func (t *tail) wait(ctx context.Context, seq uint64) error {
	t.enter(1)
	defer t.enter(-1)
	for {
		t.mu.Lock()
		have, more := t.last >= seq, t.more
		t.mu.Unlock()
		if have {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-more:
		}
	}
}

// enter counts who waits.
func (t *tail) enter(n int) {
	t.mu.Lock()
	t.waiting += n
	quiet := t.quiet
	t.waited, t.quiet = true, false
	t.mu.Unlock()
	if quiet {
		t.woken()
	}
}

// followed reports whether anybody waits for lines, or has since it was asked last.
func (t *tail) followed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	followed := t.waiting > 0 || t.waited
	t.waited, t.quiet = false, !followed
	return followed
}

// bounds are the seqs of the oldest and newest line kept; zero where there is none.
func (t *tail) bounds() (oldest, newest uint64) {
	t.mu.Lock()
	store, first, last := t.store, uint64(0), t.last
	if len(t.lines) > 0 {
		first = t.lines[0].Seq
	}
	t.mu.Unlock()
	if store != nil {
		if seq := store.oldestLine(); seq != 0 && (first == 0 || seq < first) {
			first = seq
		}
	}
	return first, last
}

// firstSince is the seq of the oldest line kept that is not older than a time, found by halving: lines are in the order of
// state time. Zero: there is none.
func (t *tail) firstSince(since time.Time) (uint64, error) {
	low, high := t.bounds()
	if low == 0 {
		return 0, nil
	}
	high++
	for low < high {
		middle := low + (high-low)/2
		lines, err := t.read(middle, 1)
		if err != nil || len(lines) == 0 {
			return 0, err
		}
		var l struct {
			Time time.Time `json:"time"`
		}
		if err := json.Unmarshal(lines[0].JSON, &l); err != nil {
			return 0, fmt.Errorf("line %d: %w", middle, err)
		}
		if l.Time.Before(since) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
