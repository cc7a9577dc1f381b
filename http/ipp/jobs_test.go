package ipp

import (
	"slices"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/queue"
)

func TestPrintJob(t *testing.T) {
	f := newFake("office")
	h := handler(t, f)
	m := message(goipp.OpPrintJob, "office", names("job-name", "a\x01label"))
	m.Job = goipp.Attributes{integers("copies", 3), integers("job-priority", 80), keywords("job-hold-until", "indefinite"), keywords("media", "iso_a4_210x297mm")}
	a, _ := post(t, h, m, "one\ftwo")
	wantStatus(t, a, goipp.StatusOk)
	j := f.jobs[0]
	if j.Name != "a label" || j.User != "ann" || j.Copies != 3 || j.Priority != 80 || j.State != uint32(queue.Held) || j.Pages != 2 || j.Units != 2 {
		t.Errorf("the job is %v", j)
	}
	if got := find(a.Job, "job-uri").Values[0].V.String(); got != "ipp://print.example:8631/jobs/1" {
		t.Errorf("job-uri is %q", got)
	}
}

// TestTickets: what cannot be done is said, and with fidelity refused.
func TestTickets(t *testing.T) {
	for _, c := range []struct {
		name string
		attr goipp.Attribute
		ok   bool
	}{
		{"copies", integers("copies", 9999), true},
		{"no copies", integers("copies", 0), false},
		{"too many copies", integers("copies", 10000), false},
		{"copies of another syntax", keywords("copies", "two"), false},
		{"one-sided", keywords("sides", "one-sided"), true},
		{"two-sided", keywords("sides", "two-sided-long-edge"), false},
		{"media", keywords("media", "na_letter_8.5x11in"), true},
		{"unknown media", names("media", "parchment"), false},
		{"media-col", collections("media-col", sizes[0].collection()), true},
		{"media-col without a size", collections("media-col", goipp.Collection{keywords("media-type", "stationery")}), true},
		{"media-col of another size", collections("media-col", size{"", 1, 2}.collection()), false},
		{"media-col of another syntax", integers("media-col", 1), false},
		{"resolution", dpi("printer-resolution", 600), true},
		{"another resolution", dpi("printer-resolution", 601), false},
		{"unknown", integers("number-of-holes", 4), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := message(goipp.OpValidateJob, "office")
			m.Job = goipp.Attributes{c.attr}
			h := handler(t, newFake("office"))
			loose, _ := post(t, h, m, "")
			m.Operation = append(m.Operation, boolean("ipp-attribute-fidelity", true))
			strict, _ := post(t, h, m, "")
			if c.ok {
				wantStatus(t, loose, goipp.StatusOk)
				wantStatus(t, strict, goipp.StatusOk)
				return
			}
			wantStatus(t, loose, goipp.StatusOkIgnoredOrSubstituted)
			wantStatus(t, strict, goipp.StatusErrorAttributesOrValues)
			for _, a := range []*goipp.Message{loose, strict} {
				if find(a.Unsupported, c.attr.Name) == nil {
					t.Errorf("%s is not among what is not supported: %v", c.attr.Name, a.Unsupported)
				}
			}
		})
	}
}

