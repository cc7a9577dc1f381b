package node

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
	"printq/queue"
	"printq/queue/queuepb"
)

// world is a cluster of cores in one goroutine: its network, its disks and its clock are the test's to bend.
type world struct {
	t       *testing.T
	members map[uint64]*member
	packets []packet
	now     Instant
	// cut reports that nothing gets from one member to another.
	cut  func(from, to uint64) bool
	seed uint64
	cfg  func(*Config)
	// seen is told of each packet that arrives; nil: nobody.
	seen func(packet)
}

type packet struct {
	from, to uint64
	kind     byte
	body     []byte
}

type member struct {
	w      *world
	id     uint64
	disk   *logtest.Disk
	store  *memStore
	core   *Core
	log    *log.Log
	driver *testDriver
	lines  [][]byte
	lead   uint64
	// What the core asked for and the world has not done yet.
	write  *Batch
	fetch  *raftpb.Message
	staged *memStore
	fresh  *logtest.Disk
	// stalled keeps batches from being written.
	stalled bool
}

func newWorld(t *testing.T, size int) *world {
	w := &world{t: t, members: map[uint64]*member{}, now: Instant{Wall: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}, cut: func(_, _ uint64) bool { return false }}
	var voters []uint64
	for id := range uint64(size) {
		voters = append(voters, id+1)
	}
	for _, id := range voters {
		m := &member{w: w, id: id, disk: logtest.New(), store: newMemStore()}
		if err := m.store.Commit(firstBatch("c1", voters)); err != nil {
			t.Fatal(err)
		}
		w.members[id] = m
		m.start()
	}
	return w
}

func (m *member) start() {
	m.w.t.Helper()
	lg, err := log.Open(m.disk.FS(), m.store.Head().Base, log.Options{SegmentBytes: 64 << 10, WriteAheadBytes: -1})
	if err != nil {
		m.w.t.Fatal(err)
	}
	m.w.seed++
	cfg := Config{ID: m.id, Seed: m.w.seed}
	if m.w.cfg != nil {
		m.w.cfg(&cfg)
	}
	m.log, m.driver = lg, &testDriver{m: m}
	m.lines = m.lines[:0]
	if m.core, err = NewCore(cfg, lg, m.store, m, m.driver); err != nil {
		m.w.t.Fatal(err)
	}
}

// kill ends the process; what was not synced may be lost.
func (m *member) kill(r *rand.Rand) {
	m.core.endReign()
	m.core, m.write, m.fetch, m.staged = nil, nil, nil, nil
	m.disk.Crash(r)
	for id := range m.w.members {
		if other := m.w.members[id]; other.core != nil && other != m {
			other.core.Disconnected(m.id, true)
		}
	}
}

func (m *member) Send(to uint64, f Frame) bool {
	if m.w.cut(m.id, to) || m.w.members[to] == nil || m.w.members[to].core == nil {
		return false
	}
	m.w.packets = append(m.w.packets, packet{m.id, to, f.Kind, bytes.Join(f.Bufs, nil)})
	return true
}
func (m *member) Write(b *Batch)            { m.write = b }
func (m *member) Fetch(msg *raftpb.Message) { m.fetch = msg }
func (m *member) Staged()                   { m.staged = nil }
func (m *member) Members([]*queue.Member)   {}
func (m *member) Loaded(uint64)             {}
func (m *member) Followed() bool            { return false }
func (m *member) Leader(lead, _ uint64)     { m.lead = lead }
func (m *member) Publish(lines []queue.Line) {
	for _, l := range lines {
		m.lines = append(m.lines, l.JSON)
	}
}

func (m *member) Install(_ *raftpb.SnapshotMetadata, hs *raftpb.HardState) (Log, Store, error) {
	lg, err := log.Open(m.fresh.FS(), m.staged.Head().Base, log.Options{SegmentBytes: 64 << 10, WriteAheadBytes: -1})
	if err != nil {
		return nil, nil, err
	}
	m.disk, m.store, m.log = m.fresh, m.staged, lg
	return lg, m.store, lg.Save(hs, nil, true)
}

