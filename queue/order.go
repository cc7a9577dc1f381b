package queue

import (
	"fmt"

	"printq/queue/queuepb"
)

// placeBits leave room for jobs between two that were submitted one after the other.
const placeBits = 20

// place orders the jobs of one priority: as they were submitted, unless somebody said otherwise.
func (j *job) place() uint64 {
	if j.rare != nil && j.rare.place != 0 {
		return j.rare.place
	}
	return j.id << placeBits
}

// reorder gives a pending job another turn.
func (t *turn) reorder(m *queuepb.Reorder) error {
	j, err := t.actable(m.Job)
	switch {
	case err != nil:
		return err
	case j.state != Pending:
		return fmt.Errorf("%w: job %d is %s: it has no turn", ErrState, j.id, j.state)
	}
	turns := &j.printer.turns
	turns.remove(j)
	priority, place, err := t.turnAfter(j, m.After)
	if err == nil {
		j.priority = priority
		j.seldom().place = place
	}
	turns.push(j)
	if err != nil {
		return err
	}
	t.changed(j)
	t.begin("job-reordered", j.printer.name, j.id)
	t.num("priority", uint64(j.priority))
	t.opt("after", m.After)
	t.cause(m.Cause)
	t.end()
	return nil
}

// turnAfter is the turn after that of another job of j's printer; 0, or one that prints now: the first of those that wait.
func (t *turn) turnAfter(j *job, after uint64) (priority uint8, place uint64, err error) {
	turns := &j.printer.turns
	if after != 0 {
		a, err := t.actable(after)
		switch {
		case err != nil:
			return 0, 0, err
		case a == j || a.printer != j.printer || a.state != Pending && a.device == nil:
			return 0, 0, fmt.Errorf("%w: job %d is %s at %s: nothing comes after it there", ErrState, a.id, a.state, a.printer.name)
		case a.state == Pending:
			return between(a, turns.after(a))
		}
	}
	first := turns.first()
	switch {
	case first == nil:
		return j.priority, j.place(), nil
	case first.place() <= 1:
		return 0, 0, fmt.Errorf("%w: no turn is left before job %d", ErrLimit, first.id)
	}
	return first.priority, first.place() - min(1<<(placeBits-1), first.place()/2), nil
}

// between is a turn after a and before b, which follows it; nil: nothing does.
func between(a, b *job) (priority uint8, place uint64, err error) {
	if b == nil || b.priority != a.priority {
		return a.priority, a.place() + 1<<(placeBits-1), nil
	}
	room := b.place() - a.place()
	if room < 2 {
		return 0, 0, fmt.Errorf("%w: no turn is left between jobs %d and %d", ErrLimit, a.id, b.id)
	}
	return a.priority, a.place() + room/2, nil
}

// after is the job whose turn comes next after a's; nil: none. It looks at every job.
func (h *jobHeap) after(a *job) *job {
	here, next := h.keyed(a), keyed{}
	for _, x := range h.list {
		if here.before(x) && (next.job == nil || x.before(next)) {
			next = x
		}
	}
	return next.job
}

// holdNew says whether a printer's new jobs are held.
func (t *turn) holdNew(m *queuepb.HoldNew) error {
	p := t.printers[m.Printer]
	switch {
	case p == nil:
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Printer)
	case p.holdNew == m.Hold:
		return nil
	}
	p.holdNew = m.Hold
	t.configured(p)
	var released []uint64
	for _, j := range t.order {
		if !m.Hold && j.printer == p && j.state == Held && j.reason == reasonHeldNew {
			t.to(j, Pending, "")
			released = append(released, j.id)
		}
	}
	t.begin(map[bool]string{true: "new-jobs-held", false: "new-jobs-released"}[m.Hold], p.name, 0)
	t.ids("jobs", released)
	t.cause(m.Cause)
	t.end()
	return nil
}
