package sim

import (
	"errors"
	"fmt"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// act lets a client do what the plan says.
func (w *World) act(s Step) {
	c := &w.clients
	switch s.Kind {
	case Submit:
		c.submit(s)
		return
	case Read:
		c.read(s)
		return
	case Tail:
		c.tail(w.members[s.A%len(w.members)])
		return
	case SetPrinter:
		c.set(s.A % c.w.plan.Printers)
		return
	case PausePrinter:
		name := fmt.Sprint("p", s.A%w.plan.Printers)
		c.command(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: name}}})
		w.after(s.For, func() { c.resume(name) })
		return
	}
	if cmd := c.action(s); cmd != nil {
		w.counts.add("client: " + s.Kind.String())
		c.command(cmd)
	}
}

// action is about a job that somebody knows of; nil: nobody does.
func (c *clients) action(s Step) *queuepb.Command {
	job := c.w.history.state.LastJob()
	if job == 0 {
		return nil
	}
	job -= uint64(s.A) % min(job, 6) // one of the newest: they are under way
	for _, d := range c.w.history.drives {
		if d.Work != nil && s.C%2 == 0 { // or one that is printing
			job = d.Work.Job
		}
	}
	printer := fmt.Sprint("p", s.B%c.w.plan.Printers)
	switch s.Kind {
	case Cancel:
		return &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: job}}}
	case Hold:
		return &queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: job}}}
	case Release:
		return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: job}}}
	case Move:
		return &queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: job, Printer: printer}}}
	case ForceMove:
		return &queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: job, Printer: printer, Force: true}}}
	case Reprint:
		return &queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{
			Job: job, From: uint32(s.B % 3), Cause: &queuepb.Cause{By: "client", Why: fmt.Sprint("request ", c.next)},
		}}}
	}
	return nil
}

// command asks once, at anyone. Whether it is carried out does not matter; that the answer is one of those that are said to be
// possible does.
func (c *clients) command(cmd *queuepb.Command) {
	m := c.w.anyone()
	if m == nil {
		return
	}
	m.ask(cmd, nil, func(_ node.Answer, err error) {
		for _, known := range []error{
			nil, errDied, node.ErrNoQuorum, node.ErrUnknown, node.ErrFull, queue.ErrState, queue.ErrNoJob, queue.ErrNoPrinter, queue.ErrInvalid,
			queue.ErrVoid, queue.ErrDocumentGone,
		} {
			if errors.Is(err, known) {
				return
			}
		}
		c.w.violated(0, "%v is answered with %v", cmd, err)
	})
}

func (c *clients) resume(name string) {
	c.w.until(func(m *member, done func(bool)) {
		cmd := &queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: name}}}
		m.ask(cmd, nil, func(_ node.Answer, err error) { done(err == nil || errors.Is(err, queue.ErrNoPrinter)) })
	})
}

// read is a linearizable read: it sees everything that anyone was told before it began (invariant 13).
func (c *clients) read(s Step) {
	c.readAt(c.w.members[s.A%len(c.w.members)])
}

func (c *clients) readAt(m *member) {
	h := &c.w.history
	known, began := h.acked, c.w.now
	m.soon(0, func() error {
		if at, ok := c.w.mutant.read(m); ok {
			c.answeredRead(m, known, at, nil)
			c.w.ledger.observe(m, began)
			return nil
		}
		forget := m.core.Barrier(func(at node.Position, err error) {
			c.answeredRead(m, known, at.Index, err)
			if err == nil {
				c.w.ledger.observe(m, began)
			}
		})
		m.after(c.w.between(tick, 5*second), func() { m.soon(0, func() error { forget(); return nil }) })
		return nil
	})
}

// tail goes on reading the log where it stopped, at another member perhaps: without a gap, and the same bytes (invariant 1).
func (c *clients) tail(m *member) {
	lines, err := m.store.Lines(c.tailed+1, 1000)
	if err != nil {
		c.w.violated(1, "member %d cannot read its lines: %v", m.id, err)
	}
	for _, l := range lines {
		if l.Seq != c.tailed+1 || string(l.JSON) != string(c.w.history.lines[l.Seq-1].JSON) {
			c.w.violated(1, "the tail at member %d shows line %d after %d: %s", m.id, l.Seq, c.tailed, l.JSON)
		}
		c.tailed = l.Seq
		c.w.counts.add("line tailed")
	}
}

func (c *clients) answeredRead(m *member, known, at uint64, err error) {
	switch {
	case err != nil:
		c.w.counts.add("read given up")
	case at < known:
		c.w.violated(13, "a read at member %d shows %d, and somebody was told %d before", m.id, at, known)
	default:
		c.w.counts.add("read answered")
	}
}
