package queue

import (
	"math"
	"strconv"

	"printq/queue/queuepb"
)

// propagate goes on from a device's mark (R4), as the rules' model has it: after a mark of the attempt at hand; from its
// beginning where the mark is of an earlier one; and where the device remembers less than was recorded, or more than can
// be, or is not the one that it was, in doubt. A mark that is open for any other attempt is closed before anything else.
func (t *turn) propagate(d *device, m *queuepb.Resume, amnesia bool, before Class) {
	j, mark := d.job, m.Mark
	outcome := ""
	switch {
	case j == nil:
	case before != d.class && (before == Fenced || d.class == Fenced):
		t.inDoubt(d, 0, "the device was "+before.String()+", and is "+d.class.String())
		outcome = reasonInDoubt
	case d.class != Fenced:
		outcome = t.reconcile(d, m, amnesia, before)
	default:
		outcome = t.recover(d, mark, amnesia)
	}
	if a := mark.GetAttempt(); a != 0 && !mark.GetClosed() && !(d.job != nil && a == d.attempt) {
		d.closing = a
	}
	t.aboutResume(d, j, m, outcome)
}

func (t *turn) recover(d *device, mark *queuepb.Mark, amnesia bool) (outcome string) {
	j, a := d.job, d.job.attempt()
	same := mark.GetAttempt() == d.attempt
	units, mapped := j.unit(mark)
	switch {
	case amnesia:
		t.inDoubt(d, 0, "the device's mark is a new one: what it did before is forgotten")
		return reasonInDoubt
	case mark.GetAttempt() > d.attempt:
		t.inDoubt(d, 0, "the device's mark is of a later attempt than this")
		return reasonInDoubt
	case !same && j.printed > a.from, same && (!mapped || units < j.printed):
		t.inDoubt(d, 0, "the device's mark shows less than was recorded")
		return reasonInDoubt
	case !same:
		t.show(d)
		return "begin"
	}
	j.printed = units
	switch {
	case mark.GetUnclear() && units < j.total():
		t.inDoubt(d, units+1, "the device was cut off while it printed")
		return reasonInDoubt
	case units >= j.total():
		t.complete(d)
		return "completed"
	case !mark.GetClosed():
		t.show(d)
		return "continue"
	case j.stopping != notStopping:
		t.stopped(d)
		return "stopped"
	default: // closed for a failure whose Done was lost: what came out is known
		t.unbind(d, reasonClosed)
		t.to(j, Held, reasonClosed)
		return reasonClosed
	}
}

// unit is what a mark of the job's attempt comes to in units over all copies. A mark of an attempt closed before its first
// page stands where the attempt began.
func (j *job) unit(m *queuepb.Mark) (units uint32, ok bool) {
	c, p := uint64(m.GetCopy()), uint64(m.GetPage())
	if c == 0 && p == 0 {
		return j.attempt().from, true
	}
	n := (c-1)*uint64(j.units) + p
	ok = c >= 1 && c <= uint64(j.copies) && p >= 1 && p <= uint64(j.units) && n <= math.MaxUint32
	return uint32(n), ok
}

// inDoubt ends, or goes on with, an attempt of which nobody can know what came out after the recorded progress: as the
// printer's policy says, unless the job was stopping anyway. The last unit in doubt is last; 0: all to the end are.
func (t *turn) inDoubt(d *device, last uint32, why string) {
	j := d.job
	t.noteDoubt(j, last, why)
	policy := d.printer.settings.GetInDoubt()
	switch {
	case j.stopping == stopCancel || j.stopping == stopMove:
		t.unbind(d, reasonInDoubt)
		t.settled(j)
	case j.stopping == stopHold:
		t.holdDoubt(d)
	case policy == "reprint":
		t.again(d, j.printed)
	case policy == "skip":
		t.again(d, max(last, j.printed+1))
	default:
		t.holdDoubt(d)
	}
}

func (t *turn) holdDoubt(d *device) {
	j := d.job
	j.stopping = notStopping
	t.unbind(d, reasonInDoubt)
	t.to(j, Held, reasonInDoubt)
}

// again goes on in a new attempt, after the unit given.
func (t *turn) again(d *device, after uint32) {
	j := d.job
	t.unbind(d, reasonInDoubt)
	j.printed = after
	if after >= j.total() {
		t.to(j, Completed, reasonWarnings)
		return
	}
	t.bind(d, j)
}

// noteDoubt records what is in doubt: the units after the recorded progress, up to last. To is the last such page of that copy;
// those of later copies may be out, too, where last is 0 or in one of them.
func (t *turn) noteDoubt(j *job, last uint32, why string) {
	next := min(j.printed, j.total()-1)
	doubt := &queuepb.Doubt{Copy: next/j.units + 1, From: next%j.units + 1, To: j.units, Last: last, Why: why}
	if last != 0 && (last-1)/j.units == next/j.units {
		doubt.To = (last-1)%j.units + 1
	}
	j.seldom().doubt = doubt
}

func (t *turn) doubt(j *job) {
	if j.rare == nil || j.rare.doubt == nil {
		return
	}
	d := j.rare.doubt
	t.field("doubt")
	t.scratch = append(t.scratch, '{')
	for i, f := range []struct {
		name string
		n    uint32
	}{{"copy", d.Copy}, {"from", d.From}, {"to", d.To}, {"last", d.Last}} {
		if f.name == "last" && f.n == 0 {
			break
		}
		if i > 0 {
			t.scratch = append(t.scratch, ',')
		}
		t.scratch = appendString(t.scratch, f.name)
		t.scratch = append(t.scratch, ':')
		t.scratch = strconv.AppendUint(t.scratch, uint64(f.n), 10)
	}
	t.str("why", d.Why)
	t.scratch = append(t.scratch, '}')
}

func (t *turn) aboutResume(d *device, j *job, m *queuepb.Resume, outcome string) {
	job := uint64(0)
	if j != nil {
		job = j.id
	}
	t.begin("resume", d.printer.name, job)
	t.num("device", d.id)
	t.token(d.token)
	t.str("identity", m.Identity)
	t.str("epoch", m.Epoch)
	if j != nil {
		t.num("attempt", j.attempt().number)
		t.str("outcome", outcome)
		t.num("printed", uint64(j.printed))
		t.str("state", j.state.String())
		t.doubt(j)
	}
	t.opt("closing", d.closing)
	if d.class != Fenced {
		t.str("class", d.class.String())
	}
	if m.Counts {
		t.num("counter", m.Counter)
	}
	t.end()
}