func TestGetJobs(t *testing.T) {
	f := newFake("office", "store").submitted("office", "ann", queue.Completed, queue.Held, queue.Pending, queue.Pending, queue.Aborted)
	f.submitted("office", "bob", queue.Processing, queue.Canceled, queue.Stopped).submitted("store", "ann", queue.Pending)
	f.jobs[3].Priority = 60
	h := handler(t, f)
	which := func(v string) goipp.Attribute { return keywords("which-jobs", v) }
	for _, c := range []struct {
		name, printer string
		attrs         goipp.Attributes
		want          []int
	}{
		// In the order in which they will end.
		{"default", "office", nil, []int{6, 8, 4, 3, 2}},
		{"not-completed", "office", goipp.Attributes{which("not-completed")}, []int{6, 8, 4, 3, 2}},
		{"completed", "office", goipp.Attributes{which("completed")}, []int{7, 5, 1}},
		{"all", "office", goipp.Attributes{which("all")}, []int{6, 8, 4, 3, 2, 7, 5, 1}},
		{"aborted", "office", goipp.Attributes{which("aborted")}, []int{5}},
		{"canceled", "office", goipp.Attributes{which("canceled")}, []int{7}},
		{"pending", "office", goipp.Attributes{which("pending")}, []int{4, 3}},
		{"pending-held", "office", goipp.Attributes{which("pending-held")}, []int{2}},
		{"processing", "office", goipp.Attributes{which("processing")}, []int{6}},
		{"processing-stopped", "office", goipp.Attributes{which("processing-stopped")}, []int{8}},
		{"proof-print", "office", goipp.Attributes{which("proof-print")}, nil},
		{"saved", "office", goipp.Attributes{which("saved")}, nil},
		{"limit", "office", goipp.Attributes{integers("limit", 2)}, []int{6, 8}},
		{"first-job-id", "office", goipp.Attributes{integers("first-job-id", 4)}, []int{6, 8, 4}},
		{"my-jobs", "office", goipp.Attributes{boolean("my-jobs", true)}, []int{4, 3, 2}},
		{"job-ids", "office", goipp.Attributes{integers("job-ids", 5, 9, 1, 77)}, []int{5, 1}},
		{"all printers", "", nil, []int{6, 8, 4, 3, 9, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := ask(t, h, goipp.OpGetJobs, c.printer, c.attrs...)
			wantStatus(t, a, goipp.StatusOk)
			if got := jobIDs(a); !slices.Equal(got, c.want) {
				t.Errorf("jobs %v, want %v", got, c.want)
			}
		})
	}
	a := ask(t, h, goipp.OpGetJobs, "office", which("lost"))
	wantStatus(t, a, goipp.StatusErrorAttributesOrValues)
	if find(a.Unsupported, "which-jobs") == nil {
		t.Error("which-jobs is not among what is not supported")
	}
	wantStatus(t, ask(t, h, goipp.OpGetJobs, "office", integers("limit", 0)), goipp.StatusErrorBadRequest)
	wantStatus(t, ask(t, h, goipp.OpGetJobs, "office", integers("job-ids", 1), which("all")), goipp.StatusErrorConflicting)
}

// TestGetManyJobs: what prints now is listed, however many jobs wait behind it.
func TestGetManyJobs(t *testing.T) {
	f := newFake("office").submitted("office", "ann", queue.Completed, queue.Stopped, queue.Processing)
	f.submitted("office", "ann", slices.Repeat([]queue.JobState{queue.Pending}, maxJobs+10)...)
	got := jobIDs(ask(t, handler(t, f), goipp.OpGetJobs, "office"))
	if len(got) != maxJobs || !slices.Equal(got[:3], []int{2, 3, 14}) {
		t.Errorf("%d jobs, first %v", len(got), got[:3])
	}
}

func TestJobAttributes(t *testing.T) {
	f := newFake("office").submitted("office", "ann", queue.Processing, queue.Pending)
	f.jobs[0].Pages, f.jobs[0].Units, f.jobs[0].Copies, f.jobs[0].Printed, f.jobs[0].Reason = 5, 5, 2, 7, "job-printing"
	f.jobs[1].Pages = 0
	h := handler(t, f)
	a := ask(t, h, goipp.OpGetJobAttributes, "office", integers("job-id", 1))
	wantStatus(t, a, goipp.StatusOk)
	for name, want := range map[string]string{
		"job-id": "1", "job-state": "5", "job-state-reasons": "job-printing", "job-impressions": "5", "job-impressions-completed": "7",
		"job-printer-uri": "ipp://print.example:8631/ipp/print/office", "copies": "2", "time-at-completed": "",
	} {
		if got := find(a.Job, name); got == nil || got.Values[0].V.String() != want {
			t.Errorf("%s is %v, want %s", name, got, want)
		}
	}
	a = ask(t, h, goipp.OpGetJobAttributes, "office", integers("job-id", 2), keywords("requested-attributes", "job-template", "job-impressions"))
	if len(a.Job) != 4 || find(a.Job, "job-impressions").Values[0].T != goipp.TagNoValue {
		t.Errorf("job-template and job-impressions are %v", a.Job)
	}
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office", integers("job-id", 3)), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpGetJobAttributes, "office"), goipp.StatusErrorBadRequest)
	m := message(goipp.OpGetJobAttributes, "")
	m.Operation[2] = uris("job-uri", "ipp://any/jobs/2")
	a, _ = post(t, h, m, "")
	wantStatus(t, a, goipp.StatusOk)
}

