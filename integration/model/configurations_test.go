package model

type configuration struct {
	name string
	bounds
}

var (
	one   = commands{submit(2, 1)}
	two   = commands{submit(2, 1), submit(2, 1)}
	short = commands{submit(2, 1), submit(1, 1)}

	pool   = []layout{{name: "p", trays: []int{0, 1}}}
	alias  = []layout{{name: "p", trays: []int{0, 0}}}
	pair   = []layout{{name: "p", trays: []int{0}}, {name: "q", trays: []int{1}}}
	shared = []layout{{name: "p", trays: []int{0}}, {name: "q", trays: []int{0}}}
	again  = []layout{{name: "p", trays: []int{0}, inDoubt: "reprint"}}
	skips  = []layout{{name: "p", trays: []int{0}, inDoubt: "skip"}}

	anyAnswer = commands{resolveFrom(1, 2), resolvePrinted(1, 2), resolveDone(1)}
)

// One device, and no page but once.
var plain = []configuration{
	{"doubled", bounds{terms: 2, jobs: two, doubled: 1}},
	{"lost", bounds{terms: 2, jobs: two, lost: 1}},
	{"claimed again", bounds{terms: 2, jobs: two, returns: 1}},
	{"three terms", bounds{terms: 3, jobs: two}},
	{"lag", bounds{terms: 2, jobs: two, lag: true}},
	{"cancel", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, lost: 1}},
	{"cancel and claimed again", bounds{terms: 2, jobs: one, facts: commands{cancel(1)}, returns: 1}},
	{"hold and release", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1)}}},
	{"hold, release and cancel", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1), cancel(1)}}},
	{"reprint", bounds{terms: 2, jobs: two, facts: commands{reprint(1)}}},
	{"cancel and reprint", bounds{terms: 2, jobs: one, facts: commands{cancel(1), reprint(1)}, lost: 1}},
	{"late submit", bounds{terms: 2, jobs: one, facts: commands{submit(2, 1)}, lost: 1}},
	{"copies", bounds{terms: 2, jobs: commands{submit(2, 2), submit(1, 1)}, doubled: 1}},
	{"pause, and on", bounds{terms: 2, jobs: two, facts: commands{pause("p"), unpause("p")}}},
	{"a damaged document", bounds{terms: 2, jobs: short, damaged: 1, returns: 1, facts: commands{resolveFrom(1, 2)}}},
	{"larger: doubled and lost", bounds{terms: 2, jobs: two, doubled: 1, lost: 1}},
	{"larger: all faults", bounds{terms: 2, jobs: two, doubled: 1, lost: 1, returns: 1}},
	{"larger: three terms, all faults", bounds{terms: 3, jobs: short, lost: 1, returns: 1}},
	{"larger: cancel and claimed again", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, returns: 1}},
	{"larger: cancel, all faults", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, lost: 1, returns: 1}},
	{"larger: hold, release, lost", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1)}, lost: 1}},
	{"larger: hold, release and cancel", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1), cancel(1)}, doubled: 1}},
	{"larger: reprint, lost", bounds{terms: 2, jobs: two, facts: commands{reprint(1)}, lost: 1}},
	{"larger: lag, lost", bounds{terms: 2, jobs: short, lag: true, lost: 1}},
	{"larger: a damaged document", bounds{terms: 2, jobs: two, damaged: 1, lost: 1, facts: commands{release(1)}}},
}

