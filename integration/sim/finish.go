package sim

import (
	"errors"
	"fmt"
	"time"

	"printq/queue"
	"printq/queue/queuepb"
)

const (
	second = time.Second
	// drainTime is how long a healed world may need to bring everything to its end.
	drainTime = 150 * time.Second
)

// heal ends all faults. Who has a damaged disk is taken away, as an operator would.
func (w *World) heal() {
	w.trace.say(w.now, "HEAL")
	w.healed = true
	n := &w.net
	for i := range n.cut {
		for j := range n.cut[i] {
			n.cut[i][j], n.devices[i][j] = -1<<20, -1<<20 // what still ends does not begin again
		}
	}
	n.loss, n.double, n.slow = -1<<20, -1<<20, -1<<20
	for _, t := range w.trays {
		t.dieAfter, t.dieBefore = false, false
		if t.press != nil {
			t.press.empty, t.press.used, t.press.fates = false, false, nil
		}
		t.goOn()
	}
	for _, m := range w.members {
		m.disk.SetCapacity(0)
		m.disk.FailSync(0)
		m.disk.PowerOffAt(0)
		m.armed, m.stalled, m.slow, m.clock = "", 0, false, 0
		if m.paused {
			m.goOn()
		}
		if m.flipped {
			m.lost = true
			m.end(true)
		}
		if !m.up {
			m.wake(w.between(0, 500*time.Millisecond))
		}
	}
	w.noteClocks()
	n.renew()
	w.after(0, w.clients.operate)
}

// operate is a person who looks at what is paused, stopped and held, again and again, and says what came out of what is in
// doubt.
func (c *clients) operate() {
	w := c.w
	if m := w.anyone(); m != nil {
		for _, p := range w.history.state.Printers() {
			if p.Paused {
				c.command(&queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: p.Name}}})
			}
		}
		for _, d := range w.history.drives {
			if d.Stopped && !d.Adopt {
				w.counts.add("device adopted")
				c.command(&queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: d.Printer}}})
			}
		}
		for j := range w.history.state.LiveJobs(0) {
			if queue.JobState(j.State) != queue.Held {
				continue
			}
			if cmd := c.resolve(j); cmd != nil {
				c.command(cmd)
			}
		}
	}
	w.after(2*second, c.operate)
}

func (c *clients) resolve(j *queue.Job) *queuepb.Command {
	if j.Reason != "in-doubt" {
		return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: j.Id}}}
	}
	if a := c.w.history.attempts[printing{j.Id, j.Attempts[len(j.Attempts)-1].Number}]; a != nil && a.tray != nil && a.tray.press != nil {
		out, atRest := c.look(j)
		if !atRest {
			return nil
		}
		c.w.counts.add("in doubt, and somebody looked at the paper")
		return &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: j.Id, Answer: &queuepb.Resolve_Printed{Printed: out}}}}
	}
	out := uint32(c.w.paper.units(j.Id, j.Attempts[len(j.Attempts)-1].Number))
	return &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{
		Job: j.Id, Answer: &queuepb.Resolve_Printed{Printed: max(out, j.Attempts[len(j.Attempts)-1].From)},
	}}}
}

// drain lets time pass until everything has come to its end (invariant 14).
func (w *World) drain() {
	end := w.now + drainTime
	for w.now < end {
		w.runUntil(w.now + second)
		if w.quiet() == "" {
			w.runUntil(w.now + 3*second) // the slowest store holds it, too
			return
		}
	}
	w.violated(14, "a healed cluster does not come to its end: %s", w.quiet())
}

// quiet says what has not come to its end.
func (w *World) quiet() string {
	for _, x := range w.clients.wants {
		if x.job == 0 {
			return fmt.Sprintf("%s has no answer", x.key)
		}
	}
	for _, t := range w.trays {
		if t.press != nil && len(t.press.buffer) > 0 {
			return fmt.Sprintf("printer %d still prints", t.number)
		}
	}
	for j := range w.history.state.LiveJobs(0) {
		state := fmt.Sprintf("job %d is %v, %s", j.Id, queue.JobState(j.State), j.Reason)
		for _, d := range w.history.drives {
			state += "; " + describe(d)
		}
		return state
	}
	for _, m := range w.members {
		switch {
		case m.lost:
		case !m.up:
			return fmt.Sprintf("member %d is down", m.id)
		case m.applied < w.history.last():
			return fmt.Sprintf("member %d has applied %d of %d", m.id, m.applied, w.history.last())
		}
	}
	return ""
}

// lastReads lets every member be read once more.
func (w *World) lastReads() {
	for _, m := range w.members {
		if m.up {
			w.clients.readAt(m)
		}
	}
	w.runUntil(w.now + 2*second)
}

// finish checks what is to be checked at the end.
func (w *World) finish() {
	for _, x := range w.clients.wants {
		w.kept(x)
	}
	w.paper.finish()
	var first *member
	for _, m := range w.members {
		if m.lost {
			continue
		}
		w.storesAll(m)
		if first != nil {
			w.same(first, m)
		}
		first = m
	}
}

// kept: an acknowledged job has ended as promised (invariant 2).
func (w *World) kept(x *want) {
	j, err := w.history.state.Job(x.job, nil)
	if err != nil || j == nil {
		w.violated(2, "%s was acknowledged as job %d, which is not there: %v", x.key, x.job, err)
	}
	if x.job != x.logged {
		w.violated(2, "%s was acknowledged as job %d, and is job %d", x.key, x.job, x.logged)
	}
	h := w.history.jobs[x.job]
	switch state := queue.JobState(j.State); {
	case state == queue.Completed:
	case state == queue.Canceled && h != nil && h.canceled:
	case state == queue.Aborted && x.ttl > 0 && h != nil && (!w.sane || h.aborted-x.asked >= x.ttl-w.tolerance()):
		w.counts.add("job aborted when its time was over")
	default:
		w.violated(2, "%s, job %d, has ended as %v, %s", x.key, x.job, state, j.Reason)
	}
}

// storesAll: what the member stores is the state that the sequence makes, and the documents that it needs are there
// (invariants 1 and 12).
func (w *World) storesAll(m *member) {
	state, err := queue.Load(m.store.Each)
	if err != nil {
		w.violated(1, "what member %d stores does not load: %v", m.id, err)
	}
	if head := m.store.Head(); head.Applied.Index != state.Index() && state.Index() != 0 {
		w.violated(1, "member %d stores a state at %d under the position %d", m.id, state.Index(), head.Applied.Index)
	}
	for x := range state.Documents() {
		if _, err := m.log.ReadEntry(x.Index); err != nil {
			w.violated(12, "member %d needs entry %d, which it cannot read: %v", m.id, x.Index, err)
		}
	}
}

func (w *World) same(a, b *member) {
	x, err := queue.Load(a.store.Each)
	y, err2 := queue.Load(b.store.Each)
	if err := errors.Join(err, err2); err != nil {
		w.violated(1, "%v", err)
	}
	if x.Index() == y.Index() && (x.Chain() != y.Chain() || x.Digest() != y.Digest()) {
		w.violated(1, "members %d and %d differ at entry %d", a.id, b.id, x.Index())
	}
}
