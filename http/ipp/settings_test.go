package ipp

import (
	"fmt"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/printer/pages"
	"printq/queue"
)

func setting(op goipp.Op, printer string, attrs ...goipp.Attribute) *goipp.Message {
	m := message(op, printer)
	m.Printer = attrs
	return m
}

func TestSetPrinterAttributes(t *testing.T) {
	for _, c := range []struct {
		name    string
		printer string
		attrs   goipp.Attributes
		want    goipp.Status
	}{
		{"words", "office", goipp.Attributes{texts("printer-info", "labels"), texts("printer-location", "hall 3")}, goipp.StatusOk},
		{"the default size", "office", goipp.Attributes{keywords("media-default", "iso_a6_105x148mm")}, goipp.StatusOk},
		{"taken away", "office", goipp.Attributes{missing("printer-info", goipp.TagDeleteAttr)}, goipp.StatusOk},
		{"nothing", "office", nil, goipp.StatusErrorBadRequest},
		{"no printer", "nowhere", goipp.Attributes{texts("printer-info", "labels")}, goipp.StatusErrorNotFound},
		{"what cannot be", "office", goipp.Attributes{texts("printer-info", "labels"), enums("printer-state", 3)}, goipp.StatusErrorAttributesNotSettable},
		{"no size", "office", goipp.Attributes{texts("printer-info", "labels"), keywords("media-default", "iso_a99")}, goipp.StatusErrorAttributesOrValues},
		{"no place", "office", goipp.Attributes{uris("printer-geo-location", "http://a")}, goipp.StatusErrorAttributesOrValues},
		{"too long", "office", goipp.Attributes{texts("printer-info", strings.Repeat("x", 128))}, goipp.StatusErrorAttributesOrValues},
		{"two values", "office", goipp.Attributes{texts("printer-info", "a", "b")}, goipp.StatusErrorAttributesOrValues},
		{"another syntax", "office", goipp.Attributes{integers("printer-info", 3)}, goipp.StatusErrorAttributesOrValues},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("office")
			h := handler(t, f)
			a, _ := post(t, h, setting(goipp.OpSetPrinterAttributes, c.printer, c.attrs...), "")
			wantStatus(t, a, c.want)
			if changed := f.printers["office"].Description != nil; changed != (c.want == goipp.StatusOk) {
				t.Errorf("it is described as %v", f.printers["office"].Description)
			}
			if c.want != goipp.StatusOk {
				return
			}
			got := ask(t, h, goipp.OpGetPrinterAttributes, "office").Printer
			for _, want := range c.attrs {
				if want.Values[0].T != goipp.TagDeleteAttr && !find(got, want.Name).Values.Equal(want.Values) {
					t.Errorf("%s is %v", want.Name, find(got, want.Name))
				}
			}
		})
	}
	a := ask(t, handler(t, newFake("office")), goipp.OpGetPrinterSupportedValues, "office", keywords("requested-attributes", "printer-info", "media-default"))
	wantStatus(t, a, goipp.StatusOk)
	if len(a.Printer) != 2 || find(a.Printer, "printer-info").Values[0].T != goipp.TagAdminDefine {
		t.Errorf("supported values: %v", a.Printer)
	}
}

