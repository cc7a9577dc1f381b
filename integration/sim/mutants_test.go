package sim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"printq/node"
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// A planted bug, and how it is looked for.
type planted struct {
	Mutant
	// Focus are the faults that it shows under: some are added to every plan.
	focus []Kind
	// Wall is a mutant that takes away what would hide the bug. The seed that catches the bug must pass with the wall gone and without
	// the bug.
	wall *Mutant
	// want is the invariant that it must break, in words that hold says; 0: any.
	want int
	says string
	// Seeds to try at most.
	seeds uint64
}

// unfenced is a device that prints whatever it is told.
var unfenced = Mutant{Open: openAny, Print: printAny, Close: closeAny, Unfenced: true}

func openAny(f *device.Fence, t queue.Token) error {
	if f.High.Less(t) {
		f.High = t
	}
	return nil
}

func printAny(t *tray, u device.Unit) (device.Verdict, error) {
	t.fence.Mark = device.Mark{Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, Closed: u.Last}
	return device.Prints, nil
}

func closeAny(f *device.Fence, c device.Closing) error {
	if c.Attempt == f.Mark.Attempt {
		f.Mark.Closed = true
	}
	return nil
}

// with is a mutant behind the wall that another one took away.
func (m Mutant) with(wall Mutant) Mutant {
	m.Open, m.Print, m.Close, m.Unfenced = wall.Open, wall.Print, wall.Close, wall.Unfenced
	return m
}

var mutants = []planted{
	// The design that the problem comes from: whoever holds a lock with a time-out drives the tray. It asks whether it has the lock before
	// each job, and the tray knows of no token. Pages of two jobs mix.
	{Mutant: Mutant{Name: "leader-through-a-lock", Lock: 3 * time.Second}.with(unfenced), wall: &Mutant{}, focus: []Kind{Pause, SlowGo, OnlyOld}, want: 5, says: "mixed", seeds: 2000},
	{Mutant: Mutant{Name: "driver-without-its-local-check", NoLocalCheck: true}.with(unfenced), wall: &unfenced, focus: []Kind{OnlyOld, Isolate}},
	{Mutant: Mutant{Name: "device-without-fence"}.with(unfenced), wall: &Mutant{}, focus: []Kind{Delayed, Doubled}},
	{Mutant: Mutant{Name: "mark-without-attempt", Print: printByJob}, wall: &Mutant{}, focus: []Kind{Hold, Release}, want: 6},
	{Mutant: Mutant{Name: "mark-without-copy", Print: printByPage}, wall: &Mutant{}},
	{Mutant: Mutant{Name: "no-epoch", NoEpoch: true}, wall: &Mutant{}, focus: []Kind{Forget, Forget, Kill}},
	{Mutant: Mutant{Name: "close-not-remembered", Close: closeForgotten}, wall: &Mutant{}, focus: []Kind{Delayed, Cancel, Hold}, seeds: 1000},
	{Mutant: Mutant{Name: "token-without-index", Open: openTerm, Print: printTerm, Close: closeTerm}, wall: &Mutant{}, focus: []Kind{Delayed, Forget}},

	{Mutant: Mutant{Name: "no-tag", Stale: staleCounts, TagsUnseen: true}.with(unfenced), wall: &unfenced, focus: []Kind{Stale, Stale, Kill}, seeds: 1000},
	{Mutant: Mutant{Name: "void-decision-that-changes-state", Stale: staleCounts}, wall: &Mutant{}, focus: []Kind{Stale, Kill}},
	{Mutant: Mutant{Name: "resume-with-an-old-mark", Decide: oldMark}, wall: &Mutant{}, focus: []Kind{Kill, Transfer}},
	{Mutant: Mutant{Name: "done-without-its-attempt", Decide: doneTwice}, wall: &Mutant{}, focus: []Kind{SlowGo}},
	{Mutant: Mutant{Name: "progress-before-the-device-says-so", Decide: earlyProgress}, wall: &Mutant{}},
	{Mutant: Mutant{Name: "clear-though-a-unit-was-begun", Decide: alwaysClear}, wall: &Mutant{}, want: 8},
	{Mutant: Mutant{Name: "replay-that-drives-a-device", ReplayDrives: true, NoLocalCheck: true}, wall: &Mutant{}, focus: []Kind{Kill}},

	{Mutant: Mutant{Name: "acknowledge-before-sync", NoSync: true}, wall: &Mutant{}, focus: []Kind{Power, AllDown}},
	{Mutant: Mutant{Name: "applied-index-outside-the-transaction", Commit: commitHeadFirst}, wall: &Mutant{}, focus: []Kind{Kill}},
	{Mutant: Mutant{Name: "compaction-past-a-live-document", NoRetain: true}, wall: &Mutant{}, focus: []Kind{PausePrinter}},
	{Mutant: Mutant{Name: "snapshot-without-documents", NoDocuments: true}, wall: &Mutant{}, focus: []Kind{Isolate, Hold}},
	{Mutant: Mutant{Name: "hash-not-checked", NoHash: true}, wall: &Mutant{}, focus: []Kind{Flip, Hang, PausePrinter}, seeds: 1000},
	{Mutant: Mutant{Name: "wiped-disk-comes-back-and-votes", WipedReturns: true}, wall: &Mutant{}, focus: []Kind{Wipe, Isolate}},
	{Mutant: Mutant{Name: "lease-reads", LeaseReads: true}, wall: &Mutant{}, focus: []Kind{Pause, Read, Read, Read, Isolate}, seeds: 1000},
	{Mutant: Mutant{Name: "retry-without-key", NoKey: true}, wall: &Mutant{}, focus: []Kind{Kill, Lossy}},
}

