package queue

import (
	"fmt"
	"math"

	"printq/queue/queuepb"
)

// setJob changes what a job was asked to be. All that is asked is done, or nothing.
func (t *turn) setJob(m *queuepb.SetJob) error {
	j, err := t.actable(m.Job)
	switch {
	case err != nil:
		return err
	case j.state != Pending && j.state != Held:
		return fmt.Errorf("%w: job %d is %s: it can be changed before it prints", ErrState, j.id, j.state)
	}
	if err := j.settable(m); err != nil {
		return err
	}
	before := *j
	t.rename(j, m)
	wished := j.wishList()
	j.wish(mergeOptions(wished, m.Options))
	wished, asked := j.wishList(), !equalOptions(wished, j.wishList())
	held := t.reHold(j, m)
	if !held && !asked && before.priority == j.priority && before.name == j.name && before.copies == j.copies {
		return nil
	}
	t.changed(j)
	t.begin("job-set", j.printer.name, j.id)
	t.str("state", j.state.String())
	if before.name != j.name {
		t.str("name", j.name)
	}
	if before.copies != j.copies {
		t.num("copies", uint64(j.copies))
	}
	if before.priority != j.priority {
		t.num("priority", uint64(j.priority))
	}
	if asked {
		t.options("options", wished)
	}
	if held {
		t.flag("hold", *m.Hold)
	}
	t.cause(m.Cause)
	t.end()
	return nil
}

func (j *job) settable(m *queuepb.SetJob) error {
	switch {
	case m.Priority != nil && (*m.Priority < 1 || *m.Priority > 100):
		return fmt.Errorf("%w: priority %d: want 1 to 100", ErrInvalid, *m.Priority)
	case m.Name != nil && (*m.Name == "" || len(*m.Name) > MaxText):
		return fmt.Errorf("%w: a name of %d bytes: want 1 to %d", ErrInvalid, len(*m.Name), MaxText)
	case m.Copies != nil && (*m.Copies < 1 || *m.Copies > MaxCopies || uint64(j.units)*uint64(*m.Copies) > math.MaxInt32):
		return fmt.Errorf("%w: copies: %d", ErrInvalid, *m.Copies)
	case m.Copies != nil && *m.Copies != uint32(j.copies) && (len(j.attempts) > 0 || j.start > 0):
		return fmt.Errorf("%w: job %d has been at a device: its copies are counted", ErrState, j.id)
	case m.Hold != nil && !*m.Hold && j.inDoubt():
		return unresolved(j)
	}
	if err := checkOptions(m.Options); err != nil || len(m.Options) == 0 {
		return err
	}
	wished := mergeOptions(j.wishList(), m.Options)
	if !equalOptions(wished, j.wishList()) && (len(j.attempts) > 0 || j.start > 0) {
		return fmt.Errorf("%w: job %d has been at a device: how it is printed cannot change any more", ErrState, j.id)
	}
	return checkOptions(wished)
}

func (t *turn) rename(j *job, m *queuepb.SetJob) {
	if m.Name != nil {
		j.name = *m.Name
	}
	if m.Copies != nil {
		j.copies = uint16(*m.Copies)
	}
	if m.Priority != nil && uint8(*m.Priority) != j.priority {
		turns := &j.printer.turns
		turns.remove(j)
		j.priority = uint8(*m.Priority)
		if j.state == Pending {
			turns.push(j)
		}
	}
}

// reHold holds or releases, and reports whether that changed anything.
func (t *turn) reHold(j *job, m *queuepb.SetJob) bool {
	switch {
	case m.Hold == nil:
		return false
	case j.incoming():
		was := j.rare.hold
		j.rare.hold = *m.Hold
		return was != *m.Hold
	case *m.Hold == (j.state == Held):
		return false
	case *m.Hold:
		t.to(j, Held, reasonHold)
	default:
		t.to(j, Pending, "")
		j.printed = j.start
	}
	return true
}
