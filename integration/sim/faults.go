package sim

import (
	"time"
)

// step lets one step of the plan happen.
func (w *World) step(s Step) {
	w.trace.note(13, uint64(s.Kind), uint64(s.At))
	w.trace.say(w.now, "STEP %v %d %d %d for %v", s.Kind, s.A, s.B, s.C, s.For)
	if s.Kind < firstFault || s.Kind > lastFault && s.Kind <= SetPrinter {
		w.act(s)
		return
	}
	m := w.members[s.A%len(w.members)]
	if s.C%3 == 0 { // the leader, where there is one: that is where it hurts
		if l := w.leader(); l != nil {
			m = l
		}
	}
	if w.inject(s, m) {
		w.counts.add("fault: " + s.Kind.String())
	}
}

// leader is the member that leads in the highest term; nil: nobody that is up does.
func (w *World) leader() (best *member) {
	for _, m := range w.members {
		if m.up && m.leading > 0 && (best == nil || m.leading > best.leading) {
			best = m
		}
	}
	return best
}

// inject makes something go wrong; false: it could not.
func (w *World) inject(s Step, m *member) bool {
	switch s.Kind {
	case Kill, Power, PowerAt, FailSync, FillDisk, Stall, Pause, Clock, Flip, Wipe, SlowGo, LowDisk:
		return m.up && w.breakMember(s, m)
	case CutOne, CutTwo, Isolate, Lossy, Doubled, Delayed, Reset, Storm, CutDevice, OnlyOld:
		return w.disturb(s, m)
	case Transfer:
		return w.transfer(s)
	case PingPong:
		return w.pingPong(s)
	case AllDown:
		for _, m := range w.members {
			m.end(s.B%2 == 0)
			m.wake(w.between(10*time.Millisecond, 600*time.Millisecond))
		}
		w.counts.add("race: all members restart at once")
		return true
	case Stale:
		return w.stale(s.B)
	}
	return w.trays[s.A%len(w.trays)].disturb(s)
}

// breakMember breaks one member that is up.
func (w *World) breakMember(s Step, m *member) bool {
	switch s.Kind {
	case Kill, Power:
		m.end(s.Kind == Power)
		m.wake(s.For / 2)
	case PowerAt, FailSync, FillDisk:
		return m.breakDisk(s)
	case Stall:
		m.stalled = w.now + s.For
	case Pause:
		return m.pause(s.For)
	case Clock:
		m.jump(time.Duration(s.B%120_000-60_000)*time.Millisecond, s.For, s.C/3%2 == 0)
	case Flip:
		return m.flip()
	case Wipe:
		return m.wipe()
	case SlowGo:
		m.slow = true
		w.after(s.For, func() { m.slow = false })
	case LowDisk:
		m.soon(0, func() error { m.core.SetLowDisk(true); return nil })
		m.after(s.For, func() { m.soon(0, func() error { m.core.SetLowDisk(false); return nil }) })
	}
	return true
}

func (m *member) pause(d time.Duration) bool {
	if m.paused {
		return false
	}
	m.paused = true
	birth := m.birth
	if d > 2*time.Second {
		m.w.counts.add("paused for longer than an election")
	}
	m.w.after(d, func() {
		if m.birth == birth {
			m.goOn()
		}
	})
	return true
}

func (m *member) goOn() {
	held, wait := m.held, time.Duration(0)
	m.paused, m.held = false, nil
	for _, do := range held { // in order, as they lie in its queues
		wait += m.w.between(0, 50*time.Microsecond)
		m.w.after(wait, do)
	}
}
