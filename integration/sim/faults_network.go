package sim

import (
	"time"
)

// disturb makes the network worse for a while.
func (w *World) disturb(s Step, m *member) bool {
	n := &w.net
	other := w.members[(s.A+1+s.B%(len(w.members)-1))%len(w.members)]
	if other == m {
		other = w.members[m.id%uint64(len(w.members))]
	}
	tray := s.C / 3 % len(w.trays)
	switch s.Kind {
	case CutOne:
		n.hold(&n.cut[m.id][other.id], 1, s.For)
	case CutTwo:
		n.hold(&n.cut[m.id][other.id], 1, s.For)
		n.hold(&n.cut[other.id][m.id], 1, s.For)
	case Isolate:
		n.isolate(m, s.For)
	case Lossy:
		n.hold(&n.loss, 20+s.B%200, s.For)
	case Doubled:
		n.hold(&n.double, 50+s.B%300, s.For)
	case Delayed:
		n.hold(&n.slow, 20+s.B%150, s.For)
	case Reset:
		return n.reset(m, other)
	case Storm:
		every := time.Duration(50+s.B%1000) * time.Millisecond
		n.storm(every, w.now+s.For)
	case CutDevice:
		n.hold(&n.devices[m.id][tray], 1, s.For)
	case OnlyOld:
		for _, x := range w.members {
			for t := range w.trays {
				if x != m {
					n.hold(&n.devices[x.id][t], 1, s.For)
				}
			}
		}
		n.isolate(m, s.For)
	}
	return true
}

// hold adds to a counter for a while.
func (n *network) hold(counter *int, by int, d time.Duration) {
	*counter += by
	n.w.after(d, func() {
		if *counter -= by; !n.w.healed {
			n.renew()
		}
	})
}

func (n *network) isolate(m *member, d time.Duration) {
	for _, x := range n.w.members {
		if x != m {
			n.hold(&n.cut[m.id][x.id], 1, d)
			n.hold(&n.cut[x.id][m.id], 1, d)
		}
	}
}

func (n *network) reset(a, b *member) bool {
	if !a.up || !b.up {
		return false
	}
	for _, pair := range [][2]*member{{a, b}, {b, a}} {
		m, other := pair[0], pair[1]
		n.resets[m.id][other.id]++
		m.soon(0, func() error { m.core.Disconnected(other.id, true); return nil })
		n.connect(m, other)
	}
	return true
}

// storm resets every connection among the living, and does so again, until then.
func (n *network) storm(every, until time.Duration) {
	for i, m := range n.w.members {
		for _, other := range n.w.members[i+1:] {
			n.reset(m, other)
		}
	}
	n.w.after(every, func() {
		if n.w.now < until && !n.w.healed {
			n.storm(every, until)
		}
	})
}
