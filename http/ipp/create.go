package ipp

import (
	"context"
	"io"
	"time"

	"github.com/OpenPrinting/goipp"
)

// openJob is how long a job waits for its document.
const openJob = 5 * time.Minute

// A jobMaker makes jobs whose document comes later. It is where Create-Job meets the queue: no command of the queue makes
// such a job yet, and an id that is not committed must not be told. Until there is one, a Handler has no jobMaker.
type jobMaker interface {
	// Create commits a job that has no document yet, and that nothing prints. One whose document does not come within
	// openJob is aborted.
	Create(ctx context.Context, t *ticket) (job uint64, err error)
	// Attach commits a document as the job's. The same document once more changes nothing, so that a Send-Document can be
	// repeated; another, or one for a job that is closed, is queue.ErrState.
	Attach(ctx context.Context, job uint64, doc *received) error
	// Close lets the job be printed; without a document it is canceled. A closed one stays as it is.
	Close(ctx context.Context, job uint64) error
}

func (h *Handler) createJob(ctx context.Context, q *request, t target) (*answer, error) {
	job, err := h.ready(ctx, q, t)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	id, err := h.jobs.Create(ctx, job)
	if err != nil {
		return nil, outcomeOf(err)
	}
	return h.made(q, id, job.unsupported)
}

// sendDocument takes a job's only document; without a document and as the last it closes the job (RFC 8011 §4.3.1).
func (h *Handler) sendDocument(ctx context.Context, q *request, t target) (*answer, error) {
	last, given, err := one[goipp.Boolean](q.operation, "last-document", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, badRequest("last-document is missing: say whether another document follows")
	}
	if _, err := h.jobOf(ctx, t); err != nil {
		return nil, err
	}
	if _, err := q.body.Peek(1); err != io.EOF || !bool(last) {
		doc, err := h.receive(ctx, q)
		if err != nil {
			return nil, err
		}
		if err := h.attach(ctx, t.job, doc); err != nil {
			return nil, err
		}
	}
	if !bool(last) {
		return h.made(q, t.job, nil)
	}
	return h.closeJob(ctx, q, t)
}

func (h *Handler) attach(ctx context.Context, job uint64, doc *received) error {
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	return outcomeOf(h.jobs.Attach(ctx, job, doc))
}

func (h *Handler) closeJob(ctx context.Context, q *request, t target) (*answer, error) {
	if t.job == 0 {
		return nil, badRequest("the job is not named: send job-uri, or printer-uri with job-id")
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	if err := h.jobs.Close(ctx, t.job); err != nil {
		return nil, outcomeOf(err)
	}
	return h.made(q, t.job, nil)
}
