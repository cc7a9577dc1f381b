package sim

import (
	"slices"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// A link is a connection of a process to a press: in order, and never there again once it is broken. Each end learns by itself that
// it is.
type link struct {
	p      *press
	from   *member
	birth  uint64
	shell  *shell
	hand   *hand
	served func()
	// over: the printer has done with it; broken: so has the member. What is sent is still on its way then.
	over, broken bool
	last         time.Duration // when what was sent last arrives
	heard        time.Duration // when the printer heard of it last
	flying       int           // units on their way
	queue        []func()      // what came while the printer hung
	closing      fate          // of a unit on its way when the member let go
}

// lineKept is how long a press keeps a connection on which nothing comes.
const lineKept = 7 * time.Second

// connect asks for a connection. Served is called at the printer, once no other is before it.
func (s *shell) connect(h *hand, p *press, served func(l *link), refused func(error)) *link {
	l := &link{p: p, from: s.m, birth: s.m.birth, shell: s, hand: h}
	l.served = func() { served(l) }
	l.travel(func() {
		switch {
		case l.over:
		case p.t.down:
			refused(errRefused)
		case p.used && p.w.often(2):
			p.w.counts.add("printer in use")
			refused(errUsed)
		case p.serves != nil || p.used || len(p.waiting) > 0:
			if p.serves != nil && p.serves.from != l.from {
				p.w.counts.add("race: new leader's connection waits for the old one's")
			}
			p.waiting = append(p.waiting, l)
		default:
			p.serve(l)
		}
	})
	return l
}

// travel lets something arrive at the printer, after all that was sent before it. On a link that is cut nothing does, and
// the member learns so, sooner or later: by then nobody else would tell it.
func (l *link) travel(do func()) {
	w := l.p.w
	delay := w.between(200*time.Microsecond, 10*time.Millisecond)
	if w.random.IntN(1000) < w.net.slow {
		delay = w.between(50*time.Millisecond, 5*time.Second)
		w.counts.add("unit to a device delayed")
	}
	l.last = max(l.last, w.now+delay)
	w.after(l.last-w.now, func() { l.arrive(do) })
}

func (l *link) arrive(do func()) {
	switch t := l.p.t; {
	case l.cut():
		l.p.w.counts.add("device cut off")
		l.p.w.trace.say(l.p.w.now, "lost between m%d and press %d: the link is cut", l.from.id, l.p.t.number)
		l.fail(l.p.w.between(second, 6*second))
	case t.hung && !t.down:
		l.queue = append(l.queue, do)
		t.waiting = append(t.waiting, l.next)
	case len(l.queue) > 0:
		l.queue = append(l.queue, do)
		l.p.w.after(5*time.Millisecond, l.next)
	default:
		l.heard = l.p.w.now
		do()
	}
}

// next is the next thing that came while the printer hung: in order.
func (l *link) next() {
	if len(l.queue) == 0 {
		return // its power went meanwhile
	}
	do := l.queue[0]
	rest := l.queue[1:]
	l.queue = nil
	l.arrive(do)
	l.queue = append(l.queue, rest...)
}

func (l *link) cut() bool { return l.p.w.net.devices[l.from.id][l.p.t.number] > 0 }

// home takes what the printer says to the member, in the process that made the line.
func (l *link) home(do func()) {
	w := l.p.w
	if l.cut() {
		w.counts.add("device's reply cut off")
		l.fail(w.between(second, 5*second))
		return
	}
	w.after(w.between(200*time.Microsecond, 5*time.Millisecond), func() { l.from.run(l.birth, do) })
}

// fail lets the member learn that the line is broken.
func (l *link) fail(after time.Duration) {
	l.p.w.after(after, func() {
		l.from.run(l.birth, func() {
			if !l.broken {
				l.broken = true
				l.shell.brokeOff(l)
			}
		})
	})
}

// close is the member's: it lets go, perhaps in the middle of a unit. The printer sees it when all before it has arrived.
func (l *link) close() {
	if l == nil || l.broken {
		return
	}
	l.broken = true
	l.reset()
}

func (l *link) reset() {
	if l.flying > 0 {
		l.closing = fate(l.p.w.random.IntN(4))
	}
	l.travel(func() { l.end() })
}

// end is the printer's.
func (l *link) end() {
	if l.over {
		return
	}
	l.over = true
	p := l.p
	if p.serves == l {
		p.serves = nil
		p.serveNext()
		return
	}
	p.waiting = slices.DeleteFunc(p.waiting, func(x *link) bool { return x == l })
}

// watch ends the line when nothing has come over it for too long: whoever made it may be gone.
func (l *link) watch() {
	l.p.w.after(lineKept, func() {
		switch p := l.p; {
		case l.over:
		case p.w.now-l.heard >= lineKept && len(p.buffer) == 0 && !p.stands():
			p.w.counts.add("printer ends a silent connection")
			l.end()
			if !l.cut() {
				l.fail(p.w.between(time.Millisecond, 20*time.Millisecond))
			}
		default:
			l.watch()
		}
	})
}

// takes is the arrival of a unit.
func (l *link) takes(r request, i imprint) {
	l.flying--
	r.under.flying--
	p, w := l.p, l.p.w
	if l.over {
		l.fail(w.between(time.Millisecond, 20*time.Millisecond))
		return
	}
	w.raceOnUnit(p.t, r, i)
	w.history.checkToken(p.t, r)
	if p.t.dieBefore {
		p.t.dieBefore = false
		w.counts.add("device died before it printed")
		p.t.die()
		return
	}
	f := p.fate(l)
	i.torn, i.line = f == torn, l
	if f != lost {
		w.paper.checkUnit(p.t, i, r.body)
		p.buffer = append(p.buffer, i)
		p.land()
	}
	w.trace.note(10, uint64(p.t.number), i.job, i.attempt, uint64(i.unit), uint64(f))
	w.trace.say(w.now, "press %d takes job %d attempt %d unit %d from m%d (%s)", p.t.number, i.job, i.attempt, i.unit, l.from.id, fateNames[f])
	switch {
	case f != arrives:
		l.end()
		l.fail(w.between(time.Millisecond, 20*time.Millisecond))
	case p.t.dieAfter:
		p.t.dieAfter = false
		w.counts.add("device died between printing and replying")
		p.t.die()
	default:
		l.home(func() { l.shell.acknowledged(l, r.under, i.unit) })
	}
}

// report says that a unit is out.
func (l *link) report(i imprint) {
	if !l.over {
		l.home(func() { l.shell.reported(l, i) })
	}
}

// state is what a press says of itself.
func (p *press) state() device.State {
	s := device.State{Class: p.class, Window: p.window, Identity: p.t.identity, Copies: p.jobs.copies}
	if p.class == queue.Counted {
		s.Counts, s.Counter = true, p.counter
	}
	if p.class == queue.Blind {
		s.Identity = ""
	}
	s.Mark.Closed = true
	return s
}

// left: a process has ended. Its connections are reset, unless its power is gone: then they are silent.
func (p *press) left(m *member, reset bool) {
	if p.serves != nil && p.serves.from == m {
		p.w.counts.add("accident: member ended with a connection, " + p.class.String())
	}
	for _, l := range append([]*link{p.serves}, p.waiting...) {
		if l == nil || l.from != m || l.broken || l.birth != m.birth {
			continue
		}
		l.broken = true
		if reset {
			l.reset()
		}
	}
}
