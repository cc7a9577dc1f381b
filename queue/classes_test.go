package queue

import (
	"errors"
	"strings"
	"testing"

	"printq/queue/queuepb"
)

// answers makes a Resume of a device without a fence.
func (w *world) answers(device uint64, m *queuepb.Resume) Result {
	w.Helper()
	w.entry(w.tag(claim(device)))
	m.Device, m.Token, m.Cluster = device, w.Drive(device).Token.message(), "c1"
	return w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Resume{Resume: m}}))
}

func (w *world) intends(device uint64, m *queuepb.Intent) error {
	w.Helper()
	d := w.Drive(device)
	m.Device, m.Token, m.Attempt = device, d.Token.message(), d.Work.Attempt
	return w.ruling(&queuepb.Command{Body: &queuepb.Command_Intent{Intent: m}})
}

// ruling applies a decision as a request, so that its answer shows.
func (w *world) ruling(c *queuepb.Command) error {
	w.Helper()
	_, err := w.ask(w.tag(c))
	return err
}

func (w *world) sent(device uint64, units, sent uint32) error {
	w.Helper()
	d := w.Drive(device)
	return w.ruling(&queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{
		Device: device, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: units, Sent: sent,
	}}})
}

func (w *world) remoteIs(device uint64, id string) error {
	w.Helper()
	d := w.Drive(device)
	return w.ruling(&queuepb.Command{Body: &queuepb.Command_Remote{Remote: &queuepb.Remote{
		Device: device, Token: d.Token.message(), Attempt: d.Work.Attempt, Id: id,
	}}})
}

func (w *world) yields(device uint64) error {
	w.Helper()
	d := w.Drive(device)
	return w.ruling(&queuepb.Command{Body: &queuepb.Command_Yield{Yield: &queuepb.Yield{
		Device: device, Token: d.Token.message(), Attempt: d.Work.Attempt, Reason: "connecting-to-device", Detail: "refused",
	}}})
}

func submitPages(printer string, units, copies, pages uint32) *queuepb.Command {
	c := submit(printer, units, copies)
	c.GetSubmit().Pages = pages
	return c
}

// A device that was adopted in the place of another one counts its own pages: they say nothing about what the other had.
func TestCounterOfAnotherDevice(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
	counts := func(identity string, n uint64) *queuepb.Resume {
		return &queuepb.Resume{Class: uint32(Counted), Counts: true, Counter: n, Identity: identity}
	}
	w.answers(1, counts("one", 100))
	id := w.send(submitPages("p", 4, 1, 4))
	if err := errors.Join(w.intends(1, &queuepb.Intent{Units: 3, Counts: true, Counter: 100}), w.sent(1, 0, 2)); err != nil {
		t.Fatal(err)
	}
	w.answers(1, counts("two", 102))
	w.must(&queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: "p"}}})
	w.answers(1, counts("two", 102))
	w.is(id, Held, reasonInDoubt)
	if j := w.job(id); j.Printed != 0 || j.InDoubt.GetFrom() != 1 || j.InDoubt.GetLast() != 3 {
		t.Errorf("%d units are out, in doubt is %v; want none, and 1 to 3", j.Printed, j.InDoubt)
	}
}