// takeSnapshot is what the shells do with a stream, between two members in memory.
func (m *member) takeSnapshot() error {
	leader := m.w.members[m.fetch.GetFrom()]
	if leader.core == nil || m.w.cut(leader.id, m.id) {
		m.core.FetchFailed()
		return nil
	}
	m.staged, m.fresh = leader.store.clone(), logtest.New()
	head := m.staged.Head()
	head.Base = log.Base{Index: head.Applied.Index, Term: head.Applied.Term}
	m.staged.head = head
	state, err := queue.Load(m.staged.Each)
	if err != nil {
		return err
	}
	lg, err := log.Open(m.fresh.FS(), head.Base, log.Options{SegmentBytes: 64 << 10})
	if err != nil {
		return err
	}
	cw, err := lg.NewCarry()
	if err != nil {
		return err
	}
	indexes := map[uint64]bool{}
	for e := range state.Documents() {
		indexes[e.Index] = true
	}
	for _, i := range slices.Sorted(maps.Keys(indexes)) {
		e, err := leader.log.ReadEntry(i)
		if err != nil {
			return err
		}
		if err := cw.Add(e); err != nil {
			return err
		}
	}
	if err := cw.Commit(); err != nil {
		return err
	}
	m.fetch = nil
	return m.core.Fetched(&raftpb.SnapshotMetadata{ConfState: head.Conf, Index: &head.Applied.Index, Term: &head.Applied.Term})
}

// work lets everyone do what can be done without time passing.
func (w *world) work() {
	w.t.Helper()
	for range 10_000 {
		busy := false
		for _, id := range slices.Sorted(maps.Keys(w.members)) {
			m := w.members[id]
			if m.core == nil {
				continue
			}
			if err := m.core.Work(w.now); err != nil {
				w.t.Fatalf("member %d: %v", id, err)
			}
			if m.write != nil && !m.stalled {
				b := m.write
				m.write = nil
				if err := m.store.Commit(b); err != nil {
					w.t.Fatal(err)
				}
				if err := m.core.Written(); err != nil {
					w.t.Fatal(err)
				}
				busy = true
			}
			if m.fetch != nil {
				busy = true
				if err := m.takeSnapshot(); err != nil {
					w.t.Fatal(err)
				}
			}
		}
		packets := w.packets
		w.packets = nil
		for _, p := range packets {
			busy = true
			to := w.members[p.to]
			if to.core == nil || w.cut(p.from, p.to) {
				continue
			}
			if w.seen != nil {
				w.seen(p)
			}
			if err := checkSums(p.kind, p.body); err != nil {
				w.t.Fatalf("from %d to %d: %v", p.from, p.to, err)
			}
			if err := to.core.Receive(w.now, p.from, p.kind, p.body); err != nil {
				w.t.Fatalf("member %d receives %d from %d: %v", p.to, p.kind, p.from, err)
			}
		}
		if !busy {
			return
		}
	}
	w.t.Fatal("the members never come to rest")
}

// run lets ticks pass.
func (w *world) run(ticks int) {
	w.t.Helper()
	for range ticks {
		w.now = w.now.After(50 * time.Millisecond)
		for _, id := range slices.Sorted(maps.Keys(w.members)) {
			if m := w.members[id]; m.core != nil {
				for other, o := range w.members {
					m.core.peer(other).connected = o.core != nil && !w.cut(other, id)
				}
				m.core.Tick(w.now)
			}
		}
		w.work()
	}
}

// leader waits until the members that can reach a majority agree on one.
func (w *world) leader() *member {
	w.t.Helper()
	for range 400 {
		for _, m := range w.members {
			if m.core != nil && m.core.reign.active {
				return m
			}
		}
		w.run(1)
	}
	w.t.Fatal("no leader")
	return nil
}

func (w *world) follower() *member {
	leader := w.leader()
	for _, id := range slices.Sorted(maps.Keys(w.members)) {
		if m := w.members[id]; m != leader && m.core != nil {
			return m
		}
	}
	w.t.Fatal("no follower")
	return nil
}

// until lets time pass until a condition holds.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for range 2000 {
		if cond() {
			return
		}
		w.run(1)
	}
	w.t.Fatalf("never: %s", what)
}

// A call is a request that was made, and how it ended.
type call struct {
	ended   bool
	answer  Answer
	err     error
	abandon func()
}

func (m *member) propose(cmd *queuepb.Command, payload []byte) *call {
	m.w.t.Helper()
	c := new(call)
	c.abandon = m.core.Propose(m.w.now, cmd, payload, func(a Answer, err error) {
		if c.ended {
			m.w.t.Error("a request was answered twice")
		}
		c.ended, c.answer, c.err = true, a, err
	})
	return c
}

func (m *member) must(cmd *queuepb.Command, payload []byte) Answer {
	m.w.t.Helper()
	c := m.propose(cmd, payload)
	m.w.until("the request is answered", func() bool { return c.ended })
	if c.err != nil {
		m.w.t.Fatalf("%v: %v", cmd, c.err)
	}
	return c.answer
}

