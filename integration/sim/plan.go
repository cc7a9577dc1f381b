package sim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// A Plan is all that is to happen to the world from outside: what clients ask for, and what goes wrong. It follows from the
// seed. Steps may be dropped from it without changing the others, which is how a failure is made smaller.
type Plan struct {
	Seed     uint64
	Members  int
	Printers int
	// Pool: the first printer has a tray more.
	Pool bool
	// Makes of the devices; none: trays.
	Makes []Make `json:",omitempty"`
	// InDoubt is the printers' policy; empty: hold.
	InDoubt string
	Length  time.Duration
	Steps   []Step
	// Dropped steps do not happen, by their place in Steps.
	Dropped map[int]bool
	// Transcript asks for the text of the run.
	Transcript bool
}

// A Step is one of them. What A, B and C mean is the kind's; each is taken modulo what there is.
type Step struct {
	At, For time.Duration
	Kind    Kind
	A, B, C int
}

// A Kind of step.
type Kind uint8

// The kinds: first what clients do, then what goes wrong.
const (
	Submit Kind = iota
	Cancel
	Hold
	Release
	Move
	Reprint
	Read
	PausePrinter
	ForceMove
	Tail
	firstFault
	Kill      // the process dies
	Power     // and its disk loses what was not synced
	PowerAt   // at the next persistence steps
	FailSync  // the next sync fails
	FillDisk  // no space for a while
	Stall     // no sync ends for a while
	Pause     // the process is stopped
	Clock     // its clock jumps
	Flip      // a bit of its disk turns over
	Wipe      // its disk is gone, and it with it
	CutOne    // nothing gets from a member to another
	CutTwo    // nor back
	Isolate   // a member hears nobody and nobody hears it
	Lossy     // frames and replies are lost
	Doubled   // or come twice
	Delayed   // or late, out of order
	Reset     // a connection is reset, and both its ends live
	Transfer  // leadership is to move
	CutDevice // a member does not reach a printer
	OnlyOld   // only the leader reaches the printers, and is then cut off from the members
	Hang      // a printer does not answer for a while
	DieAfter  // it prints and dies before it answers
	DieBefore // it dies before it prints
	Forget    // it forgets its mark
	SlowGo    // a member's goroutines run late
	AllDown   // all members restart at once
	Stale     // a decision of an old leader reaches the new one's log
	LowDisk   // a member has little space left
	PingPong  // leadership moves away and back while a printer hangs
	lastFault
	SetPrinter // a client's: numbers in the corpus stay what they are
	Sever      // a connection to a printer without a fence breaks in its next unit
	Empty      // it has no paper
	Busy       // it serves somebody else
	Strike     // something breaks in the middle of its next unit
	Storm      // all connections among the members are reset, again and again
	lastKind
)

var kindNames = [...]string{
	"submit", "cancel", "hold", "release", "move", "reprint", "read", "pause printer", "forced move", "tail of the log", "",
	"kill", "power off", "power off at a step", "failed sync", "full disk", "stalled disk", "paused process", "clock jump",
	"flipped bit", "wiped disk", "one-way partition", "two-way partition", "isolated member", "lossy network", "doubling network",
	"delaying network", "connection reset among the living", "leader transfer", "device cut off", "device reached only by the old leader",
	"device hangs", "device dies after printing", "device dies before printing", "device forgets", "slow goroutines", "all restart at once",
	"stale decision", "low disk", "leadership away and back", "", "set printer",
	"connection to a printer cut in a unit", "no paper", "printer in use", "accident in the middle of a unit", "storm of resets",
}

func (k Kind) String() string { return kindNames[k] }

