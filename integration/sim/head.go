package sim

import (
	"time"

	"printq/printer/device"
)

// A head is a fence beside a printer. It says durably that it begins a unit, brings it to the printer, and says durably that
// the unit is out. It does one thing at a time.
type head struct {
	busy    bool
	waiting []func()
	unclear int // how often it died in between
}

// bring prints a unit in two steps; it may die in between.
func (t *tray) bring(r request) {
	w, h, u := t.w, t.head, r.unit
	ahead := t.fence
	verdict, err := fencePrint(&ahead, u)
	if err != nil || verdict == device.Repeats {
		t.answer(r, t.serve(r))
		return
	}
	before := t.fence.Mark
	begun := before
	if before.Attempt != u.Attempt {
		begun = device.Mark{Attempt: u.Attempt}
	}
	begun.Unclear = true
	t.fence.Mark = begun
	h.busy = true
	t.struck(r.from)
	life, epoch := t.life, t.fence.Epoch
	dies := w.often(150) && !w.healed
	w.after(w.between(2*time.Millisecond, 30*time.Millisecond), func() {
		switch {
		case t.life != life:
		case dies:
			if w.often(2) {
				w.paper.printed(t, u, r.body)
			}
			t.die()
		default:
			if t.fence.Epoch == epoch {
				t.fence.Mark = before
			}
			result := t.serve(r)
			h.busy = false
			waiting := h.waiting
			h.waiting = nil
			t.answer(r, result)
			for _, do := range waiting {
				w.after(0, do)
			}
		}
	})
}

func (h *head) died(t *tray) {
	if h.busy {
		h.unclear++
		t.w.counts.add("accident: head died with a unit under way")
	}
	h.busy, h.waiting = false, nil
}
