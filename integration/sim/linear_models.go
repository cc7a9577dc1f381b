package sim

import (
	"fmt"
	"math/bits"

	"github.com/anishathalye/porcupine"

	"printq/queue"
)

// A verb is what a client asks of an object.
type verb uint8

const (
	doRead verb = iota
	doSubmit
	doCancel
	doHold
	doRelease
	doMove
	doForceMove
	doResolve
	doSet
	doPause
	doResume
)

func (v verb) String() string {
	return [...]string{"read", "submit", "cancel", "hold", "release", "move", "forced move", "resolve", "set", "pause", "resume"}[v]
}

// asked is an operation's input.
type asked struct {
	do    verb
	value int64 // what a printer is set to
	hold  bool  // a submit's
}

func (a asked) String() string {
	switch {
	case a.do == doSet:
		return fmt.Sprint("set ", a.value)
	case a.hold:
		return a.do.String() + " held"
	}
	return a.do.String()
}

// How an operation ended.
type ending uint8

const (
	absent  ending = iota // there is no such object
	done                  // it was carried out
	refused               // it was applied and had no effect
	unknown               // or is still under way
)

// told is an operation's output.
type told struct {
	how ending
	// A submit's, and a read's of a key: the job, and how many there are.
	job  uint64
	jobs int
	// A read's of a job.
	phase   phase
	attempt uint64
	printed uint32
	// A read's of a printer.
	value  int64
	paused bool
}

func (t told) String() string {
	switch {
	case t.how != done:
		return [...]string{"there is none", "", "refused", "unknown"}[t.how]
	case t.phase != 0:
		return fmt.Sprintf("%v, attempt %d, %d printed", t.phase, t.attempt, t.printed)
	case t.job != 0:
		return fmt.Sprint("job ", t.job)
	}
	return fmt.Sprintf("done %d paused %v", t.value, t.paused)
}

// A phase is what clients can tell of a job's state; a set of them is what it may be in.
type phase uint16

const (
	missing phase = 1 << iota
	pending
	held
	inDoubt
	driven
	canceling // printing, and to be canceled
	holding
	moving
	canceled
	aborted
	completed
	phases = iota
)

const (
	bound = driven | canceling | holding | moving
	over  = canceled | aborted | completed
)

func (p phase) String() string {
	names := [...]string{
		"missing", "pending", "held", "in doubt", "printing", "printing until canceled", "printing until held", "printing until moved",
		"canceled", "aborted", "completed",
	}
	return names[bits.TrailingZeros16(uint16(p))]
}

func toldOfJob(j *queue.Job) told {
	if j == nil {
		return told{how: absent}
	}
	t := told{how: done, phase: phaseOf(j), printed: j.Printed}
	if n := len(j.Attempts); n > 0 {
		t.attempt = j.Attempts[n-1].Number
	}
	return t
}

func phaseOf(j *queue.Job) phase {
	switch queue.JobState(j.State) {
	case queue.Pending:
		return pending
	case queue.Held:
		if j.Reason == "in-doubt" {
			return inDoubt
		}
		return held
	case queue.Canceled:
		return canceled
	case queue.Aborted:
		return aborted
	case queue.Completed:
		return completed
	}
	return [...]phase{driven, canceling, holding, moving}[j.Stopping]
}

func toldOfPrinter(p *queue.Printer) told {
	if p == nil {
		return told{how: absent}
	}
	return told{how: done, value: p.Settings.GetRetention(), paused: p.Paused}
}

// by itself is where a job may go from a phase without anybody asking.
func byItself(p phase, ttl bool) phase {
	switch p {
	case pending:
		if ttl {
			return driven | aborted
		}
		return driven
	case held:
		if ttl {
			return aborted
		}
	case driven:
		return completed | held | inDoubt | pending // given back by a device that could not begin
	case canceling:
		return canceled | completed
	case holding:
		return held | inDoubt | completed
	case moving:
		return pending | held | completed
	}
	return 0
}

// onRequest is where a request takes a job from a phase, and whether it may be refused there.
func onRequest(v verb, p phase) (to phase, refusable bool) {
	switch v {
	case doCancel:
		return cancelFrom(p)
	case doHold:
		switch p {
		case pending, held:
			return held, false
		case inDoubt, holding:
			return p, false
		case driven:
			return holding, false
		}
		return 0, true
	case doRelease:
		switch p {
		case pending, held:
			return pending, false
		case driven:
			return driven, false
		}
		return 0, true
	case doMove, doForceMove:
		return moveFrom(v, p), true
	case doResolve:
		if p&(held|inDoubt) != 0 {
			return pending | completed, true
		}
	}
	return 0, true
}

