package emulator

import (
	"fmt"
	"math"
)

// A job counts and prints pages between the boundaries that JOB and EOJ make, or the connection (chapter 5).
type job struct {
	s     *session
	depth int // JOB commands without their EOJ
	name  string
	id    int // in the ledger; 0: nothing printed yet
	// Of the pages to print.
	from, to int
	// count is the pages since the last JOB or EOJ, the non-printing mode's included; printed is those on paper.
	count, printed int
	// The front of a sheet that waits for its back, in duplex.
	front *Page
	// The power went, or the rest was flushed: nothing more is printed.
	died bool
}

// begin is the JOB command: it names the job and resets the counts. A JOB within a job only counts.
func (j *job) begin(c command) {
	j.eject()
	if j.depth++; j.depth > 1 {
		return
	}
	j.name, j.id, j.count, j.printed = c.text("NAME"), 0, 0, 0
	j.from, j.to = 1, math.MaxInt32
	if !j.s.p.options.NoStart {
		j.from, j.to = c.number("START", 1), c.number("END", math.MaxInt32)
	}
	if j.s.p.options.Duplex {
		// A sheet is printed whole if one of its sides is (the note at START).
		j.from, j.to = j.from-(j.from+1)%2, j.to+j.to%2
	}
	j.s.report("JOB", named("START", c)...)
}

// end is the EOJ command. One without a JOB is ignored. What it reports is true: every page before it lies in the tray.
func (j *job) end(c command) {
	j.eject()
	if j.depth == 0 || j.died {
		return
	}
	if j.depth--; j.depth > 0 {
		return
	}
	j.s.report("JOB", append(named("END", c), fmt.Sprintf("PAGES=%d", j.printed))...)
	j.name, j.id, j.count, j.printed, j.from, j.to = "", 0, 0, 0, 0, 0
}

// named is a job status with the name that the command gave, if it gave one.
func named(what string, c command) []string {
	if name, ok := c.options["NAME"]; ok {
		return []string{what, fmt.Sprintf("NAME=%q", name.text)}
	}
	return []string{what}
}

// page takes a page that was read.
func (j *job) page(data []byte, torn bool) {
	if j.died {
		return
	}
	p := j.s.p.page(data)
	p.Name, p.Torn = j.name, torn
	switch {
	case !j.s.p.options.Duplex:
		j.sheet(p)
	case j.front == nil:
		j.front = &p
	default:
		front := *j.front
		j.front = nil
		j.sheet(front, p)
	}
}

// eject prints a sheet whose back will not come.
func (j *job) eject() {
	if j.front != nil && !j.died {
		front := *j.front
		j.front = nil
		j.sheet(front)
	}
}

// sheet prints a sheet, or lets it pass in the non-printing mode.
func (j *job) sheet(pages ...Page) {
	first := j.count + 1
	for i := range pages {
		pages[i].Number = first + i
	}
	counts := 1
	if j.s.p.options.Duplex {
		counts = 2
	}
	j.count += counts
	if j.depth > 0 && (first < j.from || first > j.to) {
		if j.s.p.options.SaysSkipped {
			j.s.report("PAGE", fmt.Sprint(j.count))
		}
		return
	}
	if j.id == 0 {
		j.id = j.s.p.newJob()
	}
	for i := range pages {
		pages[i].Job = j.id
	}
	j.s.release()
	j.s.drain()
	if !j.s.p.print(j.s.boot, j.s.flushed, pages...) || !j.s.landed(counts) {
		j.died = true
		return
	}
	j.printed += counts
	j.s.report("PAGE", fmt.Sprint(j.count))
}

// newJob numbers the jobs of the printer's life.
func (e *Engine) newJob() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.jobs++
	return e.jobs
}

// landed turns the page counter, and reports whether more is to be printed.
func (s *session) landed(pages int) bool {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.count += pages
	return s.alive() && !s.flushed()
}

// flushed: the connection broke, and the printer prints nothing more of what it sent. mu is held.
func (s *session) flushed() bool { return s.end == broken && s.p.options.OnBreak == BreakFlushes }
