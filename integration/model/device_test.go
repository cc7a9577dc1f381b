package model

import (
	"fmt"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// A sheet is one unit on paper.
type sheet struct {
	job, attempt uint64
	unit         int
}

// do lets the device carry out one request.
func (m *model) do(s *state, op *printer.Operation) printer.Result {
	f, r := &s.fence, printer.Result{ID: op.ID}
	high := f.High
	if m.bug == noToken { // serves every token as if it were the highest
		f.High = op.Token
	}
	switch op.Kind {
	case printer.OpenDevice:
		r.Err = m.open(f, op.Token)
		r.State = device.State{Mark: f.Mark, Epoch: f.Epoch, Cluster: f.Cluster, Identity: "id"}
	case printer.CloseAttempt:
		r.Err = m.close(f, op.Closing)
		r.Mark = f.Mark
	case printer.PrintUnit:
		r.Err = m.print(s, op.Unit)
	}
	if m.bug == noToken && f.High.Less(high) {
		f.High = high
	}
	if r.Err == nil && op.Token.Less(s.served) && !m.blind {
		s.wrong("inv 4: the device serves token %v after %v", op.Token, s.served)
	} else if r.Err == nil && s.served.Less(op.Token) {
		s.served = op.Token
	}
	return r
}

func (m *model) open(f *device.Fence, t queue.Token) error {
	if m.bug == noFence && t.Less(f.High) {
		return nil
	}
	return f.Open(t)
}

func (m *model) close(f *device.Fence, c device.Closing) error {
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

func (m *model) print(s *state, u device.Unit) error {
	f := &s.fence
	p := device.Page{
		Token: u.Token, Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy,
	}
	verdict, err := device.Prints, error(nil)
	switch {
	case m.bug == noFence:
		f.Mark = device.Mark{Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, Closed: u.Last}
	default:
		if err := f.Check(u.Token, u.Epoch); err != nil {
			return err
		}
		if m.bug == noAttempt && m.sameJob(s, u) { // a page of the job that it printed last is a page of that attempt
			f.Mark.Attempt = u.Attempt
		}
		verdict, err = f.Print(p)
	}
	if verdict != device.Prints {
		return err
	}
	if w := s.node.drive.Work; w == nil || w.Attempt != u.Attempt {
		s.wrong("a page came out of attempt %d, which has ended", u.Attempt)
	}
	s.paper = append(s.paper[:len(s.paper):len(s.paper)], sheet{u.Job, u.Attempt, (u.Copy-1)*u.PerCopy + u.Page})
	return err
}

func (m *model) sameJob(s *state, u device.Unit) bool {
	n := len(s.paper)
	return n > 0 && s.paper[n-1].job == u.Job && s.fence.Mark.Attempt == s.paper[n-1].attempt
}

// wipe is a device that lost what it remembers: it makes itself a new epoch with the new mark.
func (m *model) wipe(s *state) {
	epoch := s.fence.Epoch + "'"
	if m.bug == noEpoch {
		epoch = s.fence.Epoch
	}
	s.fence, s.served = device.NewFence(epoch, s.fence.Cluster), queue.Token{}
}

func (s *state) wrong(format string, args ...any) {
	if s.fault == "" {
		s.fault = fmt.Sprintf(format, args...)
	}
}
