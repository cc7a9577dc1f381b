package ipp

import (
	"context"
	"errors"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// act proposes a fact about the job that is named.
func (h *Handler) act(ctx context.Context, q *request, t target, to func(id uint64, c *queuepb.Cause) *queuepb.Command) (node.Answer, error) {
	c, err := q.cause()
	if err != nil {
		return node.Answer{}, err
	}
	if t.job == 0 {
		return node.Answer{}, badRequest("the job is not named: send job-uri, or printer-uri with job-id")
	}
	return h.propose(ctx, to(t.job, c), nil)
}

func cancelCommand(id uint64, c *queuepb.Cause) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: id, Cause: c}}}
}

func holdCommand(id uint64, c *queuepb.Cause) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: id, Cause: c}}}
}

func releaseCommand(id uint64, c *queuepb.Cause) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: id, Cause: c}}}
}

func (h *Handler) cancelJob(ctx context.Context, q *request, t target) (*answer, error) {
	_, err := h.act(ctx, q, t, cancelCommand)
	if err != nil && !errors.Is(err, queue.ErrState) {
		return nil, err
	}
	some, errParts := h.cancelParts(ctx, q, t.job)
	switch {
	case errParts != nil:
		return nil, errParts
	case some:
		err = nil
	}
	return okay(nil), err
}

// holdJob holds a job until it is released: no time of day is kept here.
func (h *Handler) holdJob(ctx context.Context, q *request, t target) (*answer, error) {
	until, err := text(q.operation, "job-hold-until")
	if err != nil {
		return nil, err
	}
	switch until {
	case "", "indefinite":
		_, err = h.act(ctx, q, t, holdCommand)
	case "no-hold":
		_, err = h.act(ctx, q, t, releaseCommand)
	default:
		return nil, unsupported(*find(q.operation, "job-hold-until"))
	}
	return okay(nil), err
}

func (h *Handler) releaseJob(ctx context.Context, q *request, t target) (*answer, error) {
	_, err := h.act(ctx, q, t, releaseCommand)
	return okay(nil), err
}

// reprintJob makes a new job of an ended one, and answers with it.
func (h *Handler) reprintJob(ctx context.Context, q *request, t target) (*answer, error) {
	a, err := h.act(ctx, q, t, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: id, Cause: c}}}
	})
	if err != nil {
		return nil, err
	}
	return h.made(q, a.Job, nil)
}

// resubmitJob is reprintJob for a client that may ask for another ticket: the queue copies the old one.
func (h *Handler) resubmitJob(ctx context.Context, q *request, t target) (*answer, error) {
	var other goipp.Attributes
	for _, a := range q.job {
		other.Add(missing(a.Name, goipp.TagUnsupportedValue))
	}
	fidelity, _, err := one[goipp.Boolean](q.operation, "ipp-attribute-fidelity", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	if bool(fidelity) && other != nil {
		return nil, unsupported(other...)
	}
	a, err := h.reprintJob(ctx, q, t)
	if err == nil && other != nil {
		a.status, a.unsupported = goipp.StatusOkIgnoredOrSubstituted, other
	}
	return a, err
}

// cupsMoveJob moves one job, or all that have not ended at a printer, to the printer that the job attributes name.
func (h *Handler) cupsMoveJob(ctx context.Context, q *request, t target) (*answer, error) {
	uri, given, err := one[goipp.String](q.job, "job-printer-uri", goipp.TagURI)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, badRequest("job-printer-uri is missing: say where to move the job")
	}
	to, err := printerTarget(string(uri))
	if err != nil {
		return nil, err
	}
	if to.printer == "" {
		return nil, badRequest("job-printer-uri names no printer: it is ipp://HOST/ipp/print/NAME")
	}
	move := func(id uint64, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: id, Printer: to.printer, Cause: c}}}
	}
	if t.job != 0 {
		_, err := h.act(ctx, q, t, move)
		return okay(nil), err
	}
	if t.printer == "" {
		return nil, badRequest("neither a job nor a printer is named: send job-uri, or printer-uri")
	}
	s := &selection{JobFilter: node.JobFilter{Printer: t.printer, States: whichJobs["not-completed"], Limit: maxJobs}}
	return h.actOnAll(ctx, q, s, move)
}

// cupsGetDocument answers with a job's document, as long as it is kept.
func (h *Handler) cupsGetDocument(ctx context.Context, q *request, t target) (*answer, error) {
	_, j, n, err := h.documentOf(ctx, q, t, 1)
	if err != nil {
		return nil, err
	}
	if j.DocumentGone {
		return nil, fail(goipp.StatusErrorNotPossible, "%v: job %d", queue.ErrDocumentGone, j.Id)
	}
	document, err := h.node.OpenDocument(ctx, j.Job)
	if err != nil {
		return nil, err
	}
	w := wanted{"document-format": true, "job-name": true}
	group := h.describeJob(q, w, j)
	group.Add(integers("document-number", n))
	a := okay(nil, group)
	a.document = document
	return a, nil
}