// The device forgets what it printed; a person or the policy says what is to come out again.
var doubt = []configuration{
	{"wipe", bounds{terms: 2, jobs: short, wipes: 1, lost: 1}},
	{"wipe and cancel", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, wipes: 1}},
	// A leader that leads anew in its term, while its Resume is under way, opens its token a second time. If the device has lost its
	// mark in between, it answers with another epoch; the core must go on with the one that the log knows. (It once did not.)
	{"wipe and claimed again", bounds{terms: 2, jobs: one, wipes: 1, returns: 1}},
	{"wipe and resolve", bounds{terms: 2, jobs: commands{submit(3, 1), submit(1, 1)}, wipes: 1, facts: anyAnswer}},
	{"wipe and adopt", bounds{terms: 2, jobs: short, wipes: 1, facts: commands{adopt("p")}}},
	{"hold and resolve", bounds{terms: 2, jobs: commands{submit(3, 1)}, facts: commands{hold(1), resolveFrom(1, 2)}, lost: 1}},
	{"hold and resolve in the second copy", bounds{terms: 2, jobs: commands{submit(2, 2)}, facts: commands{hold(1), resolveFrom(1, 3)}}},
	{"reprint from a page", bounds{terms: 2, jobs: one, lost: 1, facts: commands{reprintFrom(1, 2)}}},
	{"reprint from a page, and wipe", bounds{terms: 2, jobs: one, wipes: 1, facts: commands{reprintFrom(1, 2)}}},
	{"in doubt: reprint", bounds{terms: 2, printers: again, jobs: short, wipes: 1, lost: 1}},
	{"in doubt: reprint, hold, resolve", bounds{terms: 2, printers: again, jobs: one, wipes: 1, facts: commands{hold(1), resolveFrom(1, 2)}}},
	{"in doubt: skip", bounds{terms: 2, printers: skips, jobs: commands{submit(3, 1)}, wipes: 1, lost: 1}},
	{"in doubt: skip, copies", bounds{terms: 2, printers: skips, jobs: commands{submit(2, 2)}, wipes: 1}},
	{"larger: wipe, lost", bounds{terms: 2, jobs: two, wipes: 1, lost: 1}},
	{"larger: wipe, resolve, lost", bounds{terms: 2, jobs: commands{submit(3, 1), submit(1, 1)}, wipes: 1, facts: anyAnswer, lost: 1}},
	{"larger: wipe, resolve, claimed again", bounds{terms: 2, jobs: two, wipes: 1, facts: anyAnswer, returns: 1}},
	{"larger: wiped twice, and resolve", bounds{terms: 3, jobs: short, wipes: 2, facts: commands{resolveFrom(1, 1), resolvePrinted(1, 1)}}},
	{"larger: hold and resolve", bounds{terms: 2, jobs: commands{submit(2, 2), submit(1, 1)}, facts: commands{hold(1), resolveFrom(1, 2)}, lost: 1}},
	{"larger: reprint from a page", bounds{terms: 2, jobs: commands{submit(3, 1)}, lost: 1, doubled: 1, facts: commands{reprintFrom(1, 2)}}},
	{"larger: reprint from a page, and wipe", bounds{terms: 2, jobs: one, wipes: 1, lost: 1, facts: commands{reprintFrom(1, 2)}}},
	{"larger: in doubt: reprint", bounds{terms: 2, printers: again, jobs: two, wipes: 1, lost: 1, doubled: 1}},
	{"larger: in doubt: reprint, wiped twice", bounds{terms: 2, printers: again, jobs: short, wipes: 2, returns: 1}},
	{"larger: in doubt: skip", bounds{terms: 2, printers: skips, jobs: commands{submit(3, 1), submit(1, 1)}, wipes: 1, lost: 1}},
	{"larger: in doubt: skip, copies, wiped twice", bounds{terms: 2, printers: skips, jobs: commands{submit(2, 2), submit(1, 1)}, wipes: 2}},
	{"larger: in doubt: reprint, cancel", bounds{terms: 2, printers: again, jobs: short, wipes: 1, lost: 1, facts: commands{cancel(1)}}},
}

