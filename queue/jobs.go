package queue

import (
	"fmt"
	"slices"
	"time"

	"printq/queue/queuepb"
)

// Why a job is in its state: keywords of RFC 8011 §5.3.8 where there is one.
const (
	reasonIncoming  = "job-incoming"
	reasonHold      = "job-hold-until-specified"
	reasonPrinting  = "job-printing"
	reasonStopping  = "processing-to-stop-point"
	reasonStopped   = "printer-stopped"
	reasonCompleted = "job-completed-successfully"
	reasonWarnings  = "job-completed-with-warnings" // something was in doubt
	reasonCanceled  = "job-canceled-by-user"
	// Ours.
	reasonInDoubt    = "in-doubt"
	reasonRecovering = "recovering"
	reasonTTL        = "job-ttl-expired"
	reasonHeldNew    = "job-held-on-create"
	reasonDuplicate  = "possible-duplicate"
	reasonNoDocument = "no-document"
	reasonOpen       = "document-timed-out"
	reasonClosed     = "attempt-closed"  // at the device, for a failure that was not recorded
	reasonNoPrinter  = "printer-removed" // to which the job was to be moved
)

// to takes a job to a state: the only place where that happens.
func (t *turn) to(j *job, state JobState, reason string) {
	p, doubted := j.printer, j.inDoubt()
	if j.state != state {
		t.withdraw(j)
		j.state = state
		p.counts[state]++
		t.counts[state]++
		if state == Pending {
			p.turns.push(j)
		}
		if state.Ended() {
			t.retire(j)
		}
	}
	j.reason = reason
	if now := j.inDoubt(); now && !doubted {
		t.doubts++
	} else if doubted && !now {
		t.doubts--
	}
	if state == Pending {
		t.offer(p)
	}
	t.changed(j)
}

// withdraw takes a job out of its state, and out of its printer's turns.
func (t *turn) withdraw(j *job) {
	if j.state == 0 {
		return
	}
	j.printer.turns.remove(j)
	j.printer.counts[j.state]--
	t.counts[j.state]--
	j.state = 0
}

// retire puts a job among those that have ended.
func (t *turn) retire(j *job) {
	j.seldom().ended = t.time
	j.keepOn()
	t.shut(j)
	t.deadlines.remove(j)
	t.live--
	t.ended.add(&finished{id: j.id, ended: t.time, printer: j.printer.name, document: slices.Clone(j.document.extents())})
	t.endKey(j)
}

// keepOn takes back what was to become of a stopping job.
func (j *job) keepOn() {
	j.stopping = notStopping
	if j.rare != nil {
		j.rare.moveTo = ""
	}
}

// transfer gives a job to another printer.
func (t *turn) transfer(j *job, to *printer, state JobState, reason string) {
	t.withdraw(j)
	j.printer = to
	t.to(j, state, reason)
}

// actable finds a live job for a fact.
func (t *turn) actable(id uint64) (*job, error) {
	j := t.find(id)
	if j == nil {
		return nil, fmt.Errorf("%w: %d", ErrNoJob, id)
	}
	if j.state.Ended() {
		return nil, fmt.Errorf("%w: job %d is %s since %s", ErrState, id, j.state, stamp(j.rare.ended))
	}
	return j, nil
}

// stop marks a job that is bound to a device as stopping (R9): what it becomes then. A cancel overrides.
func (t *turn) stop(j *job, what stopping) error {
	if j.stopping != notStopping && what != stopCancel {
		return fmt.Errorf("%w: job %d is stopping already, to %s", ErrState, j.id, j.stopping)
	}
	j.keepOn()
	j.stopping = what
	t.show(j.device)
	return nil
}

func (t *turn) acted(kind string, j *job, c *queuepb.Cause) {
	t.begin(kind, j.printer.name, j.id)
	t.str("state", j.state.String())
	t.str("stopping", j.stopping.String())
	t.cause(c)
	t.end()
}

func (t *turn) cancel(m *queuepb.Cancel) error {
	j, err := t.actable(m.Job)
	switch {
	case err != nil:
		return err
	case j.device == nil:
		t.to(j, Canceled, reasonCanceled)
	case j.stopping == stopCancel:
		return nil
	default:
		err = t.stop(j, stopCancel)
	}
	t.acted("cancel", j, m.Cause)
	return err
}

func (t *turn) hold(m *queuepb.Hold) error {
	j, err := t.actable(m.Job)
	switch {
	case err != nil:
		return err
	case j.incoming():
		t.holdOpen("hold", j, true, m.Cause)
		return nil
	case j.state == Held || j.stopping == stopHold:
		return nil
	case j.device == nil:
		t.to(j, Held, reasonHold)
	default:
		if err := t.stop(j, stopHold); err != nil {
			return err
		}
	}
	t.acted("hold", j, m.Cause)
	return nil
}

func (t *turn) release(m *queuepb.Release) error {
	j, err := t.actable(m.Job)
	switch {
	case err != nil:
		return err
	case j.incoming() && j.rare.hold:
		t.holdOpen("release", j, false, m.Cause)
		return nil
	case j.incoming():
		return noDocument(j)
	case j.inDoubt():
		return unresolved(j)
	case j.stopping != notStopping:
		return fmt.Errorf("%w: job %d is stopping, to %s; release it once it has", ErrState, j.id, j.stopping)
	case j.state != Held:
		return nil
	}
	t.to(j, Pending, "")
	j.printed = j.start
	t.acted("release", j, m.Cause)
	return nil
}