// What a takeover concludes about a job of a device without a fence, from what was announced and what the device answers.
func TestTakeoverWithoutFence(t *testing.T) {
	counted := func(n uint64) *queuepb.Resume {
		return &queuepb.Resume{Class: uint32(Counted), Counts: true, Counter: n}
	}
	skips := func(n uint64) *queuepb.Resume {
		m := counted(n)
		m.Skips = true
		return m
	}
	blind := &queuepb.Resume{Class: uint32(Blind)}
	from := func(units uint32, counter uint64, base uint32) *queuepb.Intent {
		return &queuepb.Intent{Units: units, Counts: true, Counter: counter, Base: base}
	}
	for _, row := range []struct {
		name          string
		units, pages  uint32
		first         *queuepb.Resume // and the class from the beginning
		printed, sent uint32
		intent        *queuepb.Intent // nil: none was committed
		answer        *queuepb.Resume
		state         JobState
		out, last     uint32 // progress afterwards; last unit in doubt, 0: none is
		pagesOut      int
	}{
		{"nothing was announced", 5, 5, blind, 0, 0, nil, blind, Processing, 0, 0, 0},
		{"all that was announced is out", 5, 5, blind, 2, 2, &queuepb.Intent{Units: 2}, blind, Processing, 2, 0, 0},
		{"blind: the unit in flight is in doubt", 5, 5, blind, 2, 2, &queuepb.Intent{Units: 3}, blind, Held, 2, 3, 0},
		{"counted: none of the window came out", 5, 5, counted(100), 1, 1, from(4, 100, 0), counted(101), Processing, 1, 0, 0},
		{"counted: two of the window did", 5, 5, counted(100), 1, 4, from(4, 100, 0), counted(103), Processing, 3, 0, 0},
		{"counted: all of the job did", 5, 5, counted(100), 1, 5, from(5, 100, 0), counted(105), Completed, 5, 0, 0},
		{"counted: the last page may be torn", 5, 5, counted(100), 1, 2, from(4, 100, 0), counted(103), Held, 2, 3, 0},
		{"counted: only the last one may be", 5, 5, counted(100), 1, 1, from(4, 100, 0), counted(104), Held, 3, 4, 0},
		{"counted: somebody else prints there", 5, 5, counted(100), 1, 4, from(4, 100, 0), counted(105), Held, 1, 4, 0},
		{"counted: fewer than were reported", 5, 5, counted(100), 3, 4, from(4, 100, 0), counted(102), Held, 3, 4, 0},
		{"counted: the counter went back", 5, 5, counted(100), 1, 4, from(4, 100, 0), counted(7), Held, 1, 4, 0},
		{"counted: it cannot count any more", 5, 5, counted(100), 1, 4, from(4, 100, 0), blind, Held, 1, 4, 0},
		{"counted: it could not count before", 5, 5, counted(100), 1, 4, &queuepb.Intent{Units: 4}, counted(102), Held, 1, 4, 0},
		{"a document untouched", 1, 9, counted(100), 0, 0, from(1, 100, 0), counted(100), Processing, 0, 0, 0},
		{"a document all out", 1, 9, counted(100), 0, 1, from(1, 100, 0), counted(109), Completed, 1, 0, 0},
		{"a document cut by the device", 1, 9, skips(100), 0, 1, from(1, 100, 0), skips(104), Processing, 0, 0, 4},
		{"and one that cannot go on", 1, 9, counted(100), 0, 1, from(1, 100, 0), counted(104), Held, 0, 1, 0},
		{"a document cut on its way", 1, 9, skips(100), 0, 0, from(1, 100, 0), skips(104), Held, 0, 1, 0},
		{"unknown pages, none came out", 1, 0, counted(100), 0, 0, from(1, 100, 0), counted(100), Processing, 0, 0, 0},
		{"unknown pages, some did", 1, 0, counted(100), 0, 1, from(1, 100, 0), counted(101), Held, 0, 1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t)
			w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
			w.answers(1, row.first)
			id := w.send(submitPages("p", row.units, 1, row.pages))
			if row.printed > 0 {
				if err := errors.Join(w.intends(1, from(row.printed, 100, 0)), w.sent(1, row.printed, row.printed)); err != nil {
					t.Fatal(err)
				}
			}
			if row.intent != nil && row.intent.Units > row.printed {
				if err := w.intends(1, row.intent); err != nil {
					t.Fatal(err)
				}
			}
			if row.sent > row.printed {
				if err := w.sent(1, row.printed, row.sent); err != nil {
					t.Fatal(err)
				}
			}
			w.drain()
			w.epoch++
			w.entry()
			w.answers(1, row.answer)
			w.drain()
			j := w.job(id)
			if JobState(j.State) != row.state || j.Printed != row.out || j.InDoubt.GetLast() != row.last {
				t.Errorf("job is %s with %d out, in doubt: %v; want %s, %d, last %d", JobState(j.State), j.Printed, j.InDoubt, row.state, row.out, row.last)
			}
			if work := w.Drive(1).Work; work != nil && work.PagesOut != row.pagesOut {
				t.Errorf("%d pages of the next unit are out, want %d", work.PagesOut, row.pagesOut)
			}
		})
	}
}

