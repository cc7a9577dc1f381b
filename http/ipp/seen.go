package ipp

import (
	"context"
	"sync"
	"time"

	"printq/queue"
	"printq/queue/queuepb"
)

// seen are the jobs whose clients got the answer to their documents, until the log has it. It is said late and many at once:
// all that hangs on it is whether the same document, sent again as another job, is held.
type seen struct {
	mu   sync.Mutex // guards jobs
	jobs []uint64
	more chan struct{} // has an element when jobs may be said
}

const (
	// maxSeen bounds what waits to be said. Where there is more, the oldest stay unseen.
	maxSeen = 1 << 16
	// seenDelay is how long it is collected.
	seenDelay = time.Second
)

func (s *seen) add(jobs ...uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, jobs...)
	s.jobs = s.jobs[max(0, len(s.jobs)-maxSeen):]
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *seen) take(most int) []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(most, len(s.jobs))
	jobs := s.jobs[:n:n]
	s.jobs = s.jobs[n:]
	return jobs
}

// expectSeen notes that the request's answer is about a document of the job.
func (h *Handler) expectSeen(q *request, job uint64) {
	if q.whenSeen != nil && h.options.DuplicateWindow > 0 {
		q.whenSeen(func() { h.seen.add(job) })
	}
}

func seenCommand(jobs []uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Seen{Seen: &queuepb.Seen{Jobs: jobs}}}
}

// Run tells the log which answers were seen, until ctx ends. Without it, every answer stays unseen.
func (h *Handler) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-h.seen.more:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(seenDelay):
		}
		h.saySeen(ctx)
	}
}

// saySeen proposes what was seen. What cannot be said now is said later.
func (h *Handler) saySeen(ctx context.Context) {
	for {
		jobs := h.seen.take(queue.MaxSeen)
		if len(jobs) == 0 {
			return
		}
		if _, err := h.propose(ctx, seenCommand(jobs), nil); err != nil {
			h.options.Logger.Debug("which answers were seen could not be said yet", "jobs", len(jobs), "error", err)
			h.seen.add(jobs...)
			return
		}
	}
}
