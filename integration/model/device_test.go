package model

import (
	"fmt"
	"slices"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// A tray is a device: production code, and the paper.
type tray struct {
	device.Fence
	memory
	served queue.Token // the highest whose request was not refused
	paper  []sheet
}

// A sheet is one unit on paper.
type sheet struct {
	job, attempt uint64
	unit         int
	torn         bool
}

const first = "e" // epoch of a device that has forgotten nothing

func (t *tray) name(d *ident, e encoder) {
	d.text(t.Epoch)
	for _, k := range []queue.Token{t.High, t.served} {
		d.num(k.Term)
		d.index(k.Index)
	}
	d.index(t.Mark.Attempt)
	d.num(uint64(t.Mark.Copy))
	d.num(uint64(t.Mark.Page))
	d.flag(t.Mark.Closed)
	d.num(uint64(len(t.paper)))
	for _, p := range t.paper {
		d.num(p.job)
		d.index(p.attempt)
		d.num(uint64(p.unit))
		d.flag(p.torn)
	}
	if t.class != queue.Fenced {
		t.memory.name(d)
	}
}

// do lets the device carry out one request.
func (m *model) do(s *state, op request) printer.Result {
	f, r := m.tray(s, op.device), printer.Result{ID: op.ID}
	high := f.High
	if m.bug == noToken { // serves every token as if it were the highest
		f.High = op.Token
	}
	switch op.Kind {
	case printer.OpenDevice:
		r.Err = m.open(f, op.Token)
		r.State = device.State{Mark: f.Mark, Epoch: f.Epoch, Cluster: f.Cluster, Identity: m.identity(op.device)}
	case printer.CloseAttempt:
		r.Err = m.close(f, op.Closing)
		r.Mark = f.Mark
	case printer.PrintUnit:
		r.Err = m.print(s, f, op)
	default:
		panic(fmt.Sprintf("model: no device knows operation %d", op.Kind))
	}
	if m.bug == noToken && f.High.Less(high) {
		f.High = high
	}
	if r.Err == nil && op.Token.Less(f.served) && !m.blind {
		s.wrong("inv 4: the device serves token %v after %v", op.Token, f.served)
	} else if r.Err == nil && f.served.Less(op.Token) {
		f.served = op.Token
	}
	return r
}

func (m *model) identity(device int) string {
	if m.bug == twoNames {
		return fmt.Sprintf("device %d", device)
	}
	return fmt.Sprintf("tray %d", m.trays[device-1])
}

func (m *model) open(f *tray, t queue.Token) error {
	if m.bug == noFence && t.Less(f.High) {
		return nil
	}
	return f.Open(t)
}

func (m *model) close(f *tray, c device.Closing) error {
	if m.bug == noFence {
		f.Mark.Closed = true
		return nil
	}
	if err := f.Check(c.Token, c.Epoch); err != nil {
		return err
	}
	if m.bug == forgetsClose && c.Attempt > f.Mark.Attempt {
		return nil
	}
	return f.Close(c.Token, c.Attempt)
}

func (m *model) print(s *state, f *tray, op request) error {
	u := op.Unit
	p := device.Page{
		Token: u.Token, Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy,
	}
	verdict, err := device.Prints, error(nil)
	if m.bug == noFence {
		f.Mark = device.Mark{Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, Closed: u.Last}
	} else {
		if err := f.Check(u.Token, u.Epoch); err != nil {
			return err
		}
		m.forget(f, u, &p)
		verdict, err = f.Print(p)
	}
	if verdict != device.Prints {
		return err
	}
	if w := s.node.drives[op.device-1].Work; (w == nil || w.Attempt != u.Attempt) && s.torn[op.device-1] != u.Attempt && !m.blind {
		s.wrong("R9: a page came out of attempt %d, which has ended", u.Attempt)
	}
	f.paper = append(slices.Clip(f.paper), sheet{u.Job, u.Attempt, (u.Copy-1)*u.PerCopy + u.Page, false})
	return err
}

// forget is what a device with a bug does not tell apart.
func (m *model) forget(f *tray, u device.Unit, p *device.Page) {
	last := sheet{}
	if n := len(f.paper); n > 0 {
		last = f.paper[n-1]
	}
	switch {
	case m.bug == noAttempt && last.job == u.Job && last.attempt == f.Mark.Attempt: // a page of that job is a page of that attempt
		f.Mark.Attempt = u.Attempt
	case m.bug == noOrder && u.Attempt < f.Mark.Attempt: // an earlier attempt is as good as a later one
		f.Mark = device.Mark{Attempt: u.Attempt, Copy: u.Copy, Page: u.Page - 1}
	case m.bug == noCopy && u.Attempt == f.Mark.Attempt: // a page has one number in all copies
		p.Copy = f.Mark.Copy
	case m.bug == noFirst: // an attempt begins with page 1
		p.First = false
	}
}

// wipe is a device that lost what it remembers: it makes itself a new epoch with the new mark.
func (m *model) wipe(t *tray) {
	if t.class != queue.Fenced {
		t.counter = 0
		return
	}
	epoch := t.Epoch + "'"
	if m.bug == noEpoch {
		epoch = t.Epoch
	}
	t.Fence, t.served = device.NewFence(epoch, t.Cluster), queue.Token{}
}

func (s *state) wrong(format string, args ...any) {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
}
