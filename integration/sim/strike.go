package sim

import "time"

// A strike is an accident that waits until a printer is sent its next unit.
type strike uint8

const (
	noStrike strike = iota
	strikeKill
	strikePower
	strikePause
	strikeIsolate
	strikeLink
	strikePrinter
	strikes
)

func (s strike) String() string {
	return [...]string{"", "leader killed", "leader's power off", "leader paused", "leader isolated", "link cut", "printer's power off"}[s]
}

// struck lets what waits for it happen, in the middle of a unit that a member sends.
func (t *tray) struck(m *member) {
	what := t.strike
	if what == noStrike || t.w.healed {
		return
	}
	t.strike = noStrike
	t.w.after(t.w.between(0, 15*time.Millisecond), func() { t.w.strike(what, t, m) })
}

func (w *World) strike(what strike, t *tray, m *member) {
	if !m.up || m.paused || w.healed {
		return
	}
	w.counts.add("accident: " + what.String() + ", " + w.plan.make(t.number).String() + " at work")
	lasts := w.between(500*time.Millisecond, 6*second)
	switch what {
	case strikeKill, strikePower:
		m.end(what == strikePower)
		m.wake(lasts / 2)
	case strikePause:
		m.pause(lasts)
	case strikeIsolate:
		w.net.isolate(m, lasts)
	case strikeLink:
		w.net.hold(&w.net.devices[m.id][t.number], 1, lasts)
	case strikePrinter:
		t.die()
	}
}
