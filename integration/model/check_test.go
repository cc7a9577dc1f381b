package model

import "printq/queue"

// check is the invariants of docs/rules.md that can be seen in one state; the others are checked where they happen.
func (m *model) check(s *state) string {
	if s.fault != "" {
		return s.fault
	}
	for d, drive := range s.node.drives {
		s.checkDevice(drive, s.node.last[d], m.strangers > 0)
	}
	for _, t := range s.trays {
		if t.class == queue.Fenced || m.exclusive || m.unmixed || t.class == queue.WholeJob && m.wipes+m.aborts == 0 {
			s.checkPaper(t)
		}
	}
	for _, j := range s.node.jobs {
		s.checkJob(j, m.strangers > 0)
	}
	return s.fault
}

func (s *state) checkDevice(d queue.Drive, last queue.Token, strangers bool) {
	if d.Token != (queue.Token{}) && d.Token.Term != s.node.term {
		s.wrong("inv 4: the live token %v is not of term %d", d.Token, s.node.term)
	}
	if d.Token != (queue.Token{}) && d.Token != last {
		s.wrong("inv 4: the live token %v is not the last one, %v", d.Token, last)
	}
	w := d.Work
	if w == nil {
		return
	}
	if out := s.out(w.Job, w.Attempt); out < w.Printed && w.Printed > w.Start && !strangers {
		s.wrong("inv 7: job %d attempt %d: recorded %d units, %d came out", w.Job, w.Attempt, w.Printed, out)
	}
	if j := s.node.job(w.Job); j.Device != d.Device {
		s.wrong("R4: job %d is bound to device %d, and to %d", w.Job, d.Device, j.Device)
	}
}

// out is the last unit of an attempt on paper. (Two attempts at two devices may begin with one entry, and have one number.)
func (s *state) out(job, attempt uint64) (unit int) {
	for _, t := range s.trays {
		for _, p := range t.paper {
			if p.job == job && p.attempt == attempt && !p.torn {
				unit = max(unit, p.unit)
			}
		}
	}
	return unit
}

// checkPaper: each attempt's units are one run from where the log says that it began, each once, in order (invariants 5 and 6).
func (s *state) checkPaper(t *tray) {
	for i, p := range t.paper {
		begun := s.from(p)
		for k, q := range t.paper[:i] {
			if q.attempt != p.attempt {
				continue
			}
			begun = q.unit
			if t.paper[k+1].attempt != p.attempt {
				s.wrong("inv 5: attempt %d goes on after another began", p.attempt)
			}
		}
		if p.unit != begun+1 {
			s.wrong("inv 6: attempt %d: unit %d came out after unit %d", p.attempt, p.unit, begun)
		}
	}
}

func (s *state) from(p sheet) int {
	for _, a := range s.node.job(p.job).GetAttempts() {
		if a.Number == p.attempt {
			return int(a.From)
		}
	}
	return 0
}

// checkJob: nothing came out more often than somebody was entitled to, and nothing is missing in a job that has completed.
func (s *state) checkJob(j *queue.Job, strangers bool) {
	e := s.ledger[j.Id-1]
	done := queue.JobState(j.State) == queue.Completed && !strangers
	for i, most := range e.times {
		times := s.times(j.Id, i+1)
		if times > int(most) {
			s.wrong("inv 6: unit %d of job %d came out %d times, %d were recorded in doubt or asked for", i+1, j.Id, times, most)
		}
		if done && times == 0 && e.missing&(1<<i) == 0 {
			s.wrong("inv 6: job %d is completed, and unit %d never came out", j.Id, i+1)
		}
	}
	if n := len(j.Attempts); done && n > 0 && j.Attempts[n-1].Outcome == "completed" {
		if a := j.Attempts[n-1]; s.out(j.Id, a.Number) != len(e.times) {
			s.wrong("inv 6: job %d is completed, %d of %d units came out", j.Id, s.out(j.Id, a.Number), len(e.times))
		}
	}
}

func (s *state) times(job uint64, unit int) (n int) {
	for _, t := range s.trays {
		for _, p := range t.paper {
			if p.job == job && p.unit == unit && !p.torn {
				n++
			}
		}
	}
	return n
}

// ended: every job has come to an end, or waits for somebody to say something.
func (s *state) ended() bool {
	for _, j := range s.node.jobs {
		if st := queue.JobState(j.State); !st.Ended() && st != queue.Held && !s.stopped(j) {
			return false
		}
	}
	return true
}

// stopped: the job waits at a printer whose devices are not what they were, or are another printer's.
func (s *state) stopped(j *queue.Job) bool {
	for _, d := range s.node.drives {
		if d.Printer == j.Printer && !d.Stopped {
			return false
		}
	}
	return queue.JobState(j.State) == queue.Pending
}