// Several devices. Two jobs, so that one waits for what the other is at.
var several = []configuration{
	{"pool", bounds{terms: 2, printers: pool, jobs: short}},
	{"pool, lost", bounds{terms: 2, printers: pool, jobs: short, lost: 1, brief: true}},
	{"pool, claimed again", bounds{terms: 2, printers: pool, jobs: one, returns: 1, brief: true}},
	{"pool, cancel", bounds{terms: 2, printers: pool, jobs: short, facts: commands{cancel(1)}, brief: true}},
	{"pool, wipe", bounds{terms: 2, printers: pool, jobs: one, wipes: 1}},
	{"pool, one device under two names", bounds{terms: 2, printers: alias, jobs: short, brief: true}},
	{"two printers, one device", bounds{terms: 2, printers: shared, jobs: commands{submit(1, 1), submitTo("q", 1, 1)}, brief: true}},
	{"move", bounds{terms: 2, printers: pair, jobs: short, facts: commands{move(1, "q")}}},
	{"move, lost", bounds{terms: 2, printers: pair, jobs: one, facts: commands{move(1, "q")}, lost: 1, brief: true}},
	{"move there and back", bounds{terms: 2, printers: pair, jobs: one, facts: commands{move(1, "q"), move(1, "p")}, brief: true}},
	{"move and cancel", bounds{terms: 2, printers: pair, jobs: one, facts: commands{move(1, "q"), cancel(1)}, brief: true}},
	{"move and wipe", bounds{terms: 1, printers: pair, jobs: short, facts: commands{move(1, "q")}, wipes: 1}},
	{"forced move", bounds{terms: 2, printers: pair, jobs: short, facts: commands{force(1, "q")}, brief: true}},
	{"forced move, lost", bounds{terms: 1, printers: pair, jobs: one, facts: commands{force(1, "q")}, lost: 1, brief: true}},
	{"forced move, claimed again", bounds{terms: 1, printers: pair, jobs: one, facts: commands{force(1, "q")}, returns: 1, brief: true}},
	{"forced move there, move back", bounds{terms: 2, printers: pair, jobs: one, facts: commands{force(1, "q"), move(1, "p")}, brief: true}},
	{"forced move and wipe", bounds{terms: 1, printers: pair, jobs: short, facts: commands{force(1, "q")}, wipes: 1}},
	{"forced move, hold, resolve, move back", bounds{
		terms: 1, printers: pair, jobs: one, facts: commands{force(1, "q"), hold(1), resolveFrom(1, 2), move(1, "p")},
	}},
	{"larger: pool, three terms", bounds{terms: 3, printers: pool, jobs: short, brief: true}},
	{"larger: pool, claimed again", bounds{terms: 2, printers: pool, jobs: short, returns: 1, brief: true}},
	{"larger: pool, hold and release", bounds{terms: 2, printers: pool, jobs: short, facts: commands{hold(1), release(1)}, brief: true}},
	{"larger: pool, wipe", bounds{terms: 2, printers: pool, jobs: short, wipes: 1}},
	{"larger: pool, wipe, in doubt: reprint", bounds{
		terms: 2, printers: []layout{{name: "p", trays: []int{0, 1}, inDoubt: "reprint"}}, jobs: short, wipes: 1,
	}},
	{"larger: one device under two names", bounds{terms: 2, printers: alias, jobs: short, facts: commands{adopt("p")}, brief: true}},
	{"larger: move, lost", bounds{terms: 2, printers: pair, jobs: short, facts: commands{move(1, "q")}, lost: 1, brief: true}},
	{"larger: move there and back", bounds{terms: 2, printers: pair, jobs: short, facts: commands{move(1, "q"), move(1, "p")}, brief: true}},
	{"larger: move, wipe", bounds{terms: 2, printers: pair, jobs: one, facts: commands{move(1, "q")}, wipes: 1}},
	{"larger: move, a damaged document", bounds{terms: 2, printers: pair, jobs: two, facts: commands{move(1, "q")}, damaged: 1, brief: true}},
	{"larger: forced move", bounds{terms: 2, printers: pair, jobs: two, facts: commands{force(1, "q")}}},
	{"larger: forced move, lost", bounds{terms: 2, printers: pair, jobs: short, facts: commands{force(1, "q")}, lost: 1, brief: true}},
	{"larger: forced move, claimed again", bounds{terms: 2, printers: pair, jobs: short, facts: commands{force(1, "q")}, returns: 1, brief: true}},
	{"larger: forced move there and back", bounds{
		terms: 2, printers: pair, jobs: one, facts: commands{force(1, "q"), force(1, "p")}, lost: 1, brief: true,
	}},
	{"larger: forced move and cancel", bounds{terms: 2, printers: pair, jobs: one, facts: commands{force(1, "q"), cancel(1)}, lost: 1, brief: true}},
	{"larger: forced move, wipe", bounds{terms: 2, printers: pair, jobs: one, facts: commands{force(1, "q")}, wipes: 1}},
	{"larger: forced move, hold, resolve, move back", bounds{
		terms: 2, printers: pair, jobs: one, facts: commands{force(1, "q"), hold(1), resolveFrom(1, 2), move(1, "p")}, brief: true,
	}},
	{"larger: forced move, wipe, in doubt: reprint and skip", bounds{
		terms: 2, printers: []layout{{name: "p", trays: []int{0}, inDoubt: "reprint"}, {name: "q", trays: []int{1}, inDoubt: "skip"}},
		jobs: one, facts: commands{force(1, "q")}, wipes: 1,
	}},
}