func TestActions(t *testing.T) {
	id := integers("job-id", 1)
	until := func(v string) goipp.Attribute { return keywords("job-hold-until", v) }
	for _, c := range []struct {
		name   string
		op     goipp.Op
		before queue.JobState
		attrs  goipp.Attributes
		job    goipp.Attributes
		want   goipp.Status
		after  queue.JobState
	}{
		{"cancel", goipp.OpCancelJob, queue.Pending, goipp.Attributes{id}, nil, goipp.StatusOk, queue.Canceled},
		{"cancel an ended one", goipp.OpCancelJob, queue.Completed, goipp.Attributes{id}, nil, goipp.StatusErrorNotPossible, queue.Completed},
		{"cancel none", goipp.OpCancelJob, queue.Pending, nil, nil, goipp.StatusErrorBadRequest, queue.Pending},
		{"hold", goipp.OpHoldJob, queue.Pending, goipp.Attributes{id}, nil, goipp.StatusOk, queue.Held},
		{"hold until the night", goipp.OpHoldJob, queue.Pending, goipp.Attributes{id, until("night")}, nil, goipp.StatusErrorAttributesOrValues, queue.Pending},
		{"release", goipp.OpReleaseJob, queue.Held, goipp.Attributes{id}, nil, goipp.StatusOk, queue.Pending},
		{"set hold", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{until("indefinite")}, goipp.StatusOk, queue.Held},
		{"set no hold", goipp.OpSetJobAttributes, queue.Held, goipp.Attributes{id}, goipp.Attributes{until("no-hold")}, goipp.StatusOk, queue.Pending},
		{"set priority", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{until("indefinite"), integers("job-priority", 1)}, goipp.StatusOk, queue.Pending},
		{"set priority 0", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{integers("job-priority", 0)}, goipp.StatusErrorAttributesOrValues, queue.Pending},
		{"set two priorities", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{integers("job-priority", 1, 2)}, goipp.StatusErrorAttributesOrValues, queue.Pending},
		{"set an empty name", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{names("job-name", "")}, goipp.StatusErrorAttributesOrValues, queue.Pending},
		{"set sides", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{integers("copies", 2), keywords("sides", "one-sided")}, goipp.StatusOk, queue.Pending},
		{"set other sides", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{keywords("sides", "two-sided-long-edge")}, goipp.StatusErrorAttributesOrValues, queue.Pending},
		{"set pages", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, goipp.Attributes{between("page-ranges", 1, 2)}, goipp.StatusErrorAttributesNotSettable, queue.Pending},
		{"set copies of none", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{integers("job-id", 9)}, goipp.Attributes{integers("copies", 2)}, goipp.StatusErrorNotFound, queue.Pending},
		{"promote", goipp.OpPromoteJob, queue.Pending, goipp.Attributes{id}, nil, goipp.StatusOk, queue.Pending},
		{"schedule after", goipp.OpScheduleJobAfter, queue.Pending, goipp.Attributes{id, integers("predecessor-job-id", 2)}, nil, goipp.StatusOk, queue.Pending},
		{"schedule after 0", goipp.OpScheduleJobAfter, queue.Pending, goipp.Attributes{id, integers("predecessor-job-id", 0)}, nil, goipp.StatusErrorBadRequest, queue.Pending},
		{"suspend", goipp.OpSuspendCurrentJob, queue.Processing, nil, nil, goipp.StatusOk, queue.Held},
		{"resume what was not suspended", goipp.OpResumeJob, queue.Held, goipp.Attributes{id}, nil, goipp.StatusErrorNotPossible, queue.Held},
		{"cancel the document", goipp.OpCancelDocument, queue.Pending, goipp.Attributes{id, integers("document-number", 1)}, nil, goipp.StatusOk, queue.Canceled},
		{"cancel a document that is not there", goipp.OpCancelDocument, queue.Pending, goipp.Attributes{id, integers("document-number", 2)}, nil, goipp.StatusErrorNotFound, queue.Pending},
		{"cancel no document", goipp.OpCancelDocument, queue.Pending, goipp.Attributes{id}, nil, goipp.StatusErrorBadRequest, queue.Pending},
		{"set nothing", goipp.OpSetJobAttributes, queue.Pending, goipp.Attributes{id}, nil, goipp.StatusErrorBadRequest, queue.Pending},
		{"cancel what prints", goipp.OpCancelCurrentJob, queue.Processing, nil, nil, goipp.StatusOk, queue.Canceled},
		{"cancel what does not", goipp.OpCancelCurrentJob, queue.Pending, nil, nil, goipp.StatusErrorNotPossible, queue.Pending},
		{"cancel all", goipp.OpCancelJobs, queue.Held, nil, nil, goipp.StatusOk, queue.Canceled},
		{"cancel some", goipp.OpCancelJobs, queue.Held, goipp.Attributes{integers("job-ids", 1)}, nil, goipp.StatusOk, queue.Canceled},
		{"cancel some that are not there", goipp.OpCancelJobs, queue.Held, goipp.Attributes{integers("job-ids", 1, 5)}, nil, goipp.StatusErrorNotPossible, queue.Held},
		{"cancel mine", goipp.OpCancelMyJobs, queue.Held, nil, nil, goipp.StatusOk, queue.Canceled},
		{"purge", goipp.OpPurgeJobs, queue.Held, nil, nil, goipp.StatusOk, queue.Canceled},
		{"reprint", goipp.OpReprocessJob, queue.Completed, goipp.Attributes{id}, nil, goipp.StatusOk, queue.Completed},
		{"restart", goipp.OpRestartJob, queue.Completed, goipp.Attributes{id}, nil, goipp.StatusOk, queue.Completed},
		{"reprint a live one", goipp.OpReprocessJob, queue.Pending, goipp.Attributes{id}, nil, goipp.StatusErrorNotPossible, queue.Pending},
		{"resubmit with other copies", goipp.OpResubmitJob, queue.Completed, goipp.Attributes{id}, goipp.Attributes{integers("copies", 2)}, goipp.StatusOk, queue.Completed},
		{"resubmit with what is not there", goipp.OpResubmitJob, queue.Completed, goipp.Attributes{id}, goipp.Attributes{keywords("sides", "triangular")}, goipp.StatusOkIgnoredOrSubstituted, queue.Completed},
		{"resubmit a live one with other copies", goipp.OpResubmitJob, queue.Pending, goipp.Attributes{id}, goipp.Attributes{integers("copies", 2)}, goipp.StatusErrorNotPossible, queue.Pending},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("office").submitted("office", "ann", c.before)
			m := message(c.op, "office", c.attrs...)
			m.Job = c.job
			a, _ := post(t, handler(t, f), m, "")
			wantStatus(t, a, c.want)
			if got := queue.JobState(f.jobs[0].State); got != c.after {
				t.Errorf("the job is %v, want %v", got, c.after)
			}
			if n := len(f.causes); n > 0 && f.causes[n-1].GetBy() != "ann" {
				t.Errorf("asked by %q", f.causes[n-1].GetBy())
			}
		})
	}
}