func TestAcceptingAndDefault(t *testing.T) {
	f := newFake("office", "store")
	h := handler(t, f)
	accepting := func() string {
		return find(ask(t, h, goipp.OpGetPrinterAttributes, "store").Printer, "printer-is-accepting-jobs").Values.String()
	}
	for _, op := range []goipp.Op{goipp.OpDisablePrinter, goipp.OpCupsRejectJobs, goipp.OpShutdownPrinter} {
		wantStatus(t, ask(t, h, op, "store"), goipp.StatusOk)
		if accepting() != "false" {
			t.Errorf("after %v it accepts jobs", op)
		}
		back := map[goipp.Op]goipp.Op{goipp.OpDisablePrinter: goipp.OpEnablePrinter, goipp.OpCupsRejectJobs: goipp.OpCupsAcceptJobs, goipp.OpShutdownPrinter: goipp.OpStartupPrinter}[op]
		wantStatus(t, ask(t, h, back, "store"), goipp.StatusOk)
		if accepting() != "true" || f.printers["store"].Paused {
			t.Errorf("after %v it accepts no jobs", back)
		}
	}
	wantStatus(t, ask(t, h, goipp.OpCupsGetDefault, ""), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpCupsSetDefault, "store"), goipp.StatusOk)
	a := ask(t, h, goipp.OpCupsGetDefault, "")
	wantStatus(t, a, goipp.StatusOk)
	if got := find(a.Printer, "printer-name").Values.String(); got != "store" {
		t.Errorf("the default is %s", got)
	}
	wantStatus(t, ask(t, h, goipp.OpHoldNewJobs, "store"), goipp.StatusOk)
	if got := find(ask(t, h, goipp.OpGetPrinterAttributes, "store").Printer, "printer-state-reasons").Values.String(); got != "hold-new-jobs" {
		t.Errorf("printer-state-reasons is %s", got)
	}
	wantStatus(t, ask(t, h, goipp.OpReleaseHeldNewJobs, "store"), goipp.StatusOk)
	for _, op := range []goipp.Op{goipp.OpEnablePrinter, goipp.OpHoldNewJobs, goipp.OpCupsSetDefault} {
		wantStatus(t, ask(t, h, op, "nowhere"), goipp.StatusErrorNotFound)
		wantStatus(t, ask(t, h, op, ""), goipp.StatusErrorBadRequest)
	}
	f.failing("Propose", queue.ErrNotAccepting)
	wantStatus(t, ask(t, h, goipp.OpCreateJob, "store"), goipp.StatusErrorNotAcceptingJobs)
}

// TestWhy: CUPS's commands say why in an attribute of their own.
func TestWhy(t *testing.T) {
	f := newFake("office")
	h := handler(t, f)
	for _, name := range []string{"message", "printer-state-message"} {
		wantStatus(t, ask(t, h, goipp.OpPausePrinter, "office", texts(name, "no paper")), goipp.StatusOk)
		if c := f.causes[len(f.causes)-1]; c.By != "ann" || c.Why != "no paper" {
			t.Errorf("%s: %v", name, c)
		}
	}
}

func TestIdentifyPrinter(t *testing.T) {
	h := handler(t, newFake("office"))
	wantStatus(t, ask(t, h, goipp.OpIdentifyPrinter, "office"), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpIdentifyPrinter, "office", keywords("identify-actions", "display", "sound")), goipp.StatusOkIgnoredOrSubstituted)
	wantStatus(t, ask(t, h, goipp.OpIdentifyPrinter, "office", keywords("identify-actions", "sound")), goipp.StatusOkIgnoredOrSubstituted)
	wantStatus(t, ask(t, h, goipp.OpIdentifyPrinter, "nowhere"), goipp.StatusErrorNotFound)
}

