package ipp

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/OpenPrinting/goipp"

	"printq/queue"
)

// A wire is a message in the making, for what no encoder would make.
type wire struct{ bytes.Buffer }

// begin is the header, and the two attributes that come first.
func begin(op goipp.Op) *wire {
	w := new(wire)
	w.Write([]byte{2, 0})
	binary.Write(&w.Buffer, binary.BigEndian, uint16(op))
	w.Write([]byte{0, 0, 0, 7})
	return w.tag(goipp.TagOperationGroup).
		value(goipp.TagCharset, "attributes-charset", "utf-8").
		value(goipp.TagLanguage, "attributes-natural-language", "en")
}

func (w *wire) tag(t goipp.Tag) *wire {
	w.WriteByte(byte(t))
	return w
}

func (w *wire) value(t goipp.Tag, name, value string) *wire {
	w.tag(t)
	for _, s := range []string{name, value} {
		binary.Write(&w.Buffer, binary.BigEndian, uint16(len(s)))
		w.WriteString(s)
	}
	return w
}

func (w *wire) target() *wire {
	return w.value(goipp.TagURI, "printer-uri", "ipp://a/ipp/print/office")
}

func (w *wire) times(n int, f func(*wire)) *wire {
	for range n {
		f(w)
	}
	return w
}

func (w *wire) end() []byte { return w.tag(goipp.TagEnd).Bytes() }

func deep(n int) *wire {
	w := begin(goipp.OpPrintJob).target().tag(goipp.TagJobGroup).value(goipp.TagBeginCollection, "media-col", "")
	w.times(n-1, func(w *wire) {
		w.value(goipp.TagMemberName, "", "media-size").value(goipp.TagBeginCollection, "", "")
	})
	return w.times(n, func(w *wire) { w.value(goipp.TagEndCollection, "", "") })
}

