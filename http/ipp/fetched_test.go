package ipp

import (
	"io"
	"log/slog"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/http/fetch"
	"printq/queue"
)

// TestFetched: documents that are named are fetched from where it was allowed, and are then like those that are brought.
func TestFetched(t *testing.T) {
	asked := 0
	documents := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		if asked++; r.URL.Path != "/docs/a.txt" {
			nethttp.NotFound(w, r)
			return
		}
		io.WriteString(w, "pages")
	}))
	defer documents.Close()
	from, err := fetch.New(documents.URL + "/docs/")
	if err != nil {
		t.Fatal(err)
	}
	f := newFake("office")
	h, err := New(Options{Node: f, Fetch: from, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	at := func(uri string) goipp.Attribute { return uris("document-uri", uri) }
	id, last, here := integers("job-id", 2), boolean("last-document", true), at(documents.URL+"/docs/a.txt")

	wantStatus(t, ask(t, h, goipp.OpPrintURI, "office", here), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpCreateJob, "office"), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpSendURI, "office", here, id), goipp.StatusErrorBadRequest)
	wantStatus(t, ask(t, h, goipp.OpSendURI, "office", here, id, last), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpSendURI, "office", here, id, last), goipp.StatusOk) // once more: the answer was lost
	if len(f.jobs) != 2 || string(f.docs[1]) != "pages" || string(f.docs[2]) != "pages" || f.jobs[1].State != uint32(queue.Pending) {
		t.Errorf("%d jobs, %v", len(f.jobs), f.docs)
	}
	wantStatus(t, ask(t, h, goipp.OpCreateJob, "office"), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpSendURI, "office", integers("job-id", 3), last), goipp.StatusOk) // none: it is closed
	if f.jobs[2].State != uint32(queue.Aborted) {
		t.Errorf("a job without a document is %v", f.jobs[2])
	}

	asked = 0
	wantStatus(t, ask(t, h, goipp.OpPrintURI, "nowhere", here), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpPrintURI, "office"), goipp.StatusErrorBadRequest)
	wantStatus(t, send(t, h, goipp.OpPrintURI, "office", "a document", here), goipp.StatusErrorBadRequest)
	wantStatus(t, ask(t, h, goipp.OpPrintURI, "office", at("bogus://bogus")), goipp.StatusErrorURIScheme)
	wantStatus(t, ask(t, h, goipp.OpPrintURI, "office", at(documents.URL+"/secret")), goipp.StatusErrorDocumentAccess)
	if asked != 0 {
		t.Errorf("%d documents were asked for in vain", asked)
	}
	wantStatus(t, ask(t, h, goipp.OpPrintURI, "office", at(documents.URL+"/docs/none")), goipp.StatusErrorDocumentAccess)
	if len(f.jobs) != 3 {
		t.Errorf("jobs were made of documents that were not had: %v", f.jobs)
	}

	told := ask(t, h, goipp.OpGetPrinterAttributes, "office")
	if a := find(told.Printer, "reference-uri-schemes-supported"); a == nil || a.Values[0].V.String() != "http" {
		t.Errorf("reference-uri-schemes-supported: %v", a)
	}
}

// TestNotFetched: where nobody allowed a place, the operations are not there.
func TestNotFetched(t *testing.T) {
	h := handler(t, newFake("office"))
	for _, op := range []goipp.Op{goipp.OpPrintURI, goipp.OpSendURI} {
		wantStatus(t, ask(t, h, op, "office", uris("document-uri", "http://127.0.0.1/a")), goipp.StatusErrorOperationNotSupported)
		if slices.Contains(h.supported, int(op)) {
			t.Errorf("%v is offered", op)
		}
	}
}
