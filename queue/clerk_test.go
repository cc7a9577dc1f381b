package queue

import (
	"printq/queue/queuepb"
)

// A clerk is a naive model of jobs whose documents come later: what became of each, by the answers alone.
type clerk map[uint64]*folder

type folder struct {
	open, hold, closed bool
	document           byte // 0: none
}

// ask makes a request about such a job, mostly.
func (k clerk) ask(s *sim, printer string) *queuepb.Command {
	id := 1 + s.rnd.Uint64N(s.nextJob)
	for open := range s.nextJob { // most requests are about one that waits
		if f := k[open]; f != nil && f.open && s.rnd.IntN(2) == 0 {
			id = open
		}
	}
	switch s.rnd.IntN(8) {
	case 0, 1:
		c := createJob(printer)
		c.GetCreateJob().Hold = s.rnd.IntN(4) == 0
		return c
	case 2:
		return closeJob(id)
	case 3:
		return setHold(s.rnd.IntN(2) == 0)(id)
	case 4:
		return setJob(id, func(m *queuepb.SetJob) {
			m.Priority, m.Copies = new(uint32(1+s.rnd.IntN(3))), new(uint32(1+s.rnd.IntN(2)))
		})
	}
	c := attachTo(id, "x")
	if s.rnd.IntN(4) == 0 {
		c = attachTo(id, "x")
		c.GetAttachDocument().Sha256[0]++ // another one
	}
	return c
}

// note takes down what a request came to.
func (k clerk) note(c *queuepb.Command, r Result) {
	out := r.Outcomes[0]
	f := k[out.Job]
	switch b := c.Body.(type) {
	case *queuepb.Command_CreateJob:
		if k != nil && out.Err == nil {
			k[out.Job] = &folder{open: true, hold: b.CreateJob.Hold}
		}
	case *queuepb.Command_AttachDocument:
		if f != nil && out.Err == nil && !out.Repeated {
			f.open, f.document = false, b.AttachDocument.Sha256[0]
		}
	case *queuepb.Command_CloseJob:
		if f != nil && f.open {
			f.open, f.closed = false, true
		}
	case *queuepb.Command_Cancel:
		if f != nil && f.open {
			f.open, f.closed = false, true
		}
	case *queuepb.Command_Hold:
		if f != nil && f.open {
			f.hold = true
		}
	case *queuepb.Command_Release:
		if f != nil && f.open && out.Err == nil {
			f.hold = false
		}
	case *queuepb.Command_SetJob:
		if h := b.SetJob.Hold; f != nil && f.open && h != nil {
			f.hold = *h
		}
	}
}

// audit compares: a job waits, has the document that was taken, or got none, and only what has one was ever at a device.
func (k clerk) audit(s *sim) {
	for id, f := range k {
		j := s.job(id)
		waits := JobState(j.State) == Held && j.Reason == reasonIncoming
		switch {
		case waits != f.open || waits && j.Hold != f.hold:
			s.wrong("job %d waits for its document: %v, to be held: %v; by the answers %+v", id, waits, j.Hold, *f)
		case (j.Bytes != 0) != (f.document != 0) || j.Bytes != 0 && j.Sha256[0] != f.document:
			s.wrong("job %d has the document %x; by the answers %+v", id, j.Sha256, *f)
		case f.closed && !JobState(j.State).Ended() || j.Bytes == 0 && len(j.Attempts) > 0:
			s.wrong("job %d is %s after %d attempts; by the answers %+v", id, JobState(j.State), len(j.Attempts), *f)
		}
	}
}
