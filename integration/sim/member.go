package sim

import (
	"fmt"
	"runtime/debug"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
	"printq/node"
	"printq/queue"
)

// A member is one process, again and again, and the disk that outlives it.
type member struct {
	w     *World
	id    uint64
	disk  *logtest.Disk
	store *memoryStore
	born  []byte // what it answers a probe; nil: it was not born, or has forgotten it

	// The process.
	up    bool
	birth uint64 // counts processes: what was made for an older one does not happen any more
	core  *node.Core
	log   *memberLog
	shell *shell
	calls map[uint64]*call
	// leading is the term that the loop last said it leads in, as printer.Log.Leads asks it.
	leading uint64
	since   time.Duration   // when it began to
	lock    time.Duration   // when it last renewed the lock of a mutant's
	led     map[uint64]bool // terms this process led in
	seq     uint64          // of the last line published
	applied uint64
	writing bool   // a batch is on its way to the store
	doing   string // what it last asked of the disk
	// A snapshot on its way.
	staged *memoryStore
	fresh  *logtest.Disk
	served int // streams being served

	// What is wrong with it.
	paused   bool
	held     []func()      // what came while it was paused
	busy     time.Duration // until then the loop is inside a write
	io       time.Duration // spent in the writes of the turn under way
	stalled  time.Duration // until then no sync ends
	clock    time.Duration // its clock less the true time
	slow     bool          // its driver's goroutines run late
	armed    string        // the fault of the disk that may end it
	flipped  bool          // a bit of its disk was turned over
	lost     bool          // its disk is gone, or damaged: it does not come back
	sleeping bool          // it is down, and a start is on its way
	wipes    int           // how often its disk was emptied
	asking   *node.Newborn // it has an empty disk, and looks for a cluster
}

// Small limits, so that segments roll, documents are carried over and slow members need snapshots within a minute.
const (
	segmentBytes  = 6 << 10
	retainEntries = 25
	tick          = 50 * time.Millisecond
)

func newMember(w *World, id uint64) *member {
	return &member{w: w, id: id, disk: logtest.New(), store: newStore(firstBatch(w.plan.Members))}
}

const clusterID = "c1"

// firstBatch is what node's bootstrap writes: as if the log had been compacted at its first entry.
func firstBatch(members int) *node.Batch {
	conf := &raftpb.ConfState{}
	for i := range members {
		conf.Voters = append(conf.Voters, uint64(i+1))
	}
	return &node.Batch{
		Head:    node.Head{Applied: node.Position{Index: 1, Term: 1}, Conf: conf, Base: log.Base{Index: 1, Term: 1}},
		Changes: queue.New(clusterID).Drain(),
	}
}

// after lets something happen in this process, unless it has ended by then. A paused process does it when it goes on.
func (m *member) after(d time.Duration, do func()) {
	birth := m.birth
	m.w.after(d, func() { m.run(birth, do) })
}

func (m *member) run(birth uint64, do func()) {
	switch {
	case birth != m.birth:
	case m.paused:
		m.held = append(m.held, func() { m.run(birth, do) })
	default:
		do()
	}
}

// soon lets the loop do something, once it is not inside a write.
func (m *member) soon(d time.Duration, do func() error) {
	m.after(d, func() {
		switch {
		case !m.up:
		case m.w.now < m.busy:
			m.soon(m.busy-m.w.now, do)
		default:
			m.turn(do)
		}
	})
}

// turn is one round of node's loop: something happens, and then everything is done that can be.
func (m *member) turn(do func() error) {
	m.io = 0
	err := m.guard(func() error {
		if err := do(); err != nil {
			return err
		}
		return m.core.Work(m.time())
	})
	m.busy = m.w.now + m.io
	if err != nil {
		m.failed(err)
		return
	}
	for _, to := range m.core.Asked() {
		m.shell.handOver(to)
	}
	m.shell.look()
	m.answer()
}

// time is what this member's clocks say.
func (m *member) time() node.Instant {
	return node.Instant{Wall: epoch.Add(m.w.now + m.clock), Steady: m.w.now}
}

// guard makes an error of a panic of a member whose disk lies to it. Any other panic is a violation.
func (m *member) guard(do func() error) (err error) {
	defer func() {
		x := recover()
		if x == nil {
			return
		}
		if _, ours := x.(*Violation); ours {
			panic(x)
		}
		if !m.flipped {
			m.w.violated(0, "member %d panics: %v\n%s", m.id, x, debug.Stack())
		}
		err = fmt.Errorf("panic: %v", x)
	}()
	return do()
}
