package printer

import (
	"fmt"
	"time"

	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Todo is what is to be done now.
type Todo struct {
	// Operation to run, or nil.
	Operation *Operation
	// Stop the operation with this id: no further unit of it is wanted. 0: none.
	Stop uint64
	// Decisions to propose, in this order.
	Decisions []*queuepb.Command
	// Wake is when to call Step again if nothing happens before; zero: never.
	Wake time.Time
}

// A turn is one call of Step.
type turn struct {
	*Core
	now  time.Time
	todo Todo
}

// Step says what is to be done now.
func (c *Core) Step(now time.Time) Todo {
	t := turn{Core: c, now: now}
	if c.leads && !c.drive.Removed && !c.drive.Stopped {
		t.watch()
		if t.reached() && t.claimed() && t.opened() && t.resumed() && t.closed() {
			t.work()
		}
		t.report()
	}
	return t.todo
}

// watch takes note of an operation that does not end.
func (t *turn) watch() {
	if t.op == nil || t.op.Kind.waits() {
		return
	}
	if quiet := t.op.started.Add(silence); t.now.Before(quiet) {
		t.wake(quiet)
	} else {
		t.worry(reasonTimedOut, fmt.Sprintf("the device has not answered for %v", silence))
	}
}

// reached: this member may drive the device at all.
func (t *turn) reached() bool {
	if t.only == 0 || t.only == t.member {
		return true
	}
	t.trouble = trouble{reasonMember, fmt.Sprintf("waits until member %d leads: no other reaches the device", t.only)}
	return false
}

// claimed: there is a live claim of this term, the device has not refused it, and it was asked as it is to be asked now.
func (t *turn) claimed() bool {
	used := t.session.token == t.drive.Token
	broken := used && t.session.broken
	adopt := t.drive.Adopt && (t.drive.Resumed || used && !t.session.adopt)
	old := t.drive.Resumed && !used // resumed in an earlier reign: what the device answered then is forgotten here
	if t.drive.Token.Term == t.term && !broken && !adopt && !old {
		t.proposals[claim] = proposal{}
		return true
	}
	if t.now.Before(t.reclaim.until) && t.reclaim.count > 1 { // the first time at once
		t.wake(t.reclaim.until)
	} else if !t.drain {
		t.propose(claim, &queuepb.Command{Body: &queuepb.Command_Claim{Claim: &queuepb.Claim{Device: t.drive.Device}}})
	}
	return false
}

// opened: the device answered to the live token.
func (t *turn) opened() bool {
	if t.session.token == t.drive.Token {
		return true
	}
	t.begin(&Operation{Kind: OpenDevice, Opening: device.Opening{
		Token: t.drive.Token, Cluster: t.drive.Cluster, Adopt: t.drive.Adopt,
	}})
	return false
}

// resumed: the log knows what the device answered.
func (t *turn) resumed() bool {
	if t.drive.Resumed {
		return true
	}
	s := t.session.state
	answer := &queuepb.Resume{
		Device: t.drive.Device, Token: t.token(), Epoch: s.Epoch, Cluster: s.Cluster, Identity: s.Identity, Class: uint32(s.Class),
		Counts: s.Counts, Counter: s.Counter, Skips: s.Skips, About: s.About, Formats: s.Formats, Capabilities: s.Capabilities,
	}
	if s.Class == queue.Fenced {
		answer.Mark = &queuepb.Mark{
			Attempt: s.Mark.Attempt, Copy: uint32(s.Mark.Copy), Page: uint32(s.Mark.Page), Closed: s.Mark.Closed, Unclear: s.Mark.Unclear,
		}
	}
	if b, w := t.before, t.drive.Work; b != nil && w != nil && b.attempt == w.Attempt && s.Class != queue.Fenced {
		answer.Before, answer.Units, answer.Clear = &queuepb.Token{Term: b.token.Term, Index: b.token.Index}, uint32(b.units), b.clear
		answer.Sent = uint32(b.sent)
	}
	t.propose(resume, &queuepb.Command{Body: &queuepb.Command_Resume{Resume: answer}})
	return false
}

// closed: no attempt but the one that goes on is open at the device.
func (t *turn) closed() bool {
	attempt := t.drive.Closing
	if attempt == 0 {
		return true
	}
	if t.session.closed.attempt == attempt {
		t.propose(closed, &queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{
			Device: t.drive.Device, Token: t.token(), Attempt: attempt,
		}}})
	} else {
		t.close(attempt, nil)
	}
	return false
}

// work goes on with the job that the device is bound to, as the device's class has it.
func (t *turn) work() {
	switch w := t.drive.Work; {
	case w == nil:
	case t.drive.Class == queue.Fenced:
		t.fenced(w)
	case t.drive.Class == queue.WholeJob:
		t.spool(w)
	default:
		t.stream(w)
	}
}

