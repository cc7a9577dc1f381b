package model

import "printq/queue"

func of(class queue.Class, inDoubt string) []layout {
	return []layout{{name: "p", trays: []int{0}, class: class, inDoubt: inDoubt}}
}

func poolOf(class queue.Class) []layout {
	return []layout{{name: "p", trays: []int{0, 1}, class: class}}
}

func pairOf(class queue.Class) []layout {
	return []layout{{name: "p", trays: []int{0}, class: class}, {name: "q", trays: []int{1}, class: class}}
}

var (
	blind   = of(queue.Blind, "")
	counted = of(queue.Counted, "")
	whole   = of(queue.WholeJob, "")
	three   = commands{submit(3, 1)}
	copied  = commands{submit(2, 2)}
	single  = commands{submit(1, 1), submit(1, 1)}
)

// Blind devices: a page at a time, and all at once.
var unseen = []configuration{
	{"blind, lost", bounds{terms: 2, printers: blind, jobs: short, exclusive: true, window: 1, lost: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"blind, window, lost", bounds{terms: 2, printers: blind, jobs: three, exclusive: true, lost: 1, facts: anyAnswer}},
	{"blind, doubled", bounds{terms: 2, printers: blind, jobs: one, exclusive: true, window: 1, doubled: 1}},
	{"blind, three terms", bounds{terms: 3, printers: blind, jobs: short, exclusive: true, window: 1}},
	{"blind, lag", bounds{terms: 2, printers: blind, jobs: short, exclusive: true, window: 1, lag: true}},
	{"blind, cancel", bounds{terms: 2, printers: blind, jobs: short, exclusive: true, lost: 1, facts: commands{cancel(1)}}},
	{"blind, hold, release, resolve", bounds{
		terms: 2, printers: blind, jobs: one, exclusive: true, window: 1, facts: commands{hold(1), release(1), resolveFrom(1, 2)},
	}},
	{"blind, a damaged document", bounds{terms: 2, printers: blind, jobs: three, exclusive: true, damaged: 1, facts: commands{resolveFrom(1, 2)}}},
	{"blind, reprint", bounds{terms: 2, printers: of(queue.Blind, "reprint"), jobs: short, exclusive: true, lost: 1}},
	{"blind, skip", bounds{terms: 2, printers: of(queue.Blind, "skip"), jobs: copied, exclusive: true, lost: 1}},
	{"blind, claimed again", bounds{terms: 2, printers: blind, jobs: one, exclusive: true, returns: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"blind, a page again", bounds{terms: 2, printers: blind, jobs: one, exclusive: true, lost: 1, facts: commands{reprintFrom(1, 2)}}},
	{"blind, move", bounds{terms: 1, printers: pairOf(queue.Blind), jobs: one, exclusive: true, window: 1, facts: commands{move(1, "q")}}},
	{"blind, forced move", bounds{terms: 2, printers: pairOf(queue.Blind), jobs: one, exclusive: true, window: 1, facts: commands{force(1, "q")}}},
	{"blind, pool", bounds{terms: 2, printers: poolOf(queue.Blind), jobs: short, exclusive: true, window: 1}},
	{"blind, pool, one out of order", bounds{terms: 1, printers: poolOf(queue.Blind), jobs: one, exclusive: true, window: 1, broken: []int{0}}},
	// Where a device serves several at once, or what was sent comes out some time, pages of two attempts mix, and no more.
	{"blind, mixed, lost", bounds{terms: 2, printers: blind, jobs: short, window: 1, lost: 1, facts: commands{resolveFrom(1, 1)}}},
	{"blind, mixed, reprint", bounds{terms: 2, printers: of(queue.Blind, "reprint"), jobs: short, lost: 1}},
	{"larger: blind, lost", bounds{terms: 2, printers: blind, jobs: two, exclusive: true, lost: 2, returns: 1, facts: anyAnswer}},
	{"larger: blind, three terms", bounds{terms: 3, printers: blind, jobs: two, exclusive: true, window: 1, lost: 1, returns: 1}},
	{"larger: blind, mixed", bounds{terms: 3, printers: blind, jobs: short, lost: 1, returns: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"larger: blind, pool", bounds{terms: 2, printers: poolOf(queue.Blind), jobs: short, exclusive: true, window: 1, lost: 1, facts: commands{cancel(1)}}},
	{"larger: blind, doubled", bounds{terms: 2, printers: blind, jobs: one, exclusive: true, window: 1, doubled: 1, lost: 1}},
	{"larger: blind, move", bounds{terms: 2, printers: pairOf(queue.Blind), jobs: one, exclusive: true, window: 1, facts: commands{move(1, "q")}}},
	{"larger: blind, forced move", bounds{
		terms: 2, printers: pairOf(queue.Blind), jobs: one, exclusive: true, window: 1, lost: 1, facts: commands{force(1, "q"), move(1, "p")},
	}},
}

// Counted devices.
var counters = []configuration{
	{"counted, lost", bounds{terms: 2, printers: counted, jobs: short, exclusive: true, lost: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"counted, claimed again", bounds{terms: 2, printers: counted, jobs: three, exclusive: true, returns: 1}},
	{"counted, doubled", bounds{terms: 2, printers: counted, jobs: one, exclusive: true, doubled: 1}},
	{"counted, three terms", bounds{terms: 3, printers: counted, jobs: short, exclusive: true}},
	{"counted, lag", bounds{terms: 2, printers: counted, jobs: short, exclusive: true, lag: true}},
	{"counted, a window of two", bounds{terms: 2, printers: counted, jobs: three, exclusive: true, window: 2, lost: 1}},
	{"counted, cancel", bounds{terms: 2, printers: counted, jobs: one, exclusive: true, lost: 1, facts: commands{cancel(1)}}},
	{"counted, hold, release", bounds{terms: 2, printers: counted, jobs: one, exclusive: true, facts: commands{hold(1), release(1)}}},
	{"counted, a damaged document", bounds{terms: 2, printers: counted, jobs: one, exclusive: true, damaged: 1, lost: 1}},
	{"counted, reprint", bounds{terms: 2, printers: of(queue.Counted, "reprint"), jobs: one, exclusive: true, lost: 1}},
	{"counted, skip", bounds{terms: 2, printers: of(queue.Counted, "skip"), jobs: one, exclusive: true, wipes: 1}},
	{"counted, went back", bounds{terms: 2, printers: counted, jobs: short, exclusive: true, wipes: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"counted, others print there", bounds{terms: 2, printers: counted, jobs: one, exclusive: true, lost: 1, strangers: 1}},
	{"counted, blind from now on", bounds{terms: 2, printers: counted, jobs: one, exclusive: true, lost: 1, turns: 1}},
	{"counted, forced move", bounds{terms: 1, printers: pairOf(queue.Counted), jobs: one, exclusive: true, facts: commands{force(1, "q")}}},
	{"larger: counted, lost", bounds{terms: 2, printers: counted, jobs: two, exclusive: true, lost: 2, returns: 1, facts: anyAnswer}},
	{"larger: counted, three terms", bounds{terms: 3, printers: counted, jobs: three, exclusive: true, lost: 1, returns: 1}},
	{"larger: counted, went back", bounds{terms: 3, printers: of(queue.Counted, "reprint"), jobs: three, exclusive: true, lost: 1, wipes: 1, returns: 1}},
	{"larger: counted, skip", bounds{terms: 2, printers: of(queue.Counted, "skip"), jobs: one, exclusive: true, lost: 1, wipes: 1}},
	{"larger: counted, blind from now on", bounds{terms: 3, printers: counted, jobs: copied, exclusive: true, lost: 1, turns: 1, returns: 1}},
}

// Whole-job devices.
var spoolers = []configuration{
	{"whole-job, lost", bounds{terms: 2, printers: whole, jobs: short, lost: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"whole-job, claimed again", bounds{terms: 2, printers: whole, jobs: one, returns: 1}},
	{"whole-job, doubled", bounds{terms: 2, printers: whole, jobs: single, doubled: 1, lost: 1}},
	{"whole-job, three terms", bounds{terms: 3, printers: whole, jobs: single}},
	{"whole-job, lag", bounds{terms: 2, printers: whole, jobs: single, lag: true}},
	{"whole-job, cancel", bounds{terms: 2, printers: whole, jobs: short, lost: 1, facts: commands{cancel(1)}}},
	{"whole-job, cancel, doubled", bounds{terms: 2, printers: whole, jobs: single, doubled: 1, facts: commands{cancel(1)}}},
	{"whole-job, hold, release", bounds{terms: 2, printers: whole, jobs: one, lost: 1, facts: commands{hold(1), release(1)}}},
	{"whole-job, forgotten", bounds{terms: 2, printers: whole, jobs: short, wipes: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"whole-job, forgotten, reprint", bounds{terms: 2, printers: of(queue.WholeJob, "reprint"), jobs: one, wipes: 1, lost: 1}},
	{"whole-job, forgotten, skip", bounds{terms: 2, printers: of(queue.WholeJob, "skip"), jobs: one, wipes: 1, aborts: 1}},
	{"whole-job, aborted there", bounds{terms: 2, printers: whole, jobs: short, aborts: 1, facts: commands{resolvePrinted(1, 1)}}},
	{"whole-job, aborted there, cancel", bounds{terms: 2, printers: whole, jobs: one, aborts: 1, facts: commands{cancel(1)}}},
	{"whole-job, a damaged document", bounds{terms: 2, printers: whole, jobs: short, damaged: 1}},
	{"whole-job, blind from now on", bounds{terms: 2, printers: whole, jobs: one, turns: 1, window: 1, exclusive: true}},
	{"whole-job, move", bounds{terms: 1, printers: pairOf(queue.WholeJob), jobs: single, facts: commands{move(1, "q")}}},
	{"whole-job, forced move", bounds{terms: 1, printers: pairOf(queue.WholeJob), jobs: one, facts: commands{force(1, "q")}}},
	{"whole-job, pool, one out of order", bounds{terms: 1, printers: poolOf(queue.WholeJob), jobs: one, broken: []int{0}}},
	{"whole-job, pool, given back in the middle", bounds{
		terms: 1, printers: []layout{{name: "p", trays: []int{0, 1}, class: queue.WholeJob, inDoubt: "reprint"}}, jobs: one, aborts: 1, lost: 2,
	}},
	{"larger: whole-job, lost", bounds{terms: 2, printers: whole, jobs: two, lost: 2, returns: 1, facts: anyAnswer}},
	{"larger: whole-job, doubled", bounds{terms: 2, printers: whole, jobs: short, doubled: 2, lost: 1, returns: 1}},
	{"larger: whole-job, three terms", bounds{terms: 3, printers: whole, jobs: short, lost: 1, returns: 1}},
	{"larger: whole-job, forgotten", bounds{terms: 3, printers: of(queue.WholeJob, "reprint"), jobs: short, wipes: 2, lost: 1}},
	{"larger: whole-job, aborted there", bounds{terms: 3, printers: whole, jobs: short, aborts: 2, lost: 1, facts: anyAnswer}},
	{"larger: whole-job, move", bounds{terms: 2, printers: pairOf(queue.WholeJob), jobs: single, facts: commands{move(1, "q")}}},
	{"larger: whole-job, pool", bounds{terms: 2, printers: poolOf(queue.WholeJob), jobs: single, aborts: 1, lost: 1}},
}
