package model

import (
	"slices"

	"printq/queue"
	"printq/queue/queuepb"
)

// What is held against the log where a device has no fence.

// classOf is the class of the device that the job was bound to, before it may have changed.
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
	case class != queue.WholeJob && int(last) > w.Intended:
		s.wrong("inv 8: job %d is in doubt up to unit %d, %d were announced", j.Id, last, w.Intended)
	}
	e := s.entitled(j.Id)
	for unit := from; unit <= last; unit++ {
		e.doubted |= 1 << (unit - 1)
	}
}

// bound: the first id that the device gave an attempt stays, and none is taken once the job is stopping.
func (m *model) bound(s *state, was, j *queue.Job) {
	for i, a := range was.GetAttempts() {
		switch id := j.Attempts[i].Remote; {
		case id == a.Remote:
		case a.Remote != "":
			s.wrong("R4: attempt %d is %s there, and becomes %s", a.Number, a.Remote, id)
		case was.Stopping != 0:
			s.wrong("R9: attempt %d becomes %s there, and is stopping", a.Number, id)
		}
	}
}

// endsAt: an attempt has ended. What was recorded of it came out; what else came out of it was recorded as in doubt (invariant 8).
func (m *model) endsAt(s *state, j *queue.Job, a *queuepb.Attempt) {
	if m.classes[m.trays[a.Device-1]] == queue.Fenced {
		return
	}
	e := s.ledger[j.Id-1]
	for unit := a.From + 1; unit <= a.Printed && m.strangers == 0; unit++ {
		if e.doubted&(1<<(unit-1)) == 0 && s.whole(j.Id, a.Number, int(unit)) != 1 {
			s.wrong("inv 8: attempt %d of job %d ended, %d units were recorded, unit %d came out %d times", a.Number, j.Id, a.Printed, unit, s.whole(j.Id, a.Number, int(unit)))
		}
	}
	for _, t := range s.trays {
		for _, p := range t.paper {
			if p.job == j.Id && p.attempt == a.Number && (p.torn && m.strangers == 0 || p.unit > int(a.Printed)) && e.doubted&(1<<(p.unit-1)) == 0 {
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
		i := slices.IndexFunc(e.announced, func(a announced) bool { return a.attempt == w.Attempt })
		if i < 0 {
			i, e.announced = len(e.announced), append(e.announced, announced{attempt: w.Attempt})
		}
		e.announced[i].units = w.Intended
	}
}

// exceeds: a counter that shows more than was announced is noticed, whoever printed there.
func (m *model) exceeds(s *state, was *node, c *queuepb.Command) {
	r := c.GetResume()
	if r == nil || !r.Counts || r.Counter < before {
		return
	}
	w := was.drives[r.Device-1].Work
	if w == nil || w.Intended <= w.Printed || s.node == was {
		return
	}
	pages := 0
	for _, p := range s.trays[m.trays[r.Device-1]].paper {
		if p.attempt != w.Attempt || p.unit <= w.Printed {
			pages++
		}
	}
	if int(r.Counter)-before-pages <= w.Intended-w.Printed {
		return
	}
	if a := s.node.job(w.Job).Attempts; !slices.ContainsFunc(a, func(a *queuepb.Attempt) bool { return a.Number == w.Attempt && a.Outcome == "in-doubt" }) {
		s.wrong("inv 8: the counter shows more than was announced of attempt %d, and it is not in doubt", w.Attempt)
	}
}
