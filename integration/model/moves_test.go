package model

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// An emit takes a state that one move leads to. A fault is a move that need not happen for the jobs to end.
type emit func(label string, fault bool, s *state)

// next makes every move that is possible.
func (m *model) next(s *state, emit emit) {
	if int(s.node.term) < m.terms {
		t := *s
		m.apply(&t, s.node.term+1, nil)
		m.begin(&t)
		emit(m.say("a leader of term %d; the old one goes on", t.node.term), true, &t)
	}
	for i, l := range s.drivers {
		if !m.over(s, l) {
			m.drives(s, i, l, emit)
		}
	}
	for k, r := range s.ether {
		if m.spent(s, r.device, r.Token) {
			continue
		}
		t := *s
		t.ether = slices.Delete(slices.Clone(s.ether), k, k+1)
		if m.class(s, r.device) != queue.Fenced {
			m.lates(&t, r)
			emit(m.say("late: %v", r), false, &t)
			continue
		}
		answered := m.do(&t, r)
		emit(m.say("late: %v", exchange{r, 0, answered}), false, &t)
	}
	for k, c := range m.facts {
		if s.asked&(1<<k) != 0 {
			continue
		}
		t := *s
		t.asked |= 1 << k
		if m.commit(&t, c) {
			emit(m.say("a client asks: %s", said{c}), false, &t)
		}
	}
	m.forgets(s, emit)
	if m.streams {
		m.strange(s, emit)
	}
}

// drives: what may happen to one driver next.
func (m *model) drives(s *state, i int, l *driver, emit emit) {
	for k := range l.pending {
		m.commits(s, i, k, emit)
	}
	if l.op != nil {
		m.delivers(s, i, emit)
	}
	if len(l.behind) > 0 {
		t := *s
		l := t.driver(i)
		m.tell(l, l.behind[0])
		l.behind = l.behind[1:]
		m.step(l)
		emit(m.say("leader %d applies the next entry", l.term), false, &t)
	}
	if s.returns > 0 && !s.old(l) {
		m.returning(s, i, emit)
	}
}

// forgets: a device loses what it remembers.
func (m *model) forgets(s *state, emit emit) {
	if s.wipes == 0 {
		return
	}
	done := uint(0)
	for d, i := range m.trays {
		if class := s.trays[i].class; done&(1<<i) != 0 || class == queue.Blind || class == queue.WholeJob {
			continue
		}
		done |= 1 << i
		t := *s
		t.wipes--
		m.wipe(m.tray(&t, d+1))
		emit(m.say("device %d forgets its mark", d+1), true, &t)
	}
}

// apply takes an entry to the log, and reports whether anything came of it.
func (m *model) apply(s *state, term uint64, c *queuepb.Command) bool {
	before := s.node
	s.node = m.library.apply(before, term, c)
	if s.node == before {
		return false
	}
	m.entitle(s, before, c)
	for d, last := range s.node.last {
		if last.Less(before.last[d]) {
			s.wrong("inv 4: the device's token %v comes after %v", last, before.last[d])
		}
	}
	return true
}

// commit applies an entry of the newest term, and lets its leader see it.
func (m *model) commit(s *state, c *queuepb.Command) bool {
	if !m.apply(s, s.node.term, c) {
		return false
	}
	for d, drive := range s.node.drives {
		l := s.driver(len(s.drivers) - len(m.trays) + d)
		if m.lag {
			l.behind, l.ident = append(slices.Clip(l.behind), drive), nil
			continue
		}
		m.tell(l, drive)
		m.step(l)
	}
	return true
}

