package log_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
)

// state is what a log must hold: the entries from index 1 on and the commit index of the hard state.
type state struct {
	entries []*raftpb.Entry
	hard    uint64
}

// world is a log on a simulated disk beside what it must remember.
type world struct {
	t    testing.TB
	rand *rand.Rand
	disk *logtest.Disk
	log  *log.Log
	opts log.Options

	states   []state // after each Save that was begun
	synced   int     // the last of them that is known to be durable
	commit   uint64  // entries up to here are never overwritten
	base     log.Base
	retained map[uint64]int
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, rand: rand.New(rand.NewPCG(seed, 1)), disk: logtest.New(),
		states: []state{{}}, retained: map[uint64]int{},
	}
	w.opts = log.Options{SegmentBytes: 256 << w.rand.IntN(4), CacheBytes: int64(w.rand.IntN(4)) * 300, WriteAheadBytes: 1600}
	return w
}

func (w *world) now() state { return w.states[len(w.states)-1] }

// step does something at random.
func (w *world) step() error {
	switch n := w.rand.IntN(20); {
	case n < 9:
		return w.save(w.rand.IntN(4) > 0)
	case n < 11:
		return w.saveCommit()
	case n < 12:
		return w.sync()
	case n < 15:
		w.retainOrRelease()
		return nil
	case n < 17:
		return w.raiseBase()
	case n < 19:
		_, _, err := w.log.Reclaim(context.Background())
		return err
	default:
		return w.restart()
	}
}

// save appends, or overwrites what is not committed.
func (w *world) save(durable bool) error {
	next := uint64(len(w.now().entries)) + 1
	if w.rand.IntN(4) == 0 {
		next = w.commit + 1 + w.rand.Uint64N(next-w.commit)
	}
	var added []*raftpb.Entry
	for i := range uint64(1 + w.rand.IntN(3)) {
		added = append(added, w.entry(next+i, uint64(len(w.states))))
	}
	w.states = append(w.states, state{slices.Concat(w.now().entries[:next-1], added), uint64(len(w.states))})
	if err := w.log.Save(w.hardState(), added, durable); err != nil {
		return err
	}
	w.saved(durable)
	return nil
}

func (w *world) saveCommit() error {
	w.states = append(w.states, state{w.now().entries, uint64(len(w.states))})
	return w.log.Save(w.hardState(), nil, false)
}

func (w *world) hardState() *raftpb.HardState {
	n := w.now().hard
	return &raftpb.HardState{Term: new(n), Vote: new(uint64(1)), Commit: new(n)}
}

func (w *world) entry(index, term uint64) *raftpb.Entry {
	data := make([]byte, w.rand.IntN(200))
	for i := range data {
		data[i] = byte(w.rand.Uint32())
	}
	return &raftpb.Entry{Index: &index, Term: &term, Data: data}
}

func (w *world) sync() error {
	if err := w.log.Sync(); err != nil {
		return err
	}
	w.saved(true)
	return nil
}

// saved notes what is durable, and commits some of it.
func (w *world) saved(durable bool) {
	if !durable {
		return
	}
	w.synced = len(w.states) - 1
	w.commit += w.rand.Uint64N(uint64(len(w.now().entries)) - w.commit + 1)
}

func (w *world) retainOrRelease() {
	if w.commit == 0 {
		return
	}
	i := 1 + w.rand.Uint64N(w.commit)
	switch {
	case w.retained[i] > 0 && w.rand.IntN(3) > 0:
		w.log.Release(i, 10)
		if w.retained[i]--; w.retained[i] == 0 {
			delete(w.retained, i)
		}
	case w.retained[i] > 0 || i > w.base.Index:
		w.log.Retain(i, 10)
		w.retained[i]++
	}
}

func (w *world) raiseBase() error {
	i := w.base.Index + w.rand.Uint64N(w.commit-w.base.Index+1)
	if i == 0 {
		return nil
	}
	w.base = log.Base{Index: i, Term: w.now().entries[i-1].GetTerm()}
	return w.log.SetBase(w.base)
}

// restart closes the log, or kills the process.
func (w *world) restart() error {
	if w.rand.IntN(2) == 0 {
		if err := w.log.Close(); err != nil {
			return err
		}
		w.saved(true)
	}
	w.disk.Kill()
	return w.open()
}

// open opens the log and compares it with the states that it may be in.
func (w *world) open() error {
	l, err := log.Open(w.disk.FS(), w.base, w.opts)
	if err != nil {
		return err
	}
	w.log = l
	for i, n := range w.retained {
		for range n {
			l.Retain(i, 10)
		}
	}
	var why []error
	for n := len(w.states) - 1; n >= w.synced; n-- {
		err := w.check(w.states[n])
		if err == nil {
			w.states, w.synced = w.states[:n+1], n
			return nil
		}
		why = append(why, fmt.Errorf("state %d: %w", n, err))
	}
	w.t.Fatalf("log is in none of the states that it may be in:\n%v", errors.Join(why...))
	return nil
}

// check compares all that can be read with a state.
func (w *world) check(want state) error {
	last, _ := w.log.LastIndex()
	if last != uint64(len(want.entries)) {
		return fmt.Errorf("last index %d, want %d", last, len(want.entries))
	}
	if hs, _, _ := w.log.InitialState(); hs.GetCommit() != want.hard {
		return fmt.Errorf("hard state %v, want %d", hs, want.hard)
	}
	if got := slices.Collect(w.log.Retained()); !slices.Equal(got, w.retainedIndexes()) {
		return fmt.Errorf("retained %v, want %v", got, w.retainedIndexes())
	}
	for _, i := range w.retainedIndexes() {
		if err := w.checkEntry(want.entries[i-1]); err != nil {
			return err
		}
	}
	if last == w.base.Index {
		return nil
	}
	got, err := w.log.Entries(w.base.Index+1, last+1, math.MaxUint64)
	if err != nil {
		return err
	}
	for i, e := range got {
		if err := same(e, want.entries[int(w.base.Index)+i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) retainedIndexes() []uint64 {
	var all []uint64
	for i := range w.retained {
		all = append(all, i)
	}
	slices.Sort(all)
	return all
}

func (w *world) checkEntry(want *raftpb.Entry) error {
	got, err := w.log.ReadEntry(want.GetIndex())
	if err != nil {
		return err
	}
	if err := same(got, want); err != nil {
		return err
	}
	if len(want.GetData()) == 0 {
		return nil
	}
	off := w.rand.IntN(len(want.GetData()))
	p := make([]byte, len(want.GetData())-off)
	if n, err := w.log.ReadAt(want.GetIndex(), p, int64(off)); n != len(p) || err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %d bytes: %w", n, err)
	}
	if !bytes.Equal(p, want.GetData()[off:]) {
		return fmt.Errorf("entry %d: other bytes at %d", want.GetIndex(), off)
	}
	return nil
}

func same(got, want *raftpb.Entry) error {
	if got.GetIndex() != want.GetIndex() || got.GetTerm() != want.GetTerm() ||
		got.GetType() != want.GetType() || !bytes.Equal(got.GetData(), want.GetData()) {
		return fmt.Errorf("entry %d term %d, %d bytes; want %d term %d, %d bytes", got.GetIndex(), got.GetTerm(),
			len(got.GetData()), want.GetIndex(), want.GetTerm(), len(want.GetData()))
	}
	return nil
}
