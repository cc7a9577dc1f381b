package ipp

import (
	"context"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// What RFC 3998 gives to operators.

func (h *Handler) holdNewJobs(ctx context.Context, q *request, t target) (*answer, error) {
	return h.command(ctx, q, t, holdNew(true))
}

func (h *Handler) releaseHeldNewJobs(ctx context.Context, q *request, t target) (*answer, error) {
	return h.command(ctx, q, t, holdNew(false))
}

func holdNew(hold bool) func(string, *queuepb.Cause) *queuepb.Command {
	return func(name string, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_HoldNew{HoldNew: &queuepb.HoldNew{Printer: name, Hold: hold, Cause: c}}}
	}
}

// shutdownPrinter lets the job at hand end, and takes no other; startupPrinter is the way back. There is nothing of a printer
// here that could be restarted beside.
func (h *Handler) shutdownPrinter(ctx context.Context, q *request, t target) (*answer, error) {
	if a, err := h.accept(ctx, q, t, false); err != nil {
		return a, err
	}
	return h.pausePrinter(ctx, q, t)
}

func (h *Handler) startupPrinter(ctx context.Context, q *request, t target) (*answer, error) {
	if a, err := h.resumePrinter(ctx, q, t); err != nil {
		return a, err
	}
	return h.accept(ctx, q, t, true)
}

// suspendCurrentJob stops the job that prints at the end of its page, and lets others go on.
func (h *Handler) suspendCurrentJob(ctx context.Context, q *request, t target) (*answer, error) {
	j, err := h.current(ctx, t)
	if err != nil {
		return nil, err
	}
	_, err = h.act(ctx, q, target{job: j.Id}, holdCommand)
	return okay(nil), err
}

// resumeJob prints a suspended job's other pages: what is out is known.
func (h *Handler) resumeJob(ctx context.Context, q *request, t target) (*answer, error) {
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if queue.JobState(j.State) != queue.Held || len(j.Attempts) == 0 || j.InDoubt != nil {
		return nil, fail(goipp.StatusErrorNotPossible, "job %d is %s, %s: it was not suspended", j.Id, queue.JobState(j.State), j.Reason)
	}
	_, err = h.act(ctx, q, t, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{
			Job: id, Answer: &queuepb.Resolve_Printed{Printed: j.Printed}, Cause: c,
		}}}
	})
	return okay(nil), err
}

func (h *Handler) promoteJob(ctx context.Context, q *request, t target) (*answer, error) {
	return h.reorder(ctx, q, t, 0)
}

// scheduleJobAfter gives a job the turn after predecessor-job-id; without one, the first.
func (h *Handler) scheduleJobAfter(ctx context.Context, q *request, t target) (*answer, error) {
	after, given, err := one[goipp.Integer](q.operation, "predecessor-job-id", goipp.TagInteger)
	if err != nil {
		return nil, err
	}
	if given && after < 1 {
		return nil, badRequest("predecessor-job-id is %d: it must be at least 1", after)
	}
	return h.reorder(ctx, q, t, uint64(after))
}

func (h *Handler) reorder(ctx context.Context, q *request, t target, after uint64) (*answer, error) {
	_, err := h.act(ctx, q, t, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_Reorder{Reorder: &queuepb.Reorder{Job: id, After: after, Cause: c}}}
	})
	return okay(nil), err
}

// current is the job that prints at a printer, or the one that is named if it does.
func (h *Handler) current(ctx context.Context, t target) (*node.JobStatus, error) {
	p, err := h.printer(ctx, target{printer: t.printer})
	if err != nil {
		return nil, err
	}
	current, err := h.node.Jobs(node.JobFilter{Printer: p.Name, States: []queue.JobState{queue.Processing, queue.Stopped}, Limit: queue.MaxDevices})
	if err != nil {
		return nil, err
	}
	var found []*node.JobStatus
	for _, j := range current {
		if t.job == 0 || j.Id == t.job {
			found = append(found, j)
		}
	}
	if len(found) != 1 {
		return nil, fail(goipp.StatusErrorNotPossible, "%d jobs are printing there: name one with job-id", len(found))
	}
	return found[0], nil
}
