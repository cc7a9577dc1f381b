package model

import (
	"fmt"
	"slices"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// What a device without a fence is, beside its paper: one memory, by its class. A blind one has none.
type memory struct {
	class   queue.Class
	counter uint64   // of a counted one: how many pages it has ever printed
	remotes []remote // of a whole-job one: its list, by id
}

// The pages that a counter has seen before all.
const before = 5

func (y *memory) name(d *ident) {
	d.num(uint64(y.class))
	d.num(y.counter)
	d.num(uint64(len(y.remotes)))
	for _, r := range y.remotes {
		d.index(r.attempt)
		d.num(uint64(r.state))
		d.num(uint64(r.out))
		d.flag(r.unknown)
	}
}

// serve lets a device without a fence carry out a request that is not a window. i is the driver; -1: nobody waits for it any more.
func (m *model) serve(s *state, i int, op request) printer.Result {
	f, r := m.tray(s, op.device), printer.Result{ID: op.ID}
	switch {
	case op.Kind == printer.OpenDevice:
		if r.Err = m.connect(s, i); r.Err != nil {
			return r
		}
		r.State = device.State{Class: f.class, Window: m.window, Identity: m.identity(op.device), Mark: device.Mark{Closed: true}}
		if f.class == queue.Counted {
			r.State.Counts, r.State.Counter = true, f.counter
		}
	case m.dead(op.device):
		r.Err = fmt.Errorf("%w: it is out of order", device.ErrUnreachable)
	case op.Kind == printer.ReadyDevice && f.class != queue.WholeJob:
		if r.Err = m.connect(s, i); r.Err != nil {
			return r
		}
		s.driver(i).line = op.Token
		if f.class == queue.Counted {
			r.Ready = device.Readiness{Counts: true, Counter: f.counter}
		}
	case op.Kind == printer.CreateJob && f.class == queue.WholeJob:
		r.Remote = m.create(s, f, op)
	case op.Kind == printer.CancelJob && f.class == queue.WholeJob:
		r.Outcome = f.cancel(op)
	default: // it is not of the class any more
		r.Err = device.ErrRefused
	}
	return r
}

// connect is a device that serves one connection at a time: who comes next has waited until the older one was over. What its owner had
// sent has come out, and nothing more of it will. An older owner is kept waiting for as long as a newer one is connected.
func (m *model) connect(s *state, i int) error {
	if !m.exclusive || i < 0 {
		return nil
	}
	l := s.drivers[i]
	for k, other := range s.drivers {
		switch {
		case k == i || other.line == (queue.Token{}) || m.trays[other.device-1] != m.trays[l.device-1]:
		case l.op.Token.Less(other.line):
			return fmt.Errorf("%w: by leader %d", device.ErrUsed, other.term)
		default:
			n := s.driver(k)
			n.line, n.ident = queue.Token{}, nil
		}
	}
	return nil
}

// dead: the device cannot begin a job.
func (m *model) dead(device int) bool { return slices.Contains(m.broken, m.trays[device-1]) }

// lands puts one unit on the paper, or a torn one.
func (m *model) lands(s *state, r request, unit int, torn bool) {
	w, f := r.Work, m.tray(s, r.device)
	f.paper = append(slices.Clip(f.paper), sheet{w.Job, w.Attempt, unit, torn})
	if f.class == queue.Counted {
		f.counter++
	}
	e := s.ledger[w.Job-1]
	if f.class != queue.WholeJob && e.announcedOf(w.Attempt) < unit {
		s.wrong("inv 8: unit %d of job %d came out, attempt %d has announced %d", unit, w.Job, w.Attempt, e.announcedOf(w.Attempt))
	}
	if ended := ending(s.node.job(w.Job), w.Attempt); ended != "" && e.doubted&(1<<(unit-1)) == 0 {
		s.wrong("inv 8: unit %d of job %d came out after attempt %d ended, and was not in doubt", unit, w.Job, w.Attempt)
	} else if ended != "" && m.exclusive && s.torn[r.device-1] != w.Attempt {
		s.wrong("inv 5: a page came out of attempt %d, which has ended", w.Attempt)
	}
}