func TestBadMessages(t *testing.T) {
	get := func() *wire { return begin(goipp.OpGetPrinterAttributes) }
	whole := get().target().end()
	for _, c := range []struct {
		name string
		raw  []byte
		want goipp.Status
	}{
		{"good", whole, goipp.StatusOk},
		{"empty", nil, goipp.StatusErrorBadRequest},
		{"half a header", whole[:5], goipp.StatusErrorBadRequest},
		{"header only", whole[:8], goipp.StatusErrorBadRequest},
		{"half an attribute", whole[:30], goipp.StatusErrorBadRequest},
		{"no end", whole[:len(whole)-1], goipp.StatusErrorBadRequest},
		{"version 0.0", append([]byte{0, 0}, whole[2:]...), goipp.StatusErrorVersionNotSupported},
		{"version 3.0", append([]byte{3, 0}, whole[2:]...), goipp.StatusErrorVersionNotSupported},
		{"version 1.0", append([]byte{1, 0}, whole[2:]...), goipp.StatusOk},
		{"version 2.9", append([]byte{2, 9}, whole[2:]...), goipp.StatusOk},
		{"request-id 0", append([]byte{2, 0, 0, 0xb, 0, 0, 0, 0}, whole[8:]...), goipp.StatusErrorBadRequest},
		{"no groups", append(bytes.Clone(whole[:8]), 3), goipp.StatusErrorBadRequest},
		{"no target", get().end(), goipp.StatusErrorBadRequest},
		{"no operation group", append(append(bytes.Clone(whole[:8]), 2), whole[9:]...), goipp.StatusErrorBadRequest},
		{"operation group twice", get().target().tag(goipp.TagOperationGroup).end(), goipp.StatusErrorBadRequest},
		{"groups out of order", get().target().tag(goipp.TagPrinterGroup).tag(goipp.TagJobGroup).end(), goipp.StatusErrorBadRequest},
		{"unknown group last", get().target().tag(0x0f).end(), goipp.StatusOk},
		{"group 0", get().target().tag(0).end(), goipp.StatusErrorBadRequest},
		{"attribute twice", get().target().target().end(), goipp.StatusErrorBadRequest},
		{"target in the wrong group", get().tag(goipp.TagJobGroup).target().end(), goipp.StatusErrorBadRequest},
		{"target of another syntax", get().value(goipp.TagKeyword, "printer-uri", "ipp://a/").end(), goipp.StatusErrorBadRequest},
		{"target with two values", get().target().value(goipp.TagURI, "", "ipp://a/").end(), goipp.StatusErrorBadRequest},
		{"value without a name", get().tag(goipp.TagJobGroup).value(goipp.TagKeyword, "", "x").end(), goipp.StatusErrorBadRequest},
		{"not UTF-8", get().target().value(goipp.TagName, "requesting-user-name", "J\xf6rg").end(), goipp.StatusErrorBadRequest},
		{"name not UTF-8", get().target().value(goipp.TagName, "\xff", "a").end(), goipp.StatusErrorBadRequest},
		{"latin-1", append(bytes.Clone(whole[:8]), new(wire).tag(1).value(goipp.TagCharset, "attributes-charset", "iso-8859-1").
			value(goipp.TagLanguage, "attributes-natural-language", "en").target().end()...), goipp.StatusErrorCharset},
		{"name too long", get().target().value(goipp.TagName, "requesting-user-name", strings.Repeat("a", 256)).end(), goipp.StatusErrorRequestValue},
		{"uri too long", get().value(goipp.TagURI, "printer-uri", strings.Repeat("a", 1024)).end(), goipp.StatusErrorRequestValue},
		{"integer of 3 bytes", get().target().value(goipp.TagInteger, "limit", "abc").end(), goipp.StatusErrorBadRequest},
		{"extension tag cut short", get().target().value(goipp.TagExtension, "x", "a").end(), goipp.StatusErrorBadRequest},
		{"too many attributes", get().target().times(600, func(w *wire) {
			w.value(goipp.TagBeginCollection, "x", "").value(goipp.TagMemberName, "", "y").value(goipp.TagInteger, "", "abcd").value(goipp.TagEndCollection, "", "")
		}).end(), goipp.StatusErrorRequestEntity},
		{"too many bytes", get().target().times(70, func(w *wire) { w.value(goipp.TagText, "message", strings.Repeat("a", 1000)) }).end(), goipp.StatusErrorRequestEntity},
		{"nested as deep as may be", append(deep(8).end(), "pages"...), goipp.StatusOkIgnoredOrSubstituted},
		{"nested deeper", deep(9).end(), goipp.StatusErrorRequestEntity},
		{"nested without end", begin(goipp.OpPrintJob).target().times(9000, func(w *wire) { w.value(goipp.TagBeginCollection, "", "") }).end(), goipp.StatusErrorRequestEntity},
		{"collection not closed", get().target().value(goipp.TagBeginCollection, "x", "").end(), goipp.StatusErrorBadRequest},
		{"collection not begun", get().target().value(goipp.TagEndCollection, "", "").end(), goipp.StatusErrorBadRequest},
		{"member outside", get().target().value(goipp.TagMemberName, "", "x").end(), goipp.StatusErrorBadRequest},
		{"a value that is sent back", append(begin(goipp.OpPrintJob).target().tag(goipp.TagJobGroup).
			value(goipp.TagReservedString, "sides", strings.Repeat("a", 1<<15-1)).end(), "pages"...), goipp.StatusOkIgnoredOrSubstituted},
		{"a value that could not be", begin(goipp.OpPrintJob).target().tag(goipp.TagJobGroup).
			value(goipp.TagReservedString, "sides", strings.Repeat("a", 1<<15)).end(), goipp.StatusErrorRequestValue},
		{"member without a value", get().target().value(goipp.TagBeginCollection, "x", "").value(goipp.TagMemberName, "", "y").
			value(goipp.TagEndCollection, "", "").end(), goipp.StatusErrorBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, _ := postRaw(t, handler(t, newFake("office")), c.raw)
			wantStatus(t, m, c.want)
			if len(c.raw) >= 8 && m.RequestID != binary.BigEndian.Uint32(c.raw[4:]) {
				t.Errorf("request-id is %d", m.RequestID)
			}
			if v := m.Version; v.Major() != 1 && v.Major() != 2 || v > goipp.MakeVersion(2, 2) {
				t.Errorf("version is %v", v)
			}
		})
	}
}

