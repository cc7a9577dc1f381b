package ipp

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/queue"
	"printq/queue/queuepb"
)

// openJobs is a jobMaker over the fake: what the queue is to do, in its simplest form. An open job is held; Reason says so.
type openJobs struct{ *fake }

const incoming = "job-incoming"

func (o *openJobs) Create(_ context.Context, t *ticket) (uint64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, err := o.submit(&queuepb.Submit{Printer: t.printer, Name: t.name, User: t.user, Copies: t.copies, Priority: t.priority}, nil)
	if err == nil {
		o.jobs[a.Job-1].State, o.jobs[a.Job-1].Reason = uint32(queue.Held), incoming
	}
	return a.Job, err
}

func (o *openJobs) Attach(_ context.Context, id uint64, doc *received) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.job(id); err != nil {
		return err
	}
	j := o.jobs[id-1]
	switch {
	case j.Sha256 != nil && bytes.Equal(j.Sha256, doc.SHA256[:]):
		return nil
	case j.Sha256 != nil || j.Reason != incoming:
		return fmt.Errorf("%w: job %d takes no document", queue.ErrState, id)
	}
	j.Sha256, j.Bytes, j.Format, j.Pages, j.Units = bytes.Clone(doc.SHA256[:]), uint64(doc.Bytes), doc.format, doc.pages, doc.units
	o.docs[id] = doc.Inline
	return nil
}

func (o *openJobs) Close(_ context.Context, id uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := o.job(id); err != nil {
		return err
	}
	switch j := o.jobs[id-1]; {
	case j.Reason != incoming:
	case j.Sha256 == nil:
		j.State, j.Reason = uint32(queue.Canceled), "job-canceled-by-user"
	default:
		j.State, j.Reason = uint32(queue.Pending), ""
	}
	return nil
}

// creating is a handler whose queue can make jobs without documents.
func creating(t testing.TB, f *fake) *Handler {
	t.Helper()
	o := Options{Node: f}
	if err := o.fill(); err != nil {
		t.Fatal(err)
	}
	return newHandler(o, &openJobs{fake: f})
}

func TestCreateJobIsNotSupportedYet(t *testing.T) {
	h := handler(t, newFake("office"))
	for _, op := range []goipp.Op{goipp.OpCreateJob, goipp.OpSendDocument, goipp.OpCloseJob} {
		m := ask(t, h, op, "office")
		wantStatus(t, m, goipp.StatusErrorOperationNotSupported)
	}
}

func TestCreateJob(t *testing.T) {
	f := newFake("office")
	h := creating(t, f)
	created := ask(t, h, goipp.OpCreateJob, "office", names("job-name", "later"))
	wantStatus(t, created, goipp.StatusOk)
	if j := f.jobs[0]; j.State != uint32(queue.Held) || j.Name != "later" {
		t.Fatalf("after Create-Job the job is %v", j)
	}

	id, last, more := integers("job-id", 1), boolean("last-document", true), boolean("last-document", false)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id), goipp.StatusErrorBadRequest)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, more), goipp.StatusOk)
	// The client did not get the answer, and sends it again.
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, last), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, last), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "others", id, last), goipp.StatusErrorNotPossible)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", integers("job-id", 9), last), goipp.StatusErrorNotFound)
	if j := f.jobs[0]; j.State != uint32(queue.Pending) || string(f.docs[1]) != "pages" || len(f.jobs) != 1 {
		t.Fatalf("after Send-Document the job is %v, of %d", j, len(f.jobs))
	}

	ask(t, h, goipp.OpCreateJob, "office")
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "", integers("job-id", 2), last), goipp.StatusOk)
	if j := f.jobs[1]; j.State != uint32(queue.Canceled) {
		t.Fatalf("a job closed without a document is %v", j)
	}
	ask(t, h, goipp.OpCreateJob, "office")
	wantStatus(t, ask(t, h, goipp.OpCloseJob, "office", integers("job-id", 3)), goipp.StatusOk)
}