// TestMutants: a checker is shown to fail on a broken program before it is trusted.
func TestMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector")
	}
	for _, p := range mutants {
		t.Run(p.Name, func(t *testing.T) { p.hunt(t) })
	}
}

func (p planted) hunt(t *testing.T) {
	began := time.Now()
	if p.seeds == 0 {
		p.seeds = 300
	}
	for seed := uint64(1); seed <= p.seeds; seed++ {
		v := run(t, PlanOf(seed, p.focus...), p.Mutant).Violation
		if v == nil || p.want != 0 && v.Invariant != p.want || !strings.Contains(v.Text, p.says) || run(t, PlanOf(seed, p.focus...), *p.wall).Violation != nil {
			continue
		}
		t.Logf("%.300v", v)
		fmt.Printf("mutant %s caught seed=%d seconds=%.1f\n", p.Name, seed, time.Since(began).Seconds())
		return
	}
	t.Errorf("mutant %s is not caught by %d seeds", p.Name, p.seeds)
}

// printByJob keeps a mark that knows the job, not the attempt.
func printByJob(t *tray, u device.Unit) (device.Verdict, error) {
	f := &t.fence
	if u.Job == t.job && u.Attempt > f.Mark.Attempt {
		if u.Copy < f.Mark.Copy || u.Copy == f.Mark.Copy && u.Page <= f.Mark.Page {
			return device.Repeats, nil
		}
		f.Mark.Attempt, f.Mark.Closed = u.Attempt, false
	}
	return fencePrint(f, u)
}

// printByPage keeps a mark that knows the page, not the copy.
func printByPage(t *tray, u device.Unit) (device.Verdict, error) {
	f := &t.fence
	if f.Mark.Attempt == u.Attempt && u.Page <= f.Mark.Page {
		return device.Repeats, nil
	}
	return fencePrint(f, u)
}

func closeForgotten(f *device.Fence, c device.Closing) error {
	before := f.Mark
	err := fenceClose(f, c)
	if c.Attempt != before.Attempt {
		f.Mark = before
	}
	return err
}

// term is a token that is the term only.
func term(t queue.Token) queue.Token { return queue.Token{Term: t.Term, Index: 1} }

func openTerm(f *device.Fence, t queue.Token) error { return f.Open(term(t)) }

func printTerm(t *tray, u device.Unit) (device.Verdict, error) {
	u.Token = term(u.Token)
	return fencePrint(&t.fence, u)
}

func closeTerm(f *device.Fence, c device.Closing) error {
	c.Token = term(c.Token)
	return fenceClose(f, c)
}

// staleCounts gives an old leader's decision the term, the token and the attempt that are live: as if nobody compared them.
func staleCounts(w *World, c *queuepb.Command) {
	old := c.Term
	c.Term = w.leader().leading
	switch b := c.Body.(type) {
	case *queuepb.Command_Resume:
		if d := w.history.drive(b.Resume.Device); d != nil {
			b.Resume.Token = tokenOf(d)
		}
	case *queuepb.Command_Printed:
		if d := w.history.drive(b.Printed.Device); d != nil && d.Work != nil {
			b.Printed.Token, b.Printed.Attempt = tokenOf(d), d.Work.Attempt
		}
	case *queuepb.Command_Done:
		if d := w.history.drive(b.Done.Device); d != nil && d.Work != nil {
			b.Done.Token, b.Done.Attempt = tokenOf(d), d.Work.Attempt
		}
	}
	w.forged = append(w.forged, forgery{c, old})
}

func tokenOf(d *queue.Drive) *queuepb.Token {
	return &queuepb.Token{Term: d.Token.Term, Index: d.Token.Index}
}

// oldMark answers with the mark that the device gave to the claim before this one.
func oldMark(s *shell, c *queuepb.Command) []*queuepb.Command {
	r := c.GetResume()
	if r == nil {
		return []*queuepb.Command{c}
	}
	if s.w.marks == nil {
		s.w.marks = map[uint64]*queuepb.Mark{}
	}
	old := s.w.marks[r.Device]
	s.w.marks[r.Device] = r.Mark
	if old != nil {
		r.Mark = old
	}
	return []*queuepb.Command{c}
}

// doneTwice proposes each Done again a little later, and then for whatever attempt is live.
func doneTwice(s *shell, c *queuepb.Command) []*queuepb.Command {
	d := c.GetDone()
	if d == nil {
		return []*queuepb.Command{c}
	}
	term := c.Term
	s.m.after(s.w.between(0, 50*time.Millisecond), func() {
		if live := s.w.history.drive(d.Device); live != nil && live.Work != nil && live.Token == (queue.Token{Term: d.Token.Term, Index: d.Token.Index}) {
			s.propose(term, &queuepb.Command{Term: term, Body: &queuepb.Command_Done{Done: &queuepb.Done{
				Device: d.Device, Token: d.Token, Attempt: live.Work.Attempt, Units: uint32(live.Work.Units * live.Work.Copies),
			}}})
		}
	})
	return []*queuepb.Command{c}
}

// earlyProgress records a unit that was only sent.
func earlyProgress(_ *shell, c *queuepb.Command) []*queuepb.Command {
	if p := c.GetPrinted(); p != nil {
		p.Units++
	}
	return []*queuepb.Command{c}
}

// alwaysClear says of every window that broke that nothing of it after what is out was begun.
func alwaysClear(_ *shell, c *queuepb.Command) []*queuepb.Command {
	if r := c.GetResume(); r != nil && r.Before != nil {
		r.Clear = true
	}
	return []*queuepb.Command{c}
}

// commitHeadFirst writes the position at once, and the changes with the next batch.
func commitHeadFirst(s *memoryStore, b *node.Batch) {
	if s.late != nil {
		s.write(s.late)
	}
	s.late, s.head = b, b.Head
}
