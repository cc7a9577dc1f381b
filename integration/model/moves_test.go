package model

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/printer"
	"printq/printer/device"
	"printq/queue/queuepb"
)

// An emit takes a state that one move leads to. A fault is a move that need not happen for the jobs to end.
type emit func(label string, fault bool, s *state)

// next makes every move that is possible.
func (m *model) next(s *state, emit emit) {
	if int(s.node.term) < m.terms {
		t := *s
		t.node = m.library.apply(s.node, s.node.term+1, nil)
		m.begin(&t)
		emit(m.say("a leader of term %d; the old one goes on", t.node.term), true, &t)
	}
	for i, l := range s.leaders {
		for k := range l.pending {
			m.commits(s, i, k, emit)
		}
		if l.op != nil {
			m.delivers(s, i, emit)
		}
		if len(l.behind) > 0 {
			t := *s
			l := t.lead(i)
			l.core.Change(l.behind[0])
			l.behind = l.behind[1:]
			m.step(l)
			emit(m.say("leader %d applies the next entry", i+1), false, &t)
		}
	}
	m.returning(s, emit)
	for k, op := range s.ether {
		t := *s
		t.ether = slices.Delete(slices.Clone(s.ether), k, k+1)
		r := m.do(&t, op)
		emit(m.say("late: the device gets %s: %s", request{op}, answer(r)), false, &t)
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
	if s.wipes > 0 {
		t := *s
		t.wipes--
		m.wipe(&t)
		emit("the device forgets its mark", true, &t)
	}
}

// commit applies an entry, and lets the leader of the term see it. It reports whether anything came of it.
func (m *model) commit(s *state, c *queuepb.Command) bool {
	before := s.node
	s.node = m.library.apply(before, before.term, c)
	if s.node == before {
		return false
	}
	if s.node.last.Less(before.last) {
		s.wrong("inv 4: the device's token %v comes after %v", s.node.last, before.last)
	}
	l := s.lead(len(s.leaders) - 1)
	if m.lag {
		l.behind, l.ident = append(l.behind[:len(l.behind):len(l.behind)], s.node.drive), nil
		return true
	}
	l.core.Change(s.node.drive)
	m.step(l)
	return true
}

// commits: a proposal is chosen now, whatever the term is by now. An old leader's that has no effect may as well stay on its way.
func (m *model) commits(s *state, i, k int, emit emit) {
	c, old := s.leaders[i].pending[k], i < len(s.leaders)-1
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
		t.wrong("inv 3: a decision of term %d took effect in term %d", i+1, s.node.term)
	}
	l := t.lead(i)
	l.pending = slices.Delete(slices.Clone(l.pending), k, k+1)
	l.ident = nil
	m.commit(&t, tagged)
	emit(m.say("%s of leader %d commits in term %d", said{c}, i+1, s.node.term), old, &t)
	if s.doubled > 0 {
		t := *s
		t.doubled--
		if m.commit(&t, tagged) {
			emit(m.say("%s of leader %d commits in term %d; another copy is on its way", said{c}, i+1, s.node.term), true, &t)
		}
	}
}

// delivers: the device gets a leader's request, and the leader the answer; or it does not; or the request comes twice; or it is given
// up, and comes later.
func (m *model) delivers(s *state, i int, emit emit) {
	op := s.leaders[i].op
	t := *s
	r := m.do(&t, op)
	m.answered(&t, i, r)
	emit(m.say("the device gets %s of leader %d: %s", request{op}, i+1, answer(r)), false, &t)
	gone := printer.Result{ID: op.ID, Err: device.ErrUnreachable}
	if m.bug == trusting && op.Kind == printer.PrintUnit {
		gone.Err = nil
	}
	if s.lost > 0 {
		t := *s
		t.lost--
		r := m.do(&t, op)
		m.answered(&t, i, gone)
		emit(m.say("the device gets %s of leader %d: %s, and the answer is lost", request{op}, i+1, answer(r)), true, &t)
		if len(s.ether) < 2 {
			t := *s
			t.lost--
			t.send(op)
			m.answered(&t, i, gone)
			emit(m.say("leader %d gives up waiting: %s is on its way", i+1, request{op}), true, &t)
		}
	}
	if s.doubled > 0 && len(s.ether) < 2 {
		t := *s
		t.doubled--
		r := m.do(&t, op)
		t.send(op)
		m.answered(&t, i, r)
		emit(m.say("the device gets %s of leader %d: %s; another copy is on its way", request{op}, i+1, answer(r)), true, &t)
	}
}

func (s *state) send(op *printer.Operation) {
	s.ether = append(s.ether[:len(s.ether):len(s.ether)], op)
}

func (m *model) answered(s *state, i int, r printer.Result) {
	l := s.lead(i)
	op := l.op
	l.op, l.void = nil, false
	if m.bug == oldMark && op.Kind == printer.OpenDevice {
		r.State.Mark = l.early
	}
	l.core.Result(early, r)
	m.step(l)
	if m.bug == hasty && i == len(s.leaders)-1 && l.opened(op, r, s.node.drive) {
		d := s.node.drive
		d.Resumed, d.Epoch = true, r.State.Epoch
		l.core.Change(d)
		m.step(l)
	}
}

// returning: the leader has to begin anew in its term. It has forgotten everything, and claims again.
func (m *model) returning(s *state, emit emit) {
	if s.returns == 0 {
		return
	}
	t := *s
	t.returns--
	l := t.lead(len(t.leaders) - 1)
	l.core.Lead(l.term, t.node.drive)
	l.void = l.op != nil
	m.step(l)
	emit(m.say("leader %d forgets everything, and leads", l.term), true, &t)
}
