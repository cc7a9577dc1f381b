package sim

import (
	"fmt"
	"slices"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// jobList is what a spooler remembers. Ids begin anew when it has forgotten.
type jobList struct {
	jobs        []*spooled // a job's id is its place
	impressions bool       // it counts the pages of each
	copies      int        // that it makes by itself; 0: none
}

// spooled is a job at a spooler.
type spooled struct {
	list         *jobList
	title        string
	job, attempt uint64
	start, total int
	had          bool // a document
	cut          bool // and not the whole of it
	torn         bool
	due, out     int // units to come out of the document, and those that have
	end          device.End
}

func (l *jobList) forget() { l.jobs = nil }

func title(w *queue.Work) string {
	return device.Job{Cluster: clusterID, ID: w.Job, Attempt: w.Attempt}.Title()
}

func (l *jobList) named(title string) (id string) {
	for i, j := range l.jobs {
		if j.title == title {
			return fmt.Sprint(i + 1)
		}
	}
	return ""
}

func (l *jobList) make(w *queue.Work) (id string) {
	l.jobs = append(l.jobs, &spooled{
		list: l, title: title(w), job: w.Job, attempt: w.Attempt, start: w.Start, total: w.Units * w.Copies,
	})
	return fmt.Sprint(len(l.jobs))
}

// find is the job of that id and name; nil: it is not there any more.
func (l *jobList) find(id string, w *queue.Work) *spooled {
	n := 0
	if _, err := fmt.Sscan(id, &n); err != nil || n < 1 || n > len(l.jobs) || l.jobs[n-1].title != title(w) {
		return nil
	}
	return l.jobs[n-1]
}

// landed notes that a unit is out.
func (j *spooled) landed(i imprint) {
	if !i.torn {
		j.out++
	}
	if j.due--; j.due > 0 || j.end != device.Open {
		return
	}
	j.end = device.Completed
	if j.cut && j.total%2 == 0 {
		j.end = device.Aborted
	}
}

// document takes a job's document, once, and reports whether it has all of it.
func (p *press) document(r request, j *spooled) bool {
	w := p.w
	if j.had || j.end != device.Open {
		w.counts.add("second document refused by a spooler")
		return false
	}
	w.history.checkRemote(r.op)
	j.had = true
	last := j.total
	f := p.fate(nil)
	if f == lost { // it has nothing of it, and takes it again
		j.had = false
		return false
	}
	if f == torn {
		j.cut = true
		last = j.start + w.random.IntN(j.total-j.start)
		j.torn = w.often(2) || last == j.start
	}
	for n := j.start + 1; n <= last; n++ {
		p.spool(j, imprint{job: j.job, attempt: j.attempt, unit: n})
	}
	if j.torn {
		p.spool(j, imprint{job: j.job, attempt: j.attempt, unit: last + 1, torn: true})
	}
	p.land()
	return f == arrives
}

func (p *press) spool(j *spooled, i imprint) {
	i.spooled = j
	j.due++
	p.w.paper.checkUnit(p.t, i, nil)
	p.buffer = append(p.buffer, i)
}

// cancel ends a job: by us, by somebody there, or by the printer.
func (p *press) cancel(j *spooled, how device.End) {
	if j.end != device.Open {
		return
	}
	if j.end = how; !j.had {
		j.end = device.Untouched
	}
	p.buffer = slices.DeleteFunc(p.buffer, func(i imprint) bool { return i.spooled == j })
	p.rest()
}

// purge makes a spooler forget its jobs, which will not print.
func (p *press) purge() {
	p.buffer = nil
	p.jobs.forget()
	p.rest()
}

// outcome is how a job stands. Whole: who asks knows that the printer has the whole document.
func (j *spooled) outcome(whole bool) device.Outcome {
	if j == nil {
		return device.Outcome{End: device.Gone}
	}
	o := device.Outcome{End: j.end, Out: j.start + j.out}
	switch j.end {
	case device.Completed:
		o.Known = whole || j.list.impressions && !j.torn && o.Out == j.total
	case device.Canceled, device.Aborted:
		o.Known = j.list.impressions && !j.torn
	}
	if !o.Known && !j.list.impressions {
		o.Out = j.start
	}
	return o
}

// checkRemote: no document goes to a job but the one that the log knows (DESIGN §3).
func (h *history) checkRemote(op *printer.Operation) {
	a := h.attempts[printing{op.Work.Job, op.Work.Attempt}]
	if a == nil || a.remote != op.Remote {
		h.w.violated(8, "the document of job %d attempt %d goes to %q, which the log does not know", op.Work.Job, op.Work.Attempt, op.Remote)
	}
}

// again makes a job a second time, as a mutant does.
func (l *jobList) again(id string) string {
	n := 0
	if _, err := fmt.Sscan(id, &n); err != nil || n < 1 || n > len(l.jobs) {
		return id
	}
	twin := *l.jobs[n-1]
	l.jobs = append(l.jobs, &twin)
	return fmt.Sprint(len(l.jobs))
}