// doubtful says what of a job is in doubt.
func (j *job) doubtful() string {
	d := j.rare.doubt
	switch {
	case d.Last == 0 || d.Last > (d.Copy-1)*j.units+d.To:
		return fmt.Sprintf("from page %d of copy %d on", d.From, d.Copy)
	case d.From == d.To:
		return fmt.Sprintf("page %d of copy %d", d.From, d.Copy)
	}
	return fmt.Sprintf("pages %d to %d of copy %d", d.From, d.To, d.Copy)
}

func unresolved(j *job) error {
	return fmt.Errorf("%w: job %d is in doubt, %s: look at the paper, then printq job resolve %d", ErrState, j.id, j.doubtful(), j.id)
}

func (t *turn) move(m *queuepb.Move) error {
	j, err := t.actable(m.Job)
	if err != nil {
		return err
	}
	p, from := t.printers[m.Printer], j.printer.name
	switch {
	case p == nil:
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Printer)
	case p == j.printer:
		return fmt.Errorf("%w: job %d is at %s already", ErrState, j.id, p.name)
	case j.incoming():
		return noDocument(j)
	case j.inDoubt():
		return unresolved(j)
	case j.device != nil && m.Force:
		if j.stopping == stopCancel {
			return fmt.Errorf("%w: job %d is being canceled", ErrState, j.id)
		}
		t.tearAway(j, p)
	case j.device != nil:
		if err := t.stop(j, stopMove); err != nil {
			return err
		}
		j.seldom().moveTo = p.name
	case j.state == Held && (j.reason == reasonHold || j.reason == reasonDuplicate):
		t.transfer(j, p, Held, j.reason)
	default:
		t.transfer(j, p, Pending, "")
	}
	t.moved(m, j, from)
	return nil
}

func (t *turn) moved(m *queuepb.Move, j *job, from string) {
	t.begin("move", from, j.id)
	t.str("to", m.Printer)
	t.str("state", j.state.String())
	t.str("stopping", j.stopping.String())
	if m.Force {
		t.field("force")
		t.scratch = append(t.scratch, "true"...)
		t.doubt(j)
	}
	t.cause(m.Cause)
	t.end()
}

// tearAway ends the attempt without asking the device, which may be dead: what it did is in doubt. A device that is not
// dead closes the attempt before anything else; one that is, at its next resume.
func (t *turn) tearAway(j *job, p *printer) {
	d := j.device
	if d.class == Fenced && d.resumed && d.closing == 0 {
		d.closing = d.attempt
	}
	const moved = "the job was moved away from the device by force"
	outcome := "moved"
	switch f := &d.flight; {
	case d.class.announced() && f.intended <= j.printed, d.class == WholeJob && f.remote == "": // nothing was on its way
	case d.class.announced():
		t.noteDoubt(j, f.intended, moved)
		outcome = reasonInDoubt
	default:
		t.noteDoubt(j, 0, moved)
		outcome = reasonInDoubt
	}
	j.keepOn()
	t.unbind(d, outcome)
	j.printed = j.start
	t.transfer(j, p, Pending, "")
}

// resolve is a person's word on what came out of a job that is held after an attempt.
func (t *turn) resolve(m *queuepb.Resolve) error {
	j, err := t.actable(m.Job)
	if err != nil {
		return err
	}
	if j.state != Held || len(j.attempts) == 0 {
		return fmt.Errorf("%w: job %d is %s: only a job that is held after an attempt can be resolved", ErrState, j.id, j.state)
	}
	out, err := answered(m, j.total())
	if err != nil {
		return fmt.Errorf("%w: job %d has %d pages over all copies", err, j.id, j.total())
	}
	j.printed, j.start = out, out
	if j.rare != nil {
		j.rare.doubt = nil
	}
	if out == j.total() {
		t.to(j, Completed, reasonCompleted)
	} else {
		t.to(j, Pending, "")
	}
	t.begin("resolve", j.printer.name, j.id)
	t.str("state", j.state.String())
	t.num("printed", uint64(out))
	t.cause(m.Cause)
	t.end()
	return nil
}

// answered is the number of units out, by the answer.
func answered(m *queuepb.Resolve, total uint32) (uint32, error) {
	switch a := m.Answer.(type) {
	case *queuepb.Resolve_Printed:
		if a.Printed <= total {
			return a.Printed, nil
		}
	case *queuepb.Resolve_ReprintFrom:
		if a.ReprintFrom >= 1 && a.ReprintFrom <= total {
			return a.ReprintFrom - 1, nil
		}
	case *queuepb.Resolve_Done:
		if a.Done {
			return total, nil
		}
	}
	return 0, fmt.Errorf("%w: want printed, reprint_from or done", ErrInvalid)
}

func stamp(unixNano int64) string { return time.Unix(0, unixNano).UTC().Format(time.RFC3339) }
