package sim

import (
	"fmt"
	"time"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// What printer's hand does with a device that has no fence.

var (
	errRefused = fmt.Errorf("%w: connection refused", device.ErrUnreachable)
	errUsed    = fmt.Errorf("%w by somebody else", device.ErrUsed)
	errBroken  = fmt.Errorf("%w: connection reset", device.ErrUnclear)
	errSilent  = fmt.Errorf("%w: no answer", device.ErrUnreachable)
)

// operate runs an operation on a press, to its one result.
func (s *shell) operate(h *hand, u *underway, p *press, r request) {
	s.w.trace.say(s.w.now, "m%d asks press %d: %s", s.m.id, p.t.number, operation(u.op))
	switch op := u.op; op.Kind {
	case printer.OpenDevice, printer.ReadyDevice:
		if p.class == queue.WholeJob {
			s.exchange(h, u, p, func() { s.w.history.checkToken(p.t, r) }, func() { s.result(h, u, printer.Result{ID: op.ID, State: p.state()}) })
			return
		}
		s.dial(h, u, p, r)
	case printer.SendWindow:
		u.begun, u.whole, u.out = op.From, op.From, op.From
		s.piece(h, u, r)
	case printer.CreateJob:
		s.create(h, u, p, r)
	case printer.FollowJob:
		s.follow(h, u, p, r)
	case printer.CancelJob:
		var o device.Outcome
		s.exchange(h, u, p, func() {
			s.w.history.checkToken(p.t, r)
			j := p.jobs.find(op.Remote, op.Work)
			if j != nil {
				p.cancel(j, device.Canceled)
			}
			o = j.outcome(op.Taken)
		}, func() { s.result(h, u, printer.Result{ID: op.ID, Outcome: o}) })
	default:
		s.w.violated(0, "a press is asked to %s", operation(op))
	}
}

// dial connects, for an Open or a Ready.
func (s *shell) dial(h *hand, u *underway, p *press, r request) {
	op, w := u.op, s.w
	h.line.close()
	h.line = s.connect(h, p, func(l *link) {
		answer := func() {
			if l.over {
				return
			}
			w.history.checkToken(p.t, r)
			result := printer.Result{ID: op.ID}
			if op.Kind == printer.OpenDevice {
				result.State = p.state()
			} else {
				result.Ready = device.Readiness{Counts: p.class == queue.Counted, Counter: p.counter}
			}
			l.home(func() { s.result(h, u, result) })
		}
		if p.class == queue.Counted {
			p.atRest(answer)
		} else {
			answer()
		}
	}, func(err error) {
		s.m.run(r.birth, func() { s.result(h, u, printer.Result{ID: op.ID, Err: err}) })
	})
	s.m.after(w.between(2*second, 8*second), func() { s.result(h, u, printer.Result{ID: op.ID, Err: errSilent}) })
}

// piece sends the next unit of a window.
func (s *shell) piece(h *hand, u *underway, r request) {
	op, w, l := u.op, s.w, h.line
	switch {
	case u.done || h.op != u:
		return
	case l == nil || l.broken:
		s.result(h, u, printer.Result{ID: op.ID, Sent: u.sent(), Err: errSilent})
		return
	case u.whole >= op.To || u.stop:
		s.settle(h, u)
		return
	case l.p.empty && !l.cut():
		s.awaitPaper(h, u, r)
		return
	}
	if u.waits {
		u.waits = false
		h.core.Waits(op.ID, "", "")
	}
	body, err := s.m.unit(op.Work, u.whole%op.Work.Units+1)
	if err == nil {
		err = w.mutant.mayBegin(s, u)
	}
	if err != nil {
		u.err, u.stop = err, true
		s.settle(h, u)
		return
	}
	r.body = body
	i := imprint{job: op.Work.Job, attempt: op.Work.Attempt, unit: u.whole + 1}
	u.begun = i.unit
	s.m.after(s.hop(), func() {
		if l.broken {
			return // whoever broke it has said so
		}
		l.flying++
		u.flying++
		l.travel(func() { l.takes(r, i) })
		l.p.t.struck(s.m)
	})
}

// awaitPaper asks again and again whether the printer would go on.
func (s *shell) awaitPaper(h *hand, u *underway, r request) {
	if !u.waits {
		u.waits = true
		s.w.counts.add("window waits for paper")
		h.core.Waits(u.op.ID, "media-empty", "it has no paper")
		s.step(h)
	}
	s.m.after(s.w.between(100*time.Millisecond, 400*time.Millisecond), func() {
		if h.line != nil && !h.line.broken {
			h.line.travel(func() {})
		}
		s.piece(h, u, r)
	})
}

func (u *underway) sent() device.Sent { return device.Sent{Whole: u.whole, Out: u.out} }

// settle ends a window once all that was sent is out, also what is still on its way.
func (s *shell) settle(h *hand, u *underway) {
	if !u.done && u.out >= u.begun && u.op.Kind == printer.SendWindow {
		s.result(h, u, printer.Result{ID: u.op.ID, Sent: u.sent(), Err: u.err})
	}
}

// acknowledged: the printer has taken a unit whole.
func (s *shell) acknowledged(l *link, u *underway, unit int) {
	h := l.hand
	if h.op != u || u.done || l.broken {
		return
	}
	u.whole = unit
	if l.p.class == queue.Blind {
		u.out = unit
	}
	h.core.Told(u.op.ID, u.sent())
	s.step(h)
	s.piece(h, u, request{from: l.from, birth: l.birth, op: u.op, under: u})
}

// reported: a unit is out.
func (s *shell) reported(l *link, i imprint) {
	h, u := l.hand, l.hand.op
	if u == nil || u.op.Kind != printer.SendWindow || u.op.Work.Attempt != i.attempt || h.line != l || l.broken {
		return
	}
	u.out = max(u.out, i.unit)
	h.core.Told(u.op.ID, device.Sent{Whole: max(u.whole, u.out), Out: u.out})
	s.step(h)
	if u.whole >= u.op.To || u.stop {
		s.settle(h, u)
	}
}

// brokeOff: the member has learned that a line is broken.
func (s *shell) brokeOff(l *link) {
	if u := l.hand.op; u != nil && l.hand.line == l && u.op.Kind == printer.SendWindow {
		s.result(l.hand, u, printer.Result{ID: u.op.ID, Sent: u.sent(), Err: errBroken})
	}
}

// stop says that no further unit is wanted.
func (s *shell) stop(h *hand) {
	u := h.op
	u.stop = true
	if u.op.Kind == printer.SendWindow && (h.line == nil || h.line.flying == 0) && u.waits {
		s.m.after(s.hop(), func() { s.settle(h, u) })
	}
}

// tidy lets go of a printer that is not needed: others may print there, too.
func (s *shell) tidy(h *hand) {
	if h.line != nil && h.op == nil && (s.term == 0 || h.drive.Work == nil) {
		h.line.close()
		h.line = nil
	}
}

// exchange is one request to a spooler, and its answer. Where either is lost, the operation ends.
func (s *shell) exchange(h *hand, u *underway, p *press, at, back func()) {
	w := s.w
	if u.done || h.op != u {
		return
	}
	u.asked++
	asked, birth := u.asked, s.m.birth
	s.m.after(w.between(second, 6*second), func() {
		if u.asked == asked {
			s.result(h, u, printer.Result{ID: u.op.ID, Err: errSilent})
		}
	})
	cut := func() bool { return w.net.devices[s.m.id][p.t.number] > 0 }
	home := func(do func()) {
		if cut() || w.random.IntN(1000) < w.net.loss*3 {
			w.counts.add("device's reply lost")
			return
		}
		w.after(w.between(200*time.Microsecond, 5*time.Millisecond), func() {
			s.m.run(birth, func() {
				if u.asked == asked && !u.done {
					do()
				}
			})
		})
	}
	var arrive func()
	arrive = func() {
		switch {
		case cut():
			w.counts.add("device cut off")
		case p.t.down:
			home(func() { s.result(h, u, printer.Result{ID: u.op.ID, Err: errRefused}) })
		case p.t.hung:
			p.t.waiting = append(p.t.waiting, arrive)
		case p.t.dieBefore:
			p.t.dieBefore = false
			w.counts.add("device died before it printed")
			p.t.die()
		default:
			at()
			if p.t.dieAfter && u.op.Kind == printer.FollowJob {
				p.t.dieAfter = false
				w.counts.add("device died between printing and replying")
				p.t.die()
				return
			}
			home(back)
		}
	}
	delay := w.between(200*time.Microsecond, 20*time.Millisecond)
	if w.random.IntN(1000) < w.net.slow {
		delay = w.between(50*time.Millisecond, 8*second)
		w.counts.add("request to a device delayed")
	}
	w.after(delay, arrive)
}

// create looks for the job by its name, and makes it if it is not there.
func (s *shell) create(h *hand, u *underway, p *press, r request) {
	op, id := u.op, ""
	made := func() { s.result(h, u, printer.Result{ID: op.ID, Remote: id}) }
	s.exchange(h, u, p, func() {
		s.w.history.checkToken(p.t, r)
		id = p.jobs.named(title(op.Work))
	}, func() {
		if id != "" {
			s.w.counts.add("job found at a spooler by its name")
			made()
			return
		}
		s.exchange(h, u, p, func() { id = p.jobs.make(op.Work) }, made)
	})
}

// follow looks how the job stands, again and again, and sends the document if it has none.
func (s *shell) follow(h *hand, u *underway, p *press, r request) {
	op := u.op
	total := op.Work.Units * op.Work.Copies
	var o device.Outcome
	wants := false
	s.exchange(h, u, p, func() {
		j := p.jobs.find(op.Remote, op.Work)
		o = j.outcome(op.Taken || u.taken)
		wants = j != nil && !j.had && !op.Taken && !u.taken
	}, func() {
		sent := device.Sent{Out: o.Out}
		if u.taken {
			sent.Whole = total
		}
		h.core.Told(op.ID, sent)
		s.step(h)
		switch {
		case o.End != device.Open || u.stop:
			s.result(h, u, printer.Result{ID: op.ID, Outcome: o})
		case wants:
			s.document(h, u, p, r)
		default:
			s.m.after(s.w.between(20*time.Millisecond, 200*time.Millisecond), func() { s.follow(h, u, p, r) })
		}
	})
}

func (s *shell) document(h *hand, u *underway, p *press, r request) {
	op := u.op
	_, err := s.m.document(op.Work)
	if err == nil {
		err = s.w.mutant.mayBegin(s, u)
	}
	if err != nil {
		s.result(h, u, printer.Result{ID: op.ID, Err: err})
		return
	}
	all := false
	p.t.struck(s.m)
	s.exchange(h, u, p, func() {
		s.w.history.checkToken(p.t, r)
		s.w.raceOnUnit(p.t, r, imprint{job: op.Work.Job, attempt: op.Work.Attempt})
		if j := p.jobs.find(op.Remote, op.Work); j != nil {
			all = p.document(r, j)
		}
	}, func() {
		u.taken = u.taken || all
		s.follow(h, u, p, r)
	})
}