// TestResubmit: the document and what the new ticket does not say are the old job's.
func TestResubmit(t *testing.T) {
	f := newFake("office")
	f.printers["office"].Settings.Offers = map[string]string{"sides": "one-sided,two-sided-long-edge", "number-up": "1,2", "media-source": "tray-1,tray-2"}
	h := handler(t, f)
	m := message(goipp.OpPrintJob, "office", names("job-name", "poster"), types("document-format", "application/vnd.cups-raw"))
	m.Job = goipp.Attributes{
		integers("copies", 3), integers("job-priority", 70), keywords("sides", "two-sided-long-edge"), integers("number-up", 2),
		collections("media-col", goipp.Collection{keywords("media-size-name", "iso_a4_210x297mm"), keywords("media-source", "tray-2")}),
	}
	a, _ := post(t, h, m, "one\n\ftwo\n")
	wantStatus(t, a, goipp.StatusOk)
	f.jobs[0].State = uint32(queue.Completed)
	m = message(goipp.OpResubmitJob, "office", integers("job-id", 1), names("requesting-user-name", "bob"))
	m.Operation = slices.DeleteFunc(m.Operation, func(a goipp.Attribute) bool { return a.Values[0].V == goipp.String("ann") })
	m.Job = goipp.Attributes{keywords("sides", "one-sided"), keywords("media", "iso_a5_148x210mm")}
	a, _ = post(t, h, m, "")
	wantStatus(t, a, goipp.StatusOk)
	old, again := f.jobs[0], f.jobs[1]
	if again.Name != "poster" || again.User != "bob" || again.Copies != 3 || again.Priority != 70 || again.Format != old.Format || again.Units != old.Units {
		t.Errorf("%v", again)
	}
	if !slices.Equal(wishesOf(again.Options), []string{"media=iso_a5_148x210mm", "number-up=2", "sides=one-sided"}) {
		t.Errorf("its wishes are %v", again.Options)
	}
	if got := string(f.docs[2]); got != "one\n\ftwo\n" {
		t.Errorf("its document is %q", got)
	}
	f.jobs[0].DocumentGone = true
	a, _ = post(t, h, m, "")
	wantStatus(t, a, goipp.StatusErrorNotPossible)
}

