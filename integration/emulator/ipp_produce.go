package emulator

import "time"

// produce prints one job after another until the printer is closed.
func (p *IPP) produce() {
	for {
		j, boot := p.next()
		if j == nil {
			return
		}
		p.printJob(j, boot, p.newJob())
	}
}

// next waits for the next job to print; nil: there will be none.
func (p *IPP) next() (*ippJob, int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed {
		for _, j := range p.jobList {
			if j.state == pending && !p.off {
				j.state, j.reasons, j.processed = processing, []string{"job-printing"}, time.Now()
				return j, p.boot
			}
		}
		p.cond.Wait()
	}
	return nil, 0
}

// printJob prints a job's copies, collated, and ends it. After a loss of power nothing knows the job any more.
func (p *IPP) printJob(j *ippJob, boot, ledgerID int) {
	pages := j.pages
	step := 1
	if j.duplex {
		step = 2
	}
	number := 0
	for range j.copies {
		for at := 0; at < len(pages); at += step {
			var sheet []Page
			for _, page := range pages[at:min(at+step, len(pages))] {
				number++
				page.Job, page.Name, page.Number = ledgerID, j.name, number
				sheet = append(sheet, page)
			}
			stop := func() bool { return j.canceled }
			if !p.printSheet(j, boot, stop, sheet) {
				p.over(j, boot)
				return
			}
		}
	}
	p.over(j, boot)
}

// printSheet prints a sheet and counts its pages, and reports whether the next may follow.
func (p *IPP) printSheet(j *ippJob, boot int, stop func() bool, sheet []Page) bool {
	landed := p.print(boot, stop, sheet...)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !landed {
		return false
	}
	j.impressions += len(sheet)
	j.sheets++
	p.count += len(sheet)
	return p.boot == boot && !stop()
}

// over ends a job that has printed what it was to print.
func (p *IPP) over(j *ippJob, boot int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.boot != boot:
	case j.canceled:
		p.end(j, canceled, "job-canceled-by-user")
	case j.partial:
		p.end(j, aborted, "submission-interrupted")
	default:
		p.end(j, completed, "job-completed-successfully")
	}
}
