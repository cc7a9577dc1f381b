package queue

import (
	"errors"
	"strings"
	"testing"

	"printq/queue/queuepb"
)

// R4: what a resume makes of a job of two pages, two copies, of which progress units were recorded.
func TestResumeMark(t *testing.T) {
	const self = 1000 // stands for the recovering attempt
	for _, c := range []struct {
		name     string
		recorded uint32
		mark     *queuepb.Mark
		epoch    string
		policy   string
		stopping *queuepb.Command

		state   JobState
		reason  string
		printed uint32
		closing bool
		bound   bool
	}{
		{name: "goes on after the mark", recorded: 1, mark: &queuepb.Mark{Attempt: self, Copy: 2, Page: 1}, state: Processing, reason: reasonPrinting, printed: 3, bound: true},
		{name: "at the mark recorded", recorded: 3, mark: &queuepb.Mark{Attempt: self, Copy: 2, Page: 1}, state: Processing, reason: reasonPrinting, printed: 3, bound: true},
		{name: "everything out, closed", mark: &queuepb.Mark{Attempt: self, Copy: 2, Page: 2, Closed: true}, state: Completed, reason: reasonCompleted, printed: 4},
		{name: "everything out, open", mark: &queuepb.Mark{Attempt: self, Copy: 2, Page: 2}, state: Completed, reason: reasonCompleted, printed: 4, closing: true},
		{name: "of an earlier attempt, closed", mark: &queuepb.Mark{Attempt: 1, Copy: 1, Page: 2, Closed: true}, state: Processing, reason: reasonPrinting, bound: true},
		{name: "of an earlier attempt, open", mark: &queuepb.Mark{Attempt: 1, Copy: 1, Page: 2}, state: Processing, reason: reasonPrinting, closing: true, bound: true},
		{name: "empty", mark: nil, state: Processing, reason: reasonPrinting, bound: true},
		{name: "of an earlier attempt, below the record", recorded: 1, mark: &queuepb.Mark{Attempt: 1, Copy: 1, Page: 2, Closed: true}, state: Held, reason: reasonInDoubt, printed: 1},
		{name: "below the record", recorded: 3, mark: &queuepb.Mark{Attempt: self, Copy: 1, Page: 2}, state: Held, reason: reasonInDoubt, printed: 3, closing: true},
		{name: "of a later attempt", mark: &queuepb.Mark{Attempt: 5000, Copy: 1, Page: 1}, state: Held, reason: reasonInDoubt, closing: true},
		{name: "of another epoch", recorded: 2, mark: &queuepb.Mark{}, epoch: "e2", state: Held, reason: reasonInDoubt, printed: 2},
		{name: "of another epoch, nothing recorded", mark: &queuepb.Mark{}, epoch: "e2", state: Held, reason: reasonInDoubt},
		{name: "that does not map: copy", mark: &queuepb.Mark{Attempt: self, Copy: 3, Page: 1}, state: Held, reason: reasonInDoubt, closing: true},
		{name: "that does not map: page", mark: &queuepb.Mark{Attempt: self, Copy: 1, Page: 3}, state: Held, reason: reasonInDoubt, closing: true},
		{name: "another epoch, policy reprint", policy: "reprint", recorded: 1, epoch: "e2", state: Processing, reason: reasonPrinting, printed: 1, bound: true},
		{name: "another epoch, policy skip", policy: "skip", recorded: 1, epoch: "e2", state: Processing, reason: reasonPrinting, printed: 2, bound: true},
		{name: "another epoch, policy skip, last unit", policy: "skip", recorded: 3, epoch: "e2", state: Completed, reason: reasonWarnings, printed: 4},
		{name: "closed early, stopping", stopping: cancelJob(1), mark: &queuepb.Mark{Attempt: self, Copy: 1, Page: 1, Closed: true}, state: Canceled, reason: reasonCanceled, printed: 1},
		{name: "closed early, holding", stopping: holdJob(1), mark: &queuepb.Mark{Attempt: self, Copy: 1, Page: 1, Closed: true}, state: Held, reason: reasonHold, printed: 1},
		{name: "closed before its first page, stopping", stopping: cancelJob(1), mark: &queuepb.Mark{Attempt: self, Closed: true}, state: Canceled, reason: reasonCanceled},
		{name: "everything out though stopping", stopping: cancelJob(1), mark: &queuepb.Mark{Attempt: self, Copy: 2, Page: 2, Closed: true}, state: Completed, reason: reasonCompleted, printed: 4},
		{name: "open and stopping", stopping: cancelJob(1), mark: &queuepb.Mark{Attempt: self, Copy: 1, Page: 1}, state: Processing, reason: reasonStopping, printed: 1, bound: true},
		{name: "closed early, nobody asked", mark: &queuepb.Mark{Attempt: self, Copy: 1, Page: 1, Closed: true}, state: Held, reason: reasonClosed, printed: 1},
		{name: "in doubt while canceled", stopping: cancelJob(1), epoch: "e2", state: Canceled, reason: reasonCanceled},
		{name: "in doubt while held", stopping: holdJob(1), policy: "reprint", epoch: "e2", state: Held, reason: reasonInDoubt},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := setUp(t, &queuepb.PrinterSettings{InDoubt: c.policy})
			w.submit("p", 2, 2)
			attempt := w.Drive(1).Work.Attempt
			if c.recorded > 0 {
				w.printed(1, c.recorded)
			}
			w.epoch++
			w.entry()
			w.is(1, Stopped, reasonRecovering)
			if c.stopping != nil {
				w.must(c.stopping)
			}
			if c.mark.GetAttempt() == self {
				c.mark.Attempt = attempt
			}
			if c.epoch == "" {
				c.epoch = "e1"
			}
			w.takeOver(1, c.mark, c.epoch)
			w.drain()
			w.is(1, c.state, c.reason)
			if p := w.job(1).Printed; p != c.printed {
				t.Errorf("printed %d, want %d", p, c.printed)
			}
			d := w.Drive(1)
			if closing := d.Closing != 0; closing != c.closing || closing && d.Closing != c.mark.Attempt {
				t.Errorf("closing %d, want %v", d.Closing, c.closing)
			}
			if (d.Work != nil) != c.bound {
				t.Errorf("work %+v, want %v", d.Work, c.bound)
			}
		})
	}
}

