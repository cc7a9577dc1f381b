package sim

import (
	"maps"
	"slices"

	"printq/queue"
)

// attempted is what the log says of one attempt.
type attempted struct {
	tray      *tray
	round     int // how often people had asked for the job from its beginning
	announced int
	remote    string
}

// copies is what came out of a job in one round, by unit, where a printer without a fence had part in it.
type copies struct {
	whole, lost map[int]int // lost: units that a blind printer took and forgot
	torn        map[int]bool
}

type round struct {
	job   uint64
	round int
}

func (p *paper) round(job, attempt uint64) *copies {
	key := round{job, p.w.history.attempts[printing{job, attempt}].round}
	if p.rounds[key] == nil {
		p.rounds[key] = &copies{map[int]int{}, map[int]int{}, map[int]bool{}}
	}
	return p.rounds[key]
}

// begun takes note of new attempts. The policy for what is in doubt begins one without a line of its own.
func (h *history) begun(r queue.Result) {
	for _, id := range r.Devices {
		d := h.drive(id)
		if d == nil || d.Work == nil || h.attempts[printing{d.Work.Job, d.Work.Attempt}] != nil {
			continue
		}
		j, a := h.jobs[d.Work.Job], &attempted{tray: h.w.tray(d.URI)}
		if j.restart {
			j.round++
		}
		if j.restart || !j.begun {
			j.from = d.Work.Start
		}
		j.restart, j.begun = false, true
		a.round = j.round
		h.attempts[printing{d.Work.Job, d.Work.Attempt}] = a
	}
}

// noteDoubt remembers each unit that was ever recorded in doubt, and that no more were than had been announced.
func (h *history) noteDoubt(l line) {
	j, err := h.state.Job(l.Job, nil)
	if err != nil || j == nil {
		return
	}
	if h.doubts[l.Job] == nil {
		h.doubts[l.Job] = map[int]bool{}
	}
	first, last := int((l.Doubt.Copy-1)*j.Units+l.Doubt.From), int(l.Doubt.Last)
	if last == 0 {
		last = int(j.Units * j.Copies)
	}
	for u := first; u <= last; u++ {
		h.doubts[l.Job][u] = true
	}
	a := h.attempts[printing{l.Job, l.Attempt}]
	if a == nil || a.tray == nil || a.tray.press == nil {
		return
	}
	p := a.tray.press
	h.w.counts.add("job in doubt, " + p.class.String())
	if p.class != queue.WholeJob && last > a.announced {
		h.w.violated(8, "job %d attempt %d: units %d to %d are in doubt, announced were those up to %d", l.Job, l.Attempt, first, last, a.announced)
	}
	if p.window > 0 && last-first >= 2*p.window { // the next one may be announced before all of this one is recorded
		h.w.violated(8, "job %d attempt %d: units %d to %d are in doubt, more than two windows of %d", l.Job, l.Attempt, first, last, p.window)
	}
}

// known is how many units of an attempt may be recorded as out: those that are, or that a blind printer took.
func (p *paper) known(d *queue.Drive, w *queue.Work) int {
	if d.Class == queue.Blind {
		return p.taken[printing{w.Job, w.Attempt}]
	}
	return p.units(w.Job, w.Attempt)
}

// checkUnit: a printer without a fence is given only what the log has announced, of the attempt that the log has it at.
func (p *paper) checkUnit(t *tray, i imprint, body []byte) {
	w := p.w
	h := &w.history
	a := h.attempts[printing{i.job, i.attempt}]
	switch {
	case a == nil:
		w.violated(8, "printer %d is sent job %d attempt %d, which the log does not know", t.number, i.job, i.attempt)
	case t.press.class != queue.WholeJob && i.unit > a.announced:
		w.violated(8, "printer %d is sent job %d attempt %d unit %d, and those up to %d were announced", t.number, i.job, i.attempt, i.unit, a.announced)
	}
	if d := h.drive(t.device()); d == nil || d.Work == nil || d.Work.Attempt != i.attempt {
		if j := h.jobs[i.job]; j == nil || !j.forced {
			w.violated(5, "printer %d is sent job %d attempt %d unit %d, which is not what the log has it do", t.number, i.job, i.attempt, i.unit)
		}
		w.counts.add("unit of an attempt that was torn away")
	}
	if j, err := h.state.Job(i.job, nil); err == nil && j != nil && body != nil {
		page := (i.unit-1)%int(j.Units) + 1
		if want := w.clients.page(i.job, page); want != nil && string(want) != string(body) {
			w.violated(12, "job %d page %d comes as %q, want %q", i.job, page, body, want)
		}
	}
	if !i.torn {
		key := printing{i.job, i.attempt}
		p.taken[key] = max(p.taken[key], i.unit)
	}
}

