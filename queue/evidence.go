package queue

import (
	"strings"

	"printq/queue/queuepb"
)

// What came out of an attempt on a device without a fence, as its Resume shows (R4).

// reconcile goes on with the job that such a device is bound to. Another: it has been adopted in the place of the one that had the job.
func (t *turn) reconcile(d *device, m *queuepb.Resume, another bool, before Class) (outcome string) {
	j, f := d.job, &d.flight
	if before != d.class && f.remote != "" {
		t.inDoubt(d, 0, "the device no longer keeps jobs")
		return reasonInDoubt
	}
	if before := tokenOf(m.Before); before != (Token{}) && before == f.by && max(m.Units, m.Sent) <= f.intended {
		if m.Units > j.printed {
			j.printed, f.pages = m.Units, 0
		}
		f.sent = max(m.Sent, j.printed) // less than before where the device has lost what it had taken; what is out is not lost
		if m.Clear {
			f.intended = j.printed
		}
	}
	e := d.evidence(m, another)
	j.printed, f.pages = max(j.printed, e.out), e.pages
	switch {
	case e.doubt != 0:
		t.inDoubt(d, e.doubt, e.why)
		return reasonInDoubt
	case j.printed >= j.total():
		t.complete(d)
		return "completed"
	case j.stopping != notStopping && f.remote == "":
		t.stopped(d)
		return "stopped"
	}
	if f.remote == "" { // what a spooler has of its job it keeps, whoever asks
		f.intended, f.sent = j.printed, j.printed
	}
	t.show(d)
	return "continue"
}

// evidence is what a device's answer says about the units that were announced.
type evidence struct {
	out   uint32 // units, over all copies
	pages uint32 // of the one after
	// The last unit that is in doubt, of those after out; 0: none is.
	doubt uint32
	why   string
}

// evidence compares a device's counter with what it was before. Where the device cannot count, or counts what cannot be, all
// that was announced is in doubt. One page of those counted may be torn: the last, where the connection broke before the
// device had taken its unit to the end.
func (d *device) evidence(m *queuepb.Resume, another bool) evidence {
	j, f := d.job, &d.flight
	if f.intended <= j.printed {
		return evidence{out: j.printed, pages: f.pages}
	}
	unknown := func(why string) evidence { return evidence{out: j.printed, doubt: f.intended, why: why} }
	switch {
	case another:
		return unknown("it is another device than the one that had the units")
	case d.class != Counted || !m.Counts:
		return unknown("the device cannot say what came out")
	case !f.counts:
		return unknown("the device's counter was not known before")
	case m.Counter < f.counter:
		return unknown("the device's counter went back")
	}
	per := uint64(j.pagesPerUnit())
	if per == 0 {
		if m.Counter == f.counter && f.base == j.printed {
			return evidence{out: j.printed, pages: f.basePages}
		}
		return unknown("the document's pages are not known")
	}
	pages := uint64(f.base)*per + uint64(f.basePages) + m.Counter - f.counter
	if most := uint64(f.intended) * per; pages == most+1 && most%2 == 1 && strings.HasPrefix(Wish(j.wishList(), "sides"), "two-sided") {
		pages-- // the back of the last sheet, with nothing on it
	}
	out, rest := pages/per, pages%per
	switch {
	case pages > uint64(f.intended)*per:
		return unknown("the device printed more than it was given: others print there, too")
	case out < uint64(j.printed):
		return unknown("the device's counter shows less than was reported")
	case pages > uint64(f.sent)*per:
		last := (pages + per - 1) / per
		return evidence{out: uint32(last - 1), doubt: uint32(last), why: "the device's last page may be torn: the connection broke while it was sent"}
	case rest > 0 && !d.skips:
		return evidence{out: uint32(out), doubt: uint32(out) + 1, why: "the device cannot go on in the middle of a document"}
	}
	return evidence{out: uint32(out), pages: uint32(rest)}
}

// pagesPerUnit is how many pages each unit makes; 0: not known.
func (j *job) pagesPerUnit() uint32 {
	switch {
	case j.units == j.pages:
		return 1
	case j.units == 1:
		return j.pages
	}
	return 0
}
