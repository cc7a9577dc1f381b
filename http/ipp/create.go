package ipp

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
	"printq/queue/queuepb"
)

// createJob makes a job whose document comes later. A Create-Job of which nobody knows whether it was carried out is safe to
// send again: a job without a document prints nothing, and is given up after a while.
func (h *Handler) createJob(ctx context.Context, q *request, t target) (*answer, error) {
	job, _, err := h.ready(ctx, q, t)
	if err != nil {
		return nil, err
	}
	if job.fidelity && job.ranges != nil {
		// Whether they can be cut, the document will say: too late to refuse the job.
		return nil, unsupported(job.ranges.attribute())
	}
	a, err := h.propose(ctx, job.create(), nil)
	if errors.Is(err, node.ErrUnknown) {
		return nil, fail(goipp.StatusErrorTemporary, "%v: send it again: a job without a document prints nothing", err)
	}
	if err != nil {
		return nil, err
	}
	made, err := h.made(q, a.Job, job.unsupported)
	if err == nil {
		h.subscribeJob(ctx, q, made, a.Job)
	}
	return made, err
}

// create makes the command for a job without its document.
func (t *ticket) create() *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_CreateJob{CreateJob: &queuepb.CreateJob{
		Printer: t.printer, Name: t.name, User: t.user, Copies: t.copies, Priority: t.priority, Hold: t.hold,
		PageRanges: t.ranges.String(), Options: t.options,
	}}}
}

// sendDocument takes a document of a job; without a document and as the last it closes the job (RFC 8011 §4.3.1). The answer
// may have been lost, with the member that wrote it: the same document once more, here or there, is successful.
func (h *Handler) sendDocument(ctx context.Context, q *request, t target) (*answer, error) {
	last, given, err := one[goipp.Boolean](q.operation, "last-document", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, badRequest("last-document is missing: say whether another document follows")
	}
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	if _, err := q.body.Peek(1); err == io.EOF && bool(last) {
		return h.closeJob(ctx, q, target{job: j.Id})
	}
	if err := h.takesDocument(j); err != nil {
		return nil, err
	}
	ranges := parseRanges(j.PageRanges)
	o, err := h.offersOf(j.Printer)
	if err != nil {
		return nil, err
	}
	if j.Bytes != 0 && !j.More {
		return h.sameDocument(ctx, q, j, ranges, o)
	}
	doc, err := h.receive(ctx, q, o, h.uploadFor(j.Id), ranges)
	if err != nil {
		return nil, err
	}
	c := doc.attach(j.Job, int64(max(h.options.DuplicateWindow, 0)))
	c.GetAttachDocument().Last, c.GetAttachDocument().Number = bool(last), q.nextDocument(j.Id)
	if err := h.attach(ctx, c, doc.Inline); err != nil {
		return nil, err
	}
	h.answersDocument(q, j.Id, bool(last))
	return h.made(q, j.Id, doc.uncut)
}

// attach proposes a document. What was seen by now goes before it: the client may have begun anew at once, because it did get
// the answer to the same document.
func (h *Handler) attach(ctx context.Context, c *queuepb.Command, payload []byte) error {
	jobs := h.seen.take(queue.MaxSeen)
	if len(jobs) == 0 {
		_, err := h.propose(ctx, c, payload)
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, h.options.CommitTimeout)
	defer cancel()
	_, errs := h.node.ProposeAll(ctx, []*queuepb.Command{seenCommand(jobs), c}, [][]byte{nil, payload})
	if errs[0] != nil {
		h.seen.add(jobs...)
	}
	return outcomeOf(errs[1])
}

// nextDocument is the number of the document that a request brings, if the documents before it came over the same
// connection: who sends on has read what was answered to the one before. 0: nobody can tell; it may be one said twice.
func (q *request) nextDocument(job uint64) uint32 {
	if q.connection == nil {
		return 0
	}
	before, _ := q.connection.Load(documentKey{})
	if t, ok := before.(taken); ok && t.job == job {
		return t.documents + 1
	}
	return 0
}

// A documentKey finds what was taken last over a connection.
type documentKey struct{}

// taken is how many documents a job has, of which the last came over the connection.
type taken struct {
	job       uint64
	documents uint32
}

// answersDocument notes that a document was taken.
func (h *Handler) answersDocument(q *request, job uint64, last bool) {
	if last {
		h.expectSeen(q, job)
	}
	if q.connection == nil {
		return
	}
	if j, err := h.node.Job(job); err == nil && !last {
		q.connection.Store(documentKey{}, taken{job, uint32(1 + len(j.Parts))})
	} else {
		q.connection.Delete(documentKey{})
	}
}

// takesDocument says whether a document is worth reading: the job waits for one, or has one that this may be once more.
func (h *Handler) takesDocument(j *node.JobStatus) error {
	switch state := queue.JobState(j.State); {
	case j.Open != 0 || j.Created && j.Bytes != 0:
		return nil
	case state == queue.Aborted, state == queue.Canceled:
		return fail(goipp.StatusErrorNotPossible, "job %d is %s (%s) and takes no document: make another job", j.Id, state, j.Reason)
	}
	return fail(goipp.StatusErrorNotPossible, "job %d was made with its document", j.Id)
}

// sameDocument answers a Send-Document for a job that has its document.
func (h *Handler) sameDocument(ctx context.Context, q *request, j *node.JobStatus, ranges pageRanges, o *offers) (*answer, error) {
	doc, err := h.receive(ctx, q, o, compare, ranges)
	if err != nil {
		return nil, err
	}
	all, err := h.documents(j)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if d != nil && uint64(doc.Bytes) == d.Bytes && bytes.Equal(doc.SHA256[:], d.Sha256) {
			h.expectSeen(q, j.Id)
			return h.made(q, j.Id, doc.uncut)
		}
	}
	return nil, fail(goipp.StatusErrorNotPossible, "job %d has its documents, and was closed: make another job", j.Id)
}

// attach makes the command that gives a job its document.
func (d *received) attach(job *queue.Job, unseenFor int64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_AttachDocument{AttachDocument: &queuepb.AttachDocument{
		Job: job.Id, Upload: d.Upload, Chunks: d.Chunks, Bytes: uint64(d.Bytes), Sha256: bytes.Clone(d.SHA256[:]),
		Format: d.format, Pages: d.pages, Units: pages.Units(d.format, queue.Wish(job.Options, "sides"), d.units), UnseenFor: unseenFor, Options: d.wishes(nil),
	}}}
}

// closeJob says that no document follows: a job that has none is aborted. It may be said again.
func (h *Handler) closeJob(ctx context.Context, q *request, t target) (*answer, error) {
	a, err := h.act(ctx, q, t, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_CloseJob{CloseJob: &queuepb.CloseJob{Job: id, Cause: c}}}
	})
	if err != nil {
		return nil, err
	}
	h.expectSeen(q, a.Job)
	return h.made(q, a.Job, nil)
}