func TestCancelMyJobsLeavesOthers(t *testing.T) {
	f := newFake("office").submitted("office", "ann", queue.Pending).submitted("office", "bob", queue.Pending)
	h := handler(t, f)
	wantStatus(t, ask(t, h, goipp.OpCancelMyJobs, "office", integers("job-ids", 2)), goipp.StatusErrorNotPossible)
	// As CUPS's cancel -u ann sends it.
	wantStatus(t, ask(t, h, goipp.OpCancelJobs, "office", integers("job-id", 0), boolean("my-jobs", true)), goipp.StatusOk)
	if f.jobs[0].State != uint32(queue.Canceled) || f.jobs[1].State != uint32(queue.Pending) {
		t.Errorf("the jobs are %v", f.jobs)
	}
}

func TestCUPS(t *testing.T) {
	f := newFake("office", "store").submitted("office", "ann", queue.Pending, queue.Pending)
	h := handler(t, f)
	m := message(goipp.OpCupsMoveJob, "office", integers("job-id", 1))
	m.Job = goipp.Attributes{uris("job-printer-uri", "ipp://any/printers/store")}
	a, _ := post(t, h, m, "")
	wantStatus(t, a, goipp.StatusOk)
	if f.jobs[0].Printer != "store" || f.jobs[1].Printer != "office" {
		t.Errorf("after CUPS-Move-Job the jobs are %v", f.jobs)
	}
	a, document := post(t, h, message(goipp.OpCupsGetDocument, "store", integers("job-id", 1), integers("document-number", 1)), "")
	wantStatus(t, a, goipp.StatusOk)
	if document != "x" || find(a.Job, "document-format") == nil {
		t.Errorf("the document is %q, %v", document, a.Job)
	}
	a = ask(t, h, goipp.OpCupsGetPrinters, "", keywords("requested-attributes", "printer-name"))
	if len(a.Groups) != 3 {
		t.Errorf("CUPS-Get-Printers gives %v", a.Groups)
	}
	wantStatus(t, ask(t, h, goipp.OpCupsGetDefault, ""), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpCupsGetClasses, ""), goipp.StatusOk)
}

func TestPausePrinter(t *testing.T) {
	f := newFake("office")
	h := handler(t, f)
	state := func() string {
		a := ask(t, h, goipp.OpGetPrinterAttributes, "office", keywords("requested-attributes", "printer-state", "printer-state-reasons"))
		if len(a.Printer) != 2 {
			t.Fatalf("printer-state and its reasons are %v", a.Printer)
		}
		return a.Printer[0].Values[0].V.String() + " " + a.Printer[1].Values.String()
	}
	before := state()
	wantStatus(t, ask(t, h, goipp.OpPausePrinter, "office"), goipp.StatusOk)
	paused := state()
	f.printers["office"].Processing = 1
	moving := state()
	wantStatus(t, ask(t, h, goipp.OpResumePrinter, "office"), goipp.StatusOk)
	f.printers["office"].Devices[0].Reason = "media-empty"
	empty := state()
	if got := []string{before, paused, moving, empty}; !slices.Equal(got, []string{"3 none", "5 paused", "4 moving-to-paused", "5 media-empty"}) {
		t.Errorf("states %q", got)
	}
	wantStatus(t, ask(t, h, goipp.OpPausePrinter, "nowhere"), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpPausePrinter, ""), goipp.StatusErrorBadRequest)
}