func packed(t *testing.T, to func(io.Writer) io.WriteCloser, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := to(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestDocuments(t *testing.T) {
	const pages = "one\n\ftwo\n"
	gz := packed(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, pages)
	raw := packed(t, func(w io.Writer) io.WriteCloser { f, _ := flate.NewWriter(w, 9); return f }, pages)
	wrapped := packed(t, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }, pages)
	bomb := packed(t, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }, strings.Repeat("\x00", 2<<20))
	compression := func(v string) goipp.Attribute { return keywords("compression", v) }
	for _, c := range []struct {
		name, document string
		attrs          goipp.Attributes
		want           goipp.Status
	}{
		{"plain", pages, nil, goipp.StatusOk},
		{"text", pages, goipp.Attributes{types("document-format", "text/plain;charset=utf-8")}, goipp.StatusOk},
		{"none", pages, goipp.Attributes{compression("none")}, goipp.StatusOk},
		{"gzip", gz, goipp.Attributes{compression("gzip")}, goipp.StatusOk},
		{"deflate", raw, goipp.Attributes{compression("deflate")}, goipp.StatusOk},
		{"deflate with zlib's header", wrapped, goipp.Attributes{compression("deflate")}, goipp.StatusOk},
		{"empty", "", nil, goipp.StatusErrorBadRequest},
		{"too large", strings.Repeat("a", 1<<20+1), nil, goipp.StatusErrorRequestEntity},
		{"bomb", bomb, goipp.Attributes{compression("gzip")}, goipp.StatusErrorRequestEntity},
		{"not gzip", pages + pages, goipp.Attributes{compression("gzip")}, goipp.StatusErrorCompressionError},
		{"gzip cut short", gz[:len(gz)-3], goipp.Attributes{compression("gzip")}, goipp.StatusErrorBadRequest},
		{"gzip damaged", gz[:len(gz)-5] + "xxxxx", goipp.Attributes{compression("gzip")}, goipp.StatusErrorCompressionError},
		{"something after deflate", raw + "more", goipp.Attributes{compression("deflate")}, goipp.StatusErrorCompressionError},
		{"unknown compression", pages, goipp.Attributes{compression("compress")}, goipp.StatusErrorCompressionNotSupported},
		{"unknown format", pages, goipp.Attributes{types("document-format", "video/mp4")}, goipp.StatusErrorDocumentFormatNotSupported},
		{"format of another syntax", pages, goipp.Attributes{names("document-format", "text/plain")}, goipp.StatusErrorBadRequest},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("office")
			h, err := New(Options{Node: f, MaxDocument: 1 << 20})
			if err != nil {
				t.Fatal(err)
			}
			wantStatus(t, send(t, h, goipp.OpPrintJob, "office", c.document, c.attrs...), c.want)
			switch {
			case c.want != goipp.StatusOk && len(f.jobs) > 0:
				t.Errorf("a refused document became %v", f.jobs[0])
			case c.want == goipp.StatusOk && (string(f.docs[1]) != pages || f.jobs[0].Pages != 2 || f.jobs[0].Format != "text/plain"):
				t.Errorf("the document became %v: %q", f.jobs[0], f.docs[1])
			}
		})
	}
}

// TestBrokenBodies: a body that ends in an error makes no job.
func TestBrokenBodies(t *testing.T) {
	raw, _ := message(goipp.OpPrintJob, "office").EncodeBytes()
	for _, c := range []struct {
		at   int
		err  error
		want goipp.Status
	}{
		{20, os.ErrDeadlineExceeded, goipp.StatusErrorTimeout},
		{20, io.ErrUnexpectedEOF, goipp.StatusErrorBadRequest},
		{len(raw), os.ErrDeadlineExceeded, goipp.StatusErrorTimeout},
		{len(raw), errors.New("connection reset"), goipp.StatusErrorBadRequest},
	} {
		f := newFake("office")
		body := io.MultiReader(bytes.NewReader(raw[:c.at]), iotest.ErrReader(c.err))
		w := httptest.NewRecorder()
		handler(t, f).ServeHTTP(w, httptest.NewRequest(nethttp.MethodPost, "/", body))
		var m goipp.Message
		if err := m.Decode(w.Body); err != nil {
			t.Fatal(err)
		}
		wantStatus(t, &m, c.want)
		if len(f.jobs) > 0 {
			t.Errorf("a broken body became a job: %v", f.jobs[0])
		}
	}
}

