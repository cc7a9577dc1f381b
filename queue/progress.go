package queue

import (
	"cmp"
	"fmt"

	"printq/queue/queuepb"
)

// at finds the device that is at an attempt under a live and resumed claim (R5).
func (t *turn) at(id uint64, token *queuepb.Token, attempt uint64) (*device, error) {
	d, err := t.held(id, token)
	switch {
	case err != nil:
		return nil, err
	case !d.resumed:
		return nil, fmt.Errorf("%w: the claim has not been resumed", ErrVoid)
	case d.job == nil || attempt != d.attempt:
		return nil, fmt.Errorf("%w: attempt %d is not the live one, %d", ErrVoid, attempt, d.attempt)
	}
	return d, nil
}

func (t *turn) printed(m *queuepb.Printed) error {
	d, err := t.at(m.Device, m.Token, m.Attempt)
	if err != nil {
		return err
	}
	j := d.job
	if err := d.announcedTo(m.Units, m.Sent); err != nil {
		return err
	}
	sent := max(d.flight.sent, m.Sent)
	if m.Units <= j.printed && sent == d.flight.sent { // progress never decreases
		return nil
	}
	if m.Units > j.printed {
		j.printed, d.flight.pages = m.Units, 0
	}
	d.flight.sent = sent
	t.driven(d)
	t.changed(j)
	t.aboutDevice("printed", d)
	t.num("attempt", d.attempt)
	t.num("printed", uint64(j.printed))
	t.opt("sent", uint64(m.Sent))
	t.end()
	return nil
}

// announcedTo checks units that are said to be out or on their way: no more than there are, and on a device without a fence none that
// was not announced, or of which the device has not been told.
func (d *device) announcedTo(units, sent uint32) error {
	switch most := max(units, sent); {
	case most > d.job.total():
		return fmt.Errorf("%w: %d units of %d", ErrVoid, most, d.job.total())
	case d.class.announced() && most > max(d.flight.intended, d.job.printed):
		return fmt.Errorf("%w: %d units, announced are %d", ErrVoid, most, d.flight.intended)
	case d.class == WholeJob && d.flight.remote == "" && most > d.job.printed:
		return fmt.Errorf("%w: %d units of an attempt that is not at the device", ErrVoid, most)
	}
	return nil
}

// done ends the attempt at hand: with everything out; stopped, as was asked; or for a failure.
func (t *turn) done(m *queuepb.Done) error {
	d, err := t.at(m.Device, m.Token, m.Attempt)
	if err != nil {
		return err
	}
	j, attempt := d.job, d.attempt
	if err := d.announcedTo(m.Units, 0); err != nil {
		return err
	}
	switch {
	case m.Units < j.total() && m.Failure == "" && !m.Stopped:
		return fmt.Errorf("%w: %d units of %d, and not stopped", ErrVoid, m.Units, j.total())
	case m.Units < j.total() && m.Failure == "" && j.stopping == notStopping:
		return fmt.Errorf("%w: nobody asked attempt %d to stop", ErrVoid, m.Attempt)
	case len(m.Failure) > MaxText:
		return fmt.Errorf("%w: failure of %d bytes", ErrVoid, len(m.Failure))
	}
	j.printed = max(j.printed, m.Units)
	switch {
	case j.printed == j.total():
		t.complete(d)
	case m.Unclear:
		last := uint32(0) // a spooler had the whole
		switch {
		case d.class.announced():
			last = max(d.flight.intended, j.printed+1)
		case d.class == Fenced: // a head was cut off in one unit
			last = j.printed + 1
		}
		t.inDoubt(d, last, cmp.Or(m.Failure, "it was stopped while it printed, and the device cannot say how far it came"))
	case j.stopping != notStopping:
		t.stopped(d)
	default:
		t.unbind(d, m.Failure)
		t.to(j, Held, m.Failure)
	}
	t.aboutDone(d, j, attempt)
	return nil
}

func (t *turn) aboutDone(d *device, j *job, attempt uint64) {
	a := j.attempt()
	for i := range j.attempts { // the policy for what is in doubt may have begun another
		if j.attempts[i].number == attempt {
			a = &j.attempts[i]
		}
	}
	t.begin("done", d.printer.name, j.id)
	t.num("device", d.id)
	t.num("attempt", a.number)
	t.num("printed", uint64(a.printed))
	t.str("outcome", a.outcome)
	t.str("state", j.state.String())
	if a.outcome == reasonInDoubt {
		t.doubt(j)
	}
	t.end()
}

// complete ends a job of which everything is out.
func (t *turn) complete(d *device) {
	j := d.job
	t.unbind(d, "completed")
	if j.rare != nil && j.rare.doubt != nil {
		t.to(j, Completed, reasonWarnings)
		return
	}
	t.to(j, Completed, reasonCompleted)
}

// stopped ends the attempt of a stopping job, of which it is known what came out (R9).
func (t *turn) stopped(d *device) {
	j := d.job
	t.unbind(d, map[stopping]string{stopCancel: "canceled", stopHold: "held", stopMove: "moved"}[j.stopping])
	t.settled(j)
}

// settled makes of a job whose attempt has stopped what was asked.
func (t *turn) settled(j *job) {
	what := j.stopping
	j.stopping = notStopping
	switch what {
	case stopCancel:
		t.to(j, Canceled, reasonCanceled)
	case stopMove:
		to := t.printers[j.rare.moveTo]
		j.rare.moveTo = ""
		if to == nil {
			t.to(j, Held, reasonNoPrinter)
			return
		}
		j.printed = j.start
		t.transfer(j, to, Pending, "")
	default:
		t.to(j, Held, reasonHold)
	}
}

// closed says that the attempt that had to be closed at the device is.
func (t *turn) closed(m *queuepb.Closed) error {
	d, err := t.held(m.Device, m.Token)
	switch {
	case err != nil:
		return err
	case d.closing == 0 || m.Attempt != d.closing:
		return fmt.Errorf("%w: attempt %d is not the one to close, %d", ErrVoid, m.Attempt, d.closing)
	}
	d.closing = 0
	t.offer(d.printer)
	t.driven(d)
	t.begin("closed", d.printer.name, 0)
	t.num("device", d.id)
	t.num("attempt", m.Attempt)
	t.end()
	return nil
}

// report notes what a device waits for.
func (t *turn) report(m *queuepb.Report) error {
	d := t.devices[m.Device]
	switch {
	case d == nil:
		return fmt.Errorf("%w: no device %d", ErrVoid, m.Device)
	case tokenOf(m.Token) != d.token:
		return fmt.Errorf("%w: the token is not the live one", ErrVoid)
	case len(m.Reason) > MaxText || len(m.Detail) > MaxText:
		return fmt.Errorf("%w: a reason of %d and %d bytes", ErrVoid, len(m.Reason), len(m.Detail))
	case d.stopped:
		return fmt.Errorf("%w: the device is stopped, %s", ErrVoid, d.reason)
	case d.reason == m.Reason && d.detail == m.Detail:
		return nil
	}
	d.reason, d.detail = m.Reason, m.Detail
	t.driven(d)
	t.offer(d.printer) // a standby may be needed now, or no longer
	t.show(d)
	t.aboutDevice("report", d)
	t.str("reason", d.reason)
	t.str("detail", d.detail)
	t.end()
	return nil
}
