package model

import (
	"slices"

	"printq/queue"
	"printq/queue/queuepb"
)

// What is held against the log where a device has no fence.

// classOf is the class of the device that the job was bound to, when it was made.
func (m *model) classOf(j *queue.Job) queue.Class { return m.classes[m.trays[j.Device-1]] }

// doubtedWindow: in doubt is nothing that was recorded as out before, and no more than was announced, or was given to the device as a job.
func (m *model) doubtedWindow(s *state, before *node, was, j *queue.Job, c *queuepb.Command) {
	w := before.drives[was.Device-1].Work
	from, last := doubtful(j), lastDoubtful(j)
	switch class := before.drives[was.Device-1].Class; {
	case from < min(was.Printed+1, j.Units*j.Copies):
		s.wrong("inv 8: job %d is in doubt from unit %d, %d were recorded", j.Id, from, was.Printed)
	case class == queue.WholeJob && w.Remote == "":
		s.wrong("inv 8: job %d is in doubt, and was never given to the device", j.Id)
	case class == queue.WholeJob && s.left == m.faults() && c.GetMove() == nil && was.Stopping == 0:
		s.wrong("inv 8: job %d is in doubt, and the device keeps its list", j.Id)
	case class == queue.Counted && m.exact() && c.GetMove() == nil && last > from:
		s.wrong("inv 8: units %d to %d of job %d are in doubt, and the device counts", from, last, j.Id)
	case class != queue.WholeJob && m.window > 0 && int(last-from) >= m.window:
		s.wrong("inv 8: units %d to %d of job %d are in doubt, and the window is %d", from, last, j.Id, m.window)
	case class != queue.WholeJob && int(last) > w.Intended:
		s.wrong("inv 8: job %d is in doubt up to unit %d, %d were announced", j.Id, last, w.Intended)
	}
	e := s.entitled(j.Id)
	for unit := from; unit <= last; unit++ {
		e.doubted |= 1 << (unit - 1)
	}
}

// exact: a counter leaves no more than one page in doubt, that may be torn.
func (m *model) exact() bool { return m.exclusive && m.wipes+m.turns+m.strangers == 0 }

// bound: the first id that the device gave an attempt stays, and none is taken once the job is stopping.
func (m *model) bound(s *state, was, j *queue.Job) {
	for _, a := range was.GetAttempts() {
		b := find(j, a.Number)
		switch {
		case b == nil || b.Remote == a.Remote:
		case a.Remote != "":
			s.wrong("R4: attempt %d is %s there, and becomes %s", a.Number, a.Remote, b.Remote)
		case was.Stopping != 0:
			s.wrong("R9: attempt %d becomes %s there, and is stopping", a.Number, b.Remote)
		}
	}
}

func find(j *queue.Job, attempt uint64) *queuepb.Attempt {
	for _, a := range j.GetAttempts() {
		if a.Number == attempt {
			return a
		}
	}
	return nil
}

// ending is how an attempt ended; empty: it has not.
func ending(j *queue.Job, attempt uint64) string {
	if a := find(j, attempt); a != nil {
		return a.Outcome
	}
	return "yielded"
}

// ends: an attempt may have ended. What was recorded of it came out; what else came out of it was recorded as in doubt (invariant 8).
func (m *model) ends(s *state, j *queue.Job, was *queuepb.Attempt) {
	a := find(j, was.Number)
	switch {
	case m.classes[m.trays[was.Device-1]] == queue.Fenced:
		return
	case a == nil: // given back
		a = &queuepb.Attempt{Number: was.Number, From: was.From, Printed: was.From}
	case a.Outcome == "":
		return
	}
	e := s.ledger[j.Id-1]
	for unit := a.From + 1; unit <= a.Printed && m.strangers == 0; unit++ {
		if n := s.whole(j.Id, a.Number, int(unit)); e.doubted&(1<<(unit-1)) == 0 && n != 1 {
			s.wrong("inv 8: attempt %d of job %d ended, %d units were recorded, unit %d came out %d times", a.Number, j.Id, a.Printed, unit, n)
		}
	}
	for _, t := range s.trays {
		for _, p := range t.paper {
			known := p.unit <= int(a.Printed) && (!p.torn || m.strangers > 0) || e.doubted&(1<<(p.unit-1)) != 0
			if p.job == j.Id && p.attempt == a.Number && !known {
				s.wrong("inv 8: attempt %d of job %d ended, %d units were recorded, unit %d (torn: %v) was not in doubt", a.Number, j.Id, a.Printed, p.unit, p.torn)
			}
		}
	}
}

func (s *state) whole(job, attempt uint64, unit int) (n int) {
	for _, t := range s.trays {
		for _, p := range t.paper {
			if p.job == job && p.attempt == attempt && p.unit == unit && !p.torn {
				n++
			}
		}
	}
	return n
}

// announces takes note of what the log has announced.
func (s *state) announces() {
	for _, d := range s.node.drives {
		w := d.Work
		if w == nil || d.Class == queue.Fenced || w.Intended <= s.ledger[w.Job-1].announcedOf(w.Attempt) {
			continue
		}
		e := s.entitled(w.Job)
		e.announced = slices.Clone(e.announced)
		i := slices.IndexFunc(e.announced, func(a announced) bool { return a.attempt == w.Attempt && a.device == int(d.Device) })
		if i < 0 {
			i, e.announced = len(e.announced), append(e.announced, announced{device: int(d.Device), attempt: w.Attempt})
		}
		e.announced[i].units = w.Intended
	}
}

// exceeds: a counter that shows more than was announced is noticed, whoever printed there.
func (m *model) exceeds(s *state, was *node, c *queuepb.Command) {
	r := c.GetResume()
	if r == nil || !r.Counts || r.Before != nil || s.node == was {
		return
	}
	w, f := was.drives[r.Device-1].Work, was.flights[r.Device-1]
	if w == nil || w.Intended <= w.Printed || r.Counter < f.counter || uint64(f.base)+r.Counter-f.counter <= uint64(w.Intended) {
		return
	}
	if ending(s.node.job(w.Job), w.Attempt) != "in-doubt" {
		s.wrong("inv 8: the counter shows more than was announced of attempt %d, and it is not in doubt", w.Attempt)
	}
}