// FuzzScan: what the scanner lets through is a whole message, with nothing of what follows it, and goipp agrees where it ends.
func FuzzScan(f *testing.F) {
	f.Add(begin(goipp.OpGetPrinterAttributes).target().end())
	f.Add(append(deep(8).end(), "pages"...))
	f.Add(append(begin(goipp.OpGetJobs).value(goipp.TagExtension, "x", "\x00\x00\x00\x01a").end(), 3, 3))
	f.Fuzz(func(t *testing.T, in []byte) {
		r := bufio.NewReader(bytes.NewReader(in))
		raw, err := scan(r)
		if len(raw) > maxMessage || !bytes.HasPrefix(in, raw) {
			t.Fatalf("%d bytes were read that are not the beginning", len(raw))
		}
		if err != nil {
			return
		}
		rest, _ := io.ReadAll(r)
		if len(raw)+len(rest) != len(in) {
			t.Errorf("%d bytes and then %d, of %d", len(raw), len(rest), len(in))
		}
		whole := bytes.NewReader(in)
		var m goipp.Message
		if m.Decode(whole) == nil && len(in)-whole.Len() != len(raw) {
			t.Errorf("the message ends at %d, for goipp at %d", len(raw), len(in)-whole.Len())
		}
	})
}

// FuzzServe: whatever comes, the answer is a message with the request's id and a status, and the queue has no more jobs than
// one.
func FuzzServe(f *testing.F) {
	for _, op := range []goipp.Op{
		goipp.OpPrintJob, goipp.OpValidateJob, goipp.OpGetJobs, goipp.OpGetJobAttributes, goipp.OpGetPrinterAttributes, goipp.OpCancelJobs,
		goipp.OpCreateJob, goipp.OpSendDocument, goipp.OpSetJobAttributes, goipp.OpCupsMoveJob, goipp.OpCupsGetDocument, goipp.OpCupsGetPrinters,
		goipp.OpCloseJob, goipp.OpSetPrinterAttributes, goipp.OpGetPrinterSupportedValues, goipp.OpIdentifyPrinter, goipp.OpGetDocuments,
		goipp.OpGetDocumentAttributes, goipp.OpSetDocumentAttributes, goipp.OpCreatePrinterSubscriptions, goipp.OpCreateJobSubscriptions,
		goipp.OpGetSubscriptionAttributes, goipp.OpGetSubscriptions, goipp.OpRenewSubscription, goipp.OpCancelSubscription,
		goipp.OpGetNotifications, goipp.OpScheduleJobAfter, goipp.OpResumeJob,
	} {
		m := message(op, "office", integers("job-id", 1), boolean("last-document", true), keywords("requested-attributes", "all"))
		m.Operation = append(m.Operation, integers("document-number", 1), integers("notify-subscription-ids", 1), integers("notify-subscription-id", 1))
		m.Job = goipp.Attributes{
			integers("copies", 2), keywords("sides", "one-sided"), collections("media-col", sizes[0].collection()),
			pageRanges{{Lower: 1, Upper: 2}}.attribute(),
		}
		m.Printer = goipp.Attributes{texts("printer-info", "x"), keywords("media-default", "iso_a4_210x297mm")}
		m.Subscription = goipp.Attributes{keywords("notify-events", "job-completed"), keywords("notify-pull-method", "ippget")}
		m.Document = goipp.Attributes{names("document-name", "x")}
		raw, err := m.EncodeBytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(raw, "one\n\ftwo"...))
	}
	f.Add(deep(12).end())
	f.Fuzz(func(t *testing.T, raw []byte) {
		member := newFake("office").submitted("office", "ann", queue.Pending, queue.Completed)
		member.jobs[0].Created, member.jobs[0].More = true, true
		member.subscriptions = []*queue.Subscription{{Id: 1, Printer: "office", Events: []string{"job-created"}}}
		member.logged(`"type":"submit","printer":"office","job":1,"state":"pending"`)
		h := handler(t, member)
		m, _ := postRaw(t, h, raw)
		if len(raw) >= headerLen && m.RequestID != binary.BigEndian.Uint32(raw[4:]) {
			t.Errorf("request-id is %d", m.RequestID)
		}
		if find(m.Operation, "attributes-charset") == nil {
			t.Error("the answer has no attributes-charset")
		}
		if goipp.Status(m.Code) == goipp.StatusErrorInternal {
			t.Error("the answer is an internal error")
		}
		if len(member.jobs) > 3 {
			t.Errorf("one request made %d jobs", len(member.jobs)-2)
		}
	})
}
