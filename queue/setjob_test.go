package queue

import (
	"errors"
	"strings"
	"testing"

	"printq/queue/queuepb"
)

func setJob(id uint64, set func(*queuepb.SetJob)) *queuepb.Command {
	m := &queuepb.SetJob{Job: id}
	set(m)
	return &queuepb.Command{Body: &queuepb.Command_SetJob{SetJob: m}}
}

func setHold(hold bool) func(uint64) *queuepb.Command {
	return func(id uint64) *queuepb.Command { return setJob(id, func(m *queuepb.SetJob) { m.Hold = &hold }) }
}

func accepting(printer string, yes bool) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_SetAccepting{SetAccepting: &queuepb.SetAccepting{Printer: printer, Accepting: yes}}}
}

func TestSetJob(t *testing.T) {
	w := setUp(t, nil)
	prints, a, b := w.submit("p", 2, 1), w.submit("p", 2, 1), w.submit("p", 2, 1)
	w.must(setJob(b, func(m *queuepb.SetJob) { m.Priority, m.Name, m.Copies = new(uint32(80)), new("label"), new(uint32(3)) }))
	w.drain()
	if j := w.job(b); j.Priority != 80 || j.Name != "label" || j.Copies != 3 {
		t.Errorf("it is %v", j)
	}
	if line := w.lines[len(w.lines)-1]; !strings.Contains(line, `"state":"pending","name":"label","copies":3,"priority":80,`) {
		t.Error(line)
	}
	lines := len(w.lines)
	w.must(setJob(b, func(m *queuepb.SetJob) { m.Priority, m.Hold = new(uint32(80)), new(false) }))
	if len(w.lines) != lines {
		t.Errorf("nothing changed: %s", w.lines[lines])
	}
	for name, c := range map[string]struct {
		cmd  *queuepb.Command
		want error
	}{
		"of no job":     {setJob(99, func(*queuepb.SetJob) {}), ErrNoJob},
		"that prints":   {setJob(prints, func(m *queuepb.SetJob) { m.Priority = new(uint32(1)) }), ErrState},
		"priority 0":    {setJob(a, func(m *queuepb.SetJob) { m.Name, m.Priority = new("x"), new(uint32(0)) }), ErrInvalid},
		"priority 101":  {setJob(a, func(m *queuepb.SetJob) { m.Name, m.Priority = new("x"), new(uint32(101)) }), ErrInvalid},
		"no name":       {setJob(a, func(m *queuepb.SetJob) { m.Priority, m.Name = new(uint32(9)), new("") }), ErrInvalid},
		"copies 0":      {setJob(a, func(m *queuepb.SetJob) { m.Priority, m.Copies = new(uint32(9)), new(uint32(0)) }), ErrInvalid},
		"copies 10,000": {setJob(a, func(m *queuepb.SetJob) { m.Priority, m.Copies = new(uint32(9)), new(uint32(10000)) }), ErrInvalid},
	} {
		if _, err := w.ask(c.cmd); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if j := w.job(a); j.Priority != DefaultPriority || j.Name != "n" || j.Copies != 1 {
		t.Errorf("a refusal changed %v", j)
	}
	w.must(setHold(true)(a))
	w.is(a, Held, reasonHold)
	w.done(1, 2, false, "")
	w.is(b, Processing, reasonPrinting) // before a, for its priority
	w.must(setHold(false)(a))
	w.is(a, Pending, "")
	w.must(holdJob(b))
	w.done(1, 1, true, "")
	if _, err := w.ask(setJob(b, func(m *queuepb.SetJob) { m.Copies = new(uint32(1)) })); !errors.Is(err, ErrState) {
		t.Errorf("copies of a job that has printed: %v", err)
	}
	w.drain()
}

// A job in doubt is for a person to resolve: setting an attribute does not print it.
func TestSetJobInDoubt(t *testing.T) {
	w := setUp(t, nil)
	id := w.submit("p", 2, 1)
	w.epoch++
	w.entry()
	w.takeOver(1, nil, "e2")
	w.is(id, Held, reasonInDoubt)
	if _, err := w.ask(setHold(false)(id)); !errors.Is(err, ErrState) {
		t.Errorf("released: %v", err)
	}
	w.is(id, Held, reasonInDoubt)
}

func TestAccepting(t *testing.T) {
	w := setUp(t, nil)
	old := w.submit("p", 1, 1)
	w.done(1, 1, false, "")
	open := w.must(createJob("p"))
	w.must(accepting("p", false))
	w.drain()
	if !w.Printer("p").Rejecting {
		t.Error("it does not say so")
	}
	for name, c := range map[string]*queuepb.Command{"create": createJob("p"), "reprint": reprintJob(old, 0)} {
		if _, err := w.ask(c); !errors.Is(err, ErrNotAccepting) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := submit("p", 1, 1)
	c.Session, c.Seq = 5, 1
	for range 2 { // and when it is asked again
		if o := w.packed([]byte("x"), c).Outcomes[0]; !errors.Is(o.Err, ErrNotAccepting) {
			t.Errorf("submit: %+v", o)
		}
	}
	// What was taken before is printed.
	if _, out := w.attach(open, "x"); out.Err != nil {
		t.Error(out.Err)
	}
	w.is(open, Processing, reasonPrinting)
	w.must(accepting("p", true))
	lines := len(w.lines)
	w.must(accepting("p", true))
	w.submit("p", 1, 1)
	if len(w.lines) != lines+1 || w.Printer("p").Rejecting {
		t.Errorf("lines %v", w.lines[lines:])
	}
	if _, err := w.ask(accepting("none", true)); !errors.Is(err, ErrNoPrinter) {
		t.Errorf("no such printer: %v", err)
	}
}

func TestDefault(t *testing.T) {
	w := setUp(t, nil)
	set := func(name string) error {
		_, err := w.ask(&queuepb.Command{Body: &queuepb.Command_SetDefault{SetDefault: &queuepb.SetDefault{Printer: name}}})
		w.drain()
		return err
	}
	is := func(name string) {
		t.Helper()
		for _, p := range w.Printers() {
			if p.Default != (p.Name == name) {
				t.Errorf("printer %s, default %v; want %q to be it", p.Name, p.Default, name)
			}
		}
	}
	w.must(setPrinter("q", &queuepb.PrinterSettings{}))
	is("")
	must(t, set("p"))
	is("p")
	must(t, set("q"))
	is("q")
	if err := set("none"); !errors.Is(err, ErrNoPrinter) {
		t.Errorf("no such printer: %v", err)
	}
	is("q")
	w.must(&queuepb.Command{Body: &queuepb.Command_RemovePrinter{RemovePrinter: &queuepb.RemovePrinter{Name: "q"}}})
	w.must(setPrinter("q", &queuepb.PrinterSettings{}))
	is("")
	must(t, set("p"))
	must(t, set(""))
	is("")
}

func TestDescribe(t *testing.T) {
	w := setUp(t, nil)
	describe := func(set func(*queuepb.DescribePrinter)) error {
		m := &queuepb.DescribePrinter{Printer: "p"}
		set(m)
		_, err := w.ask(&queuepb.Command{Body: &queuepb.Command_DescribePrinter{DescribePrinter: m}})
		w.drain()
		return err
	}
	lines := len(w.lines)
	must(t, describe(func(m *queuepb.DescribePrinter) { m.Info = new("") }))
	if len(w.lines) != lines {
		t.Errorf("nothing changed: %s", w.lines[lines])
	}
	must(t, describe(func(m *queuepb.DescribePrinter) { m.Info, m.Location = new("labels"), new("hall 3") }))
	must(t, describe(func(m *queuepb.DescribePrinter) { m.Location, m.Media = new(""), new("iso_a6_105x148mm") }))
	if d := w.Printer("p").Description; d.Info != "labels" || d.Location != "" || d.Media != "iso_a6_105x148mm" {
		t.Errorf("it is %v", d)
	}
	if line := w.lines[len(w.lines)-1]; !strings.Contains(line, `"location":"","media":"iso_a6_105x148mm"`) {
		t.Error(line)
	}
	long := strings.Repeat("x", MaxText+1)
	if err := describe(func(m *queuepb.DescribePrinter) { m.Info, m.Organization = new("y"), &long }); !errors.Is(err, ErrInvalid) {
		t.Errorf("too long: %v", err)
	}
	// Other settings leave the words alone.
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/a"}, InDoubt: "skip"}))
	if d := w.Printer("p").Description; d.GetInfo() != "labels" {
		t.Errorf("after a set it is %v", d)
	}
}

func TestPrinterTimes(t *testing.T) {
	w := setUp(t, nil)
	step := func() { w.now = w.now.Add(1e9) }
	want := func(what string, state, config bool) {
		t.Helper()
		for range 2 {
			s, c := w.PrinterTimes("p")
			if s.Equal(w.now) != state || c.Equal(w.now) != config {
				t.Errorf("%s: at %v state changed at %v, configuration at %v", what, w.now, s, c)
			}
			w.drain()
		}
	}
	step()
	w.submit("p", 1, 1)
	want("a job begins", true, false)
	step()
	w.submit("p", 1, 1)
	want("another waits", false, false)
	step()
	w.done(1, 1, false, "")
	want("the next begins at once", false, false)
	step()
	w.done(1, 1, false, "")
	want("idle", true, false)
	step()
	w.must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}})
	want("paused", true, false)
	step()
	w.must(accepting("p", false))
	want("rejecting", false, true)
	step()
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Report{Report: &queuepb.Report{Device: 1, Token: w.Drive(1).Token.message(), Reason: "media-empty"}}}))
	want("a device reports", true, false)
	step()
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/a"}, InDoubt: "skip"}))
	want("set", false, true)
}