// The leader that saw the device end the connection says that what was taken is lost again: then a counted page may be a torn one.
func TestTakenAndLostAgain(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
	counts := func(n uint64) *queuepb.Resume {
		return &queuepb.Resume{Class: uint32(Counted), Counts: true, Counter: n}
	}
	w.answers(1, counts(100))
	id := w.send(submitPages("p", 5, 1, 5))
	before := w.Drive(1).Token.message()
	if err := errors.Join(w.intends(1, &queuepb.Intent{Units: 4, Counts: true, Counter: 100}), w.sent(1, 1, 4)); err != nil {
		t.Fatal(err)
	}
	answer := counts(103)
	answer.Before, answer.Units, answer.Sent = before, 1, 1
	w.answers(1, answer)
	w.is(id, Held, reasonInDoubt)
	if j := w.job(id); j.Printed != 2 || j.InDoubt.GetLast() != 3 {
		t.Errorf("%d units are out, in doubt is %v; want 2, and the third", j.Printed, j.InDoubt)
	}
}

// What is recorded as out is not in doubt, whatever a leader says of what the device has lost.
func TestOutIsNotLost(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
	counts := func(n uint64) *queuepb.Resume {
		return &queuepb.Resume{Class: uint32(Counted), Counts: true, Counter: n}
	}
	w.answers(1, counts(100))
	id := w.send(submitPages("p", 5, 1, 5))
	before := w.Drive(1).Token.message()
	if err := errors.Join(w.intends(1, &queuepb.Intent{Units: 4, Counts: true, Counter: 100}), w.sent(1, 2, 4)); err != nil {
		t.Fatal(err)
	}
	answer := counts(102)
	answer.Before = before
	w.answers(1, answer)
	w.is(id, Processing, reasonPrinting)
	if j := w.job(id); j.Printed != 2 || j.InDoubt != nil {
		t.Errorf("%d units are out, in doubt is %v; want 2, and nothing", j.Printed, j.InDoubt)
	}
}

// The back of a job's last sheet counts, though nothing is on it.
func TestBlankBackIsCounted(t *testing.T) {
	for _, row := range []struct {
		sides     string
		units     uint32
		counter   uint64
		state     JobState
		out, last uint32
	}{
		{"two-sided-long-edge", 5, 106, Completed, 5, 0},
		{"two-sided-long-edge", 5, 105, Completed, 5, 0},
		{"two-sided-long-edge", 5, 107, Held, 0, 5},
		{"two-sided-long-edge", 4, 105, Held, 0, 4},
		{"one-sided", 5, 106, Held, 0, 5},
	} {
		w := newWorld(t)
		w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
		counts := func(n uint64) *queuepb.Resume {
			return &queuepb.Resume{Class: uint32(Counted), Counts: true, Counter: n}
		}
		w.answers(1, counts(100))
		c := submitPages("p", row.units, 1, row.units)
		c.GetSubmit().Options = []*queuepb.Option{{Name: "sides", Value: row.sides}}
		id := w.send(c)
		if err := errors.Join(w.intends(1, &queuepb.Intent{Units: row.units, Counts: true, Counter: 100}), w.sent(1, 0, row.units)); err != nil {
			t.Fatal(err)
		}
		w.answers(1, counts(row.counter))
		if j := w.job(id); JobState(j.State) != row.state || j.Printed != row.out || j.InDoubt.GetLast() != row.last {
			t.Errorf("%+v: job is %s with %d out, in doubt: %v", row, JobState(j.State), j.Printed, j.InDoubt)
		}
	}
}

