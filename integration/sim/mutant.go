package sim

import (
	"errors"
	"time"

	"printq/node"
	"printq/printer"
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Mutant is a bug that is planted at one of the seams between the production code and the world. The zero Mutant is none.
type Mutant struct {
	Name string

	// The device's side: what it does instead of keeping rule R8. Unfenced: its answers are not held to invariant 4.
	Open     func(f *device.Fence, t queue.Token) error
	Print    func(t *tray, u device.Unit) (device.Verdict, error)
	Close    func(f *device.Fence, c device.Closing) error
	Unfenced bool
	// NoEpoch is a device that has none, or always the same.
	NoEpoch bool

	// The driver's side.
	NoLocalCheck bool // does not ask whether it still leads, nor notices that it does not
	// Lock: leadership over the devices is a lock with this time-out, which its holder renews while it leads. The driver asks for it
	// before each job. 0: none.
	Lock         time.Duration
	ReplayDrives bool // takes the state that a start found for news
	// Decide changes a driver's decision, or adds to it, before it is proposed.
	Decide func(s *shell, c *queuepb.Command) []*queuepb.Command
	// Stale changes an old leader's decision that reaches the new leader's log, so that it counts.
	Stale func(w *World, c *queuepb.Command)
	// TagsUnseen: the checker takes the tags for what they say.
	TagsUnseen bool

	// The member's side.
	Commit       func(s *memoryStore, b *node.Batch)
	NoSync       bool // the log's syncs are left out
	NoRetain     bool // the log is not told which documents are needed
	NoHash       bool // documents are not checked
	NoDocuments  bool // a snapshot carries none
	WipedReturns bool // a member whose disk was wiped comes back under its id
	LeaseReads   bool // a member that believes it leads answers reads by itself
	StaleReads   bool // any member does

	// The client's side.
	NoKey         bool // a retry is another request
	UnknownAsNone bool // is told that nothing was stored where that is not known
	AnswerEarly   bool // is told that what was asked is done when it is only proposed

	// HistoriesOnly turns every check off but that of the clients' histories.
	HistoriesOnly bool
}

func (m *Mutant) open(f *device.Fence, t queue.Token) error {
	if m.Open != nil {
		return m.Open(f, t)
	}
	return f.Open(t)
}

func (m *Mutant) print(t *tray, u device.Unit) (device.Verdict, error) {
	if m.NoEpoch {
		u.Epoch = t.fence.Epoch
	}
	if m.Print != nil {
		return m.Print(t, u)
	}
	return fencePrint(&t.fence, u)
}

func (m *Mutant) close(f *device.Fence, c device.Closing) error {
	if m.NoEpoch {
		c.Epoch = f.Epoch
	}
	if m.Close != nil {
		return m.Close(f, c)
	}
	return fenceClose(f, c)
}

func (m *Mutant) epoch(epoch string) string {
	if m.NoEpoch {
		return "always"
	}
	return epoch
}

// mayBegin is the driver's last question before a request leaves (R6).
func (m *Mutant) mayBegin(s *shell, u *underway) error {
	switch {
	case m.NoLocalCheck, m.Lock > 0 && !u.op.Unit.First:
		return nil
	case m.Lock > 0:
		if s.w.now > s.m.lock+m.Lock {
			return printer.ErrNotLeader
		}
		return nil
	case u.ctx.Err() != nil:
		return u.ctx.Err()
	case s.m.leading != u.op.Term:
		return printer.ErrNotLeader
	}
	return nil
}

// deaf is a driver that nobody tells of the end of its reign.
func (m *Mutant) deaf() bool { return m.NoLocalCheck || m.Lock > 0 }

func (m *Mutant) commit(s *memoryStore, b *node.Batch) {
	if m.Commit != nil {
		m.Commit(s, b)
		return
	}
	s.write(b)
}

// decide is what comes of a driver's decision.
func (m *Mutant) decide(s *shell, c *queuepb.Command) []*queuepb.Command {
	if m.Decide == nil {
		return []*queuepb.Command{c}
	}
	return m.Decide(s, c)
}

// read answers a read without asking anyone.
func (m *Mutant) read(x *member) (at uint64, ok bool) {
	_, leads := x.core.Leads()
	return x.applied, m.StaleReads || m.LeaseReads && leads
}

// told is what a client takes an error for.
func (m *Mutant) told(err error) error {
	if m.UnknownAsNone && errors.Is(err, node.ErrUnknown) {
		return node.ErrNoQuorum
	}
	return err
}

// documents are those that a snapshot carries.
func (m *Mutant) documents(s *queue.State) (all []queue.Extent) {
	if m.NoDocuments {
		return nil
	}
	for x := range s.Documents() {
		all = append(all, x)
	}
	return all
}
