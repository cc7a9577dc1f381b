package ipp

import (
	"context"
	"errors"
	"slices"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// cancelJobs cancels all jobs of a printer that have not ended, or those of job-ids (PWG 5100.11 §4.1). With my-jobs, as
// CUPS's cancel -u says it, it is Cancel-My-Jobs.
func (h *Handler) cancelJobs(ctx context.Context, q *request, t target) (*answer, error) {
	mine, _, err := one[goipp.Boolean](q.operation, "my-jobs", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	if mine {
		return h.cancelMyJobs(ctx, q, t)
	}
	return h.cancelAll(ctx, q, t, "")
}

func (h *Handler) cancelMyJobs(ctx context.Context, q *request, t target) (*answer, error) {
	user, err := text(q.operation, "requesting-user-name")
	if err != nil {
		return nil, err
	}
	if user == "" {
		return nil, badRequest("requesting-user-name is missing: say whose jobs to cancel")
	}
	return h.cancelAll(ctx, q, t, user)
}

func (h *Handler) cancelAll(ctx context.Context, q *request, t target, user string) (*answer, error) {
	ids, err := q.jobIDs()
	if err != nil {
		return nil, err
	}
	if t.printer != "" {
		if _, err := h.printer(ctx, t); err != nil {
			return nil, err
		}
	}
	s := &selection{
		JobFilter: node.JobFilter{Printer: t.printer, User: user, States: whichJobs["not-completed"], Limit: maxJobs}, ids: ids,
	}
	if ids != nil {
		if err := h.cancelable(ctx, s); err != nil {
			return nil, err
		}
	}
	return h.actOnAll(ctx, q, s, cancelCommand)
}

// cancelable refuses job-ids of which one cannot be canceled: then none is (PWG 5100.11 §4.1.2).
func (h *Handler) cancelable(ctx context.Context, s *selection) error {
	found, err := h.find(ctx, s)
	if err != nil {
		return err
	}
	var not []int
	for _, id := range s.ids {
		can := slices.ContainsFunc(found, func(j *node.JobStatus) bool {
			return j.Id == id && !queue.JobState(j.State).Ended() && (s.User == "" || j.User == s.User)
		})
		if !can {
			not = append(not, int(id))
		}
	}
	if not == nil {
		return nil
	}
	return &failure{
		goipp.StatusErrorNotPossible, "some of job-ids cannot be canceled, so none was: they have ended, or are not there",
		goipp.Attributes{integers("job-ids", not...)},
	}
}

// actOnAll proposes a fact about every job of a selection. Jobs that ended meanwhile are as they should be.
func (h *Handler) actOnAll(ctx context.Context, q *request, s *selection, to func(uint64, *queuepb.Cause) *queuepb.Command) (*answer, error) {
	c, err := q.cause()
	if err != nil {
		return nil, err
	}
	found, err := h.find(ctx, s)
	if err != nil {
		return nil, err
	}
	commands := make([]*queuepb.Command, len(found))
	for i, j := range found {
		commands[i] = to(j.Id, c)
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	_, errs := h.node.ProposeAll(ctx, commands, make([][]byte, len(commands)))
	for _, err := range errs {
		if err != nil && !errors.Is(err, queue.ErrState) && !errors.Is(err, queue.ErrNoJob) {
			return nil, outcomeOf(err)
		}
	}
	return okay(nil), nil
}

// cancelCurrentJob cancels what prints now at a printer, or job-id if that is what prints.
func (h *Handler) cancelCurrentJob(ctx context.Context, q *request, t target) (*answer, error) {
	j, err := h.current(ctx, t)
	if err != nil {
		return nil, err
	}
	return h.cancelJob(ctx, q, target{job: j.Id})
}
