package model

import "printq/queue"

// check is the invariants of docs/rules.md that can be seen in one state; the others are checked where they happen.
func (m *model) check(s *state) string {
	if s.fault != "" {
		return s.fault
	}
	n := s.node
	if t := n.drive.Token; t != (queue.Token{}) && t != n.last {
		s.wrong("inv 4: the live token %v is not the last one, %v", t, n.last)
	}
	m.checkPaper(s)
	for _, j := range n.jobs {
		m.checkJob(s, j)
	}
	if w := n.drive.Work; w != nil && s.out(w.Attempt) < w.Printed && w.Printed > w.Start {
		s.wrong("inv 7: job %d attempt %d: recorded %d units, %d came out", w.Job, w.Attempt, w.Printed, s.out(w.Attempt))
	}
	return s.fault
}

// out is the last unit of an attempt on paper.
func (s *state) out(attempt uint64) (unit int) {
	for _, p := range s.paper {
		if p.attempt == attempt {
			unit = max(unit, p.unit)
		}
	}
	return unit
}

// checkPaper: each attempt's units are one run, each once, in order (invariants 5 and 6).
func (m *model) checkPaper(s *state) {
	for i, p := range s.paper {
		begun := 0
		for k, q := range s.paper[:i] {
			if q.attempt != p.attempt {
				continue
			}
			begun = q.unit
			if s.paper[k+1].attempt != p.attempt {
				s.wrong("inv 5: attempt %d goes on after another began", p.attempt)
			}
		}
		if p.unit != begun+1 {
			s.wrong("inv 6: attempt %d: unit %d came out after unit %d", p.attempt, p.unit, begun)
		}
	}
}

func (m *model) checkJob(s *state, j *queue.Job) {
	if j.InDoubt != nil && s.wipes == m.wipes {
		s.wrong("inv 15: job %d is in doubt, and the device forgot nothing", j.Id)
	}
	if queue.JobState(j.State) != queue.Completed || j.InDoubt != nil || len(j.Attempts) == 0 {
		return
	}
	a := j.Attempts[len(j.Attempts)-1]
	if all := int(j.Units * j.Copies); s.out(a.Number) != all {
		s.wrong("inv 6: job %d is completed, %d of %d units came out", j.Id, s.out(a.Number), all)
	}
}

// ended: every job has come to an end, or waits for somebody to say something.
func (s *state) ended() bool {
	for _, j := range s.node.jobs {
		if st := queue.JobState(j.State); !st.Ended() && st != queue.Held {
			return false
		}
	}
	return true
}
