package printer

import (
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// How a device without a fence is driven that takes bytes: it is made ready, units are announced, then sent, then recorded. The
// window is how many are announced at once, and so how many are in doubt at most if the device cannot be asked
// afterwards.

// stream goes on with a job on a counted or blind device.
func (t *turn) stream(w *queue.Work) {
	have := t.have()
	switch {
	case t.out():
		t.propose(done, t.doneCommand(w, have))
		return
	case w.Stopping, t.session.failed.attempt == w.Attempt:
		if t.halt() {
			t.end(w, false)
		}
		return
	case t.drain && w.Units > 1 && !t.atHand(): // a page under way is finished, a document is not cut
		t.halt()
	}
	t.progress(w)
	switch {
	case t.op != nil:
	case t.session.ready.attempt != w.Attempt:
		if !t.giveBack(w) {
			t.begin(&Operation{Kind: ReadyDevice, Work: w, Cluster: t.drive.Cluster, From: have, Pages: w.PagesOut})
		}
	default:
		t.send(w, have)
	}
}

// halt stops the operation that is under way, and reports whether none is.
func (t *turn) halt() bool {
	if t.op == nil {
		return true
	}
	if t.op.Kind.waits() && !t.op.stopped {
		op := *t.op // who runs it may be reading it
		op.stopped = true
		t.Core.op, t.todo.Stop = &op, op.ID
	}
	return false
}

// send announces the next window, and sends it once the log has it and all before it is recorded: so no more than one
// window is ever in doubt.
func (t *turn) send(w *queue.Work, have int) {
	to := w.Units * w.Copies
	if n := t.session.state.Window; n > 0 {
		to = min(to, have+n)
	}
	if w.Printed < have { // an Intent may commit where a Printed is lost
		return
	}
	if w.Intended >= to {
		op := &Operation{Kind: SendWindow, Work: w, Cluster: t.drive.Cluster, From: have, To: w.Intended, Pages: w.PagesOut}
		if t.owed() {
			t.start(op)
		} else {
			t.begin(op)
		}
		return
	}
	if t.drain {
		return
	}
	r := t.session.ready
	t.propose(intent, &queuepb.Command{Body: &queuepb.Command_Intent{Intent: &queuepb.Intent{
		Device: t.drive.Device, Token: t.token(), Attempt: w.Attempt, Units: uint32(to), Counts: r.Counts, Counter: r.Counter,
		Base: uint32(r.base), Pages: uint32(r.pages),
	}}})
}

// atHand: a window of one unit is under way. To stop it would only keep back what the log already calls announced.
func (t *turn) atHand() bool {
	return t.op != nil && t.op.Kind == SendWindow && t.op.To-t.op.From == 1
}

// owed: a unit is announced, or about to be, that the next leader could not ask a blind device about. It is sent before the leadership is
// handed over, so that an orderly change leaves nothing in doubt.
func (c *Core) owed() bool {
	w := c.drive.Work
	if !c.drain || !c.leads || w == nil || w.Stopping || c.drive.Class != queue.Blind || c.session.ready.attempt != w.Attempt ||
		c.session.token != c.drive.Token || c.session.broken || c.session.failed.attempt == w.Attempt {
		return false
	}
	coming := c.proposals[intent].command.GetIntent()
	if coming.GetAttempt() != w.Attempt || tokenOf(coming) != c.drive.Token {
		coming = nil
	}
	return max(w.Intended, int(coming.GetUnits())) == c.have()+1
}

func tokenOf(m *queuepb.Intent) queue.Token {
	return queue.Token{Term: m.GetToken().GetTerm(), Index: m.GetToken().GetIndex()}
}

// giveBack lets another device of the printer have a job that this one cannot begin.
func (t *turn) giveBack(w *queue.Work) bool {
	if !t.drive.Others || t.retry.count < 2 || t.have() != w.Start || w.Intended > w.Start || w.Remote != "" {
		return false
	}
	t.yield(w)
	return true
}

func (t *turn) yield(w *queue.Work) {
	t.propose(yield, &queuepb.Command{Body: &queuepb.Command_Yield{Yield: &queuepb.Yield{
		Device: t.drive.Device, Token: t.token(), Attempt: w.Attempt, Reason: t.trouble.reason, Detail: short(t.trouble.detail),
	}}})
}

// short cuts a text to what the log takes.
func short(s string) string { return s[:min(len(s), queue.MaxText)] }

// Told says how far an operation has come that has not ended.
func (c *Core) Told(id uint64, s device.Sent) {
	if op := c.current(id); op != nil {
		c.told(op, s)
	}
}

func (c *Core) told(op *Operation, s device.Sent) {
	if op.Work == nil {
		return
	}
	a := op.Work.Attempt
	for _, p := range []struct {
		to    *progress
		units int
	}{{&c.session.acked, s.Out}, {&c.session.taken, max(s.Whole, s.Out)}} {
		if p.to.attempt != a {
			*p.to = progress{attempt: a}
		}
		p.to.units = max(p.to.units, p.units)
	}
}

// Waits says what an operation that has not ended waits for; two empty strings: it goes on.
func (c *Core) Waits(id uint64, reason, detail string) {
	if c.current(id) != nil {
		c.trouble = trouble{reason, short(detail)}
	}
}

// current is the operation of that id, if it is under way and belongs to the live claim.
func (c *Core) current(id uint64) *Operation {
	if c.op == nil || c.op.ID != id || !c.leads || c.op.reign != c.reign || c.op.Token != c.drive.Token {
		return nil
	}
	return c.op
}

// job is what a device is told of a job.
func (op *Operation) job() device.Job {
	w := op.Work
	j := device.Job{
		Cluster: op.Cluster, ID: w.Job, Attempt: w.Attempt, Name: w.Name, User: w.User, Format: w.Format, Options: w.Options,
		Units: w.Units, Copies: w.Copies, Pages: w.Pages, Start: w.Start, Bytes: w.Bytes,
	}
	if op.Spelled { // one copy of a longer document
		j.Units, j.Pages, j.Copies = w.Units*w.Copies, w.Pages*w.Copies, 1
	}
	return j
}
