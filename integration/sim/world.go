package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"printq/queue/queuepb"
)

// A World is one run. Everything in it happens in the goroutine that called Run.
type World struct {
	plan      Plan
	mutant    Mutant
	random    *rand.Rand
	now       time.Duration // since the beginning
	events    events
	next      uint64
	members   []*member
	trays     []*tray
	net       network
	clients   clients
	history   history
	paper     paper
	ledger    ledger
	trace     trace
	counts    Counts
	healed    bool
	sane      bool               // never more than one clock was wrong, and nobody started with that one
	behind    time.Duration      // the most that a clock was behind without being far off
	ahead     time.Duration      // or ahead
	agree     bool               // nobody's clock is far off
	agreed    time.Duration      // since when that is so, or is not
	decisions []*queuepb.Command // the last ones of drivers
	forged    []forgery
	marks     map[uint64]*queuepb.Mark // what a mutant remembers
	session   uint64                   // seeds of cores: none is used twice
}

// epoch is where virtual time begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// An event is something that happens at a time; events of one time happen in the order they were made.
type event struct {
	at  time.Duration
	seq uint64
	do  func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].seq < e[j].seq
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = event{}
	*e = (*e)[:last]
	return x
}

// after lets something happen later, whoever is up by then.
func (w *World) after(d time.Duration, do func()) {
	w.next++
	heap.Push(&w.events, event{w.now + max(d, 0), w.next, do})
}

// runUntil lets time pass.
func (w *World) runUntil(end time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= end {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = end
}

// between draws a duration.
func (w *World) between(low, high time.Duration) time.Duration {
	return low + time.Duration(w.random.Int64N(int64(high-low)+1))
}

// often is true once in n.
func (w *World) often(n int) bool { return w.random.IntN(n) == 0 }

// A Violation is an invariant that does not hold. Invariant is its number in the design's §4; 0: a promise of a package.
type Violation struct {
	Invariant int
	Text      string
	At        time.Duration
}

func (v *Violation) Error() string {
	return fmt.Sprintf("invariant %d, at %v: %s", v.Invariant, v.At, v.Text)
}

// violated ends the run.
func (w *World) violated(invariant int, format string, args ...any) {
	if !w.mutant.HistoriesOnly {
		panic(&Violation{invariant, fmt.Sprintf(format, args...), w.now})
	}
}

// convicted ends the run for what clients were told.
func (w *World) convicted(format string, args ...any) {
	panic(&Violation{13, fmt.Sprintf(format, args...), w.now})
}

// A Result is how a run ended.
type Result struct {
	Violation *Violation
	Hash      uint64
	Counts    Counts
	Entries   int
	Pages     int
	Virtual   time.Duration
	// Transcript is what happened, where the plan asked for it.
	Transcript []byte
}

// Run plays a plan. Global randomness (crypto/rand) has been seeded with the plan's seed.
func Run(p Plan, m Mutant) (r Result) {
	w := newWorld(p, m)
	defer func() {
		switch x := recover().(type) {
		case nil:
		case *Violation:
			r.Violation = x
			w.trace.say(w.now, "VIOLATION: %v", x)
		default:
			panic(x)
		}
		r.Hash, r.Counts, r.Transcript = w.trace.sum(), w.counts, w.trace.text
		r.Entries, r.Pages, r.Virtual = len(w.history.entries), len(w.paper.sheets), w.now
	}()
	w.play()
	return r
}

func newWorld(p Plan, m Mutant) *World {
	w := &World{plan: p, mutant: m, sane: true, agree: true, random: rand.New(rand.NewPCG(p.Seed, 0x5eed))}
	w.trace.on = p.Transcript
	w.session = p.Seed << 20
	w.history.init(w)
	w.paper.init(w)
	w.ledger.init(w)
	w.clients.init(w)
	w.net.init(w)
	trays := p.Printers
	if p.Pool {
		trays++
	}
	for i := range trays {
		w.trays = append(w.trays, newTray(w, i))
	}
	for i := range p.Members {
		w.members = append(w.members, newMember(w, uint64(i+1)))
	}
	return w
}

// play is a run from the beginning to the end.
func (w *World) play() {
	for _, m := range w.members {
		m.after(w.between(0, 20*time.Millisecond), m.start)
	}
	for i, s := range w.plan.Steps {
		if !w.plan.Dropped[i] {
			w.after(s.At, func() { w.step(s) })
		}
	}
	w.after(100*time.Millisecond, w.clients.configure)
	w.after(second, w.watchClocks)
	w.runUntil(w.plan.Length)
	w.heal()
	w.drain()
	w.lastReads()
	if !w.mutant.HistoriesOnly {
		w.finish()
	}
	w.ledger.check()
}
