package stream

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"printq/printer/device"
	"printq/printer/pages"
	"printq/printer/pjl"
)

// A frame is the PJL around an attempt's units on one connection.
//
// Where units are pages, one PJL job holds them all, so that the printer's page status counts through. Where a unit is a whole
// document, each has a job of its own, whose end says that it is out.
type frame struct {
	attempt uint64
	framed  bool
	open    bool   // a JOB without its EOJ
	name    string // of that job
	entered bool   // a language was entered
	begun   bool   // without frames: a unit was sent

	started bool // the printer has said so: it knows USTATUS JOB
	ended   int  // the unit whose PJL job has ended last; where one PJL job holds all, the whole
	spoke   bool // a page status has come
	told    int  // of this PJL job
	pages   int  // of it that are out
}

// single: each unit is a PJL job.
func single(j device.Job) bool { return perUnit(j) == 0 || j.Units == 1 }

// perUnit is how many pages a unit has; 0: not known.
func perUnit(j device.Job) int {
	switch {
	case j.Units == 1:
		return j.Pages
	case j.Units == j.Pages:
		return 1
	}
	return 0
}

// begin is what comes before the next unit: number counts over all copies, head is how its document begins.
func (f *frame) begin(w *device.Window, number int, head []byte, raw, report bool) []byte {
	var c pjl.Commands
	text := pages.Canonical(w.Job.Format) == pages.Text
	if !f.framed || f.entered && text && !single(w.Job) {
		return nil
	}
	c = pjl.Begin()
	if f.open && single(w.Job) {
		c = c.EndJob(f.name)
		f.open = false
	}
	if !f.open {
		f.name = w.Job.Title()
		start := 0
		if single(w.Job) {
			f.name = fmt.Sprintf("%s/%d", f.name, number)
		}
		if number == w.From+1 && w.Pages > 0 {
			start = w.Pages + 1
		}
		if report {
			c = c.Report(true)
		}
		c = settings(c.Job(f.name, start), w.Job)
		f.open, f.pages, f.told = true, 0, 0
	}
	f.entered = true
	language := languageOf(w.Job.Format, head)
	c = c.Enter(language)
	if text && !raw {
		return append(c, "\x1b&k2G"...) // PCL: LF is CR LF
	}
	return c
}

// eject is what comes after a window's last unit: it is printed without waiting for another. The printer is in PJL then.
func (f *frame) eject(ends bool) []byte {
	if !f.framed {
		return nil
	}
	c := pjl.Begin()
	f.entered = false
	if ends && f.open {
		c = c.EndJob(f.name)
		f.open = false
	}
	return c
}

// end is what comes before the connection is closed.
func (f *frame) end(talks bool) []byte {
	c := pjl.Commands(f.eject(true))
	if talks {
		c = append(c, pjl.Begin().Report(false)...)
	}
	if len(c) == 0 {
		return nil
	}
	return append(c, pjl.UEL...)
}

// page takes note of a page status: pages of the PJL job so far. Some models number the pages of a sheet or a copy instead, so
// there are at least as many as were told of.
func (f *frame) page(n int) {
	f.spoke = true
	f.told++
	f.pages = max(f.pages, n, f.told)
}

// job takes note of a job status. It reports whether the frame's job was canceled. Others' names, which a document may bring
// with it, say nothing.
func (f *frame) job(event pjl.JobEvent, name string, w *device.Window) bool {
	title := w.Job.Title()
	if name == "" || len(name) < len("printq/") || !strings.HasPrefix(name, title) && !strings.HasPrefix(title, name) {
		return event == pjl.JobCanceled && name == ""
	}
	switch event {
	case pjl.JobStarted:
		f.started = true
	case pjl.JobEnded:
		f.ended = w.Job.Total()
		if single(w.Job) {
			f.ended = unitOf(name, title)
		}
	}
	return event == pjl.JobCanceled
}

// unitOf is the number at the name's end; 0: the printer has cut it off.
func unitOf(name, title string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(strings.TrimPrefix(name, title), "/"))
	if err != nil {
		return 0
	}
	return n
}

// languageOf is what ENTER LANGUAGE has for a document; empty: the printer is to find out.
func languageOf(format string, head []byte) string {
	if bytes.HasPrefix(head, []byte(pjl.UEL)) {
		return "" // it enters its own
	}
	switch pages.Canonical(format) {
	case pages.Text:
		return "PCL"
	case pages.PCL:
		if bytes.HasPrefix(head, []byte(") HP-PCL XL")) {
			return "PCLXL"
		}
		return "PCL"
	case pages.PostScript:
		return "POSTSCRIPT"
	case pages.PDF:
		return "PDF"
	case pages.URF:
		return "URF"
	case pages.PWG:
		return "PWG"
	}
	return ""
}

// settings are the options for which PJL has a variable (chapter 6). Never COPIES: each copy is sent.
func settings(c pjl.Commands, j device.Job) pjl.Commands {
	options := j.Options
	switch sides(j) {
	case "one-sided":
		c = c.Set("DUPLEX", "OFF")
	case "two-sided-long-edge":
		c = c.Set("DUPLEX", "ON").Set("BINDING", "LONGEDGE")
	case "two-sided-short-edge":
		c = c.Set("DUPLEX", "ON").Set("BINDING", "SHORTEDGE")
	}
	c = c.Set("PAPER", paper(options["media"]))
	switch options["orientation-requested"] {
	case "3":
		c = c.Set("ORIENTATION", "PORTRAIT")
	case "4":
		c = c.Set("ORIENTATION", "LANDSCAPE")
	}
	switch options["print-color-mode"] {
	case "monochrome":
		c = c.Set("RENDERMODE", "GRAYSCALE")
	case "color":
		c = c.Set("RENDERMODE", "COLOR")
	}
	return c
}

// sides of the sheets. Pages that are documents of their own come out on sheets of their own: their backs would be counted, and nothing is on
// them.
func sides(j device.Job) string {
	if single(j) || pages.Canonical(j.Format) == pages.Text {
		return j.Options["sides"]
	}
	return "one-sided"
}

// paper is PJL's name of a media size (PWG 5101.1); empty: it has none, or another.
func paper(media string) string {
	switch media {
	case "iso_a3_297x420mm":
		return "A3"
	case "iso_a4_210x297mm":
		return "A4"
	case "iso_a5_148x210mm":
		return "A5"
	case "na_letter_8.5x11in":
		return "LETTER"
	case "na_legal_8.5x14in":
		return "LEGAL"
	case "na_executive_7.25x10.5in":
		return "EXECUTIVE"
	case "na_ledger_11x17in":
		return "LEDGER"
	}
	return ""
}