// commits: a proposal is chosen now, whatever the term is by now. An old leader's that has no effect may as well stay on its way.
func (m *model) commits(s *state, i, k int, emit emit) {
	l := s.drivers[i]
	c, old := l.pending[k], s.old(l)
	tagged := c
	if m.bug == noTag && old {
		tagged = proto.CloneOf(c)
		tagged.Term = s.node.term
	}
	t := *s
	if old && m.library.apply(s.node, s.node.term, tagged) == s.node {
		return
	}
	if old {
		t.wrong("inv 3: a decision of term %d took effect in term %d", l.term, s.node.term)
	}
	n := t.driver(i)
	n.pending = slices.Delete(slices.Clone(n.pending), k, k+1)
	n.ident = nil
	m.commit(&t, tagged)
	emit(m.say("leader %d: %s commits in term %d", l.term, said{c}, s.node.term), old, &t)
	if s.doubled > 0 {
		t := *s
		t.doubled--
		if m.commit(&t, tagged) {
			emit(m.say("leader %d: %s commits in term %d; another copy is on its way", l.term, said{c}, s.node.term), true, &t)
		}
	}
}

// delivers: the device gets a leader's request, and the leader the answer; or it does not; or the request comes twice; or it is given
// up, and comes later.
func (m *model) delivers(s *state, i int, emit emit) {
	l := s.drivers[i]
	if m.class(s, l.device) != queue.Fenced {
		m.unfenced(s, i, emit)
		return
	}
	r := request{device: l.device, Operation: l.op}
	t := *s
	answer := m.do(&t, r)
	m.answered(&t, i, answer)
	emit(m.say("%v", exchange{r, l.term, answer}), false, &t)
	gone := printer.Result{ID: r.ID, Err: device.ErrUnreachable}
	if m.bug == trusting && r.Kind == printer.PrintUnit {
		gone.Err = nil
	}
	if s.damaged > 0 && r.Kind == printer.PrintUnit {
		t := *s
		t.damaged--
		m.answered(&t, i, printer.Result{ID: r.ID, Err: printer.ErrDocumentDamaged})
		emit(m.say("leader %d cannot read the document of %s", l.term, r), true, &t)
	}
	late := len(s.ether) < 2
	if s.lost > 0 {
		t := *s
		t.lost--
		answer := m.do(&t, r)
		m.answered(&t, i, gone)
		emit(m.say("%v, and the answer is lost", exchange{r, l.term, answer}), true, &t)
	}
	if s.lost > 0 && late {
		t := *s
		t.lost--
		t.send(r)
		m.answered(&t, i, gone)
		emit(m.say("leader %d gives up waiting: %s is on its way", l.term, r), true, &t)
	}
	if s.doubled > 0 && late {
		t := *s
		t.doubled--
		answer := m.do(&t, r)
		t.send(r)
		m.answered(&t, i, answer)
		emit(m.say("%v; another copy is on its way", exchange{r, l.term, answer}), true, &t)
	}
}

func (s *state) send(r request) { s.ether = append(slices.Clip(s.ether), r) }

func (m *model) answered(s *state, i int, r printer.Result) {
	l := s.driver(i)
	op := l.op
	l.op, l.void = nil, false
	if m.bug == oldMark && op.Kind == printer.OpenDevice {
		r.State.Mark = l.early
	}
	if m.bug == documentEarly && op.Kind == printer.CreateJob && r.Err == nil {
		l.made = r.Remote
	}
	if r.Outcome.End == device.Gone && m.bug == resubmits {
		r.Outcome.End = device.Untouched
	}
	l.sent, l.heard, l.halted = 0, 0, false
	l.core.Result(early, r)
	m.step(l)
	if d := s.node.drives[l.device-1]; m.bug == hasty && !s.old(l) && opened(op, r, d) {
		d.Resumed, d.Epoch = true, r.State.Epoch
		l.core.Change(d)
		m.step(l)
	}
}

// returning: the leader has to begin anew in its term. It has forgotten everything, and claims again.
func (m *model) returning(s *state, i int, emit emit) {
	t := *s
	t.returns--
	l := t.driver(i)
	l.told = t.node.drives[l.device-1]
	l.core.Lead(l.term, m.shown(l, l.told))
	l.void = l.op != nil
	m.step(l)
	emit(m.say("leader %d forgets all about device %d, and leads", l.term, l.device), true, &t)
}
