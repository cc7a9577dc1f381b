package demo

import (
	"bytes"
	"fmt"
	"slices"
)

// A Page is one that came out, in the order of the paper: what the tray's ledger says, and the bytes of the page's file.
type Page struct {
	Job        uint64
	Copy, Page int
	Data       []byte
	// Err: the page's file could not be read.
	Err error
}

// A Document is what was acknowledged: a job, and the pages that were sent for it.
type Document struct {
	Job    uint64
	Name   string
	Copies int
	Pages  [][]byte
}

// A Report is what a checker found. All but the first two are violations, each in words.
type Report struct {
	Acknowledged int
	// Documents of which every page of every copy came out as it was sent, whatever else is wrong.
	Printed int
	// Pages that are missing; came out again; lie between another job's; differ; or came out before an earlier one.
	Lost, Doubled, Mixed, Altered, Reordered []string
	// Pages of a job that nobody was told of: one that was acknowledged under another number, or never sent.
	Strange []string
}

// OK reports whether nothing is wrong.
func (r *Report) OK() bool { return len(r.Violations()) == 0 }

// Violations are all of them.
func (r *Report) Violations() []string {
	return slices.Concat(r.Lost, r.Doubled, r.Mixed, r.Altered, r.Reordered, r.Strange)
}

// String is one line.
func (r *Report) String() string {
	s := fmt.Sprintf("%d acknowledged, %d printed, %d lost, %d doubled, %d mixed",
		r.Acknowledged, r.Printed, len(r.Lost), len(r.Doubled), len(r.Mixed))
	if n := len(r.Altered) + len(r.Reordered) + len(r.Strange); n > 0 {
		s += fmt.Sprintf(", %d altered, %d out of order, %d of unknown jobs", len(r.Altered), len(r.Reordered), len(r.Strange))
	}
	return s
}

// Check compares the paper with what was acknowledged, byte for byte. It relies on nothing that printq says of itself, only
// on the two lists.
func Check(paper []Page, documents []Document) *Report {
	r := &Report{Acknowledged: len(documents)}
	checks := map[uint64]*check{}
	for i := range documents {
		checks[documents[i].Job] = newCheck(&documents[i])
	}
	for i, p := range paper {
		c := checks[p.Job]
		if c == nil {
			r.Strange = append(r.Strange, fmt.Sprintf("sheet %d is page %d of job %d, which nobody was told of", i+1, p.Page, p.Job))
			continue
		}
		c.take(r, i, p)
	}
	for i := range documents {
		c := checks[documents[i].Job]
		if c.finish(r) {
			r.Printed++
		}
		c.mixed(r, paper)
	}
	return r
}

// A check follows one document through the paper. Units are numbered over all copies, from 0, as they must come out.
type check struct {
	*Document
	count       []int // of each unit
	altered     bool
	last        int // highest unit so far
	first, then int // sheets from and to
}

func newCheck(d *Document) *check {
	return &check{Document: d, count: make([]int, len(d.Pages)*d.Copies), last: -1, first: -1}
}

func (c *check) name(copy, page int) string {
	return fmt.Sprintf("job %d (%s) copy %d page %d", c.Job, c.Name, copy, page)
}

func (c *check) take(r *Report, sheet int, p Page) {
	if c.first < 0 {
		c.first = sheet
	}
	c.then = sheet
	unit := (p.Copy-1)*len(c.Pages) + p.Page - 1
	if p.Copy < 1 || p.Page < 1 || p.Page > len(c.Pages) || unit >= len(c.count) {
		r.Altered = append(r.Altered, c.name(p.Copy, p.Page)+" does not exist")
		c.altered = true
		return
	}
	c.count[unit]++
	switch {
	case c.count[unit] > 1:
		r.Doubled = append(r.Doubled, fmt.Sprintf("%s came out again, as sheet %d", c.name(p.Copy, p.Page), sheet+1))
	case unit < c.last:
		r.Reordered = append(r.Reordered, fmt.Sprintf("%s came out late, as sheet %d", c.name(p.Copy, p.Page), sheet+1))
	}
	c.last = max(c.last, unit)
	if p.Err != nil || !bytes.Equal(p.Data, c.Pages[p.Page-1]) {
		text := fmt.Sprintf("%s is not what was sent: %d bytes for %d", c.name(p.Copy, p.Page), len(p.Data), len(c.Pages[p.Page-1]))
		if p.Err != nil {
			text = fmt.Sprintf("%s cannot be read: %v", c.name(p.Copy, p.Page), p.Err)
		}
		r.Altered = append(r.Altered, text)
		c.altered = true
	}
}

// finish reports whether the whole document is there.
func (c *check) finish(r *Report) bool {
	whole := !c.altered
	for unit, n := range c.count {
		if n == 0 {
			r.Lost = append(r.Lost, c.name(unit/len(c.Pages)+1, unit%len(c.Pages)+1)+" did not come out")
			whole = false
		}
	}
	return whole
}

// mixed finds the sheets of others between this job's first and last.
func (c *check) mixed(r *Report, paper []Page) {
	if c.first < 0 {
		return
	}
	for i, p := range paper[c.first:c.then] {
		if p.Job != c.Job {
			r.Mixed = append(r.Mixed, fmt.Sprintf("sheet %d, of job %d, lies among those of job %d (%s)", c.first+i+1, p.Job, c.Job, c.Name))
		}
	}
}
