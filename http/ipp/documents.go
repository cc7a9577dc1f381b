package ipp

import (
	"context"
	"errors"
	"strconv"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
	"printq/queue/queuepb"
)

// A job's documents (PWG 5100.5) are its own, and the jobs that its further documents became.

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// documents are the jobs that print the documents of a job, in their order. One that has left is nil.
func (h *Handler) documents(j *node.JobStatus) ([]*node.JobStatus, error) {
	if j.Bytes == 0 {
		return nil, nil
	}
	all := []*node.JobStatus{j}
	for _, id := range j.Parts {
		part, err := h.node.Job(id)
		if err != nil && !errors.Is(err, queue.ErrNoJob) {
			return nil, err
		}
		if err != nil {
			part = nil
		}
		all = append(all, part)
	}
	return all, nil
}

// documentOf is the document that a request names, and its number.
func (h *Handler) documentOf(ctx context.Context, q *request, t target, otherwise int) (j, document *node.JobStatus, n int, err error) {
	asked, given, err := one[goipp.Integer](q.operation, "document-number", goipp.TagInteger)
	switch {
	case err != nil:
		return nil, nil, 0, err
	case !given && otherwise == 0:
		return nil, nil, 0, badRequest("document-number is missing: say which of the job's documents")
	case !given:
		asked = goipp.Integer(otherwise)
	}
	if j, err = h.jobOf(ctx, t); err != nil {
		return nil, nil, 0, err
	}
	all, err := h.documents(j)
	if err != nil {
		return nil, nil, 0, err
	}
	if n = int(asked); n < 1 || n > len(all) || all[n-1] == nil {
		return nil, nil, 0, fail(goipp.StatusErrorNotFound, "document-number is %d: job %d has %d documents", n, j.Id, len(all))
	}
	return j, all[n-1], n, nil
}

func (h *Handler) getDocumentAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "all")
	if err != nil {
		return nil, err
	}
	j, document, n, err := h.documentOf(ctx, q, t, 0)
	if err != nil {
		return nil, err
	}
	return okay(nil, describeDocument(q, w, j, document, n)), nil
}

func (h *Handler) getDocuments(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "document-number")
	if err != nil {
		return nil, err
	}
	limit, err := q.limit()
	if err != nil {
		return nil, err
	}
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	all, err := h.documents(j)
	if err != nil {
		return nil, err
	}
	a := okay(nil)
	for i, document := range all {
		if document != nil && len(a.groups) < limit {
			a.groups.Add(describeDocument(q, w, j, document, i+1))
		}
	}
	return a, nil
}

func describeDocument(q *request, w wanted, j, document *node.JobStatus, n int) goipp.Group {
	format := document.Format
	if format == "" {
		format = pages.OctetStream
	}
	l := &list{description: append([]goipp.Attribute{
		integers("document-number", n), names("document-name", document.Name), types("document-format", format),
		enums("document-state", int(document.State)), keywords("document-state-reasons", reasonsOf(document.Job)...),
		integers("document-job-id", int(j.Id)), uris("document-job-uri", q.base.job(j.Id)),
		uris("document-printer-uri", q.base.printer(document.Printer)),
		boolean("last-document", n == 1+len(j.Parts) && !j.More), keywords("compression", "none"),
		integers("k-octets", int((document.Bytes+1023)/1024)), charsets("attributes-charset", "utf-8"),
		languages("attributes-natural-language", "en"),
	}, documentImpressions(document)...)}
	for _, t := range jobTimes(document) {
		switch t.Name {
		case "job-printer-up-time":
			t.Name = "printer-up-time"
		}
		l.description = append(l.description, t)
	}
	return goipp.Group{Tag: goipp.TagDocumentGroup, Attrs: w.of(l, "document-description")}
}

func documentImpressions(j *node.JobStatus) []goipp.Attribute {
	each, out := impressions(j.Job)
	if each == 0 {
		return []goipp.Attribute{missing("impressions", goipp.TagNoValue), missing("impressions-completed", goipp.TagNoValue)}
	}
	return []goipp.Attribute{integers("impressions", each), integers("impressions-completed", out)}
}

// cancelDocument cancels the job that prints the document.
func (h *Handler) cancelDocument(ctx context.Context, q *request, t target) (*answer, error) {
	_, document, _, err := h.documentOf(ctx, q, t, 0)
	if err != nil {
		return nil, err
	}
	_, err = h.act(ctx, q, target{job: document.Id}, cancelCommand)
	return okay(nil), err
}

// setDocumentAttributes sets a document's name, which is its job's.
func (h *Handler) setDocumentAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	if len(q.document) == 0 {
		return nil, badRequest("there is no attribute to set")
	}
	var not goipp.Attributes
	for _, a := range q.document {
		if a.Name != "document-name" {
			not.Add(missing(a.Name, goipp.TagNotSettable))
		}
	}
	if not != nil {
		return nil, &failure{goipp.StatusErrorAttributesNotSettable, "only document-name can be set", not}
	}
	name, err := text(q.document, "document-name")
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, unsupported(*find(q.document, "document-name"))
	}
	_, document, _, err := h.documentOf(ctx, q, t, 0)
	if err != nil {
		return nil, err
	}
	_, err = h.act(ctx, q, target{job: document.Id}, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_SetJob{SetJob: &queuepb.SetJob{Job: id, Name: &name, Cause: c}}}
	})
	return okay(nil), err
}

// cancelParts cancels the jobs of a job's further documents, and says whether one of them could be.
func (h *Handler) cancelParts(ctx context.Context, q *request, job uint64) (some bool, err error) {
	j, err := h.node.Job(job)
	if err != nil || len(j.Parts) == 0 {
		return false, err
	}
	c, err := q.cause()
	if err != nil {
		return false, err
	}
	commands := make([]*queuepb.Command, len(j.Parts))
	for i, id := range j.Parts {
		commands[i] = cancelCommand(id, c)
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	_, errs := h.node.ProposeAll(ctx, commands, make([][]byte, len(commands)))
	for _, err := range errs {
		switch {
		case err == nil:
			some = true
		case !errors.Is(err, queue.ErrState) && !errors.Is(err, queue.ErrNoJob):
			return some, outcomeOf(err)
		}
	}
	return some, nil
}
