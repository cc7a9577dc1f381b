package printer

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// A press is a printer without a fence, as a simulation has it. It serves one connection at a time: who opens it has waited until
// the older one was over.
type press struct {
	class   queue.Class
	window  int
	counter uint64
	serves  queue.Token // whose connection it is
	buffer  []imprint   // taken, not printed yet
	paper   []imprint
	jobs    []*remoteJob
}

// An imprint is one unit on paper.
type imprint struct {
	job, attempt uint64
	unit         int // over all copies
	torn         bool
}

type remoteJob struct {
	title string
	job   device.Job
	end   device.End
	had   bool // its document
	out   int
	gone  bool
}

func (p *press) land() {
	if len(p.buffer) > 0 {
		p.paper = append(p.paper, p.buffer[0])
		p.buffer = p.buffer[1:]
		p.counter++
	}
}

func (p *press) rest() {
	for len(p.buffer) > 0 {
		p.land()
	}
}

// A fate is what happens to a request on its way.
type fate int

const (
	arrives fate = iota
	lost         // it never arrived
	unheard      // it was carried out, and the answer was lost
	cut          // the connection broke in the middle
	crushed      // the same, and half a page came out
)

// run carries out one step of an operation. Of a window that is one unit.
func (p *press) run(l *leader, op *Operation, f fate) (r Result, ended bool) {
	r.ID = op.ID
	if f == lost {
		r.Err = fmt.Errorf("%w: lost", device.ErrUnreachable)
		if op.Kind == SendWindow && l.sent > 0 {
			r.Err = fmt.Errorf("%w: cut", device.ErrUnclear)
		}
		return r, true
	}
	switch op.Kind {
	case OpenDevice:
		p.rest()
		if p.serves.Less(op.Token) {
			p.serves = op.Token
		}
		r.State = device.State{Class: p.class, Window: p.window, Identity: "id", Counts: p.class == queue.Counted, Counter: p.counter}
	case ReadyDevice:
		if op.Token.Less(p.serves) {
			r.Err = device.ErrUnreachable
			return r, true
		}
		p.rest()
		r.Ready = device.Readiness{Counts: p.class == queue.Counted, Counter: p.counter}
	case SendWindow:
		return p.send(l, op, f)
	default:
		p.spool(op, &r)
	}
	if f != arrives {
		r.Err = fmt.Errorf("%w: unheard", device.ErrUnreachable)
	}
	return r, true
}

func (p *press) send(l *leader, op *Operation, f fate) (r Result, ended bool) {
	r.ID = op.ID
	sent := func() device.Sent {
		s := device.Sent{Whole: op.From + l.sent, Out: op.From + l.sent}
		if p.class == queue.Counted {
			s.Out -= len(p.buffer)
		}
		return s
	}
	if op.Token.Less(p.serves) {
		r.Sent, r.Err = sent(), device.ErrUnclear // our connection is gone
		return r, true
	}
	next := imprint{op.Work.Job, op.Work.Attempt, op.From + l.sent + 1, false}
	switch f {
	case cut, crushed:
		if next.torn = true; f == crushed {
			p.buffer = append(p.buffer, next)
		}
		r.Sent, r.Err = device.Sent{Whole: op.From + l.sent}, device.ErrUnclear
		return r, true
	case unheard:
		p.buffer = append(p.buffer, next)
		r.Sent, r.Err = device.Sent{Whole: op.From + l.sent}, device.ErrUnclear
		return r, true
	}
	p.buffer = append(p.buffer, next)
	l.sent++
	l.core.Told(op.ID, sent())
	if op.From+l.sent < op.To && !l.halted {
		return r, false
	}
	p.rest()
	r.Sent = sent()
	return r, true
}

func (p *press) spool(op *Operation, r *Result) {
	title := op.job().Title()
	if op.Kind == CreateJob {
		for i, j := range p.jobs {
			if j.title == title && !j.gone {
				r.Remote = fmt.Sprint(i)
				return
			}
		}
		p.jobs = append(p.jobs, &remoteJob{title: title, job: op.job()})
		r.Remote = fmt.Sprint(len(p.jobs) - 1)
		return
	}
	var id int
	_, _ = fmt.Sscan(op.Remote, &id)
	j := p.jobs[id]
	switch {
	case j.gone:
		r.Outcome = device.Outcome{End: device.Gone}
		return
	case op.Kind == CancelJob && j.end == device.Open:
		j.end = device.Canceled
	case op.Kind == FollowJob && !j.had && j.end == device.Open:
		j.had, j.out, j.end = true, j.job.Total(), device.Completed
		for n := j.job.Start + 1; n <= j.job.Total(); n++ {
			p.paper = append(p.paper, imprint{j.job.ID, j.job.Attempt, n, false})
		}
	}
	r.Outcome = device.Outcome{End: j.end, Out: max(j.out, j.job.Start), Known: true}
}

// A doubts is what the log ever called in doubt, by job.
type doubts map[uint64]map[int]bool

func (d doubts) note(j *queue.Job) {
	if j.GetInDoubt() == nil {
		return
	}
	if d[j.Id] == nil {
		d[j.Id] = map[int]bool{}
	}
	first, last := int((j.InDoubt.Copy-1)*j.Units+j.InDoubt.From), int(j.InDoubt.Last)
	if last == 0 {
		last = int(j.Units * j.Copies)
	}
	for u := first; u <= last; u++ {
		d[j.Id][u] = true
	}
}

// pressed is a sim with a press in place of a fenced device.
type pressed struct {
	*sim
	doubts doubts
	policy string
}