func cancelFrom(p phase) (to phase, refusable bool) {
	switch {
	case p&bound != 0:
		return canceling, false
	case p&(over|missing) != 0:
		return 0, true
	}
	return canceled, false
}

// moveFrom is refused wherever the job is at that printer already.
func moveFrom(v verb, p phase) phase {
	switch {
	case p == pending:
		return pending
	case p == held:
		return held | pending
	case p == driven && v == doMove:
		return moving
	case v == doForceMove && p&(driven|holding|moving) != 0:
		return pending
	}
	return 0
}

// A jobView is what is known of a job at a moment: the phases that it may be in, and the most that was seen of its attempts.
type jobView struct {
	may     phase
	attempt uint64
	printed uint32
}

// each calls fn for every phase of a set.
func (p phase) each(fn func(phase)) {
	for i := range phases {
		if one := phase(1) << i; p&one != 0 {
			fn(one)
		}
	}
}

// jobModel is a job that its clients submit, act on and read, while the printers do with it what they do. A reprint makes a job
// at a moment that its history does not tell.
func jobModel(reprint, ttl bool) porcupine.Model {
	later := func(may phase) phase {
		for before := phase(0); before != may; {
			before = may
			before.each(func(p phase) { may |= byItself(p, ttl) })
			if reprint && may&missing != 0 {
				may |= pending
			}
		}
		return may
	}
	return porcupine.Model{
		Init: func() any { return jobView{may: missing} },
		Step: func(state, input, output any) (bool, any) {
			v, in, out := state.(jobView), input.(asked), output.(told)
			v.may = later(v.may)
			v.step(in, out)
			return v.may != 0, v
		},
	}
}

// step lets one operation happen; no phase is left where it cannot.
func (v *jobView) step(in asked, out told) {
	switch {
	case in.do == doRead:
		v.read(out)
	case out.how == absent:
		v.may &= missing
	case in.do == doSubmit:
		v.may = map[bool]phase{false: pending, true: held}[in.hold]
	default:
		var to, stays phase
		v.may.each(func(p phase) {
			next, refusable := onRequest(in.do, p)
			to |= next
			if refusable {
				stays |= p
			}
		})
		switch out.how {
		case refused:
			v.may = stays &^ missing
		case unknown:
			v.may |= to
		default:
			v.may = to
		}
	}
}

// read sees one phase. Attempts only grow, and so does the progress of an attempt.
func (v *jobView) read(out told) {
	if out.how == absent {
		v.may &= missing
		return
	}
	v.may &= out.phase
	at := out.phase&bound != 0
	if out.attempt < v.attempt || at && out.attempt == v.attempt && out.printed < v.printed {
		v.may = 0
		return
	}
	if out.attempt > v.attempt {
		v.printed = 0
	}
	v.attempt = out.attempt
	if at {
		v.printed = out.printed
	}
}

// someJob is one whose number nobody was told.
const someJob = ^uint64(0)

// keyModel is a key under which one job is made, however often it is asked for.
func keyModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return uint64(0) },
		Step: func(state, input, output any) (bool, any) {
			job, out := state.(uint64), output.(told)
			switch {
			case out.how == absent, out.how == refused:
				return job == 0, job
			case out.how == unknown && job == 0:
				return true, someJob
			case out.how == unknown:
				return true, job
			case input.(asked).do == doRead && (job == 0 || out.jobs != 1):
				return false, job
			}
			return job == 0 || job == someJob || job == out.job, out.job
		},
	}
}

// A printerView is a printer's settings, as far as clients change them here.
type printerView struct {
	made   bool
	value  int64
	paused bool
}

// printerModel is a register for the settings, and one for the pause.
func printerModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return printerView{} },
		Step: func(state, input, output any) (bool, any) {
			p, in, out := state.(printerView), input.(asked), output.(told)
			switch {
			case out.how == absent:
				return !p.made, p
			case out.how == refused:
				return true, p
			case in.do == doRead:
				return p == printerView{true, out.value, out.paused}, p
			case in.do == doSet:
				p.made, p.value = true, in.value
				return true, p
			case !p.made:
				return out.how == unknown, p
			}
			p.paused = in.do == doPause
			return true, p
		},
	}
}