func (t *turn) fenced(w *queue.Work) {
	switch {
	case w.Stopping, t.session.failed.attempt == w.Attempt:
		t.stop(w)
	case t.out():
		t.propose(done, t.doneCommand(w, t.have()))
		t.prepare(t.drive.Next)
	default:
		t.progress(w)
		t.print(w, t.have())
	}
}

// prepare gives the device the bytes of what is likely to print next, while the log takes note of what is out. Only the log
// says what does print.
func (t *turn) prepare(w *queue.Work) {
	if w != nil && !t.busy && t.session.state.Prepares && t.session.prepared != w.Job {
		t.begin(&Operation{Kind: PrepareUnit, Work: w, Number: w.Start%w.Units + 1, Unit: t.unit(w, w.Start)})
	}
}

// stop closes the attempt at the device before it ends in the log (R9), so that none of it can come out afterwards.
func (t *turn) stop(w *queue.Work) {
	if t.session.closed.attempt != w.Attempt {
		t.close(w.Attempt, w)
		return
	}
	command := t.doneCommand(w, max(t.session.closed.units, w.Printed))
	end := command.GetDone()
	t.stopped(w, end)
	t.propose(done, command)
}

// stopped fills in why an attempt ends early.
func (t *turn) stopped(w *queue.Work, end *queuepb.Done) {
	end.Stopped = true
	end.Unclear = t.session.unclear == w.Attempt && int(end.Units) < w.Units*w.Copies
	if t.session.failed.attempt == w.Attempt {
		end.Failure = t.session.failed.reason
	}
}

func (t *turn) doneCommand(w *queue.Work, units int) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
		Device: t.drive.Device, Token: t.token(), Attempt: w.Attempt, Units: uint32(units),
	}}}
}

// progress records what is out while the next unit prints. Only one record is on its way at a time.
func (t *turn) progress(w *queue.Work) {
	now := progressed{t.have(), t.sent(w)}
	if now.units <= w.Printed && now.sent <= w.Sent {
		return
	}
	last := t.proposals[printed].command.GetPrinted()
	under := progressed{int(last.GetUnits()), int(last.GetSent())}
	if last.GetAttempt() == w.Attempt && (under.units > w.Printed || under.sent > w.Sent) && t.now.Before(t.proposals[printed].again) {
		now = under
	}
	t.propose(printed, &queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{
		Device: t.drive.Device, Token: t.token(), Attempt: w.Attempt, Units: uint32(now.units), Sent: uint32(now.sent),
	}}})
}

type progressed struct{ units, sent int }

// sent is how many units of the attempt the device is known to have taken whole; 0 where that means nothing.
func (t *turn) sent(w *queue.Work) int {
	if t.session.taken.attempt != w.Attempt || t.drive.Class != queue.Counted && t.drive.Class != queue.WholeJob {
		return 0
	}
	return max(w.Sent, t.session.taken.units)
}

// print sends the unit after the first have ones.
func (t *turn) print(w *queue.Work, have int) {
	t.begin(&Operation{Kind: PrintUnit, Work: w, Number: have%w.Units + 1, Unit: t.unit(w, have)})
}

func (t *turn) unit(w *queue.Work, have int) device.Unit {
	return device.Unit{
		Token: t.drive.Token, Epoch: t.drive.Epoch, Attempt: w.Attempt, Job: w.Job,
		Copy: have/w.Units + 1, Page: have%w.Units + 1, PerCopy: w.Units,
		First: have == w.Start, Last: have+1 == w.Units*w.Copies,
	}
}

func (t *turn) close(attempt uint64, w *queue.Work) {
	t.begin(&Operation{Kind: CloseAttempt, Work: w, Closing: device.Closing{
		Token: t.drive.Token, Epoch: t.drive.Epoch, Attempt: attempt,
	}})
}

// begin starts an operation, unless one is under way, nothing new may begin, or the last one failed just now.
func (t *turn) begin(op *Operation) {
	switch {
	case t.op != nil, t.drain:
	case t.now.Before(t.retry.until):
		t.wake(t.retry.until)
	default:
		t.start(op)
	}
}

func (t *turn) start(op *Operation) {
	if t.retry.count > 0 {
		t.stats.Retries++
	}
	t.sequence++
	op.ID, op.Term, op.Token, op.started, op.reign = t.sequence, t.term, t.drive.Token, t.now, t.reign
	t.Core.op, t.todo.Operation = op, op
	t.wake(t.now.Add(silence))
}

func (t *turn) token() *queuepb.Token {
	return &queuepb.Token{Term: t.drive.Token.Term, Index: t.drive.Token.Index}
}

// wake asks for the next Step no later than at.
func (t *turn) wake(at time.Time) {
	if t.todo.Wake.IsZero() || at.Before(t.todo.Wake) {
		t.todo.Wake = at
	}
}