// PlanOf is the plan of a seed: every seed has a few kinds of faults of its own, so that some go deep and some are mild.
func PlanOf(seed uint64, focus ...Kind) Plan {
	r := rand.New(rand.NewPCG(seed, 0xb1a5))
	p := Plan{Seed: seed, Members: 3, Printers: 1 + r.IntN(3), Length: 60 * time.Second, Dropped: map[int]bool{}}
	if r.IntN(8) == 0 {
		p.Members = 5
	}
	p.Pool = r.IntN(3) == 0
	if r.IntN(3) == 0 {
		p.InDoubt = []string{"reprint", "skip"}[r.IntN(2)]
	}
	at := func() time.Duration {
		return 500*time.Millisecond + time.Duration(r.Int64N(int64(p.Length-3*time.Second)))
	}
	step := func(k Kind, low, high time.Duration) {
		d := low
		if high > low {
			d += time.Duration(r.Int64N(int64(high - low)))
		}
		p.Steps = append(p.Steps, Step{at(), d, k, r.IntN(1 << 20), r.IntN(1 << 20), r.IntN(1 << 20)})
	}
	for range 5 + r.IntN(36) {
		step(Submit, 0, 0)
	}
	for k := Cancel; k < firstFault; k++ {
		n := 4
		if k == Read || k == Tail {
			n = 20
		}
		for range r.IntN(n) {
			step(k, 0, 8*time.Second)
		}
	}
	faults := 3 + r.IntN(5)
	if r.IntN(3) == 0 {
		faults *= 2 // a storm
	}
	for range faults {
		k := firstFault + 1 + Kind(r.IntN(int(lastFault-firstFault-1)))
		for range 1 + r.IntN(4) {
			step(k, k.lasts()/20, k.lasts())
		}
	}
	for _, k := range focus {
		for range 5 {
			step(k, k.lasts()/20, k.lasts())
		}
	}
	p.watch()
	p.equip()
	p.storm()
	slices.SortStableFunc(p.Steps, func(a, b Step) int { return int(a.At - b.At) })
	return p
}

// watch adds what makes histories tell more: acts on one object close to each other, and reads between them. It draws from
// a sequence of its own.
func (p *Plan) watch() {
	r := rand.New(rand.NewPCG(p.Seed, 0xc11e))
	at := func() time.Duration {
		return 500*time.Millisecond + time.Duration(r.Int64N(int64(p.Length-3*time.Second)))
	}
	p.late(r, at())
	if r.IntN(6) == 0 { // the leader reads documents
		p.Steps = append(p.Steps, Step{at(), 0, Flip, r.IntN(1 << 20), r.IntN(1 << 20), 3 * r.IntN(1<<20)})
	}
	for range r.IntN(5) {
		for moment := at(); r.IntN(6) > 0; moment += time.Duration(r.Int64N(int64(500 * time.Millisecond))) {
			k := []Kind{Cancel, Hold, Release, SetPrinter, Read, Read}[r.IntN(6)]
			p.Steps = append(p.Steps, Step{moment, 0, k, r.IntN(1 << 20), r.IntN(1 << 20), r.IntN(1 << 20)})
		}
	}
}

// late adds, now and then, jobs whose time ends before their printer goes on, while the leader's clock is wrong.
func (p *Plan) late(r *rand.Rand, moment time.Duration) {
	if r.IntN(4) > 0 {
		return
	}
	number := func() int { return r.IntN(1 << 20) }
	printer := number()
	p.Steps = append(p.Steps,
		Step{moment, 10*time.Second + time.Duration(r.Int64N(int64(10*time.Second))), PausePrinter, printer, number(), number()},
		Step{moment + second/2, 3*time.Second + time.Duration(r.Int64N(int64(6*time.Second))), Clock, number(), number(), 6 * number()})
	for range 3 {
		at := moment + time.Second + time.Duration(r.Int64N(int64(5*time.Second)))
		p.Steps = append(p.Steps, Step{at, 0, Submit, printer, number(), 11*number() + 5})
	}
}

// storm adds, now and then, a while in which no connection lasts. It draws from a sequence of its own.
func (p *Plan) storm() {
	r := rand.New(rand.NewPCG(p.Seed, 0x5708a))
	if r.IntN(6) > 0 {
		return
	}
	at := 500*time.Millisecond + time.Duration(r.Int64N(int64(p.Length-3*time.Second)))
	p.Steps = append(p.Steps, Step{at, Storm.lasts()/20 + time.Duration(r.Int64N(int64(Storm.lasts()))), Storm, r.IntN(1 << 20), r.IntN(1 << 20), r.IntN(1 << 20)})
}

// lasts is the longest that a fault lasts.
func (k Kind) lasts() time.Duration {
	switch k {
	case Pause, Stall, FillDisk:
		return 6 * time.Second
	case CutOne, CutTwo, Isolate, OnlyOld, Lossy, Doubled, Delayed, SlowGo, Storm:
		return 10 * time.Second
	case CutDevice, Hang, Clock:
		return 15 * time.Second
	}
	return 4 * time.Second
}