func setPrinter(name, device string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{
		Name: name, Settings: &queuepb.PrinterSettings{Devices: []string{device}},
	}}}
}

func submit(printer, key string, doc []byte) *queuepb.Command {
	sum := sha(doc)
	return &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: printer, Key: key, Bytes: uint64(len(doc)), Sha256: sum[:], Format: "text/plain", Pages: 1, Units: 1, Copies: 1,
	}}}
}

// converged fails where two members that applied the same entries are not in the same state.
func (w *world) converged() {
	w.t.Helper()
	type position struct {
		index uint64
		chain string
	}
	seen := map[uint64]string{}
	for id, m := range w.members {
		if m.core == nil {
			continue
		}
		chain := m.core.queue.Chain()
		at := position{m.core.batch.applied.Index, hex.EncodeToString(chain[:])}
		if other, ok := seen[at.index]; ok && other != at.chain {
			w.t.Fatalf("member %d has chain %s at entry %d, another %s", id, at.chain, at.index, other)
		}
		seen[at.index] = at.chain
	}
}

// testDriver claims every device and prints every job at once.
type testDriver struct {
	m       *member
	term    uint64
	ctx     context.Context
	reigns  int
	printed []uint64
	idle    bool
	formats []string // that the devices say they take
}

func (d *testDriver) Lead(ctx context.Context, term uint64, drives []queue.Drive) {
	d.ctx, d.term = ctx, term
	d.reigns++
	d.Changed(drives)
}

func (d *testDriver) Changed(drives []queue.Drive) {
	for _, x := range drives {
		if x.Removed || d.idle {
			continue
		}
		token := &queuepb.Token{Term: x.Token.Term, Index: x.Token.Index}
		switch {
		case x.Token.Term != d.term:
			d.decide(&queuepb.Command{Body: &queuepb.Command_Claim{Claim: &queuepb.Claim{Device: x.Device}}}, true)
		case !x.Resumed:
			d.decide(&queuepb.Command{Body: &queuepb.Command_Resume{Resume: &queuepb.Resume{
				Device: x.Device, Token: token, Epoch: "e", Cluster: "c1", Identity: fmt.Sprint("id", x.Device), Mark: &queuepb.Mark{Closed: true},
				Formats: d.formats,
			}}}, false)
		case x.Work != nil:
			d.printed = append(d.printed, x.Work.Job)
			d.decide(&queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
				Device: x.Device, Token: token, Attempt: x.Work.Attempt, Units: uint32(x.Work.Units * x.Work.Copies), Stopped: x.Work.Stopping,
			}}}, false)
		}
	}
}

func (d *testDriver) decide(cmd *queuepb.Command, alone bool) {
	cmd.Term = d.term
	d.m.core.Decide(d.term, queue.Encode(cmd), alone)
}

// memStore is a store in memory.
type memStore struct {
	head    Head
	records map[queue.Bucket]map[string][]byte
}

func newMemStore() *memStore { return &memStore{records: map[queue.Bucket]map[string][]byte{}} }

func (s *memStore) clone() *memStore {
	c := &memStore{head: s.head, records: map[queue.Bucket]map[string][]byte{}}
	for b, records := range s.records {
		c.records[b] = maps.Clone(records)
	}
	return c
}

func (s *memStore) Head() Head { return s.head }

func (s *memStore) Get(bucket queue.Bucket, key []byte) ([]byte, error) {
	return s.records[bucket][string(key)], nil
}

func (s *memStore) Each(bucket queue.Bucket, fn func(key, value []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(s.records[bucket])) {
		if err := fn([]byte(k), s.records[bucket][k]); err != nil {
			return err
		}
	}
	return nil
}

func (s *memStore) Lines(seq uint64, limit int) (lines []queue.Line, err error) {
	err = s.Each(queue.Lines, func(key, value []byte) error {
		if n := binary.BigEndian.Uint64(key); n >= seq && len(lines) < limit {
			lines = append(lines, queue.Line{Seq: n, JSON: value})
		}
		return nil
	})
	return lines, err
}

func (s *memStore) Commit(b *Batch) error {
	put := func(bucket queue.Bucket, key, value []byte) {
		if s.records[bucket] == nil {
			s.records[bucket] = map[string][]byte{}
		}
		if value == nil {
			delete(s.records[bucket], string(key))
		} else {
			s.records[bucket][string(key)] = value
		}
	}
	for _, c := range b.Changes {
		put(c.Bucket, c.Key, c.Value)
	}
	for _, l := range b.Lines {
		put(queue.Lines, binary.BigEndian.AppendUint64(nil, l.Seq), l.JSON)
	}
	s.head = b.Head
	return nil
}
