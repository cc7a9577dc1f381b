package sim

import (
	"time"

	"printq/queue"
)

// A press is what a printer without a fence is beyond a tray's power switch: it serves one connection at a time, has a buffer that
// it prints from in order, perhaps a counter, and, as a spooler, a list of jobs. It knows no tokens.
type press struct {
	t     *tray
	w     *World
	class queue.Class
	// window is how many units it is given at once; 0: all.
	window  int
	counter uint64
	resets  uint64    // of the counter
	buffer  []imprint // taken, not printed yet
	landing bool      // the next page is on its way out of it
	serves  *link
	waiting []*link
	rested  []func() // who waits until the buffer is empty
	empty   bool     // no paper
	used    bool     // somebody else is being served
	fates   []fate   // of the next units
	jobs    jobList
}

// An imprint is one unit on paper, or about to be.
type imprint struct {
	job, attempt uint64
	unit         int // over all copies
	torn         bool
	line         *link
	spooled      *spooled
}

// A fate is what happens to a unit on its way.
type fate uint8

const (
	arrives fate = iota
	lost         // the connection broke, and the printer drops what it has of the unit
	unheard      // all of it arrived, and the answer is lost
	torn         // the connection broke, and what the printer has of the unit comes out
)

var fateNames = [...]string{"", "connection cut in a unit, nothing comes out", "connection cut, the answer is lost", "connection cut in a unit, a torn page"}

// firstCount is what a counter shows in the beginning.
const firstCount = 1 << 20

func newPress(t *tray, m Make) *press {
	p := &press{t: t, w: t.w, class: m.class()}
	switch number := int(t.w.plan.Seed) + t.number; m {
	case Counted:
		p.window, p.counter = []int{3, 0, 1, 2}[number%4], firstCount
	case Blind:
		p.window = []int{1, 1, 2}[number%3]
	case Spooler:
		p.jobs = jobList{impressions: number%2 == 0, copies: number % 3}
	}
	return p
}

// stands: nothing moves in it for now.
func (p *press) stands() bool { return p.t.down || p.t.hung || p.empty }

// land lets pages come out, one after the other.
func (p *press) land() {
	if p.landing || len(p.buffer) == 0 || p.stands() {
		return
	}
	p.landing = true
	life := p.t.life
	p.w.after(p.w.between(5*time.Millisecond, 60*time.Millisecond), func() {
		if p.t.life != life {
			return
		}
		p.landing = false
		if len(p.buffer) == 0 || p.stands() {
			return
		}
		next := p.buffer[0]
		p.buffer = p.buffer[1:]
		p.out(next)
		p.rest()
		p.land()
	})
}

func (p *press) out(i imprint) {
	p.counter++
	p.w.paper.pressed(p, i)
	if i.spooled != nil {
		i.spooled.landed(i)
	}
	if i.line != nil && p.class == queue.Counted && !i.torn {
		i.line.report(i)
	}
}

// rest tells those who wait for it that the buffer is empty.
func (p *press) rest() {
	if len(p.buffer) > 0 {
		return
	}
	waiting := p.rested
	p.rested = nil
	for _, do := range waiting {
		do()
	}
}

// atRest does something once all that was taken is out.
func (p *press) atRest(do func()) {
	if len(p.buffer) == 0 && !p.stands() {
		do()
		return
	}
	p.rested = append(p.rested, do)
}

// goOn ends what keeps it from printing.
func (p *press) goOn() {
	p.land()
	p.rest()
	p.serveNext()
}

// off is its loss of power: the buffer is gone, and every connection. A page at hand is finished or was not begun: what a
// loss of power does to a page is the printer's to say.
func (p *press) off() {
	for _, i := range p.buffer {
		p.w.paper.vanished(p, i)
	}
	if len(p.buffer) > 0 {
		p.w.counts.add("accident: power lost with units in the buffer, " + p.class.String())
	}
	p.buffer, p.landing, p.rested = nil, false, nil
	if p.class == queue.WholeJob {
		p.jobs.forget()
	}
	lines := append([]*link{p.serves}, p.waiting...)
	p.serves, p.waiting = nil, nil
	for _, l := range lines {
		if l != nil {
			l.over = true
			l.fail(p.w.between(time.Millisecond, 3*second))
		}
	}
}

// serveNext takes the next connection that waits.
func (p *press) serveNext() {
	for p.serves == nil && len(p.waiting) > 0 && !p.used && !p.t.down {
		l := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.serve(l)
	}
}

func (p *press) serve(l *link) {
	p.serves = l
	l.heard = p.w.now
	l.watch()
	l.served()
}

// fate is what happens to the next unit.
func (p *press) fate(l *link) (f fate) {
	switch {
	case len(p.fates) > 0:
		f, p.fates = p.fates[0], p.fates[1:]
	case l != nil && l.closing != arrives:
		f = l.closing
	case p.w.random.IntN(1000) < p.w.net.loss*3:
		f = fate(1 + p.w.random.IntN(3))
	}
	if f != arrives {
		p.w.counts.add("accident: " + fateNames[f] + ", " + p.class.String())
	}
	return f
}
