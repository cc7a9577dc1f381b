package ipp

import (
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

func TestCreateJob(t *testing.T) {
	f := newFake("office")
	h := handler(t, f)
	created := ask(t, h, goipp.OpCreateJob, "office", names("job-name", "later"))
	wantStatus(t, created, goipp.StatusOk)
	if j := f.jobs[0]; j.State != uint32(queue.Held) || j.Name != "later" {
		t.Fatalf("after Create-Job the job is %v", j)
	}

	id, last, more := integers("job-id", 1), boolean("last-document", true), boolean("last-document", false)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id), goipp.StatusErrorBadRequest)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, more), goipp.StatusOk)
	// The client did not get the answer, and sends it again.
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, more), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "others", id, last), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "others", id, last), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", id, last), goipp.StatusOk)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "a third", id, last), goipp.StatusErrorNotPossible)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", integers("job-id", 9), last), goipp.StatusErrorNotFound)
	if j := f.jobs[0]; j.State != uint32(queue.Pending) || string(f.docs[1]) != "pages" || string(f.docs[2]) != "others" || len(f.jobs) != 2 {
		t.Fatalf("after Send-Document the job is %v, of %d", j, len(f.jobs))
	}

	ask(t, h, goipp.OpCreateJob, "office")
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "", integers("job-id", 3), last), goipp.StatusOk)
	if j := f.jobs[2]; j.State != uint32(queue.Aborted) {
		t.Fatalf("a job closed without a document is %v", j)
	}
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", integers("job-id", 3), last), goipp.StatusErrorNotPossible)
	ask(t, h, goipp.OpCreateJob, "office")
	wantStatus(t, ask(t, h, goipp.OpCloseJob, "office", integers("job-id", 4)), goipp.StatusOk)
	f.submitted("office", "ann", queue.Pending)
	wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "pages", integers("job-id", 5), last), goipp.StatusErrorNotPossible)
}

// Whether a Create-Job was carried out does not matter: it may be sent again.
func TestCreateJobOfUnknownOutcome(t *testing.T) {
	f := newFake("office").failing("Propose", node.ErrUnknown)
	wantStatus(t, ask(t, handler(t, f), goipp.OpCreateJob, "office"), goipp.StatusErrorTemporary)
	wantStatus(t, send(t, handler(t, f), goipp.OpPrintJob, "office", "x"), goipp.StatusErrorInternal)
}

// A connection is a recorder that tells what its requests have in common, and when an answer was read.
type connection struct {
	*httptest.ResponseRecorder
	kept sync.Map
	seen []func()
}

func (c *connection) Connection() *sync.Map { return &c.kept }
func (c *connection) WhenSeen(f func())     { c.seen = append(c.seen, f) }

func (c *connection) send(t *testing.T, h *Handler, op goipp.Op, document string, attrs ...goipp.Attribute) *goipp.Message {
	t.Helper()
	raw, err := message(op, "office", attrs...).EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	c.ResponseRecorder = httptest.NewRecorder()
	h.ServeHTTP(c, httptest.NewRequest(nethttp.MethodPost, "/", strings.NewReader(string(raw)+document)))
	var m goipp.Message
	if err := m.Decode(c.Body); err != nil {
		t.Fatal(err)
	}
	return &m
}

// Documents that follow each other over one connection are documents of their own, also where they are equal.
func TestDocumentsOfOneConnection(t *testing.T) {
	f := newFake("office")
	h, c := handler(t, f), new(connection)
	id, last, more := integers("job-id", 1), boolean("last-document", true), boolean("last-document", false)
	wantStatus(t, c.send(t, h, goipp.OpCreateJob, ""), goipp.StatusOk)
	for _, l := range []goipp.Attribute{more, more, last} {
		wantStatus(t, c.send(t, h, goipp.OpSendDocument, "pages", id, l), goipp.StatusOk)
	}
	if len(f.jobs) != 3 {
		t.Errorf("%d documents are there, want 3", len(f.jobs))
	}
	var numbers []uint32
	for _, cmd := range f.asked {
		if a := cmd.GetAttachDocument(); a != nil {
			numbers = append(numbers, a.Number)
			if a.UnseenFor == 0 {
				t.Error("nobody looks for duplicates")
			}
		}
	}
	if !slices.Equal(numbers, []uint32{0, 2, 3}) {
		t.Errorf("they are numbered %v", numbers)
	}
	if len(c.seen) != 1 {
		t.Fatalf("%d answers are watched, want the last one's", len(c.seen))
	}
	c.seen[0]()
	if jobs := h.seen.take(9); !slices.Equal(jobs, []uint64{1}) {
		t.Errorf("seen: %v", jobs)
	}
}
