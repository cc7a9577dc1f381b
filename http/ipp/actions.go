package ipp

import (
	"bufio"
	"context"
	"errors"
	"slices"
	"strings"

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

// resubmitJob is reprintJob for a client that may ask for another ticket. The queue copies an old one; another makes a job of its own, as if
// the client had brought the document.
func (h *Handler) resubmitJob(ctx context.Context, q *request, t target) (*answer, error) {
	if len(q.job) == 0 {
		return h.reprintJob(ctx, q, t)
	}
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if !queue.JobState(j.State).Ended() {
		return nil, fail(goipp.StatusErrorNotPossible, "job %d is %s: only an ended job can be printed again", j.Id, queue.JobState(j.State))
	}
	document, err := h.document(ctx, j)
	if err != nil {
		return nil, err
	}
	defer document.Close()
	q.body = bufio.NewReaderSize(document, 4096)
	q.asBefore(j.Job)
	return h.printJob(ctx, q, target{printer: j.Printer})
}

// asBefore adds to a ticket what it does not say and an old job had. Of media there is one word: media-col and media mean the same. Pages
// that were cut out when the document was received are not in it any more.
func (q *request) asBefore(j *queue.Job) {
	media := find(q.job, "media") != nil || find(q.job, "media-col") != nil
	for _, a := range append(wished(j.Options), integers("copies", int(max(j.Copies, 1))), integers("job-priority", int(j.Priority))) {
		if find(q.job, a.Name) == nil && !(media && strings.HasPrefix(a.Name, "media")) {
			q.job.Add(a)
		}
	}
	q.operation = slices.DeleteFunc(q.operation, func(a goipp.Attribute) bool { return a.Name == "document-format" || a.Name == "compression" })
	q.operation.Add(types("document-format", j.Format))
	if find(q.operation, "job-name") == nil {
		q.operation.Add(names("job-name", j.Name))
	}
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
	document, err := h.document(ctx, j)
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
