package node

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
)

// A barrier is a read that waits until this member has applied everything that was committed when it began. Raft's read
// index says how far that is: never its lease, since a paused process does not see its lease end.
type barrier struct {
	done func(Position, error) // called once
	gone bool                  // done was called
}

func (b *barrier) answer(at Position, err error) {
	if !b.gone {
		b.gone = true
		b.done(at, err)
	}
}

// reads are the barriers on their way: those that wait for a read index to be asked for, those asked, by the context of
// the question, and those that wait for an entry to be applied.
type reads struct {
	waiting []*barrier
	asked   map[uint64]*question
	allowed []grant
	next    uint64
}

type question struct {
	barriers []*barrier
	at       uint64
}

type grant struct {
	index    uint64
	barriers []*barrier
}

func (r *reads) init() { r.asked = map[uint64]*question{} }

// Barrier calls done once this member has applied everything that was committed by now. What it returns gives it up.
func (c *Core) Barrier(done func(Position, error)) (forget func()) {
	b := &barrier{done: done}
	c.reads.waiting = append(c.reads.waiting, b)
	return func() { c.forget(b) }
}

// ask asks raft once for all that wait: with a context of its own each time, since a repeated one could be answered with
// an older index.
func (r *reads) ask(c *Core) {
	if len(r.waiting) == 0 || c.lead == raft.None {
		return
	}
	r.next++
	r.asked[r.next] = &question{barriers: r.waiting, at: c.ticks}
	r.waiting = nil
	c.raw.ReadIndex(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, c.session), r.next))
}

func (r *reads) granted(states []raft.ReadState) {
	for _, s := range states {
		if len(s.RequestCtx) != 16 {
			continue
		}
		id := binary.BigEndian.Uint64(s.RequestCtx[8:])
		if q := r.asked[id]; q != nil {
			delete(r.asked, id)
			r.allowed = append(r.allowed, grant{s.Index, q.barriers})
		}
	}
}

// serve answers the barriers whose index is applied.
func (r *reads) serve(c *Core) {
	kept := r.allowed[:0]
	for _, g := range r.allowed {
		if g.index > c.batch.applied.Index {
			kept = append(kept, g)
			continue
		}
		for _, b := range g.barriers {
			b.answer(c.batch.applied, nil)
		}
	}
	r.allowed = kept
}

// retry asks again, with another context, what raft has not answered: it loses questions without a word.
func (r *reads) retry(c *Core) {
	for _, id := range slices.Sorted(maps.Keys(r.asked)) {
		q := r.asked[id]
		if c.ticks-q.at >= readTicks {
			delete(r.asked, id)
			r.keep(q.barriers)
		}
	}
}

// again asks everything again, at a change of leader.
func (r *reads) again() {
	for _, id := range slices.Sorted(maps.Keys(r.asked)) {
		r.keep(r.asked[id].barriers)
		delete(r.asked, id)
	}
}

func (r *reads) keep(barriers []*barrier) {
	for _, b := range barriers {
		if !b.gone {
			r.waiting = append(r.waiting, b)
		}
	}
}

// forget gives up a barrier whose reader waits no longer.
func (c *Core) forget(b *barrier) {
	if b.gone {
		return
	}
	b.answer(Position{}, fmt.Errorf("%w: no majority answered in time; retry, or read with consistency=stale", ErrNoQuorum))
}

func (r *reads) abandon(err error) {
	r.again()
	for _, g := range r.allowed {
		r.keep(g.barriers)
	}
	for _, b := range r.waiting {
		b.answer(Position{}, err)
	}
	r.waiting, r.allowed = nil, nil
}
