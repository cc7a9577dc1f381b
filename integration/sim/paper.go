package sim

import (
	"fmt"

	"printq/printer/device"
)

// paper is what came out of all printers, in order.
type paper struct {
	w      *World
	sheets []sheet
	out    map[printing][]int // units, in the order they came out
	open   map[int]printing   // what a tray printed last
	// Of printers without a fence.
	rounds map[round]*copies
	fenced map[round]map[int]bool // what trays and heads did of the same jobs
	taken  map[printing]int       // the last unit that it took whole
	begun  map[printing]bool
}

// A printing is one attempt: its number is an entry's index, and one entry may begin one on each device.
type printing struct {
	job, attempt uint64
}

type sheet struct {
	tray    int
	job     uint64
	attempt uint64
	unit    int
}

func (p *paper) init(w *World) {
	p.w, p.out, p.open = w, map[printing][]int{}, map[int]printing{}
	p.rounds, p.fenced, p.taken, p.begun = map[round]*copies{}, map[round]map[int]bool{}, map[printing]int{}, map[printing]bool{}
}

// units is the last unit of an attempt that came out.
func (p *paper) units(job, attempt uint64) int {
	out := p.out[printing{job, attempt}]
	if len(out) == 0 {
		return 0
	}
	return out[len(out)-1]
}

// printed checks a sheet at the moment it comes out (invariants 5 and 6).
func (p *paper) printed(t *tray, u device.Unit, body []byte) {
	w := p.w
	unit := (u.Copy-1)*u.PerCopy + u.Page
	w.trace.note(9, uint64(t.number), u.Job, u.Attempt, uint64(unit))
	w.trace.say(w.now, "PAPER tray %d: job %d copy %d page %d (attempt %d)", t.number, u.Job, u.Copy, u.Page, u.Attempt)
	before := p.out[printing{u.Job, u.Attempt}]
	if len(before) > 0 {
		if last := before[len(before)-1]; unit != last+1 {
			w.violated(6, "tray %d: job %d attempt %d: unit %d comes out after %d", t.number, u.Job, u.Attempt, unit, last)
		}
		if o := p.open[t.number]; o != (printing{u.Job, u.Attempt}) {
			w.violated(5, "tray %d: pages of job %d (attempt %d) and job %d (attempt %d) are mixed", t.number, u.Job, u.Attempt, o.job, o.attempt)
		}
	}
	p.checkAttempt(t, u, unit, len(before) == 0)
	if want := w.clients.page(u.Job, u.Page); want != nil && string(want) != string(body) {
		w.violated(12, "job %d page %d came out as %q, want %q", u.Job, u.Page, body, want)
	}
	p.out[printing{u.Job, u.Attempt}] = append(before, unit)
	if a := w.history.attempts[printing{u.Job, u.Attempt}]; a != nil && w.plan.Makes != nil {
		key := round{u.Job, a.round}
		if p.fenced[key] == nil {
			p.fenced[key] = map[int]bool{}
		}
		p.fenced[key][unit] = true
	}
	p.open[t.number] = printing{u.Job, u.Attempt}
	p.sheets = append(p.sheets, sheet{t.number, u.Job, u.Attempt, unit})
}

// checkAttempt: a page comes out only of the attempt that the log has the device at.
func (p *paper) checkAttempt(t *tray, u device.Unit, unit int, first bool) {
	h := &p.w.history
	d := h.drive(t.device())
	if d != nil && d.Work != nil && d.Work.Attempt == u.Attempt {
		if first && unit != d.Work.Start+1 {
			p.w.violated(6, "job %d attempt %d begins with unit %d, not %d", u.Job, u.Attempt, unit, d.Work.Start+1)
		}
		return
	}
	if j := h.jobs[u.Job]; j != nil && (j.forced || j.doubts > 0) {
		p.w.counts.add("page came out of an attempt in doubt")
		return
	}
	p.w.violated(5, "tray %d prints job %d attempt %d unit %d, which is not what the log has it do", t.number, u.Job, u.Attempt, unit)
}

// whole says what is missing of an attempt that began after a unit; empty: nothing.
func (p *paper) whole(job, attempt uint64, from, total int) string {
	out := p.out[printing{job, attempt}]
	if len(out) != total-from {
		return fmt.Sprintf("%d units came out, of %d to %d: %v", len(out), from+1, total, out)
	}
	for i, unit := range out {
		if unit != from+i+1 {
			return fmt.Sprintf("units %v came out, of %d to %d", out, from+1, total)
		}
	}
	return ""
}

// down notes what a dying member leaves behind.
func (p *paper) down(m *member) {
	for _, d := range p.w.history.drives {
		if d.Work != nil && m.led[d.Token.Term] && p.units(d.Work.Job, d.Work.Attempt) > d.Work.Printed {
			p.w.counts.add("race: crash between device write and commit")
		}
	}
}