// What was not announced is not out: the state machine does not believe it.
func TestUnannouncedIsVoid(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
	w.answers(1, &queuepb.Resume{Class: uint32(Blind)})
	id := w.send(submitPages("p", 3, 1, 3))
	if err := w.sent(1, 1, 1); !errors.Is(err, ErrVoid) {
		t.Errorf("progress without an intent: %v", err)
	}
	if err := w.intends(1, &queuepb.Intent{Units: 4}); !errors.Is(err, ErrVoid) {
		t.Errorf("an intent beyond the job: %v", err)
	}
	if err := errors.Join(w.intends(1, &queuepb.Intent{Units: 1}), w.sent(1, 1, 1)); err != nil {
		t.Fatal(err)
	}
	if err := w.intends(1, &queuepb.Intent{Units: 3, Base: 2}); !errors.Is(err, ErrVoid) {
		t.Errorf("an intent counted from what is not recorded: %v", err)
	}
	w.must(cancelJob(id))
	if err := w.intends(1, &queuepb.Intent{Units: 2}); !errors.Is(err, ErrVoid) {
		t.Errorf("an intent of a stopping job: %v", err)
	}
	w.done(1, 1, true, "")
	w.is(id, Canceled, reasonCanceled)
}

// A unit cut off because the job was canceled is in doubt, and the job canceled all the same.
func TestCutOffIsInDoubt(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a"}}))
	w.answers(1, &queuepb.Resume{Class: uint32(Blind)})
	id := w.send(submitPages("p", 1, 1, 40))
	if err := w.intends(1, &queuepb.Intent{Units: 1}); err != nil {
		t.Fatal(err)
	}
	w.must(cancelJob(id))
	d := w.Drive(1)
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
		Device: 1, Token: d.Token.message(), Attempt: d.Work.Attempt, Stopped: true, Unclear: true,
	}}}))
	w.is(id, Canceled, reasonCanceled)
	if j := w.job(id); j.InDoubt.GetLast() != 1 {
		t.Errorf("in doubt: %v", j.InDoubt)
	}
}

func TestRemoteJob(t *testing.T) {
	spooler := func(t *testing.T, policy string) (*world, uint64) {
		w := newWorld(t)
		w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"ipp://a"}, InDoubt: policy}))
		w.answers(1, &queuepb.Resume{Class: uint32(WholeJob), Formats: []string{"application/pdf"}})
		return w, w.send(submitPages("p", 4, 1, 4))
	}
	doubtful := func(w *world, units uint32) error {
		d := w.Drive(1)
		return w.ruling(&queuepb.Command{Body: &queuepb.Command_Doubtful{Doubtful: &queuepb.Doubtful{
			Device: 1, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: units, Why: "not found",
		}}})
	}
	t.Run("the first id of an attempt wins", func(t *testing.T) {
		w, id := spooler(t, "")
		if err := w.remoteIs(1, "17"); err != nil {
			t.Fatal(err)
		}
		if err := w.remoteIs(1, "18"); !errors.Is(err, ErrVoid) {
			t.Errorf("a second id: %v", err)
		}
		if err := w.sent(1, 0, 4); err != nil {
			t.Fatal(err)
		}
		w.epoch++
		w.entry()
		w.answers(1, &queuepb.Resume{Class: uint32(WholeJob)})
		if work := w.Drive(1).Work; work == nil || work.Remote != "17" || work.Sent != 4 {
			t.Errorf("after a takeover the device is at %+v", work)
		}
		w.done(1, 4, false, "")
		w.is(id, Completed, reasonCompleted)
		if a := w.job(id).Attempts[0]; a.Remote != "17" {
			t.Errorf("attempt %v", a)
		}
	})
	t.Run("nothing is out of a job that is nowhere", func(t *testing.T) {
		w, id := spooler(t, "")
		w.done(1, 4, false, "")
		w.is(id, Processing, reasonPrinting)
		if err := doubtful(w, 0); !errors.Is(err, ErrVoid) {
			t.Errorf("doubt of an attempt that was nowhere: %v", err)
		}
	})
	t.Run("none takes effect once stopping", func(t *testing.T) {
		w, id := spooler(t, "")
		w.must(cancelJob(id))
		if err := w.remoteIs(1, "17"); !errors.Is(err, ErrVoid) {
			t.Errorf("an id for a stopping job: %v", err)
		}
		w.done(1, 0, true, "")
		w.is(id, Canceled, reasonCanceled)
	})
	t.Run("forgotten by the device", func(t *testing.T) {
		w, id := spooler(t, "")
		if err := errors.Join(w.remoteIs(1, "17"), doubtful(w, 1)); err != nil {
			t.Fatal(err)
		}
		w.is(id, Held, reasonInDoubt)
		w.must(&queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: id, Answer: &queuepb.Resolve_Printed{Printed: 2}}}})
		if work := w.Drive(1).Work; work == nil || work.Start != 2 || work.Remote != "" {
			t.Errorf("after resolve the device is at %+v", work)
		}
	})
	t.Run("forgotten, and printed again", func(t *testing.T) {
		w, id := spooler(t, "reprint")
		before := w.Drive(1).Work.Attempt
		if err := errors.Join(w.remoteIs(1, "17"), doubtful(w, 1)); err != nil {
			t.Fatal(err)
		}
		if work := w.Drive(1).Work; work.Attempt == before || work.Start != 1 || work.Remote != "" {
			t.Errorf("the device is at %+v", work)
		}
		if j := w.job(id); j.InDoubt == nil {
			t.Error("the job does not show that a page may be doubled")
		}
	})
	t.Run("a device that keeps jobs no longer", func(t *testing.T) {
		w, id := spooler(t, "")
		if err := w.remoteIs(1, "17"); err != nil {
			t.Fatal(err)
		}
		w.answers(1, &queuepb.Resume{Class: uint32(Blind)})
		w.is(id, Held, reasonInDoubt)
	})
}

