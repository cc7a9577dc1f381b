package queue

import (
	"fmt"

	"printq/queue/queuepb"
)

// What devices without a fence need in the log: what was not announced cannot have come out.

// intent announces units, before the first of their bytes is sent.
func (t *turn) intent(m *queuepb.Intent) error {
	d, err := t.at(m.Device, m.Token, m.Attempt)
	if err != nil {
		return err
	}
	j, f := d.job, d.flight
	switch {
	case !d.class.announced():
		return fmt.Errorf("%w: a %s device announces nothing", ErrVoid, d.class)
	case j.stopping != notStopping:
		return fmt.Errorf("%w: job %d is stopping", ErrVoid, j.id)
	case m.Units <= j.printed || m.Units > j.total():
		return fmt.Errorf("%w: %d units, %d of %d are out", ErrVoid, m.Units, j.printed, j.total())
	case m.Base > j.printed:
		return fmt.Errorf("%w: counted from %d units, recorded are %d", ErrVoid, m.Base, j.printed)
	}
	f.intended, f.by = max(f.intended, m.Units), d.token
	f.counts, f.counter, f.base, f.basePages = m.Counts, m.Counter, m.Base, m.Pages
	if f == d.flight {
		return nil
	}
	d.flight = f
	t.driven(d)
	t.aboutDevice("intent", d)
	t.num("attempt", d.attempt)
	t.num("units", uint64(f.intended))
	if f.counts {
		t.num("counter", f.counter)
		t.num("base", uint64(f.base))
		t.opt("pages", uint64(f.basePages))
	}
	t.end()
	return nil
}

// remote binds an attempt to the device's own job. The first wins; none has effect once the job is stopping, so that what is
// stopped without one has never been anywhere.
func (t *turn) remote(m *queuepb.Remote) error {
	d, err := t.at(m.Device, m.Token, m.Attempt)
	switch {
	case err != nil:
		return err
	case d.class != WholeJob:
		return fmt.Errorf("%w: a %s device keeps no jobs", ErrVoid, d.class)
	case m.Id == "" || len(m.Id) > MaxText:
		return fmt.Errorf("%w: an id of %d bytes", ErrVoid, len(m.Id))
	case d.job.stopping != notStopping:
		return fmt.Errorf("%w: job %d is stopping", ErrVoid, d.job.id)
	case d.flight.remote == m.Id:
		return nil
	case d.flight.remote != "":
		return fmt.Errorf("%w: attempt %d is %s there", ErrVoid, d.attempt, d.flight.remote)
	}
	d.flight.remote, d.job.attempt().remote = m.Id, m.Id
	t.driven(d)
	t.changed(d.job)
	t.aboutDevice("remote", d)
	t.num("attempt", d.attempt)
	t.str("id", m.Id)
	t.end()
	return nil
}

// doubtful ends an attempt whose job the device has forgotten.
func (t *turn) doubtful(m *queuepb.Doubtful) error {
	d, err := t.at(m.Device, m.Token, m.Attempt)
	switch {
	case err != nil:
		return err
	case d.class != WholeJob || d.flight.remote == "":
		return fmt.Errorf("%w: attempt %d is not the device's to know", ErrVoid, d.attempt)
	case m.Units > d.job.total() || len(m.Why) > MaxText:
		return fmt.Errorf("%w: %d units of %d", ErrVoid, m.Units, d.job.total())
	}
	j := d.job
	j.printed = max(j.printed, m.Units)
	a := j.attempt().number
	t.inDoubt(d, 0, m.Why)
	t.begin("doubt", d.printer.name, j.id)
	t.num("device", d.id)
	t.num("attempt", a)
	t.num("printed", uint64(j.printed))
	t.str("state", j.state.String())
	t.doubt(j)
	t.end()
	return nil
}

// yield gives back a job of which nothing can have come out. The claim goes with it: what is still on its way is void.
func (t *turn) yield(m *queuepb.Yield) error {
	d, err := t.at(m.Device, m.Token, m.Attempt)
	if err != nil {
		return err
	}
	j, a := d.job, d.job.attempt()
	switch {
	case d.class == Fenced:
		return fmt.Errorf("%w: a fenced device keeps what it was given", ErrVoid)
	case j.stopping != notStopping:
		return fmt.Errorf("%w: job %d is stopping", ErrVoid, j.id)
	case j.printed != a.from || d.flight.intended > a.from:
		return fmt.Errorf("%w: attempt %d has begun", ErrVoid, d.attempt)
	case len(m.Reason) > MaxText || len(m.Detail) > MaxText:
		return fmt.Errorf("%w: a reason of %d and %d bytes", ErrVoid, len(m.Reason), len(m.Detail))
	}
	number := a.number
	j.start = a.from // which is not what it was, where the policy for doubt began the attempt
	t.unbind(d, "yielded")
	d.token, d.resumed, d.outOfOrder, d.reason, d.detail = Token{}, false, true, m.Reason, m.Detail
	t.to(j, Pending, "")
	t.begin("yield", d.printer.name, j.id)
	t.num("device", d.id)
	t.num("attempt", number)
	t.str("reason", m.Reason)
	t.str("detail", m.Detail)
	t.end()
	return nil
}
