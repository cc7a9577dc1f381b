package ipp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"printq/printer/device"
	"printq/printer/pages"
)

// outcome is what is known of a job that has ended. Ours: we canceled it.
func (w *watch) outcome(ctx context.Context, s *standing, ours bool) device.Outcome {
	o := device.Outcome{Out: w.out, Detail: s.why()}
	switch s.state {
	case completed:
		o.End = device.Completed
		if doubt := w.doubt(ctx, s); doubt != "" {
			o.Detail = doubt
		} else {
			o.Out, o.Known = w.sheet.Job.Total(), true
		}
		return o
	case canceled:
		o.End = device.Canceled
	default:
		o.End = device.Aborted
	}
	nothing := s.impressions <= 0 && s.sheets <= 0
	switch {
	case nothing && w.unprocessed(s):
		o.Known = true
		// What somebody else ended, or the printer after it had the document, would only end in the same way again.
		if ours || s.state == aborted && !w.memory.accepted && !refusedFormat(s) {
			o.End = device.Untouched
		}
	case nothing:
		o.Known = !w.memory.cut && w.counts(ctx)
	default:
		o.Known = !w.memory.cut && w.exact()
	}
	return o
}

// unprocessed: the printer never began to print the job.
func (w *watch) unprocessed(s *standing) bool {
	if w.memory.processed || s.began {
		return false
	}
	return s.never || w.memory.fresh || s.documents == 0
}

func refusedFormat(s *standing) bool {
	return slices.ContainsFunc(s.reasons, func(r string) bool { return strings.Contains(r, "document-") })
}

// doubt is what speaks against a completed job being complete; empty: nothing.
func (w *watch) doubt(ctx context.Context, s *standing) string {
	least, octets := w.least(), w.octets()
	switch {
	case w.memory.cut:
		return "the document broke off on its way, and the printer completed the job nevertheless"
	case s.documents > 1:
		return fmt.Sprintf("the printer has %d documents in the job: it may have come out more than once", s.documents)
	case slices.Contains(s.reasons, "job-completed-with-errors"):
		return "the printer completed the job with errors: " + s.why()
	case s.octets > 0 && s.octets < octets:
		return fmt.Sprintf("the printer completed the job with %d KiB of a document of %d KiB", s.octets, octets)
	case s.impressions > 0 && s.impressions < least:
		return fmt.Sprintf("the printer completed the job and counts %d impressions for at least %d", s.impressions, least)
	case s.impressions == 0 && s.sheets <= 0 && w.counts(ctx):
		return "the printer completed the job and counts no impression for it, as it does for other jobs"
	case w.memory.accepted, least > 0 && s.impressions >= least:
		return ""
	}
	return "the printer completed the job, and nobody saw that it had the whole document"
}

// octets is the document's size in whole units of 1024; 0: not known.
func (w *watch) octets() int {
	bytes := w.sheet.Job.Bytes
	if w.document != nil {
		bytes = w.document.size
	} else if w.sheet.Job.Start > 0 {
		bytes = 0
	}
	return int(min(max(bytes, 0)/1024, 1<<31-1))
}

// least is how many impressions the job has in any case; 0: that is not certain. Printers count copies, and the blank backs of
// two-sided sheets, in different ways: some count the sheets.
func (w *watch) least() int {
	j := w.sheet.Job
	n := j.Pages
	switch pages.Canonical(j.Format) {
	case pages.PWG:
		if j.Start%max(j.Units, 1) != 0 {
			n = j.Total() - j.Start
		}
	case pages.PDF, pages.URF:
	default:
		return 0
	}
	if n < 1 || !w.plain() {
		return 0
	}
	if w.twoSided() {
		n = (n + 1) / 2
	}
	return n
}

// plain: nothing in the options makes impressions other than pages.
func (w *watch) plain() bool {
	for name, harmless := range map[string]string{
		"number-up": "1", "page-ranges": "", "imposition-template": "none", "job-sheets": "none", "page-delivery": "",
	} {
		if value := w.sheet.Job.Options[name]; value != "" && value != harmless {
			return false
		}
	}
	return true
}

func (w *watch) twoSided() bool {
	sides := w.sheet.Job.Options["sides"]
	if sides == "" {
		sides = w.about.text("sides-default")
	}
	return strings.HasPrefix(sides, "two-sided")
}

// exact: an impression is a unit. Text does not qualify: a printer breaks long lines and pages.
func (w *watch) exact() bool {
	j := w.sheet.Job
	copies, _ := left(j)
	return copies == 1 && j.Units == j.Pages && w.least() > 0 && !w.twoSided()
}

// tell says how far the job is, never less than before.
func (w *watch) tell(s *standing) {
	out := w.out
	if s.impressions > 0 && w.exact() {
		out = max(out, min(w.sheet.Job.Start+s.impressions, w.sheet.Job.Total()))
	}
	if out > w.out {
		w.out = out
		w.told()
	}
}

func (w *watch) told() {
	if w.sheet.Told == nil {
		return
	}
	sent := device.Sent{Whole: w.out, Out: w.out}
	if w.memory.accepted {
		sent.Whole = w.sheet.Job.Total()
	}
	w.sheet.Told(sent)
}

// counts: the printer counts what jobs print, as those of other people show.
func (w *watch) counts(ctx context.Context) bool {
	jobs, err := w.client.jobs(ctx, "completed", 50)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(jobs, func(s *standing) bool {
		return s.id != w.id && s.state == completed && (s.impressions > 0 || s.sheets > 0)
	})
}