func TestYield(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a", "socket://b"}, Pool: "ordered"}))
	w.answers(1, &queuepb.Resume{Class: uint32(Blind)})
	first := w.send(submitPages("p", 2, 1, 2))
	second := w.send(submitPages("p", 2, 1, 2))
	if err := w.yields(1); err != nil {
		t.Fatal(err)
	}
	w.is(first, Pending, "")
	if d := w.Drive(1); d.Token != (Token{}) || d.Resumed {
		t.Errorf("the device keeps its claim: %+v", d)
	}
	w.drain()
	w.answers(2, &queuepb.Resume{Class: uint32(Blind)})
	if work := w.Drive(2).Work; work == nil || work.Job != first {
		t.Errorf("the other device is at %+v, want job %d", work, first)
	}
	if err := w.intends(2, &queuepb.Intent{Units: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.yields(2); !errors.Is(err, ErrVoid) {
		t.Errorf("a job that has begun is given back: %v", err)
	}
	w.is(second, Pending, "")
}

// An attempt that the policy for doubt began in the middle is given back as what it was: what is out does not come out again.
func TestYieldInTheMiddle(t *testing.T) {
	for policy, start := range map[string]int{"skip": 2, "reprint": 1} {
		w := newWorld(t)
		w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"socket://a", "socket://b"}, Pool: "ordered", InDoubt: policy}))
		blind := &queuepb.Resume{Class: uint32(Blind)}
		w.answers(1, blind)
		w.send(submitPages("p", 4, 1, 4))
		if err := errors.Join(w.intends(1, &queuepb.Intent{Units: 1}), w.sent(1, 1, 0), w.intends(1, &queuepb.Intent{Units: 2})); err != nil {
			t.Fatal(err)
		}
		w.answers(1, blind) // the second is in doubt
		if err := w.yields(1); err != nil {
			t.Fatal(err)
		}
		w.drain()
		w.answers(2, blind)
		if work := w.Drive(2).Work; work == nil || work.Start != start || work.Printed != start {
			t.Errorf("policy %s: the other device is at %+v, want it to begin after unit %d", policy, work, start)
		}
	}
}

