package printer

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// A sim is Cores of many leaders, old ones among them that never noticed, one log whose meaning is the real state machine's, and
// one device that is nothing but its fence. The test draws what happens next.
type sim struct {
	t       interface{ Fatalf(string, ...any) }
	now     time.Time
	entries []queue.Entry
	state   *queue.State // after all entries
	view    records
	term    uint64
	leaders []*leader
	fence   device.Fence
	paper   []sheet
	delayed []*Operation // doubled requests, still on their way
	press   *press       // in place of the fenced device; nil: none
}

type sheet struct {
	job, attempt uint64
	unit         int
}

// A leader of one term, with its own view of the log.
type leader struct {
	core    *Core
	term    uint64
	state   *queue.State
	view    records
	applied int
	pending []*queuepb.Command
	op      *Operation
	sent    int  // units of op that a device without a fence has taken
	halted  bool // op was stopped
	wake    time.Time
}

// records is the view of one state: what was drained from it.
type records map[string][]byte

func (r records) Get(b queue.Bucket, key []byte) ([]byte, error) {
	return r[string(b)+string(key)], nil
}

func (r records) drain(s *queue.State) {
	for _, c := range s.Drain() {
		r[string(c.Bucket)+string(c.Key)] = c.Value
	}
}

func newSim(t interface{ Fatalf(string, ...any) }) *sim {
	s := &sim{t: t, now: time.Unix(1, 0), state: queue.New("c"), view: records{}, fence: device.NewFence("e", "c")}
	s.elect()
	s.fact(&queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{
		Name: "p", Settings: &queuepb.PrinterSettings{Devices: []string{"tray:/t"}},
	}}})
	return s
}

func (s *sim) commit(data []byte) {
	e := queue.Entry{Index: uint64(len(s.entries) + 2), Term: s.term, Data: data}
	s.entries = append(s.entries, e)
	if _, err := s.state.Apply(e, s.view); err != nil {
		s.t.Fatalf("%v", err)
	}
	s.view.drain(s.state)
	s.check()
}

func (s *sim) fact(c *queuepb.Command) {
	payload := make([]byte, c.Payload)
	s.commit(queue.Pack(s.now.UnixNano(), []queue.Packed{{Head: queue.Encode(c), Payload: payload}}))
}

func (s *sim) submit(units, copies int) { s.submitWith(units, copies, 0) }

func (s *sim) submitWith(units, copies, pages int) {
	sum := sha256.Sum256([]byte{0})
	s.fact(&queuepb.Command{Payload: 1, Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: "p", Bytes: 1, Sha256: sum[:], Format: "text/plain", Units: uint32(units), Copies: uint32(copies), Pages: uint32(pages),
	}}})
}

func (s *sim) elect() *leader {
	s.term++
	s.commit(nil)
	l := &leader{core: NewCore(1, s.term), term: s.term, state: queue.New("c"), view: records{}}
	for l.applied < len(s.entries) {
		l.apply(s)
	}
	for _, d := range l.state.Drives() {
		l.core.Lead(l.term, d)
	}
	s.leaders = append(s.leaders, l)
	return l
}

func (l *leader) apply(s *sim) bool {
	if l.applied == len(s.entries) || s.entries[l.applied].Term > l.term {
		return false
	}
	r, err := l.state.Apply(s.entries[l.applied], l.view)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	l.view.drain(l.state)
	l.applied++
	for _, id := range r.Devices {
		if d := l.state.Drive(id); l.core.term == 0 {
			l.core.Lead(l.term, d)
		} else {
			l.core.Change(d)
		}
	}
	return true
}

func (l *leader) step(s *sim) {
	todo := l.core.Step(s.now)
	l.pending = append(l.pending, todo.Decisions...)
	l.wake = todo.Wake
	if todo.Operation != nil {
		if l.op != nil {
			s.t.Fatalf("two operations at once")
		}
		l.op, l.sent, l.halted = todo.Operation, 0, false
	}
	if l.op != nil && l.op.ID == todo.Stop {
		l.halted = true
	}
}

// decide commits the leader's oldest proposal; one of an old term under the new one, to be void, or not at all.
func (l *leader) decide(s *sim, late bool) {
	if len(l.pending) == 0 {
		return
	}
	c := l.pending[0]
	l.pending = l.pending[1:]
	if l.term == s.term || late {
		s.fact(c)
	}
}

// deliver lets the device answer; if lost, the leader does not hear it.
func (l *leader) deliver(s *sim, lost bool) {
	if l.op == nil {
		return
	}
	op := l.op
	l.op = nil
	r := s.do(op)
	if lost {
		r = Result{ID: op.ID, Err: fmt.Errorf("%w: lost", device.ErrUnreachable)}
	}
	l.core.Result(s.now, r)
}

func (s *sim) do(op *Operation) Result {
	f := &s.fence
	r := Result{ID: op.ID}
	switch op.Kind {
	case OpenDevice:
		r.Err = f.Open(op.Token)
		r.State = device.State{Mark: f.Mark, Epoch: f.Epoch, Cluster: f.Cluster, Identity: "id", Prepares: true}
	case CloseAttempt:
		if r.Err = f.Check(op.Token, op.Closing.Epoch); r.Err == nil {
			r.Err = f.Close(op.Token, op.Closing.Attempt)
		}
		r.Mark = f.Mark
	case PrintUnit:
		r.Err = s.print(op.Unit)
	}
	s.check()
	return r
}