func TestPageRanges(t *testing.T) {
	ranges := func(r ...goipp.Range) goipp.Attribute { return pageRanges(r).attribute() }
	for _, c := range []struct {
		name, document, format string
		job                    goipp.Attributes
		fidelity               bool
		want                   goipp.Status
		got                    string
	}{
		{"of text", "1\f2\f3\f4", pages.Text, goipp.Attributes{ranges(goipp.Range{Lower: 2, Upper: 2}, goipp.Range{Lower: 4, Upper: 9})}, true, goipp.StatusOk, "2\f4"},
		{"of a PDF", "%PDF-1.4", pages.PDF, goipp.Attributes{ranges(goipp.Range{Lower: 2, Upper: 2})}, false, goipp.StatusOkIgnoredOrSubstituted, "%PDF-1.4"},
		{"of a PDF, or not at all", "%PDF-1.4", pages.PDF, goipp.Attributes{ranges(goipp.Range{Lower: 2, Upper: 2})}, true, goipp.StatusErrorAttributesOrValues, ""},
		{"beyond the end", "1\f2", pages.Text, goipp.Attributes{ranges(goipp.Range{Lower: 3, Upper: 9})}, false, goipp.StatusErrorBadRequest, ""},
		{"out of order", "1\f2", pages.Text, goipp.Attributes{ranges(goipp.Range{Lower: 2, Upper: 2}, goipp.Range{Lower: 1, Upper: 1})}, false, goipp.StatusErrorBadRequest, ""},
		{"from 0", "1\f2", pages.Text, goipp.Attributes{ranges(goipp.Range{Lower: 0, Upper: 2})}, false, goipp.StatusOkIgnoredOrSubstituted, "1\f2"},
		{"an override of what is so anyway", "1", pages.Text, goipp.Attributes{collections("overrides", goipp.Collection{ranges(goipp.Range{Lower: 1, Upper: 1}), keywords("sides", "one-sided")}[1:])}, true, goipp.StatusOk, "1"},
		{"an override of what is not", "1", pages.Text, goipp.Attributes{collections("overrides", goipp.Collection{keywords("sides", "two-sided-long-edge")})}, true, goipp.StatusErrorAttributesOrValues, ""},
		{"an override of the copies", "1", pages.Text, goipp.Attributes{collections("overrides", goipp.Collection{integers("copies", 2)})}, true, goipp.StatusErrorAttributesOrValues, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("office")
			m := message(goipp.OpPrintJob, "office", types("document-format", c.format), boolean("ipp-attribute-fidelity", c.fidelity))
			m.Job = c.job
			a, _ := post(t, handler(t, f), m, c.document)
			wantStatus(t, a, c.want)
			if got := string(f.docs[1]); got != c.got {
				t.Errorf("it prints %q, want %q", got, c.got)
			}
		})
	}
	// A job of Create-Job remembers them until its document is there.
	f := newFake("office")
	h := handler(t, f)
	m := message(goipp.OpCreateJob, "office")
	m.Job = goipp.Attributes{ranges(goipp.Range{Lower: 2, Upper: 3})}
	a, _ := post(t, h, m, "")
	wantStatus(t, a, goipp.StatusOk)
	for range 2 {
		wantStatus(t, send(t, h, goipp.OpSendDocument, "office", "1\f2\f3\f4", integers("job-id", 1), boolean("last-document", true)), goipp.StatusOk)
	}
	if f.jobs[0].PageRanges != "2-3" || string(f.docs[1]) != "2\f3\f" {
		t.Errorf("of %q it prints %q", f.jobs[0].PageRanges, f.docs[1])
	}
	if s := fmt.Sprint(parseRanges("2-3,x,7-9,8")); s != "2-3,7-9" {
		t.Errorf("parsed as %s", s)
	}
}

func TestDocumentsOfAJob(t *testing.T) {
	f := newFake("office")
	h := handler(t, f)
	id, last := integers("job-id", 1), boolean("last-document", true)
	ask(t, h, goipp.OpCreateJob, "office", names("job-name", "both"))
	if a := ask(t, h, goipp.OpGetDocuments, "office", id); len(a.Groups) != 1 {
		t.Errorf("documents of an open job: %v", a.Groups)
	}
	send(t, h, goipp.OpSendDocument, "office", "one", id, boolean("last-document", false))
	send(t, h, goipp.OpSendDocument, "office", "two", id, last)
	a := ask(t, h, goipp.OpGetDocuments, "office", id, keywords("requested-attributes", "all"))
	wantStatus(t, a, goipp.StatusOk)
	if len(a.Groups) != 3 || find(a.Groups[2].Attrs, "document-number").Values.String() != "2" || find(a.Groups[2].Attrs, "last-document").Values.String() != "true" {
		t.Errorf("its documents: %v", a.Groups)
	}
	if got := find(ask(t, h, goipp.OpGetJobAttributes, "office", id).Job, "number-of-documents").Values.String(); got != "2" {
		t.Errorf("number-of-documents is %s", got)
	}
	n := func(n int) goipp.Attribute { return integers("document-number", n) }
	wantStatus(t, ask(t, h, goipp.OpGetDocumentAttributes, "office", id, n(2)), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpGetDocumentAttributes, "office", id, n(3)), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpGetDocumentAttributes, "office", id), goipp.StatusErrorBadRequest)
	if _, body := post(t, h, message(goipp.OpCupsGetDocument, "office", id, n(2)), ""); body != "two" {
		t.Errorf("document 2 is %q", body)
	}
	set := message(goipp.OpSetDocumentAttributes, "office", id, n(2))
	set.Document = goipp.Attributes{names("document-name", "second")}
	a, _ = post(t, h, set, "")
	wantStatus(t, a, goipp.StatusOk)
	set.Document = goipp.Attributes{types("document-format", "text/plain")}
	a, _ = post(t, h, set, "")
	wantStatus(t, a, goipp.StatusErrorAttributesNotSettable)
	wantStatus(t, ask(t, h, goipp.OpCancelJob, "office", id), goipp.StatusOk)
	for _, j := range f.jobs {
		if j.State != uint32(queue.Canceled) {
			t.Errorf("after Cancel-Job a document is %v", queue.JobState(j.State))
		}
	}
}
