package sim

import (
	"fmt"
	"io"
	"time"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// A tray is a printer that every member may reach: production's fence, what it remembers, and its paper. Requests come in
// whatever order the network makes of them, also from members that are long dead.
type tray struct {
	w        *World
	number   int
	identity string
	fence    device.Fence
	opened   queue.Token // the highest that it took a request under
	life     int         // processes of the printer: a reply of an older one is never given
	wiped    int         // how often it forgot its mark
	job      uint64      // that it printed last
	press    *press      // nil: it has a fence
	head     *head       // nil: a unit and its mark are one durable write
	strike   strike      // waits for its next unit
	hung     bool
	waiting  []func()
	down     bool
	// The order of what is to go wrong next: the printer dies after it has printed and before it answers, or before it prints.
	dieAfter, dieBefore bool
}

func newTray(w *World, number int) *tray {
	t := &tray{w: w, number: number, identity: fmt.Sprint("tray-", number), fence: device.NewFence(fmt.Sprint("e", number), clusterID)}
	switch m := w.plan.make(number); m {
	case Tray:
	case Head:
		t.head = &head{}
	default:
		t.press = newPress(t, m)
	}
	return t
}

func (t *tray) uri() string { return fmt.Sprintf("tray:/t%d", t.number) }

// device is the log's number of this tray; 0: not configured yet.
func (t *tray) device() uint64 {
	for i := range t.w.history.drives {
		if d := &t.w.history.drives[i]; d.URI == t.uri() {
			return d.Device
		}
	}
	return 0
}

// A request is one operation on its way to a tray. Reply may be called more than once, or never.
type request struct {
	from  *member
	birth uint64
	op    *printer.Operation
	unit  device.Unit
	body  []byte
	reply func(printer.Result)
	under *underway
}

// arrive is called once for each copy of a request that reaches the tray.
func (t *tray) arrive(r request) {
	switch {
	case t.down:
		r.under.flying--
		r.reply(printer.Result{ID: r.op.ID, Err: fmt.Errorf("%w: connection refused", device.ErrUnreachable)})
		return
	case t.hung:
		t.waiting = append(t.waiting, func() { t.arrive(r) })
		return
	case t.head != nil && t.head.busy:
		t.head.waiting = append(t.head.waiting, func() { t.arrive(r) })
		return
	}
	r.under.flying--
	t.w.raceOnArrival(t, r)
	if t.dieBefore {
		t.dieBefore = false
		t.w.counts.add("device died before it printed")
		t.die()
		return
	}
	if t.head != nil && r.op.Kind == printer.PrintUnit {
		t.bring(r)
		return
	}
	t.answer(r, t.serve(r))
}

// answer is the way back of what was carried out.
func (t *tray) answer(r request, result printer.Result) {
	life := t.life
	t.took(r, result)
	t.w.trace.note(10, uint64(t.number), uint64(r.op.Kind), r.op.Token.Term, r.op.Token.Index)
	t.w.trace.say(t.w.now, "tray %d gets %s from m%d: %v, mark %+v", t.number, operation(r.op), r.from.id, result.Err, t.fence.Mark)
	if t.dieAfter && r.op.Kind == printer.PrintUnit && result.Err == nil {
		t.dieAfter = false
		t.w.counts.add("device died between printing and replying")
		t.die()
		return
	}
	t.w.after(t.w.between(time.Millisecond, 20*time.Millisecond), func() {
		if t.life == life {
			r.reply(result)
		}
	})
}

// took checks that the tokens that are accepted only grow (invariant 4). One of another cluster is not opened.
func (t *tray) took(r request, result printer.Result) {
	switch {
	case result.Err != nil, r.op.Kind == printer.OpenDevice && t.fence.Cluster != r.op.Opening.Cluster:
	case t.opened.Less(r.op.Token):
		t.opened = r.op.Token
	case r.op.Token.Less(t.opened) && !t.w.mutant.Unfenced:
		t.w.violated(4, "tray %d takes a request under token %v after one under %v", t.number, r.op.Token, t.opened)
	}
}

// die ends the printer's process, and lets it come back. What it remembers is durable.
func (t *tray) die() {
	t.life++
	t.down, t.waiting = true, nil
	if t.press != nil {
		t.press.off()
	}
	if t.head != nil {
		t.head.died(t)
	}
	t.w.after(t.w.between(50*time.Millisecond, 2*time.Second), func() {
		t.down = false
		if t.press != nil {
			t.press.goOn()
		}
	})
}

func (t *tray) serve(r request) printer.Result {
	w := t.w
	result := printer.Result{ID: r.op.ID}
	w.history.checkToken(t, r)
	switch f := &t.fence; r.op.Kind {
	case printer.OpenDevice:
		switch o := r.op.Opening; {
		case f.Cluster == o.Cluster:
			result.Err = w.mutant.open(f, r.op.Token)
		case o.Adopt:
			t.wipe()
			result.Err = w.mutant.open(f, r.op.Token)
		}
		result.State = device.State{
			Mark: f.Mark, Epoch: w.mutant.epoch(f.Epoch), Cluster: f.Cluster, Identity: t.identity, Prepares: t.head == nil,
		}
		if result.Err == nil {
			w.raceOnOpen(t)
		}
	case printer.CloseAttempt:
		result.Err = w.mutant.close(f, r.op.Closing)
		result.Mark = f.Mark
	case printer.PrintUnit:
		result.Err = t.print(r)
	case printer.PrepareUnit:
		if result.Err = f.Check(r.unit.Token, r.unit.Epoch); result.Err == nil { // nobody hears of an error
			w.counts.add("page prepared")
		}
	}
	return result
}

func (t *tray) print(r request) error {
	u := r.unit
	verdict, err := t.w.mutant.print(t, u)
	if err != nil {
		return err
	}
	if verdict == device.Repeats {
		t.w.counts.add("page repeated and not printed again")
		return nil
	}
	t.job = u.Job
	t.w.paper.printed(t, u, r.body)
	return nil
}

// fencePrint is what a device does that keeps rule R8.
func fencePrint(f *device.Fence, u device.Unit) (device.Verdict, error) {
	if err := f.Check(u.Token, u.Epoch); err != nil {
		return device.Refused, err
	}
	return f.Print(device.Page{
		Token: u.Token, Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy,
	})
}

func fenceClose(f *device.Fence, c device.Closing) error {
	if err := f.Check(c.Token, c.Epoch); err != nil {
		return err
	}
	return f.Close(c.Token, c.Attempt)
}

// wipe makes the tray forget its mark: it begins with another epoch.
func (t *tray) wipe() {
	t.wiped++
	t.opened = queue.Token{}
	t.fence = device.NewFence(fmt.Sprintf("e%d.%d", t.number, t.wiped), clusterID)
	t.w.counts.add("device forgot its mark")
	t.w.trace.say(t.w.now, "tray %d forgets its mark", t.number)
}

// checkToken: a request carries a claim that was committed, and comes from the process that led in its term (invariants 4
// and 10).
func (h *history) checkToken(t *tray, r request) {
	if !h.claims[r.op.Token] {
		h.w.violated(10, "tray %d is asked under token %v, which no committed claim gave", t.number, r.op.Token)
	}
	if l := h.leaders[r.op.Token.Term]; l.member != r.from || l.birth != r.birth {
		h.w.violated(10, "tray %d is asked by member %d under token %v: it did not lead then", t.number, r.from.id, r.op.Token)
	}
}

func readAll(r io.Reader) []byte {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	return b
}

// trayOf is the printer that has a number in the log.
func (w *World) trayOf(device uint64) *tray {
	for _, t := range w.trays {
		if t.device() == device {
			return t
		}
	}
	panic(fmt.Sprint("no device ", device))
}