func TestPoolOrder(t *testing.T) {
	const jobs = 4
	for _, row := range []struct{ pool, want string }{
		{"balanced", "1212"},
		{"ordered", "1111"},
		{"standby", "1111"},
	} {
		w := newWorld(t)
		w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/b", "tray:/a"}, Pool: row.pool}))
		w.takeOver(2, &queuepb.Mark{Closed: true}, "e")
		w.takeOver(1, &queuepb.Mark{Closed: true}, "e")
		var got strings.Builder
		for range jobs {
			id := w.submit("p", 1, 1)
			device := w.job(id).Device
			got.WriteByte(byte('0' + device))
			w.done(device, 1, false, "")
			w.drain()
		}
		if got.String() != row.want {
			t.Errorf("%s: jobs went to devices %s, want %s", row.pool, &got, row.want)
		}
	}
}

// A standby device begins nothing before the first is known to be out of order, and then at once.
func TestStandby(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/a", "tray:/b"}, Pool: "standby"}))
	id := w.submit("p", 1, 1)
	w.takeOver(2, &queuepb.Mark{Closed: true}, "e")
	w.is(id, Pending, "")
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Report{Report: &queuepb.Report{Device: 1, Reason: "connecting-to-device"}}}))
	w.is(id, Processing, reasonPrinting)
	if at := w.job(id).Device; at != 2 {
		t.Errorf("the job is at device %d", at)
	}
}

// A head that was cut off while it printed says which unit is in doubt.
func TestUnclearMark(t *testing.T) {
	w := setUp(t, nil)
	id := w.submit("p", 5, 1)
	w.printed(1, 2)
	w.epoch++
	w.entry()
	w.takeOver(1, &queuepb.Mark{Attempt: w.Drive(1).Work.Attempt, Copy: 1, Page: 3, Unclear: true}, "e1")
	w.is(id, Held, reasonInDoubt)
	if j := w.job(id); j.Printed != 3 || j.InDoubt.GetFrom() != 4 || j.InDoubt.GetLast() != 4 {
		t.Errorf("%d out, in doubt %v", j.Printed, j.InDoubt)
	}
	if d := w.Drive(1); d.Closing == 0 || d.Work != nil {
		t.Errorf("the attempt is not closed first: %+v", d)
	}
}

func TestOptions(t *testing.T) {
	w := setUp(t, nil)
	c := submit("p", 1, 1)
	c.GetSubmit().Options = []*queuepb.Option{{Name: "media", Value: "iso_a4_210x297mm"}, {Name: "sides", Value: "one-sided"}}
	id := w.send(c)
	w.drain()
	if work := w.Drive(1).Work; work.Options["sides"] != "one-sided" || len(w.job(id).Options) != 2 {
		t.Errorf("options %v, of the record %v", work.Options, w.job(id).Options)
	}
	if line := w.lines[len(w.lines)-2]; !strings.Contains(line, `"options":{"media":"iso_a4_210x297mm","sides":"one-sided"}`) {
		t.Errorf("line %s", line)
	}
	c = submit("p", 1, 1)
	c.GetSubmit().Options = []*queuepb.Option{{Name: "sides"}, {Name: "media"}}
	c.Session, c.Seq = 78, 1
	if out := w.packed([]byte("x"), c).Outcomes[0]; !errors.Is(out.Err, ErrInvalid) {
		t.Errorf("options out of order: %v", out.Err)
	}
}

// A head that was cut off in a unit of a job that is being canceled leaves that unit in doubt, and none after it.
func TestUnclearClose(t *testing.T) {
	w := setUp(t, nil)
	id := w.submit("p", 5, 1)
	w.must(cancelJob(id))
	d := w.Drive(1)
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
		Device: 1, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: 2, Stopped: true, Unclear: true,
	}}}))
	w.is(id, Canceled, reasonCanceled)
	if j := w.job(id); j.InDoubt.GetFrom() != 3 || j.InDoubt.GetLast() != 3 {
		t.Errorf("in doubt: %v", j.InDoubt)
	}
}
