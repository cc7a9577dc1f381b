package sim

import (
	"time"

	"printq/queue"
)

// disturb makes a printer worse for a while.
func (t *tray) disturb(s Step) bool {
	switch s.Kind {
	case Strike:
		t.strike = strike(1 + s.B%int(strikes-1))
	case Sever, Empty, Busy:
		return t.press != nil && t.press.disturb(s)
	case Hang:
		if t.hung {
			return false
		}
		t.hung = true
		t.w.after(s.For, t.goOn)
	case DieAfter:
		t.dieAfter = true
	case DieBefore:
		t.dieBefore = true
	case Forget:
		if t.press != nil {
			return t.press.forget(s)
		}
		t.wipe()
		switch s.B % 5 {
		case 0:
			t.fence.Cluster = "another"
			t.w.counts.add("device of another cluster")
		case 1:
			t.identity += "'"
			t.w.counts.add("device of another identity")
		}
	}
	return true
}

func (t *tray) goOn() {
	waiting := t.waiting
	t.hung, t.waiting = false, nil
	for _, do := range waiting {
		t.w.after(t.w.between(0, 5*time.Millisecond), do)
	}
	if t.press != nil {
		t.press.goOn()
	}
}

// disturb makes a printer without a fence worse for a while.
func (p *press) disturb(s Step) bool {
	switch s.Kind {
	case Sever:
		p.fates = append(p.fates, fate(1+s.B%3))
	case Empty:
		p.empty = true
		p.w.after(s.For, func() { p.empty = false; p.goOn() })
	case Busy:
		p.used = true
		p.w.after(s.For, func() { p.used = false; p.goOn() })
	}
	return true
}

// forget takes away what the printer remembers, or puts another in its place.
func (p *press) forget(s Step) bool {
	switch {
	case p.class == queue.WholeJob:
		p.purge()
		p.w.counts.add("spooler forgot its jobs")
	case p.class == queue.Counted && s.B%5 > 0:
		p.resets++ // to a number that it never had: one that it had could not be told from rest
		p.counter = firstCount - 1000*p.resets
		p.w.counts.add("counter went back")
	}
	if s.B%5 == 0 && p.class != queue.Blind {
		p.t.identity += "'"
		p.t.die()
		p.counter += uint64(s.C % 4)
		p.w.counts.add("device of another identity")
	}
	return true
}
