package ipp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	nethttp "net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

func handler(t testing.TB, f *fake) *Handler {
	t.Helper()
	h, err := New(Options{Node: f, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// message is a request as clients make it.
func message(op goipp.Op, printer string, attrs ...goipp.Attribute) *goipp.Message {
	m := goipp.NewRequest(goipp.MakeVersion(2, 0), op, 7)
	m.Operation = goipp.Attributes{
		charsets("attributes-charset", "utf-8"), languages("attributes-natural-language", "en"),
		uris("printer-uri", "ipp://elsewhere:631/ipp/print/"+printer), names("requesting-user-name", "ann"),
	}
	m.Operation = append(m.Operation, attrs...)
	return m
}

// post sends a message and a document, and returns the answer and what follows it.
func post(t testing.TB, h *Handler, m *goipp.Message, document string) (*goipp.Message, string) {
	t.Helper()
	raw, err := m.EncodeBytes()
	if err != nil {
		t.Fatal(err)
	}
	return postRaw(t, h, append(raw, document...))
}

func postRaw(t testing.TB, h *Handler, raw []byte) (*goipp.Message, string) {
	t.Helper()
	r := httptest.NewRequest(nethttp.MethodPost, "http://print.example:8631/ipp/print/office", bytes.NewReader(raw))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Type") != goipp.ContentType {
		t.Fatalf("HTTP says %d, %q", w.Code, w.Header().Get("Content-Type"))
	}
	size := strconv.Itoa(w.Body.Len())
	var answer goipp.Message
	if err := answer.Decode(w.Body); err != nil {
		t.Fatalf("the answer cannot be decoded: %v", err)
	}
	rest, _ := io.ReadAll(w.Body)
	if said := w.Header().Get("Content-Length"); len(rest) == 0 && said != size {
		t.Errorf("an answer of %s bytes says that it has %q", size, said)
	}
	return &answer, string(rest)
}

func ask(t testing.TB, h *Handler, op goipp.Op, printer string, attrs ...goipp.Attribute) *goipp.Message {
	t.Helper()
	a, _ := post(t, h, message(op, printer, attrs...), "")
	return a
}

func send(t testing.TB, h *Handler, op goipp.Op, printer, document string, attrs ...goipp.Attribute) *goipp.Message {
	t.Helper()
	a, _ := post(t, h, message(op, printer, attrs...), document)
	return a
}

func wantStatus(t testing.TB, m *goipp.Message, want goipp.Status) {
	t.Helper()
	if got := goipp.Status(m.Code); got != want {
		said, _ := text(m.Operation, "status-message")
		t.Errorf("%v (%s), want %v", got, said, want)
	}
}

// jobIDs are those of an answer's job groups, in order.
func jobIDs(m *goipp.Message) (ids []int) {
	for _, g := range m.Groups {
		if a := find(g.Attrs, "job-id"); g.Tag == goipp.TagJobGroup && a != nil {
			ids = append(ids, int(a.Values[0].V.(goipp.Integer)))
		}
	}
	return ids
}

// TestStatuses: what an error of the member becomes.
func TestStatuses(t *testing.T) {
	large := strings.Repeat("page", queue.MaxInline) // is stored before it is proposed
	for _, c := range []struct {
		method string
		err    error
		want   goipp.Status
	}{
		{"Propose", node.ErrNoQuorum, goipp.StatusErrorServiceUnavailable},
		{"Propose", node.ErrFull, goipp.StatusErrorBusy},
		{"Propose", node.ErrDiskFull, goipp.StatusErrorTemporary},
		// Nothing that a client repeats by itself: it may have been printed.
		{"Propose", node.ErrUnknown, goipp.StatusErrorInternal},
		{"Propose", context.DeadlineExceeded, goipp.StatusErrorInternal},
		{"Propose", queue.ErrNoPrinter, goipp.StatusErrorNotFound},

		{"Upload", node.ErrNoQuorum, goipp.StatusErrorServiceUnavailable},
		{"Upload", node.ErrTooLarge, goipp.StatusErrorRequestEntity},
		// The job is committed: it must not be sent again.
		{"Job", queue.ErrNoJob, goipp.StatusOk},
	} {
		h := handler(t, newFake("office").failing(c.method, fmt.Errorf("%w: try this", c.err)))
		t.Run(fmt.Sprint(c.method, " ", c.err), func(t *testing.T) {
			wantStatus(t, send(t, h, goipp.OpPrintJob, "office", large), c.want)
		})
	}
}

// TestReadsWaitForABarrier: without a majority nothing is answered that may be old.
func TestReadsWaitForABarrier(t *testing.T) {
	h := handler(t, newFake("office").submitted("office", "ann", queue.Pending).failing("Barrier", node.ErrNoQuorum))
	for _, op := range []goipp.Op{goipp.OpGetPrinterAttributes, goipp.OpGetJobs, goipp.OpGetJobAttributes, goipp.OpCupsGetPrinters, goipp.OpCancelJobs} {
		wantStatus(t, ask(t, h, op, "office", integers("job-id", 1)), goipp.StatusErrorServiceUnavailable)
	}
}

// TestOperationsSupported: what is listed is answered, and nothing else is.
func TestOperationsSupported(t *testing.T) {
	h := handler(t, newFake("office"))
	a := find(ask(t, h, goipp.OpGetPrinterAttributes, "office").Printer, "operations-supported")
	var listed []goipp.Op
	for _, v := range a.Values {
		listed = append(listed, goipp.Op(v.V.(goipp.Integer)))
	}
	for op := goipp.Op(0); op < 0x4100; op++ {
		answered := goipp.Status(ask(t, h, op, "office").Code) != goipp.StatusErrorOperationNotSupported
		if answered != slices.Contains(listed, op) {
			t.Errorf("%v: answered %v, listed %v", op, answered, !answered)
		}
	}
}

func TestTargets(t *testing.T) {
	one, two := newFake("office"), newFake("office", "store")
	for _, c := range []struct {
		f    *fake
		uri  string
		want goipp.Status
	}{
		{two, "ipp://a/ipp/print/office", goipp.StatusOk},
		{two, "ipp://a:1/printers/office", goipp.StatusOk},
		{two, "http://a:8631/ipp/print/office", goipp.StatusOk}, // Windows
		{two, "ipps://a/printers/%6fffice", goipp.StatusOk},
		{one, "ipp://a/ipp/print", goipp.StatusOk},
		{one, "ipp://localhost/", goipp.StatusOk},
		{two, "ipp://localhost/", goipp.StatusErrorNotFound},
		{two, "ipp://a/ipp/print/nowhere", goipp.StatusErrorNotFound},
		{two, "ipp://a/elsewhere/office", goipp.StatusErrorNotFound},
		{two, "file:///etc/passwd", goipp.StatusErrorURIScheme},
		{two, "ipp://a/%zz", goipp.StatusErrorBadRequest},
		{two, strings.Repeat("a", 1023), goipp.StatusErrorURIScheme},
	} {
		m := message(goipp.OpGetPrinterAttributes, "")
		m.Operation[2] = uris("printer-uri", c.uri)
		t.Run(c.uri[:min(len(c.uri), 40)], func(t *testing.T) {
			a, _ := post(t, handler(t, c.f), m, "")
			wantStatus(t, a, c.want)
		})
	}
}

// TestAddresses: the URIs of an answer name the host that the client connected to.
func TestAddresses(t *testing.T) {
	h := handler(t, newFake("office"))
	a := ask(t, h, goipp.OpGetPrinterAttributes, "office")
	for name, want := range map[string]string{
		"printer-uri-supported": "ipp://print.example:8631/ipp/print/office",
		"printer-more-info":     "http://print.example:8631/v1/printers/office",
	} {
		if got := find(a.Printer, name).Values[0].V.String(); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	h.options.TLSPort = 8443
	for secure, want := range map[bool]map[string]string{
		false: {
			"printer-uri-supported": "[ipp://print.example:8631/ipp/print/office ipps://print.example:8443/ipp/print/office]", "uri-security-supported": "[none tls]",
		},
		true: {"printer-uri-supported": "ipps://print.example:8631/ipp/print/office", "uri-security-supported": "tls"},
	} {
		for name, want := range want {
			if got := fmt.Sprint(find(h.ways(base{"print.example:8631", secure}, "office"), name).Values); got != strings.ReplaceAll(want, " ", ",") {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
	}
	for host, want := range map[string]string{
		"a": "ipp://a:80/jobs/3", "[::1]": "ipp://[::1]:80/jobs/3", "[::1]:9": "ipp://[::1]:9/jobs/3", "": "ipp://localhost:80/jobs/3",
	} {
		if got := baseOf(&nethttp.Request{Host: host}).job(3); got != want {
			t.Errorf("host %q: %q, want %q", host, got, want)
		}
	}
}