// R1, R5: decisions that are void, and change nothing but the trail.
func TestVoid(t *testing.T) {
	mk := func(f func(w *world, d Drive) *queuepb.Command) func(*world) *queuepb.Command {
		return func(w *world) *queuepb.Command { return w.tag(f(w, w.Drive(1))) }
	}
	done := func(d Drive, attempt uint64, units uint32, stopped bool) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{Device: 1, Token: d.Token.message(), Attempt: attempt, Units: units, Stopped: stopped}}}
	}
	for name, make := range map[string]func(*world) *queuepb.Command{
		"tag of an older term": func(w *world) *queuepb.Command {
			c := done(w.Drive(1), w.Drive(1).Work.Attempt, 2, false)
			c.Term = w.epoch - 1
			return c
		},
		"no tag":          func(w *world) *queuepb.Command { return done(w.Drive(1), w.Drive(1).Work.Attempt, 2, false) },
		"another token":   mk(func(w *world, d Drive) *queuepb.Command { d.Token.Index--; return done(d, d.Work.Attempt, 2, false) }),
		"no token":        mk(func(w *world, d Drive) *queuepb.Command { d.Token = Token{}; return done(d, d.Work.Attempt, 2, false) }),
		"another attempt": mk(func(w *world, d Drive) *queuepb.Command { return done(d, d.Work.Attempt-1, 2, false) }),
		"not all out":     mk(func(w *world, d Drive) *queuepb.Command { return done(d, d.Work.Attempt, 1, false) }),
		"too many out":    mk(func(w *world, d Drive) *queuepb.Command { return done(d, d.Work.Attempt, 3, false) }),
		"nobody asked":    mk(func(w *world, d Drive) *queuepb.Command { return done(d, d.Work.Attempt, 1, true) }),
		"second resume":   mk(func(w *world, d Drive) *queuepb.Command { return resume(1, d.Token, nil, "e2") }),
		"nothing to close": mk(func(w *world, d Drive) *queuepb.Command {
			return &queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{Device: 1, Token: d.Token.message()}}}
		}),
		"claim of no device": mk(func(w *world, d Drive) *queuepb.Command { return claim(9) }),
		"progress beyond": mk(func(w *world, d Drive) *queuepb.Command {
			return &queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{Device: 1, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: 3}}}
		}),
		"unknown": mk(func(w *world, d Drive) *queuepb.Command { return &queuepb.Command{} }),
	} {
		t.Run(name, func(t *testing.T) {
			w := setUp(t, nil)
			w.submit("p", 2, 1)
			w.drain()
			digest, before := w.Digest(), w.Stats().Void
			r := w.entry(make(w))
			if len(r.Lines) != 1 || !strings.Contains(string(r.Lines[0].JSON), `"type":"void"`) {
				t.Errorf("lines %v", r.Lines)
			}
			if w.Digest() != digest || w.Stats().Void != before+1 || len(r.Devices)+len(r.Jobs) != 0 {
				t.Errorf("it changed something: devices %v, jobs %v", r.Devices, r.Jobs)
			}
		})
	}
}

func TestClaimTravelsAlone(t *testing.T) {
	w := setUp(t, nil)
	before := w.Drive(1).Token
	w.entry(w.tag(claim(1)), w.tag(claim(1)))
	if after := w.Drive(1).Token; after != before {
		t.Errorf("token went from %v to %v", before, after)
	}
}

func TestOrderOfJobs(t *testing.T) {
	w := setUp(t, nil)
	first := w.submit("p", 1, 1)
	low := w.submit("p", 1, 1)
	c := submit("p", 1, 1)
	c.GetSubmit().Priority = 90
	high := w.send(c)
	later := w.submit("p", 1, 1)
	for _, want := range []uint64{first, high, low, later} {
		if got := w.Drive(1).Work.Job; got != want {
			t.Fatalf("job %d is printing, want %d", got, want)
		}
		w.done(1, 1, false, "")
	}
	if w.Drive(1).Work != nil {
		t.Error("a job is left")
	}
}