func TestBegan(t *testing.T) {
	w := setUp(t, nil)
	id := w.submit("p", 2, 1)
	began := w.now.UnixNano()
	w.now = w.now.Add(1e9)
	w.must(holdJob(id))
	w.done(1, 1, true, "")
	w.drain()
	w.must(releaseJob(id))
	w.done(1, 2, false, "")
	w.drain()
	if j := w.job(id); j.Began != began || j.State != uint32(Completed) {
		t.Errorf("it began at %d, want %d: %v", j.Began, began, j)
	}
}

// Wishes of a job whose document comes later, and what becomes of them.
func TestWishes(t *testing.T) {
	w := setUp(t, nil)
	prints := w.submit("p", 1, 1)
	id := w.must(&queuepb.Command{Body: &queuepb.Command_CreateJob{CreateJob: &queuepb.CreateJob{
		Printer: "p", PageRanges: "2-3", Options: []*queuepb.Option{{Name: "media", Value: "a"}, {Name: "sides", Value: "one-sided"}},
	}}})
	set := func(id uint64, options ...*queuepb.Option) error {
		_, err := w.ask(setJob(id, func(m *queuepb.SetJob) { m.Options = options }))
		return err
	}
	sides := func(value string) *queuepb.Option { return &queuepb.Option{Name: "sides", Value: value} }
	if err := set(id, &queuepb.Option{Name: "media"}, &queuepb.Option{Name: "number-up", Value: "2"}, sides("two-sided-long-edge")); err != nil {
		t.Fatal(err)
	}
	w.drain()
	want := `"options":{"number-up":"2","sides":"two-sided-long-edge"}`
	if line := w.lines[len(w.lines)-1]; !strings.Contains(line, want) {
		t.Errorf("the change: %s", line)
	}
	lines := len(w.lines)
	if err := set(id, sides("two-sided-long-edge")); err != nil || len(w.lines) != lines {
		t.Errorf("the same again: %v, %s", err, w.lines[lines:])
	}
	if err := set(id, sides("x"), sides("y")); !errors.Is(err, ErrInvalid) {
		t.Errorf("one wish twice: %v", err)
	}
	if err := set(prints, sides("one-sided")); !errors.Is(err, ErrState) {
		t.Errorf("of a job that prints: %v", err)
	}
	c := attachTo(id, "x")
	c.GetAttachDocument().Options = []*queuepb.Option{{Name: "page-ranges", Value: "2-3"}}
	if _, out := w.attachCommand(c, "x"); out.Err != nil {
		t.Fatal(out.Err)
	}
	if o := w.job(id).Options; len(o) != 3 || o[1].Name != "page-ranges" || o[2].Value != "two-sided-long-edge" {
		t.Errorf("with its document: %v", o)
	}
}