func (s *sim) print(u device.Unit) error {
	if err := s.fence.Check(u.Token, u.Epoch); err != nil {
		return err
	}
	v, err := s.fence.Print(device.Page{
		Token: u.Token, Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy,
	})
	if w := s.state.Drive(1).Work; v == device.Prints && (w == nil || w.Attempt != u.Attempt) {
		s.t.Fatalf("attempt %d prints after its end", u.Attempt)
	}
	if v == device.Prints {
		s.paper = append(s.paper, sheet{u.Job, u.Attempt, (u.Copy-1)*u.PerCopy + u.Page})
	}
	return err
}

// check: no two attempts' pages are mixed, none is doubled or out of order, and the log never says more than the device.
func (s *sim) check() {
	if s.press != nil {
		return
	}
	begun := map[uint64]int{}
	for i, p := range s.paper {
		last, on := begun[p.attempt]
		if on && p.unit != last+1 || !on && p.unit != 1 && s.start(p) != p.unit-1 || last > 0 && s.paper[i-1].attempt != p.attempt {
			s.t.Fatalf("paper: %v", s.paper)
		}
		begun[p.attempt] = p.unit
	}
	for _, d := range s.state.Drives() {
		if w := d.Work; w != nil && w.Printed > max(begun[w.Attempt], w.Start) {
			s.t.Fatalf("job %d attempt %d: recorded %d, printed %d", w.Job, w.Attempt, w.Printed, begun[w.Attempt])
		}
	}
}

// start is how many units of a job an attempt leaves out.
func (s *sim) start(p sheet) int {
	j, err := s.state.Job(p.job, s.view)
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	for _, a := range j.Attempts {
		if a.Number == p.attempt {
			return int(a.From)
		}
	}
	return -1
}

// settle lets a leader that is not disturbed bring everything to its end.
func (s *sim) settle(l *leader) {
	for range 5000 {
		for l.apply(s) {
		}
		l.step(s)
		l.deliver(s, false)
		for len(l.pending) > 0 {
			l.decide(s, false)
		}
		if l.applied == len(s.entries) && l.op == nil && s.idle() {
			return
		}
		if s.now.Before(l.wake) {
			s.now = l.wake
		}
	}
	s.t.Fatalf("does not come to an end: %+v", s.state.Drives())
}

func (s *sim) idle() bool {
	for _, d := range s.state.Drives() {
		if d.Work != nil || !d.Resumed || d.Closing != 0 {
			return false
		}
	}
	return true
}

// verify: every job ended as was asked, and a completed one is on paper as a whole.
func (s *sim) verify() {
	for id := uint64(1); s.state.HasJob(id); id++ {
		j, err := s.state.Job(id, s.view)
		if errors.Is(err, queue.ErrNoJob) {
			continue
		}
		state := queue.JobState(j.State)
		if j.Reason == "in-doubt" || !state.Ended() && state != queue.Held {
			s.t.Fatalf("job %d is %v, %s", id, state, j.Reason)
		}
		if state != queue.Completed {
			continue
		}
		a := j.Attempts[len(j.Attempts)-1]
		n := int(a.From)
		for _, p := range s.paper {
			if p.attempt == a.Number {
				n++
			}
		}
		if n != int(j.Units*j.Copies) {
			s.t.Fatalf("job %d is completed with %d of %d units on paper", id, n, j.Units*j.Copies)
		}
	}
}

// Whatever is delayed, doubled or lost, and however many old leaders go on: invariants 5, 6, 7, 14 and 15 of the design hold.
func TestCoresAtRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSim(t)
		for range rapid.IntRange(1, 3).Draw(t, "jobs") {
			s.submit(rapid.IntRange(1, 3).Draw(t, "units"), rapid.IntRange(1, 2).Draw(t, "copies"))
		}
		for range rapid.IntRange(10, 250).Draw(t, "events") {
			s.event(t)
		}
		l := s.leaders[len(s.leaders)-1]
		if !l.core.leads || rapid.Bool().Draw(t, "new leader") {
			l = s.elect()
		}
		s.settle(l)
		s.verify()
	})
}

func (s *sim) event(t *rapid.T) {
	// Mostly one of the two newest.
	old := min(rapid.IntRange(0, 5).Draw(t, "leader")/2, len(s.leaders)-1)
	l := s.leaders[len(s.leaders)-1-old]
	switch what := rapid.IntRange(0, 99).Draw(t, "event"); {
	case what < 25:
		l.apply(s)
	case what < 50:
		l.step(s)
	case what < 65:
		l.deliver(s, what == 50)
	case what < 82:
		l.decide(s, what == 65)
	case what < 85:
		if l.op != nil {
			s.delayed = append(s.delayed, l.op)
		}
	case what < 88:
		if n := len(s.delayed); n > 0 {
			i := rapid.IntRange(0, n-1).Draw(t, "delayed")
			s.do(s.delayed[i])
			s.delayed = slices.Delete(s.delayed, i, i+1)
		}
	case what < 90:
		s.elect()
	case what == 90:
		l.core.Revoke()
	case what == 91:
		l.pending = nil
	case what < 95:
		s.now = s.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
	case what < 97:
		s.submit(rapid.IntRange(1, 3).Draw(t, "units"), rapid.IntRange(1, 2).Draw(t, "copies"))
	default:
		s.client(t)
	}
}

func (s *sim) client(t *rapid.T) {
	job := rapid.Uint64Range(1, max(s.state.LastJob(), 1)).Draw(t, "job")
	switch rapid.IntRange(0, 3).Draw(t, "action") {
	case 0:
		s.fact(&queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: job}}})
	case 1:
		s.fact(&queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: job}}})
	case 2:
		s.fact(&queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: job}}})
	case 3:
		from := rapid.Uint32Range(0, 3).Draw(t, "from")
		s.fact(&queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: job, From: from}}})
	}
}
