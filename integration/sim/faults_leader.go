package sim

import (
	"time"
)

func (w *World) transfer(s Step) bool {
	l := w.leader()
	if l == nil {
		return false
	}
	to := uint64(s.B % (len(w.members) + 1))
	if s.C%2 == 0 && to > 0 {
		x := w.members[to-1]
		if x == l || s.C%4 == 0 && !x.pauseFor(3*time.Second) {
			return false
		}
	}
	l.after(0, func() { l.shell.handOver(to) })
	return true
}

// pingPong moves leadership away and back at once, with requests to the printers and goroutines of the first reign still
// under way.
func (w *World) pingPong(s Step) bool {
	l := w.leader()
	if l == nil || l.paused {
		return false
	}
	for _, t := range w.trays {
		if !t.hung {
			t.hung = true
			w.after(3*second+s.For, t.goOn)
		}
	}
	l.slow = true
	w.after(4*second, func() { l.slow = false })
	other := w.members[l.id%uint64(len(w.members))]
	l.soon(w.between(0, 2*second), func() error { l.core.Transfer(other.id); return nil })
	for i := range 8 {
		w.after(2*second+time.Duration(i)*100*time.Millisecond, func() {
			if other.up {
				other.soon(0, func() error {
					if _, leads := other.core.Leads(); leads {
						other.core.Transfer(l.id)
					}
					return nil
				})
			}
		})
	}
	return true
}

// pauseFor pauses the target of a transfer, so that it times out.
func (m *member) pauseFor(d time.Duration) bool { return m.up && m.pause(d) }
