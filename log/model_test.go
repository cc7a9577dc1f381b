package log_test

import (
	"errors"
	"math"
	"testing"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"pgregory.net/rapid"

	"printq/log"
	"printq/log/logtest"
)

// TestAgainstMemoryStorage does the same to raft's own storage and to a log, reopens the log after
// every step, and compares the answers to every question that raft may ask.
func TestAgainstMemoryStorage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{memory: raft.NewMemoryStorage(), disk: logtest.New()}
		m.opts = log.Options{
			SegmentBytes: rapid.Int64Range(256, 2048).Draw(t, "segment"),
			CacheBytes:   rapid.SampledFrom([]int64{-1, 400, 1 << 20}).Draw(t, "cache"),
		}
		m.reopen(t)
		t.Repeat(map[string]func(*rapid.T){
			"append":    m.append,
			"overwrite": m.overwrite,
			"hardState": m.hardState,
			"setBase":   m.setBase,
			"":          m.compare,
		})
	})
}

type model struct {
	memory *raft.MemoryStorage
	disk   *logtest.Disk
	opts   log.Options
	base   log.Base
	term   uint64
	log    *log.Log
}

func (m *model) reopen(t *rapid.T) {
	if m.log != nil {
		must(t, m.log.Close())
	}
	l, err := log.Open(m.disk.FS(), m.base, m.opts)
	must(t, err)
	m.log = l
}

func must(t rapid.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (m *model) append(t *rapid.T) {
	last, _ := m.memory.LastIndex()
	m.save(t, last+1)
}

func (m *model) overwrite(t *rapid.T) {
	last, _ := m.memory.LastIndex()
	// From below the base on: what raft has compacted is skipped.
	m.save(t, max(1, rapid.Uint64Range(m.base.Index, last+1).Draw(t, "from")))
}

func (m *model) save(t *rapid.T, from uint64) {
	m.term += uint64(rapid.IntRange(0, 1).Draw(t, "new term"))
	term := max(1, m.term)
	var entries []*raftpb.Entry
	for i := range rapid.Uint64Range(1, 5).Draw(t, "entries") {
		e := &raftpb.Entry{Index: new(from + i), Term: new(term)}
		if n := rapid.IntRange(-1, 300).Draw(t, "bytes"); n >= 0 {
			e.Data = make([]byte, n)
		}
		if rapid.Bool().Draw(t, "typed") {
			e.Type = rapid.SampledFrom([]raftpb.EntryType{0, 1, 2}).Draw(t, "type").Enum()
		}
		entries = append(entries, e)
	}
	must(t, m.memory.Append(entries))
	must(t, m.log.Save(nil, entries, rapid.Bool().Draw(t, "sync")))
	m.maybeReopen(t)
}

func (m *model) hardState(t *rapid.T) {
	n := rapid.Uint64Range(1, 1000)
	hs := &raftpb.HardState{Term: new(n.Draw(t, "term")), Vote: new(n.Draw(t, "vote")), Commit: new(n.Draw(t, "commit"))}
	must(t, m.memory.SetHardState(hs))
	must(t, m.log.Save(hs, nil, rapid.Bool().Draw(t, "sync")))
	m.maybeReopen(t)
}

func (m *model) setBase(t *rapid.T) {
	last, _ := m.memory.LastIndex()
	i := rapid.Uint64Range(m.base.Index, last).Draw(t, "base")
	if i == m.base.Index {
		return
	}
	term, err := m.memory.Term(i)
	must(t, err)
	m.base = log.Base{Index: i, Term: term}
	must(t, m.memory.Compact(i))
	must(t, m.log.SetBase(m.base))
	m.maybeReopen(t)
}

func (m *model) maybeReopen(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "reopen") > 0 {
		m.reopen(t)
	}
}

func (m *model) compare(t *rapid.T) {
	first, _ := m.memory.FirstIndex()
	last, _ := m.memory.LastIndex()
	gotFirst, _ := m.log.FirstIndex()
	gotLast, _ := m.log.LastIndex()
	if gotFirst != first || gotLast != last {
		t.Fatalf("log is %d to %d, want %d to %d", gotFirst, gotLast, first, last)
	}
	m.compareHardState(t)
	for i := first - min(first, 2); i <= last+2; i++ {
		want, wantErr := m.memory.Term(i)
		got, err := m.log.Term(i)
		if got != want || !errors.Is(err, wantErr) {
			t.Fatalf("term of %d is %d, %v; want %d, %v", i, got, err, want, wantErr)
		}
	}
	for lo := first - 1; lo <= last+1; lo += 1 + (last-first)/8 {
		for _, size := range []uint64{0, 100, 700, math.MaxUint64} {
			m.compareEntries(t, lo, last+1, size)
		}
	}
}

func (m *model) compareHardState(t *rapid.T) {
	want, _, _ := m.memory.InitialState()
	got, conf, err := m.log.InitialState()
	must(t, err)
	if got.GetTerm() != want.GetTerm() || got.GetVote() != want.GetVote() || got.GetCommit() != want.GetCommit() {
		t.Fatalf("hard state %v, want %v", got, want)
	}
	if (got == nil) != (want == nil) || conf == nil {
		t.Fatalf("initial state %v, %v", got, conf)
	}
}

func (m *model) compareEntries(t *rapid.T, lo, hi, size uint64) {
	want, wantErr := m.memory.Entries(lo, hi, size)
	got, err := m.log.Entries(lo, hi, size)
	if !errors.Is(err, wantErr) || len(got) != len(want) {
		t.Fatalf("entries %d to %d within %d: %d, %v; want %d, %v", lo, hi, size, len(got), err, len(want), wantErr)
	}
	for i := range got {
		must(t, same(got[i], want[i]))
	}
}
