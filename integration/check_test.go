package integration

import (
	"fmt"
	"slices"
)

// A sheet is one page that came out, in the order of the paper.
type sheet struct {
	job        uint64
	copy, page int
	data       body
}

// A report is what the audit found. All but the first two are violations, each in words.
type report struct {
	acknowledged int
	// Documents of which every page of every copy came out as it was sent, in order.
	printed int
	// Pages that did not come out; came out again; lie among another job's; are not what was sent; came out before an
	// earlier one.
	lost, doubled, mixed, altered, reordered []string
	// Pages of jobs that nobody was told of, and documents that became the same job.
	strange []string
	// Jobs that began before one of the same printer and priority that was submitted earlier.
	overtaken []string
}

func (r *report) violations() []string {
	return slices.Concat(r.lost, r.doubled, r.mixed, r.altered, r.reordered, r.strange, r.overtaken)
}

func (r *report) String() string {
	return fmt.Sprintf("%d acknowledged, %d printed, %d lost, %d doubled, %d mixed, %d altered, %d reordered, %d strange, %d overtaken",
		r.acknowledged, r.printed, len(r.lost), len(r.doubled), len(r.mixed), len(r.altered), len(r.reordered), len(r.strange), len(r.overtaken))
}

// check compares the paper of each printer with what was acknowledged, byte for byte. The documents of one printer have the
// same priority, and none was held, moved or reprinted.
func check(papers map[string][]sheet, documents []*document) *report {
	r := &report{acknowledged: len(documents)}
	jobs := map[uint64]*tally{}
	for _, d := range documents {
		if other := jobs[d.job]; other != nil {
			r.strange = append(r.strange, fmt.Sprintf("%q and %q both became job %d", other.name, d.name, d.job))
		}
		jobs[d.job] = &tally{document: d, report: r, count: make([]int, len(d.pages)*d.copies), last: -1}
	}
	for printer, paper := range papers {
		r.follow(printer, paper, jobs)
	}
	for _, d := range documents {
		if jobs[d.job].document == d && jobs[d.job].finish() {
			r.printed++
		}
	}
	return r
}

// follow goes through the paper of one printer.
func (r *report) follow(printer string, paper []sheet, jobs map[uint64]*tally) {
	lastOf := map[uint64]int{}
	for i, s := range paper {
		lastOf[s.job] = i
	}
	// The job whose pages are not all out, and the highest so far.
	var open, highest uint64
	for i, s := range paper {
		where := fmt.Sprintf("sheet %d of %s", i+1, printer)
		t := jobs[s.job]
		switch {
		case t == nil:
			r.strange = append(r.strange, fmt.Sprintf("%s is page %d of job %d, which nobody was told of", where, s.page, s.job))
		case t.printer != printer:
			r.strange = append(r.strange, fmt.Sprintf("%s is of %s, which was sent to %s", where, t.title(s.copy, s.page), t.printer))
		default:
			t.take(where, s)
		}
		if open != 0 && s.job != open {
			r.mixed = append(r.mixed, fmt.Sprintf("%s, of job %d, lies among those of job %d", where, s.job, open))
		} else if open == 0 && s.job < highest {
			r.overtaken = append(r.overtaken, fmt.Sprintf("%s, of job %d, came out after job %d had begun", where, s.job, highest))
		}
		highest = max(highest, s.job)
		if open == 0 {
			open = s.job
		}
		if i == lastOf[open] {
			open = 0
		}
	}
}

// A tally follows one document through the paper. Its units are numbered over all copies, from 0, as they must come out.
type tally struct {
	*document
	report  *report
	count   []int // of each unit
	last    int   // the highest unit so far
	spoiled bool
}

func (t *tally) title(copy, page int) string {
	return fmt.Sprintf("job %d (%s) copy %d page %d", t.job, t.name, copy, page)
}

func (t *tally) take(where string, s sheet) {
	title := t.title(s.copy, s.page)
	if s.copy < 1 || s.copy > t.copies || s.page < 1 || s.page > len(t.pages) {
		t.spoil(&t.report.altered, "%s is %s, which does not exist", where, title)
		return
	}
	unit := (s.copy-1)*len(t.pages) + s.page - 1
	t.count[unit]++
	switch {
	case t.count[unit] > 1:
		t.spoil(&t.report.doubled, "%s came out again, as %s", title, where)
	case unit < t.last:
		t.spoil(&t.report.reordered, "%s came out late, as %s", title, where)
	}
	t.last = max(t.last, unit)
	if err := differ(t.pages[s.page-1], s.data); err != nil {
		t.spoil(&t.report.altered, "%s, %s, is not what was sent: %v", where, title, err)
	}
}

func (t *tally) spoil(list *[]string, format string, args ...any) {
	*list = append(*list, fmt.Sprintf(format, args...))
	t.spoiled = true
}

// finish reports whether the whole document is out as it was sent.
func (t *tally) finish() bool {
	for unit, n := range t.count {
		if n == 0 {
			t.spoil(&t.report.lost, "%s did not come out", t.title(unit/len(t.pages)+1, unit%len(t.pages)+1))
		}
	}
	return !t.spoiled
}
