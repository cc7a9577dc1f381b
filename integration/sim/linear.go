package sim

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A ledger is what clients asked for and were told, object by object: a job, the key of a submission, a printer. It knows
// nothing of the log. At the end, each object's history must be one that a single copy of the object could have given, if every
// operation took effect at one moment between its call and its answer, and one whose outcome is unknown at any moment
// after its call, or never (porcupine looks for such an order).
type ledger struct {
	w       *World
	objects map[string][]*record
}

// A record is one call on one object, and its answer.
type record struct {
	in           asked
	out          told
	call, answer time.Duration
	pending      bool
	dropped      bool // it is known to have had no effect
}

// longest is how many operations of one object are looked at: the first ones.
const longest = 80

// patience is real time, for one object: far more than any needs.
const patience = 10 * time.Second

func (l *ledger) init(w *World) { l.w, l.objects = w, map[string][]*record{} }

// begin notes a call.
func (l *ledger) begin(object string, in asked) *record {
	o := &record{in: in, call: l.w.now, pending: true, out: told{how: unknown}}
	l.objects[object] = append(l.objects[object], o)
	return o
}

// beginCommand notes a call that is about a job or a printer; nil: it is about neither.
func (l *ledger) beginCommand(cmd *queuepb.Command) *record {
	job := func(v verb, id uint64) *record { return l.begin(jobName(id), asked{do: v}) }
	printer := func(v verb, name string, value int64) *record {
		return l.begin("printer "+name, asked{do: v, value: value})
	}
	switch b := cmd.GetBody().(type) {
	case *queuepb.Command_Cancel:
		return job(doCancel, b.Cancel.Job)
	case *queuepb.Command_Hold:
		return job(doHold, b.Hold.Job)
	case *queuepb.Command_Release:
		return job(doRelease, b.Release.Job)
	case *queuepb.Command_Move:
		if b.Move.Force {
			return job(doForceMove, b.Move.Job)
		}
		return job(doMove, b.Move.Job)
	case *queuepb.Command_Resolve:
		return job(doResolve, b.Resolve.Job)
	case *queuepb.Command_SetPrinter:
		return printer(doSet, b.SetPrinter.Name, b.SetPrinter.Settings.Retention)
	case *queuepb.Command_PausePrinter:
		return printer(doPause, b.PausePrinter.Name, 0)
	case *queuepb.Command_ResumePrinter:
		return printer(doResume, b.ResumePrinter.Name, 0)
	}
	return nil
}

func jobName(id uint64) string { return fmt.Sprint("job ", id) }

// end notes an answer, for what the error says of it.
func (l *ledger) end(o *record, job uint64, err error) {
	if o == nil {
		return
	}
	o.answer = l.w.now
	switch {
	case err == nil:
		o.pending, o.out = false, told{how: done, job: job}
	case errors.Is(err, node.ErrNoQuorum), errors.Is(err, node.ErrFull), errors.Is(err, node.ErrDiskFull), errors.Is(err, node.ErrStopping):
		o.dropped = true // each says that nothing was proposed
	case errors.Is(err, queue.ErrNoPrinter) && (o.in.do == doMove || o.in.do == doForceMove):
		o.pending, o.out = false, told{how: refused} // it is the other printer that is not there
	case errors.Is(err, queue.ErrNoJob), errors.Is(err, queue.ErrNoPrinter):
		o.pending, o.out = false, told{how: absent}
	case errors.Is(err, queue.ErrState), errors.Is(err, queue.ErrInvalid), errors.Is(err, queue.ErrNoUpload):
		o.pending, o.out = false, told{how: refused}
	}
}

// saw notes what a read that began then saw of an object.
func (l *ledger) saw(object string, began time.Duration, out told) {
	l.objects[object] = append(l.objects[object], &record{in: asked{do: doRead}, out: out, call: began, answer: l.w.now})
}

// observe reads everything at a member, as of what it has applied: all jobs, what each key stands for, all printers.
func (l *ledger) observe(m *member, began time.Duration) {
	keys := map[string]told{}
	for id := uint64(1); id <= l.w.history.state.LastJob(); id++ {
		j, err := m.core.Job(id)
		if err != nil {
			l.w.violated(1, "member %d cannot read job %d: %v", m.id, id, err)
		}
		l.saw(jobName(id), began, toldOfJob(j))
		if x := l.w.clients.wantOf(j); x != nil {
			seen := keys[x.key]
			seen.how, seen.job = done, id
			seen.jobs++
			keys[x.key] = seen
		}
	}
	for _, x := range l.w.clients.wants {
		if x.asked <= began {
			l.saw(x.key, began, keys[x.key])
		}
	}
	for i := range l.w.plan.Printers {
		name := fmt.Sprint("p", i)
		l.saw("printer "+name, began, toldOfPrinter(m.core.Printer(name)))
	}
}

// history is what is looked at: the first operations, in the order of their calls. What had not ended when the last of them
// was called may have taken effect between any two of those that are left out: so it is unknown, and a read tells nothing.
func (l *ledger) history(object string) (ops []porcupine.Operation, cut bool) {
	all := slices.DeleteFunc(slices.Clone(l.objects[object]), func(o *record) bool { return o.dropped })
	slices.SortStableFunc(all, func(a, b *record) int { return cmp.Compare(a.call, b.call) })
	end := time.Duration(math.MaxInt64)
	if len(all) > longest {
		all, end, cut = all[:longest], all[longest].call, true
	}
	for i, o := range all {
		p := porcupine.Operation{ClientId: i, Input: o.in, Output: o.out, Call: int64(o.call), Return: int64(o.answer)}
		if o.pending || o.answer >= end {
			if o.in.do == doRead {
				continue
			}
			p.Output, p.Return = told{how: unknown}, math.MaxInt64
		}
		ops = append(ops, p)
	}
	return ops, cut
}

// check looks at every object's history.
func (l *ledger) check() {
	for _, object := range slices.Sorted(maps.Keys(l.objects)) {
		ops, cut := l.history(object)
		l.w.counts["operations in histories"] += len(ops)
		if cut {
			l.w.counts.add("history cut")
		}
		switch porcupine.CheckOperationsTimeout(l.model(object), ops, patience) {
		case porcupine.Illegal:
			l.w.convicted("the history of %s is not linearizable:\n%s", object, describeHistory(ops))
		case porcupine.Unknown:
			l.w.counts.add("history not decided in time")
		case porcupine.Ok:
			l.w.counts.add("history checked")
		}
	}
}

// model is that of the object.
func (l *ledger) model(object string) porcupine.Model {
	kind, name, _ := strings.Cut(object, " ")
	switch {
	case kind == "printer":
		return printerModel()
	case kind == "job":
		var id uint64
		_, _ = fmt.Sscan(name, &id)
		x := l.w.clients.jobs[id]
		return jobModel(x == nil, x != nil && x.ttl > 0)
	}
	return keyModel()
}

func describeHistory(ops []porcupine.Operation) string {
	var b strings.Builder
	for _, o := range ops {
		answer := "never"
		if o.Return != math.MaxInt64 {
			answer = fmt.Sprintf("%.4f", time.Duration(o.Return).Seconds())
		}
		fmt.Fprintf(&b, "%10.4f to %s: %v: %v\n", time.Duration(o.Call).Seconds(), answer, o.Input, o.Output)
	}
	return b.String()
}