// A pool: devices take jobs by id, a recovering job stays bound, and the others go on.
func TestPool(t *testing.T) {
	w := setUp(t, &queuepb.PrinterSettings{Devices: []string{"tray:/a", "tray:/b"}})
	w.takeOver(2, nil, "e9")
	a, b, c := w.submit("p", 2, 1), w.submit("p", 2, 1), w.submit("p", 2, 1)
	if w.Drive(1).Work.Job != a || w.Drive(2).Work.Job != b {
		t.Fatalf("bound %+v %+v", w.Drive(1).Work, w.Drive(2).Work)
	}
	attempt := w.Drive(1).Work.Attempt
	w.epoch++
	w.takeOver(2, &queuepb.Mark{Attempt: w.Drive(2).Work.Attempt, Copy: 1, Page: 2, Closed: true}, "e9")
	w.is(b, Completed, reasonCompleted)
	w.is(a, Stopped, reasonRecovering)
	w.is(c, Processing, reasonPrinting)
	if d := w.Drive(1); d.Work.Job != a || d.Work.Attempt != attempt {
		t.Errorf("device 1: %+v", d.Work)
	}
}

func TestStopping(t *testing.T) {
	w := setUp(t, nil)
	w.must(setPrinter("q", &queuepb.PrinterSettings{Devices: []string{"tray:/q"}}))
	id := w.submit("p", 3, 1)
	w.must(holdJob(id))
	w.is(id, Processing, reasonStopping)
	if _, err := w.ask(releaseJob(id)); !errors.Is(err, ErrState) {
		t.Errorf("release while stopping: %v", err)
	}
	if _, err := w.ask(moveJob(id, "q", false)); !errors.Is(err, ErrState) {
		t.Errorf("move while holding: %v", err)
	}
	w.done(1, 1, true, "")
	w.is(id, Held, reasonHold)
	if a := w.job(id).Attempts[0]; a.Printed != 1 || a.Outcome != "held" {
		t.Errorf("attempt %v", a)
	}
	w.must(releaseJob(id))
	if k := w.Drive(1).Work; k.Printed != 0 || k.Start != 0 {
		t.Errorf("the new attempt begins at %+v", k)
	}
	w.must(moveJob(id, "q", false))
	w.must(cancelJob(id)) // overrides
	w.done(1, 2, true, "")
	w.is(id, Canceled, reasonCanceled)

	id = w.submit("p", 3, 1)
	w.must(cancelJob(id))
	w.done(1, 3, true, "")
	w.is(id, Completed, reasonCompleted)
}

func TestForcedMove(t *testing.T) {
	w := setUp(t, nil)
	w.must(setPrinter("q", &queuepb.PrinterSettings{Devices: []string{"tray:/q"}}))
	id, next := w.submit("p", 3, 1), w.submit("p", 1, 1)
	attempt := w.Drive(1).Work.Attempt
	w.printed(1, 1)
	w.epoch++
	w.entry()
	w.must(moveJob(id, "q", true))
	w.is(id, Pending, "")
	if j := w.job(id); j.Printer != "q" || j.InDoubt == nil || j.InDoubt.From != 2 || j.InDoubt.To != 3 || j.Attempts[0].Outcome != reasonInDoubt {
		t.Errorf("moved job: %v", j)
	}
	w.takeOver(1, &queuepb.Mark{Attempt: attempt, Copy: 1, Page: 2}, "e1")
	if d := w.Drive(1); d.Closing != attempt || d.Work != nil {
		t.Fatalf("drive %+v", d)
	}
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{Device: 1, Token: w.Drive(1).Token.message(), Attempt: attempt}}}))
	if d := w.Drive(1); d.Closing != 0 || d.Work == nil || d.Work.Job != next {
		t.Fatalf("drive %+v", d)
	}

	// A device that is not dead after all closes it first, too.
	attempt = w.Drive(1).Work.Attempt
	w.must(moveJob(next, "q", true))
	w.submit("p", 1, 1)
	if d := w.Drive(1); d.Closing != attempt || d.Work != nil {
		t.Fatalf("drive %+v", d)
	}
}

// A driver is told which job comes next, unless another device of the printer may take it.
func TestDriveNext(t *testing.T) {
	w := setUp(t, nil)
	w.submit("p", 2, 2)
	if next := w.Drive(1).Next; next != nil {
		t.Errorf("nothing waits, and next is %+v", next)
	}
	w.submit("p", 1, 1)
	third := w.submit("p", 3, 2)
	w.must(reorder(third, 0))
	next := w.Drive(1).Next
	if next == nil || next.Job != third || next.Attempt != 0 || next.Units != 3 || next.Copies != 2 || next.Start != 0 || len(next.Document) == 0 {
		t.Errorf("next is %+v", next)
	}
	w.must(holdJob(third))
	if next := w.Drive(1).Next; next == nil || next.Job != third-1 {
		t.Errorf("after a hold, next is %+v", next)
	}
}
