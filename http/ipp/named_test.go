package ipp

import (
	"io"
	"log/slog"
	nethttp "net/http"
	"net/http/httptest"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/http/fetch"
	"printq/node"
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
}

// TestOwnDocument: what this cluster has need not be fetched, and so may be named by everybody who could read it.
func TestOwnDocument(t *testing.T) {
	f := newFake("office")
	f.members = []node.MemberStatus{{ID: 2, HTTP: "10.0.0.2:8631"}}
	h := handler(t, f)
	print := func(uri string) *goipp.Message {
		return ask(t, h, goipp.OpPrintURI, "office", uris("document-uri", uri))
	}
	wantStatus(t, send(t, h, goipp.OpPrintJob, "office", "one\n\ftwo\n"), goipp.StatusOk)
	for _, uri := range []string{"http://print.example:8631/v1/jobs/1/document", "http://Print.Example:8631/v1/jobs/1/document", "http://10.0.0.2:8631/v1/jobs/2/document"} {
		wantStatus(t, print(uri), goipp.StatusOk)
	}
	if len(f.jobs) != 4 || string(f.docs[4]) != "one\n\ftwo\n" || f.jobs[3].Format != "text/plain" || f.jobs[3].Pages != 2 {
		t.Errorf("%d jobs, %v", len(f.jobs), f.docs)
	}
	wantStatus(t, ask(t, h, goipp.OpCreateJob, "office"), goipp.StatusOk)
	sent := ask(t, h, goipp.OpSendURI, "office", uris("document-uri", "http://print.example:8631/v1/jobs/1/document"), integers("job-id", 5), boolean("last-document", true))
	wantStatus(t, sent, goipp.StatusOk)

	f.jobs[1].DocumentGone = true
	for _, uri := range []string{
		"http://print.example:8631/v1/jobs/2/document", "http://print.example:8631/v1/jobs/7/document", "http://print.example:8631/v1/jobs/0/document",
		"http://print.example:8631/v1/jobs/1/document/x", "http://print.example:8631/v1/backup", "http://print.example/v1/jobs/1/document",
		"http://elsewhere:8631/v1/jobs/1/document", "http://ann@print.example:8631/v1/jobs/1/document", "http://[/v1/jobs/1/document",
	} {
		if got := goipp.Status(print(uri).Code); got != goipp.StatusErrorDocumentAccess {
			t.Errorf("%s: %v", uri, got)
		}
	}
	wantStatus(t, print("ipp://print.example:8631/v1/jobs/1/document"), goipp.StatusErrorURIScheme)
	if len(f.jobs) != 5 {
		t.Errorf("%d jobs", len(f.jobs))
	}
}

// TestNotFetched: where nobody allowed a place, no other document is fetched.
func TestNotFetched(t *testing.T) {
	h := handler(t, newFake("office"))
	for uri, want := range map[string]goipp.Status{
		"http://127.0.0.1/a": goipp.StatusErrorDocumentAccess, "ftp://127.0.0.1/a": goipp.StatusErrorDocumentAccess,
		"file:///etc/passwd": goipp.StatusErrorURIScheme, "bogus://bogus": goipp.StatusErrorURIScheme,
	} {
		wantStatus(t, ask(t, h, goipp.OpPrintURI, "office", uris("document-uri", uri)), want)
	}
}
