package model

import (
	"errors"
	"slices"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// A fate is what becomes of the next unit of a window, or of the whole of it.
type fate struct {
	label string
	// It happens at most as often as the bounds say.
	lost, damaged bool
	whole, torn   bool // what comes out
	late          bool // whole, some time
	sent          int  // units that the device has acknowledged by now
	heard         int  // and that it has said are out
	unclear       bool
	broken        bool // the device ended the connection
	ended         bool
	err           error
}

// sends makes the moves of a window that is under way: unit by unit.
func (m *model) sends(s *state, i int, emit emit) {
	l := s.drivers[i]
	class := m.class(s, l.device)
	if class == queue.WholeJob {
		t := *s
		m.answered(&t, i, printer.Result{ID: l.op.ID, Err: device.ErrRefused})
		emit(m.say("device %d takes no streams any more", l.device), false, &t)
		return
	}
	for _, f := range m.fates(l, class) {
		switch {
		case f.lost && s.lost == 0, f.damaged && s.damaged == 0, f.late && (m.exclusive || len(s.ether) > 1):
			continue
		}
		t := *s
		if f.lost {
			t.lost--
		} else if f.damaged {
			t.damaged--
		}
		label := m.say("leader %d, job %d attempt %d unit %d: %s", l.term, l.op.Work.Job, l.op.Work.Attempt, l.op.From+l.sent+1, f.label)
		m.suffers(&t, i, f)
		emit(label, f.lost || f.damaged, &t)
	}
}

func (m *model) suffers(s *state, i int, f fate) {
	l := s.drivers[i]
	op, unit := l.op, l.op.From+l.sent+1
	r := request{device: l.device, Operation: op, unit: unit}
	switch {
	case f.late:
		s.send(r)
	case f.whole, f.torn:
		m.lands(s, r, unit, f.torn)
	}
	sent := device.Sent{Whole: f.sent, Out: f.heard, Unclear: f.unclear, Broken: f.broken && m.bug != keepsTaken}
	n := s.driver(i)
	n.used = m.bug == intentLate
	if n.ident = nil; f.err != nil { // it makes no other
		n.line = queue.Token{}
	}
	if f.ended {
		m.answered(s, i, printer.Result{ID: op.ID, Sent: sent, Err: f.err})
		return
	}
	n.sent, n.heard = f.sent-op.From, f.heard
	n.core.Told(op.ID, sent)
	m.step(n)
}

// fates are what may happen next. On a blind device all that it has taken counts as out.
func (m *model) fates(l *driver, class queue.Class) (list []fate) {
	op, counts := l.op, class == queue.Counted
	had := op.From + l.sent
	heard := had
	if counts {
		heard = max(op.From, l.heard)
	}
	if l.line == (queue.Token{}) && m.bug != reconnects {
		list = []fate{{label: "the connection is gone", sent: had, heard: heard, ended: true, err: device.ErrUnclear}}
		if l.sent == 0 {
			list = append(list, fate{label: "the connection is gone, and it shows", sent: had, heard: heard, ended: true, err: device.ErrUnreachable})
		}
		return list
	}
	if l.halted {
		list = append(list, fate{label: "no more is wanted", sent: had, heard: had, ended: true})
		if op.Work.Units == 1 && had < op.To {
			list = append(
				list, fate{label: "cut, for no more is wanted", sent: had, heard: had, unclear: true, ended: true},
				fate{label: "cut, for no more is wanted: half a page", torn: true, sent: had, heard: had, unclear: true, ended: true},
			)
		}
	}
	if had == op.To {
		return list
	}
	ended := had+1 == op.To || l.halted
	now := had + 1
	if counts && !ended { // it prints some time after it has taken it
		list = append(list, fate{label: "sent, and it says nothing yet", whole: true, sent: now, heard: heard})
	}
	list = append(list, fate{label: "comes out", whole: true, sent: now, heard: now, ended: ended})
	gone := func(f fate) {
		f.lost, f.ended, f.err = true, true, device.ErrUnclear
		if l.sent == 0 && !f.whole && !f.torn && f.label == lostBefore {
			f.err = device.ErrUnreachable
		}
		if !counts && f.sent > had {
			f.heard = f.sent
		}
		list = append(list, f)
	}
	gone(fate{label: lostBefore, sent: had, heard: heard})
	gone(fate{label: "cut in the middle, no page", sent: had, heard: heard})
	gone(fate{label: "cut in the middle, half a page", torn: true, sent: had, heard: heard})
	if counts {
		gone(fate{label: "taken, and cut by the device: half a page", torn: true, broken: true, sent: now, heard: heard})
	}
	gone(fate{label: "comes out, and the answer is lost", whole: true, sent: had, heard: heard})
	gone(fate{label: "comes out, was known to be taken, and the answer is lost", whole: true, sent: now, heard: heard})
	gone(fate{label: "given up: it is on its way", late: true, sent: had, heard: heard})
	damage := fate{label: "its document cannot be read", damaged: true, sent: had, heard: heard, ended: true, err: printer.ErrDocumentDamaged}
	if l.sent > 0 {
		damage.err = errors.Join(device.ErrUnclear, damage.err)
	}
	return append(list, damage)
}

const lostBefore = "lost before it"

// unfenced makes the moves of a request to a device without a fence.
func (m *model) unfenced(s *state, i int, emit emit) {
	l := s.drivers[i]
	r := request{device: l.device, Operation: l.op}
	switch l.op.Kind {
	case printer.SendWindow:
		m.sends(s, i, emit)
		return
	case printer.FollowJob:
		m.follows(s, i, emit)
		return
	}
	t := *s
	answer := m.serve(&t, i, r)
	m.answered(&t, i, answer)
	emit(m.say("%v", exchange{r, l.term, answer}), false, &t)
	gone := printer.Result{ID: r.ID, Err: device.ErrUnreachable}
	if s.lost > 0 {
		t := *s
		t.lost--
		m.answered(&t, i, gone)
		emit(m.say("%v: lost", exchange{r, l.term, gone}), true, &t)
	}
	if s.lost > 0 && l.op.Kind != printer.OpenDevice {
		t := *s
		t.lost--
		answer := m.serve(&t, i, r)
		if r.Kind != printer.ReadyDevice {
			gone.Err = device.ErrUnclear
		}
		m.answered(&t, i, gone)
		emit(m.say("%v, and the answer is lost", exchange{r, l.term, answer}), true, &t)
	}
	later := l.op.Kind == printer.CreateJob || l.op.Kind == printer.CancelJob
	if s.doubled > 0 && later && len(s.ether) < 2 {
		t := *s
		t.doubled--
		answer := m.serve(&t, i, r)
		t.send(r)
		m.answered(&t, i, answer)
		emit(m.say("%v; another copy is on its way", exchange{r, l.term, answer}), true, &t)
	}
}

// lates: what is on its way to a device without a fence is taken by it, if it can.
func (m *model) lates(s *state, r request) {
	f := m.tray(s, r.device)
	switch {
	case r.unit != 0:
		m.lands(s, r, r.unit, false)
	case f.class != queue.WholeJob:
	case r.Kind == printer.FollowJob:
		m.document(s, f, r)
	default:
		m.serve(s, -1, r)
	}
}

func (m *model) class(s *state, device int) queue.Class { return s.trays[m.trays[device-1]].class }

// strange: what happens at the devices by itself.
func (m *model) strange(s *state, emit emit) {
	for i := range s.trays {
		d := slices.Index(m.trays, i) + 1
		if s.trays[i].class == queue.WholeJob {
			m.spools(s, d, emit)
		}
		if s.strangers > 0 && s.trays[i].class == queue.Counted {
			t := *s
			t.strangers--
			m.tray(&t, d).counter++
			emit(m.say("device %d prints a page for somebody else", d), true, &t)
		}
		if s.turns > 0 && s.trays[i].class != queue.Blind {
			t := *s
			t.turns--
			m.tray(&t, d).class = queue.Blind
			emit(m.say("device %d is blind from now on", d), true, &t)
		}
	}
}
