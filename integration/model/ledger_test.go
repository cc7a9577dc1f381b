package model

import (
	"slices"

	"printq/queue"
	"printq/queue/queuepb"
)

// What an entry did to a job, or to a device, is compared with what the rules say that it may. From it follows what may come out.

// Entitled is how often each unit of a job may have come out: once, and once more after it was recorded in doubt, or somebody asked for it
// again. The units in missing need not come out: somebody said so, or the policy did.
type entitled struct {
	times   []byte
	missing uint
	// The units that were ever recorded in doubt, and, by attempt, what was announced to a device without a fence.
	doubted   uint
	announced []announced
}

type announced struct {
	device  int
	attempt uint64
	units   int
}

func (e *entitled) announcedOf(attempt uint64) int {
	for _, a := range e.announced {
		if a.attempt == attempt {
			return a.units
		}
	}
	return 0
}

// entitle takes note of what an entry did.
func (m *model) entitle(s *state, before *node, c *queuepb.Command) {
	for _, j := range s.node.jobs {
		was := before.job(j.Id)
		policy := false
		if endsInDoubt(was, j) {
			m.doubted(s, before, was, j, c)
			policy = (c.GetResume() != nil || c.GetDone() != nil || c.GetDoubtful() != nil) && was.Stopping == 0 && queue.JobState(j.State) != queue.Held
		}
		if len(j.Attempts) > len(was.GetAttempts()) && !policy {
			s.inTurn(j)
		}
		m.asks(s, was, j, c, policy)
		m.bound(s, was, j)
		if n := len(was.GetAttempts()); n > 0 && was.Attempts[n-1].Outcome == "" {
			m.ends(s, j, was.Attempts[n-1])
		}
	}
	s.announces()
	m.exceeds(s, before, c)
	for d, now := range s.node.drives {
		if d < len(before.drives) {
			s.tear(d, before.drives[d], now, c)
		}
	}
}

// endsInDoubt: the last attempt that there was before has ended so.
func endsInDoubt(was, j *queue.Job) bool {
	n := len(was.GetAttempts())
	return n > 0 && was.Attempts[n-1].Outcome == "" && ending(j, was.Attempts[n-1].Number) == "in-doubt"
}

// inTurn is invariant 9, for a job that was chosen.
func (s *state) inTurn(j *queue.Job) {
	for _, other := range s.node.jobs[:j.Id-1] {
		if queue.JobState(other.State) == queue.Pending && other.Printer == j.Printer {
			s.wrong("inv 9: job %d starts before job %d", j.Id, other.Id)
		}
	}
}

// doubted: in doubt is all that was not recorded, and only what a device forgot or somebody tore away (invariants 8 and 15).
func (m *model) doubted(s *state, before *node, was, j *queue.Job, c *queuepb.Command) {
	if m.classOf(was) != queue.Fenced {
		m.doubtedWindow(s, before, was, j, c)
		return
	}
	if unit := doubtful(j); unit != min(was.Printed+1, j.Units*j.Copies) {
		s.wrong("inv 8: job %d is in doubt from unit %d, %d were recorded", j.Id, unit, was.Printed)
	}
	if c.GetMove() == nil && s.trays[m.trays[was.Device-1]].Epoch == first {
		s.wrong("inv 15: job %d is in doubt, and the device forgot nothing", j.Id)
	}
}

// doubtful is the first unit in doubt.
func doubtful(j *queue.Job) uint32 {
	return (j.InDoubt.GetCopy()-1)*j.Units + j.InDoubt.GetFrom()
}

// asks: units after those that a person (or the policy) takes for out may come out once more than there have been attempts at them.
func (m *model) asks(s *state, was, j *queue.Job, c *queuepb.Command, policy bool) {
	after := was.GetStart()
	switch {
	case policy:
		after = doubtful(j) - 1
	case was == nil:
		after = max(c.GetReprint().GetFrom(), 1) - 1
		s.ledger = append(slices.Clip(s.ledger), &entitled{times: make([]byte, j.Units*j.Copies), missing: 1<<after - 1})
	case c.GetResolve().GetJob() == j.Id:
		after = answered(c.GetResolve(), j)
	case c.GetRelease().GetJob() != j.Id && c.GetMove().GetJob() != j.Id:
		return
	}
	e := s.entitled(j.Id)
	e.times = slices.Clone(e.times)
	last := j.Units * j.Copies
	if policy {
		last = lastDoubtful(j)
	}
	for unit := after + 1; unit <= last; unit++ {
		e.times[unit-1] = 1
		for _, a := range was.GetAttempts() {
			if a.From < unit {
				e.times[unit-1]++
			}
		}
	}
	if c.GetResolve() != nil {
		e.missing |= 1<<after - 1
	} else if policy && m.skips(j.Printer) {
		for unit := after; unit < max(after+1, lastSkipped(j)); unit++ {
			e.missing |= 1 << unit
		}
	}
}

// entitled gives one to be changed.
func (s *state) entitled(job uint64) *entitled {
	e := *s.ledger[job-1]
	s.ledger = slices.Clone(s.ledger)
	s.ledger[job-1] = &e
	return &e
}

// lastDoubtful is the last unit in doubt; lastSkipped the last that the policy skip leaves out.
func lastDoubtful(j *queue.Job) uint32 {
	if last := j.InDoubt.GetLast(); last != 0 {
		return last
	}
	return j.Units * j.Copies
}

func lastSkipped(j *queue.Job) uint32 { return j.InDoubt.GetLast() }

// answered is how many units are out, by somebody's word.
func answered(r *queuepb.Resolve, j *queue.Job) uint32 {
	switch a := r.Answer.(type) {
	case *queuepb.Resolve_Printed:
		return a.Printed
	case *queuepb.Resolve_ReprintFrom:
		return a.ReprintFrom - 1
	}
	return j.Units * j.Copies
}

func (m *model) skips(printer string) bool {
	return slices.ContainsFunc(m.printers, func(p layout) bool { return p.name == printer && p.inDoubt == "skip" })
}

// tear: what a forced move tore away may come out at the old device until that one is closed, or begins anew with its own answer to a
// claim.
func (s *state) tear(d int, was, now queue.Drive, c *queuepb.Command) {
	attempt := s.torn[d]
	switch {
	case c.GetMove().GetForce() && was.Work != nil && now.Work == nil:
		attempt = was.Work.Attempt
	case now.Work != nil, now.Resumed && !was.Resumed, c.GetClosed().GetDevice() == now.Device:
		attempt = 0
	}
	if attempt != s.torn[d] {
		s.torn = slices.Clone(s.torn)
		s.torn[d] = attempt
	}
}