// pressed checks a unit as it comes out of a printer without a fence (invariants 5 and 8).
func (p *paper) pressed(x *press, i imprint) {
	w, t := p.w, x.t
	w.trace.note(9, uint64(t.number), i.job, i.attempt, uint64(i.unit))
	w.trace.say(w.now, "PAPER press %d: job %d unit %d (attempt %d) torn %v", t.number, i.job, i.unit, i.attempt, i.torn)
	w.counts.add("unit on paper, " + x.class.String())
	key := printing{i.job, i.attempt}
	if p.begun[key] && p.open[t.number] != key {
		w.violated(5, "printer %d: pages of job %d (attempt %d) and job %d (attempt %d) are mixed", t.number, i.job, i.attempt, p.open[t.number].job, p.open[t.number].attempt)
	}
	p.begun[key], p.open[t.number] = true, key
	p.sheets = append(p.sheets, sheet{t.number, i.job, i.attempt, i.unit})
	c := p.round(i.job, i.attempt)
	if i.torn {
		c.torn[i.unit] = true
		w.counts.add("torn page, " + x.class.String())
		return
	}
	p.out[key] = append(p.out[key], i.unit)
	if c.whole[i.unit]++; c.whole[i.unit] > 1 {
		if !w.history.doubts[i.job][i.unit] {
			w.violated(8, "printer %d: job %d unit %d comes out again (attempt %d), and was not in doubt", t.number, i.job, i.unit, i.attempt)
		}
		w.counts.add("unit doubled that was in doubt, " + x.class.String())
	}
}

// vanished: a unit was in a buffer that is gone. A blind printer is excused, since what it acknowledged counts as out.
func (p *paper) vanished(x *press, i imprint) {
	if x.class == queue.Blind && !i.torn {
		p.round(i.job, i.attempt).lost[i.unit]++
	}
}

// finish is invariant 8 at the end: what is missing of a completed job, or torn, was recorded in doubt.
func (p *paper) finish() {
	for _, id := range slices.Sorted(maps.Keys(p.w.history.jobs)) {
		j := p.w.history.jobs[id]
		for n := range j.round + 1 {
			p.checkTorn(id, p.rounds[round{id, n}])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.w.history.jobs)) {
		j := p.w.history.jobs[id]
		job, err := p.w.history.state.Job(id, nil)
		if err != nil || job == nil || queue.JobState(job.State) != queue.Completed || len(job.Attempts) == 0 {
			continue
		}
		last := p.w.history.attempts[printing{id, job.Attempts[len(job.Attempts)-1].Number}]
		c := p.rounds[round{id, j.round}]
		if last == nil || last.tray == nil || last.tray.press == nil || c == nil && job.Attempts[len(job.Attempts)-1].Outcome != "completed" {
			continue
		}
		if c == nil {
			c = &copies{}
		}
		p.missing(id, int(job.Units*job.Copies), j, c)
	}
}

func (p *paper) checkTorn(job uint64, c *copies) {
	if c == nil {
		return
	}
	for _, u := range slices.Sorted(maps.Keys(c.torn)) {
		if !p.w.history.doubts[job][u] {
			p.w.violated(8, "job %d unit %d came out torn, and was not in doubt", job, u)
		}
	}
}

func (p *paper) missing(id uint64, total int, j *jobHistory, c *copies) {
	for u := j.from + 1; u <= total; u++ {
		switch {
		case c.whole[u] > 0, p.fenced[round{id, j.round}][u], p.w.history.doubts[id][u]:
		case c.lost[u] > 0:
			p.w.counts.add("unit lost from a blind printer's buffer")
		default:
			p.w.violated(8, "job %d is completed, and unit %d never came out and was not in doubt", id, u)
		}
	}
}

// look is a person who looks at the paper of a job that is in doubt, once its printers are at rest: how many units are out. What
// the log takes for out is not looked at.
func (c *clients) look(j *queue.Job) (out uint32, atRest bool) {
	w := c.w
	for _, t := range w.trays {
		if t.press != nil && (len(t.press.buffer) > 0 || t.press.serves != nil && t.press.serves.flying > 0) {
			return 0, false
		}
	}
	rounds := w.paper.rounds[round{j.Id, w.history.jobs[j.Id].round}]
	if rounds == nil {
		rounds = &copies{}
	}
	out = j.Printed
	for rounds.whole[int(out)+1] > 0 && out < j.Units*j.Copies {
		out++
	}
	return out, true
}
