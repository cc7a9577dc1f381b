package sim

import (
	"math"
	"testing"

	"github.com/anishathalye/porcupine"
)

// byHistory are found with every check off but that of the clients' histories: a write that is told to be none, a read that is older
// than it says, and one request carried out twice show nowhere else.
var byHistory = []planted{
	{Mutant: Mutant{Name: "lease-reads-by-history", LeaseReads: true}, focus: []Kind{Pause, Read, Read, SetPrinter, SetPrinter, Isolate}, seeds: 1000},
	{Mutant: Mutant{Name: "stale-read-given-as-linearizable", StaleReads: true}, focus: []Kind{Read, SetPrinter}},
	{Mutant: Mutant{Name: "retry-without-key-by-history", NoKey: true}, focus: []Kind{Kill, Lossy}},
	{Mutant: Mutant{Name: "unknown-told-as-nothing-stored", UnknownAsNone: true}, focus: []Kind{Kill, Isolate, SetPrinter}},
	{Mutant: Mutant{Name: "acknowledged-when-proposed", AnswerEarly: true}, focus: []Kind{SetPrinter, Isolate}},
}

func TestMutantsByHistory(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute under the race detector")
	}
	for _, p := range byHistory {
		p.HistoriesOnly, p.want, p.wall, p.says = true, 13, &Mutant{}, "not linearizable"
		t.Run(p.Name, func(t *testing.T) { p.hunt(t) })
	}
}

// TestModels tells histories that can be from those that cannot.
func TestModels(t *testing.T) {
	const never = math.MaxInt64
	op := func(call, answer int64, in asked, out told) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: call, Return: answer}
	}
	ok, no, lost := told{how: done}, told{how: refused}, told{how: unknown}
	do := func(v verb) asked { return asked{do: v} }
	is := func(p phase) told { return told{how: done, phase: p} }
	at := func(p phase, attempt uint64, printed uint32) told {
		return told{how: done, phase: p, attempt: attempt, printed: printed}
	}
	submit := op(1, 2, do(doSubmit), ok)
	type history []porcupine.Operation
	job, ttl, reprint := jobModel(false, false), jobModel(false, true), jobModel(true, false)
	for _, c := range []struct {
		name  string
		model porcupine.Model
		ops   history
		want  bool
	}{
		{"printed", job, history{submit, op(3, 4, do(doRead), is(pending)), op(5, 6, do(doRead), is(completed))}, true},
		{"unprinted", job, history{submit, op(3, 4, do(doRead), is(completed)), op(5, 6, do(doRead), is(pending))}, false},
		{"at the same time", job, history{submit, op(3, 5, do(doRead), is(completed)), op(5, 6, do(doRead), is(pending))}, true},
		{"not there after it was acknowledged", job, history{submit, op(3, 4, do(doRead), told{})}, false},
		{"there before it was asked for", job, history{op(1, 2, do(doRead), is(pending)), op(3, 4, do(doSubmit), ok)}, false},
		{"a reprint is there", reprint, history{op(1, 2, do(doRead), told{}), op(3, 4, do(doRead), is(pending))}, true},
		{"canceled and completed", job, history{submit, op(3, 4, do(doCancel), ok), op(5, 6, do(doRead), is(completed))}, true},
		{"canceled and pending", job, history{submit, op(3, 4, do(doCancel), ok), op(5, 6, do(doRead), is(pending))}, false},
		{"a cancel that may come", job, history{submit, op(3, never, do(doCancel), lost), op(5, 6, do(doRead), is(pending)), op(7, 8, do(doRead), is(canceled))}, true},
		{"a cancel that may not come before it is asked for", job, history{submit, op(3, 4, do(doRead), is(canceled)), op(5, never, do(doCancel), lost)}, false},
		{"held, and not released", job, history{submit, op(3, 4, do(doHold), ok), op(5, 6, do(doRead), is(held)), op(7, 8, do(doRead), is(pending))}, false},
		{"held and released", job, history{submit, op(3, 4, do(doHold), ok), op(5, never, do(doRelease), lost), op(7, 8, do(doRead), is(pending))}, true},
		{"refused where it cannot be", job, history{submit, op(3, 4, do(doHold), ok), op(5, 6, do(doRead), is(held)), op(7, 8, do(doCancel), no)}, false},
		{"aborted", job, history{submit, op(3, 4, do(doRead), is(aborted))}, false},
		{"aborted in time", ttl, history{submit, op(3, 4, do(doRead), is(aborted))}, true},
		{"progress", job, history{submit, op(3, 4, do(doRead), at(driven, 7, 2)), op(5, 6, do(doRead), at(driven, 9, 1))}, true},
		{"progress back", job, history{submit, op(3, 4, do(doRead), at(driven, 7, 2)), op(5, 6, do(doRead), at(driven, 7, 1))}, false},
		{"attempt back", job, history{submit, op(3, 4, do(doRead), at(driven, 7, 2)), op(5, 6, do(doRead), at(driven, 6, 2))}, false},

		{"one key", keyModel(), history{op(1, never, do(doSubmit), lost), op(2, 3, do(doSubmit), told{how: done, job: 4}), op(4, 5, do(doSubmit), told{how: done, job: 4})}, true},
		{"one key, two jobs", keyModel(), history{op(2, 3, do(doSubmit), told{how: done, job: 4}), op(4, 5, do(doSubmit), told{how: done, job: 5})}, false},
		{"one key, two jobs seen", keyModel(), history{op(1, never, do(doSubmit), lost), op(4, 5, do(doRead), told{how: done, job: 5, jobs: 2})}, false},
		{"seen, and gone", keyModel(), history{op(1, never, do(doSubmit), lost), op(2, 3, do(doRead), told{how: done, job: 5, jobs: 1}), op(4, 5, do(doRead), told{})}, false},
		{"nothing was stored", keyModel(), history{op(4, 5, do(doRead), told{how: done, job: 5, jobs: 1})}, false},

		{"set twice", printerModel(), history{op(1, 2, asked{do: doSet, value: 1}, ok), op(3, never, asked{do: doSet, value: 2}, lost), op(4, 5, do(doRead), told{how: done, value: 1}), op(6, 7, do(doRead), told{how: done, value: 2})}, true},
		{"set back", printerModel(), history{op(1, 2, asked{do: doSet, value: 1}, ok), op(3, 4, asked{do: doSet, value: 2}, ok), op(6, 7, do(doRead), told{how: done, value: 1})}, false},
		{"paused", printerModel(), history{op(1, 2, asked{do: doSet, value: 1}, ok), op(3, 4, do(doPause), ok), op(6, 7, do(doRead), told{how: done, value: 1})}, false},
		{"resumed", printerModel(), history{op(1, 2, asked{do: doSet, value: 1}, ok), op(3, 4, do(doPause), ok), op(5, 8, do(doResume), ok), op(6, 7, do(doRead), told{how: done, value: 1})}, true},
	} {
		if got := porcupine.CheckOperations(c.model, c.ops); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