func newPressed(t *rapid.T, class queue.Class, policy string) *pressed {
	s := &pressed{sim: newSim(t), doubts: doubts{}, policy: policy}
	s.press = &press{class: class}
	switch class {
	case queue.Counted:
		s.press.window = rapid.IntRange(0, 3).Draw(t, "window")
	case queue.Blind:
		s.press.window = 1
	}
	s.fact(&queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{
		Name: "p", Settings: &queuepb.PrinterSettings{Devices: []string{"tray:/t"}, InDoubt: policy},
	}}})
	return s
}

func (s *pressed) submitPages(units, copies int) {
	s.submitWith(units, copies, units)
}

// note remembers every doubt that the log ever recorded.
func (s *pressed) note() {
	for id := uint64(1); s.state.HasJob(id); id++ {
		j, err := s.state.Job(id, s.view)
		if err != nil {
			s.t.Fatalf("%v", err)
		}
		s.doubts.note(j)
	}
}

// resolve is a person who looks at the paper, and says how many units came out whole before the first that did not.
func (s *pressed) resolve() {
	for id := uint64(1); s.state.HasJob(id); id++ {
		j, _ := s.state.Job(id, s.view)
		if queue.JobState(j.GetState()) != queue.Held || j.GetReason() != "in-doubt" {
			continue
		}
		out := uint32(0)
		for s.onPaper(id, int(out)+1) > 0 {
			out++
		}
		s.fact(&queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{
			Job: id, Answer: &queuepb.Resolve_Printed{Printed: min(out, j.Units*j.Copies)},
		}}})
	}
}

func (s *pressed) onPaper(job uint64, unit int) (whole int) {
	for _, i := range s.press.paper {
		if i.job == job && i.unit == unit && !i.torn {
			whole++
		}
	}
	return whole
}

// deliver lets the device take the next step of the leader's operation.
func (s *pressed) deliver(l *leader, f fate) {
	if l.op == nil {
		return
	}
	r, ended := s.press.run(l, l.op, f)
	if ended {
		l.op, l.sent, l.halted = nil, 0, false
		l.core.Result(s.now, r)
	}
}

func (s *pressed) settle(l *leader) {
	for range 5000 {
		for l.apply(s.sim) {
		}
		s.note()
		s.resolve()
		l.step(s.sim)
		s.deliver(l, arrives)
		for len(l.pending) > 0 {
			l.decide(s.sim, false)
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

// verify is invariant 8: what is doubled, missing or torn was recorded as in doubt.
func (s *pressed) verify() {
	s.press.rest()
	s.note()
	for id := uint64(1); s.state.HasJob(id); id++ {
		j, _ := s.state.Job(id, s.view)
		state := queue.JobState(j.State)
		if !state.Ended() {
			s.t.Fatalf("job %d is %v, %s", id, state, j.Reason)
		}
		torn := map[int]bool{}
		for _, i := range s.press.paper {
			torn[i.unit] = torn[i.unit] || i.job == id && i.torn
		}
		for u := 1; u <= int(j.Units*j.Copies); u++ {
			n := s.onPaper(id, u)
			wrong := n > 1 || n == 0 && state == queue.Completed || torn[u]
			if wrong && !s.doubts[id][u] {
				s.t.Fatalf("job %d, %v: unit %d came out %d times (torn %v) and was never in doubt (%v); paper %+v", id, state, u, n, torn[u], s.doubts[id], s.press.paper)
			}
		}
	}
}

func (s *pressed) event(t *rapid.T) {
	old := min(rapid.IntRange(0, 5).Draw(t, "leader")/2, len(s.leaders)-1)
	l := s.leaders[len(s.leaders)-1-old]
	switch what := rapid.IntRange(0, 99).Draw(t, "event"); {
	case what < 22:
		l.apply(s.sim)
	case what < 44:
		l.step(s.sim)
	case what < 62:
		s.deliver(l, map[bool]fate{true: fate(rapid.IntRange(1, 4).Draw(t, "fate"))}[what < 47])
	case what < 82:
		l.decide(s.sim, what == 65)
	case what < 84:
		s.press.land()
	case what < 87:
		s.elect()
	case what < 89:
		l.pending = nil
	case what < 90 && s.press.class == queue.WholeJob && len(s.press.jobs) > 0:
		s.press.jobs[rapid.IntRange(0, len(s.press.jobs)-1).Draw(t, "purged")].gone = true
	case what < 94:
		s.now = s.now.Add(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond)
	case what < 96:
		s.submitPages(rapid.IntRange(1, 4).Draw(t, "units"), rapid.IntRange(1, 2).Draw(t, "copies"))
	case what < 98:
		job := rapid.Uint64Range(1, max(s.state.LastJob(), 1)).Draw(t, "job")
		s.fact(&queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: job}}})
	default:
		s.resolve()
	}
	s.note()
}

// Printers without a fence, and any number of old leaders that never noticed: what comes out twice, torn, or not at all was
// recorded as in doubt before (invariant 8), and every job ends (14).
func TestPressesAtRandom(t *testing.T) {
	for _, class := range []queue.Class{queue.Counted, queue.WholeJob, queue.Blind} {
		for _, policy := range []string{"hold", "reprint", "skip"} {
			t.Run(class.String()+"/"+policy, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					s := newPressed(t, class, policy)
					for range rapid.IntRange(1, 3).Draw(t, "jobs") {
						s.submitPages(rapid.IntRange(1, 4).Draw(t, "units"), rapid.IntRange(1, 2).Draw(t, "copies"))
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
			})
		}
	}
}
