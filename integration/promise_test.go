package integration

import (
	"fmt"
	"slices"
)

// A promise is a document that was acknowledged, and what its client asked for after that.
type promise struct {
	*document
	// The states in which it may end.
	states []string
	// Where its pages may come out.
	printers []string
	// restarts is how many requests may have begun its printing anew: holds and moves, each as often as it was sent.
	restarts int
}

func promised(d *document) *promise {
	return &promise{document: d, states: []string{"completed"}, printers: []string{d.printer}}
}

// A slip is a page that came out, and the attempt that it says it is of.
type slip struct {
	sheet
	attempt uint64
}

// A verdict is what checkPromises found; all but the numbers are violations, in words.
type verdict struct {
	jobs, pages, attempts int
	// The ended jobs, by state.
	ended map[string]int
	// Pages or whole jobs that did not come out; came out twice; lie between those of another attempt; are not what was sent;
	// jobs that ended otherwise than was promised; pages that nobody knows of.
	lost, doubled, mixed, altered, broken, strange []string
}

func (v *verdict) violations() []string {
	return slices.Concat(v.lost, v.doubled, v.mixed, v.altered, v.broken, v.strange)
}

func (v *verdict) String() string {
	return fmt.Sprintf("%d jobs, %v, %d pages in %d attempts; %d lost, %d doubled, %d mixed, %d altered, %d broken, %d strange",
		v.jobs, v.ended, v.pages, v.attempts, len(v.lost), len(v.doubled), len(v.mixed), len(v.altered), len(v.broken), len(v.strange))
}

// A run is one attempt as the paper has it: pages of one printer without another's between them.
type run struct {
	printer string
	attempt uint64
	units   int // from the first on
}

// checkPromises compares the paper with what was promised, where jobs are held, moved and canceled while they print: a
// job's pages come out once for each attempt, from the first on, and all of them in the last one of a completed job only.
func checkPromises(papers map[string][]slip, promises []*promise, states map[uint64]string) *verdict {
	v := &verdict{jobs: len(promises), ended: map[string]int{}}
	jobs, runs := map[uint64]*promise{}, map[uint64][]run{}
	for _, p := range promises {
		if other := jobs[p.job]; other != nil {
			v.strange = append(v.strange, fmt.Sprintf("%q and %q both became job %d", other.name, p.name, p.job))
		}
		jobs[p.job] = p
	}
	for printer, paper := range papers {
		v.pages += len(paper)
		v.cut(printer, paper, jobs, runs)
	}
	for id, p := range jobs {
		v.ended[states[id]]++
		v.judge(p, runs[id], states[id])
	}
	return v
}

// cut cuts the paper of one printer into runs.
func (v *verdict) cut(printer string, paper []slip, jobs map[uint64]*promise, runs map[uint64][]run) {
	var open *run
	var last slip // that counted
	for i, s := range paper {
		p := jobs[s.job]
		where := fmt.Sprintf("sheet %d of %s, job %d copy %d page %d of attempt %d,", i+1, printer, s.job, s.copy, s.page, s.attempt)
		if p == nil {
			v.strange = append(v.strange, where+" is of a job that nobody was told of")
			continue
		}
		if s.copy < 1 || s.copy > p.copies || s.page < 1 || s.page > len(p.pages) {
			v.altered = append(v.altered, where+" does not exist")
			continue
		}
		if open == nil || last.job != s.job || last.attempt != s.attempt {
			at := slices.IndexFunc(runs[s.job], func(r run) bool { return r.printer == printer && r.attempt == s.attempt })
			if at < 0 {
				v.attempts++
				at = len(runs[s.job])
				runs[s.job] = append(runs[s.job], run{printer: printer, attempt: s.attempt})
			} else {
				v.mixed = append(v.mixed, where+" comes after a page of another attempt, and its own had begun")
			}
			open = &runs[s.job][at]
		}
		last = s
		unit := (s.copy-1)*len(p.pages) + s.page - 1
		switch {
		case unit < open.units:
			v.doubled = append(v.doubled, where+" came out again")
		case unit > open.units:
			v.lost = append(v.lost, fmt.Sprintf("%s came out after %d pages only", where, open.units))
		}
		open.units = unit + 1
		if err := differ(p.pages[s.page-1], s.data); err != nil {
			v.altered = append(v.altered, fmt.Sprintf("%s is not what was sent: %v", where, err))
		}
	}
}

// judge compares how one job ended with its runs.
func (v *verdict) judge(p *promise, runs []run, state string) {
	title := fmt.Sprintf("job %d (%s)", p.job, p.name)
	total, full := len(p.pages)*p.copies, 0
	slices.SortFunc(runs, func(a, b run) int { return int(a.attempt) - int(b.attempt) })
	for _, r := range runs {
		if r.units == total {
			full++
		}
		if !slices.Contains(p.printers, r.printer) {
			v.strange = append(v.strange, fmt.Sprintf("%s came out of %s", title, r.printer))
		}
	}
	switch {
	case !slices.Contains(p.states, state):
		v.broken = append(v.broken, fmt.Sprintf("%s is %q, and %v was promised", title, state, p.states))
	case state == "completed" && full == 0:
		v.lost = append(v.lost, fmt.Sprintf("%s is completed, and its %d pages are not all out: %v", title, total, runs))
	case state == "completed" && runs[len(runs)-1].units != total:
		v.doubled = append(v.doubled, fmt.Sprintf("%s came out again after it was all out: %v", title, runs))
	case state != "completed" && full > 0:
		v.broken = append(v.broken, fmt.Sprintf("%s is %s, and all out: %v", title, state, runs))
	}
	if full > 1 || len(runs) > 1+p.restarts {
		v.doubled = append(v.doubled, fmt.Sprintf("%s came out %d times, and was asked to begin anew %d times at most: %v", title, len(runs), p.restarts, runs))
	}
}
