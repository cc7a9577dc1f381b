package ipp

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

// maxJobs is the most objects that one answer has, and that one Cancel-Jobs cancels: an answer is made in memory. Where there
// are more jobs, it has those that print now and the newest of the others.
const maxJobs = 2000

// whichJobs are the values of which-jobs. No job is ever a proof or saved, so those find none.
var whichJobs = map[string][]queue.JobState{
	"not-completed":      {queue.Pending, queue.Held, queue.Processing, queue.Stopped},
	"completed":          {queue.Completed, queue.Canceled, queue.Aborted},
	"all":                {queue.Pending, queue.Held, queue.Processing, queue.Stopped, queue.Completed, queue.Canceled, queue.Aborted},
	"aborted":            {queue.Aborted},
	"canceled":           {queue.Canceled},
	"pending":            {queue.Pending},
	"pending-held":       {queue.Held},
	"processing":         {queue.Processing},
	"processing-stopped": {queue.Stopped},
	"proof-print":        {},
	"saved":              {},
}

func whichJobsSupported() []string { return slices.Sorted(maps.Keys(whichJobs)) }

// A selection is which jobs a request is about.
type selection struct {
	node.JobFilter
	ids   []uint64
	first uint64
}

// jobOf is the job that the target names.
func (h *Handler) jobOf(ctx context.Context, t target) (*node.JobStatus, error) {
	if t.job == 0 {
		return nil, badRequest("the job is not named: send job-uri, or printer-uri with job-id")
	}
	if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	return h.node.Job(t.job)
}

func (h *Handler) getJobAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "all")
	if err != nil {
		return nil, err
	}
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return toBackend(q, j, okay(nil, h.describeJob(q, w, j))), nil
}

func (h *Handler) describeJob(q *request, w wanted, j *node.JobStatus) goipp.Group {
	return goipp.Group{Tag: goipp.TagJobGroup, Attrs: w.of(h.jobAttributes(q.base, j), "job-description")}
}

func (h *Handler) getJobs(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "job-uri", "job-id")
	if err != nil {
		return nil, err
	}
	s, err := q.selection(t)
	if err != nil {
		return nil, err
	}
	found, err := h.find(ctx, s)
	if err != nil {
		return nil, err
	}
	a := okay(nil)
	for _, j := range found {
		a.groups.Add(h.describeJob(q, w, j))
	}
	return a, nil
}

// selection reads what Get-Jobs may say.
func (q *request) selection(t target) (*selection, error) {
	s := &selection{JobFilter: node.JobFilter{Printer: t.printer}}
	which, given, err := one[goipp.String](q.operation, "which-jobs", goipp.TagKeyword)
	if err != nil {
		return nil, err
	}
	if !given {
		which = "not-completed"
	}
	states, known := whichJobs[string(which)]
	if !known {
		return nil, unsupported(*find(q.operation, "which-jobs"))
	}
	s.States = states
	mine, _, err := one[goipp.Boolean](q.operation, "my-jobs", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	if mine {
		if s.User, err = q.user(); err != nil {
			return nil, err
		}
	}
	if s.ids, err = q.jobIDs(); err != nil {
		return nil, err
	}
	if s.ids != nil && (given || find(q.operation, "my-jobs") != nil) {
		return nil, fail(goipp.StatusErrorConflicting, "job-ids cannot be given with which-jobs or my-jobs")
	}
	first, _, err := one[goipp.Integer](q.operation, "first-job-id", goipp.TagInteger)
	if err != nil {
		return nil, err
	}
	s.first = uint64(max(first, 0))
	s.Limit, err = q.limit()
	return s, err
}

func (q *request) jobIDs() (ids []uint64, err error) {
	values, err := many[goipp.Integer](q.operation, "job-ids", goipp.TagInteger)
	for _, v := range values {
		if v < 1 {
			return nil, badRequest("job-ids has %d: ids are at least 1", v)
		}
		ids = append(ids, uint64(v))
	}
	return ids, err
}

// find lists jobs in the order of RFC 8011 §4.2.6: what has ended, the last first; what has not, in the order in which it is
// going to end.
func (h *Handler) find(ctx context.Context, s *selection) ([]*node.JobStatus, error) {
	if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	if s.ids != nil {
		return h.named(s)
	}
	if len(s.States) == 0 {
		return nil, nil
	}
	filter := s.JobFilter
	filter.Limit = maxJobs
	found, err := h.node.Jobs(filter)
	if err == nil && len(found) == maxJobs && slices.Contains(s.States, queue.Processing) {
		found, err = h.withActive(filter, found)
	}
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(j *node.JobStatus) bool { return j.Id < s.first })
	slices.SortFunc(found, expected)
	return found[:min(s.Limit, len(found))], nil
}

// withActive adds the jobs at devices to newer ones: a member gives the newest first, and those that print are the oldest.
func (h *Handler) withActive(filter node.JobFilter, newest []*node.JobStatus) ([]*node.JobStatus, error) {
	filter.States, filter.Before = []queue.JobState{queue.Processing, queue.Stopped}, newest[len(newest)-1].Id
	active, err := h.node.Jobs(filter)
	return append(active, newest...), err
}

// named are the jobs with these ids that are there, at the selection's printer.
func (h *Handler) named(s *selection) (found []*node.JobStatus, err error) {
	for _, id := range s.ids {
		j, err := h.node.Job(id)
		if errors.Is(err, queue.ErrNoJob) || err == nil && s.Printer != "" && j.Printer != s.Printer {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, j)
	}
	return found[:min(s.Limit, len(found))], nil
}

// expected orders jobs: live before ended, printing before waiting before held, then by turn; ended ones newest first.
func expected(a, b *node.JobStatus) int {
	rank := func(j *node.JobStatus) int {
		switch queue.JobState(j.State) {
		case queue.Processing, queue.Stopped:
			return 0
		case queue.Pending:
			return 1
		case queue.Held:
			return 2
		}
		return 3
	}
	if ra, rb := rank(a), rank(b); ra != rb || ra == 3 {
		return cmp.Or(ra-rb, cmp.Compare(b.Ended, a.Ended), cmp.Compare(b.Id, a.Id))
	}
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Id, b.Id))
}
