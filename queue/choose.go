package queue

import (
	"slices"
	"strings"
)

// offer notes that a printer may have a job for one of its devices, or a device for one of its jobs.
func (t *turn) offer(p *printer) {
	if !p.considered {
		p.considered = true
		t.consider = append(t.consider, p)
	}
}

// choose gives each idle device the next job of its printer (R4). Nobody proposes it: it follows from the entry. Only
// printers are looked at that the entry touched: for the others it was done before.
func (t *turn) choose() {
	var idle []*device
	for _, p := range t.consider {
		p.considered = false
		if p.turns.first() == nil {
			continue
		}
		for _, d := range p.devices {
			if d.idle() {
				idle = append(idle, d)
			}
		}
	}
	slices.SortFunc(idle, byPool)
	for _, d := range idle {
		if j := d.printer.turns.first(); j != nil {
			j.printed = j.start
			t.bind(d, j)
			t.aboutDevice("start", d)
			t.token(d.token)
			t.num("attempt", d.attempt)
			t.num("from", uint64(j.start))
			t.end()
		}
	}
}

// bind begins an attempt: one printing of a job on one device. Its number is the index of this entry.
func (t *turn) bind(d *device, j *job) {
	t.deadlines.remove(j)
	if r := j.seldom(); r.began == 0 {
		r.began = t.time
	}
	d.job, d.attempt, d.recovering = j, t.entry.Index, false
	if len(d.printer.devices) > 1 {
		d.used = t.entry.Index
	}
	if d.class != Fenced {
		d.flight = flight{intended: j.printed, sent: j.printed}
	}
	j.device = d
	if len(j.attempts) >= MaxAttempts {
		j.attempts = slices.Delete(j.attempts, 0, 1)
	}
	j.attempts = append(j.attempts, attempt{token: d.token, number: d.attempt, device: d.id, from: j.printed, printed: j.printed})
	t.show(d)
}

// unbind ends the attempt that a device is at.
func (t *turn) unbind(d *device, outcome string) {
	j := d.job
	a := j.attempt()
	a.printed, a.outcome = j.printed, outcome
	j.device = nil
	d.job, d.attempt, d.recovering, d.flight = nil, 0, false, flight{}
	t.offer(d.printer)
	t.driven(d)
	t.changed(j)
}

// show brings a bound job's state in line with its device's.
func (t *turn) show(d *device) {
	j := d.job
	if j == nil {
		return
	}
	t.driven(d)
	switch {
	case d.recovering:
		t.to(j, Stopped, reasonRecovering)
	case Blocking(d.reason):
		t.to(j, Stopped, reasonStopped)
	case j.stopping != notStopping:
		t.to(j, Processing, reasonStopping)
	default:
		t.to(j, Processing, reasonPrinting)
	}
}

// Blocking reports whether a device cannot go on for a reason: printer-state-reasons that end in -warning or -report say
// that it can (RFC 8011 §5.4.12).
func Blocking(reason string) bool {
	return reason != "" && reason != "none" && !strings.HasSuffix(reason, "-warning") && !strings.HasSuffix(reason, "-report")
}
