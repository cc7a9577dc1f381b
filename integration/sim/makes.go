package sim

import (
	"math/rand/v2"
	"time"

	"printq/queue"
)

// A Make is what kind of printer stands at a device of the plan.
type Make uint8

// The makes. A plan that does not say has trays.
const (
	Tray    Make = iota
	Head         // a fence beside a printer: a unit that it had begun when it died is not clear
	Counted      // takes bytes, and counts its pages
	Blind        // takes bytes
	Spooler      // takes whole jobs
	makes
)

func (m Make) class() queue.Class {
	return [...]queue.Class{queue.Fenced, queue.Fenced, queue.Counted, queue.Blind, queue.WholeJob}[m]
}

func (p *Plan) make(device int) Make {
	if device < len(p.Makes) {
		return p.Makes[device]
	}
	return Tray
}

// equip puts another make than a tray at one device of four, and plans what goes wrong there. It draws from a sequence of its
// own: a plan of trays is what it was.
func (p *Plan) equip() {
	r := rand.New(rand.NewPCG(p.Seed, 0xde71ce))
	devices := p.Printers
	if p.Pool {
		devices++
	}
	var others []int
	p.Makes = make([]Make, devices)
	for i := range p.Makes {
		if r.IntN(4) == 0 {
			p.Makes[i] = Make(1 + r.IntN(int(makes)-1))
		}
		if i == p.Printers && r.IntN(2) == 0 {
			p.Makes[i] = p.Makes[0]
		}
		if p.Makes[i] != Tray {
			others = append(others, i)
		}
	}
	if others == nil {
		p.Makes = nil
		return
	}
	for range 6 + r.IntN(10) {
		k := []Kind{Sever, Sever, Strike, Strike, Strike, Empty, Busy, DieAfter, DieBefore, Forget, Transfer, ForceMove}[r.IntN(12)]
		at := 500*time.Millisecond + time.Duration(r.Int64N(int64(p.Length-3*time.Second)))
		lasts := k.lasts()/20 + time.Duration(r.Int64N(int64(k.lasts())))
		p.Steps = append(p.Steps, Step{at, lasts, k, others[r.IntN(len(others))], r.IntN(1 << 20), 6 * r.IntN(1<<18)})
	}
}

func (m Make) String() string { return [...]string{"tray", "head", "counted", "blind", "spooler"}[m] }
