package sim

import (
	"time"
)

// disturb makes a printer worse for a while.
func (t *tray) disturb(s Step) bool {
	switch s.Kind {
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
}
