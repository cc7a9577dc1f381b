package model

import (
	"flag"
	"testing"

	"printq/queue/queuepb"
)

var (
	full = flag.Bool("full", false, "search the larger bounds, too: minutes")
	most = flag.Int("states", 3_000_000, "the states after which a search is cut off")
)

type commands = []*queuepb.Command

var two = commands{submit(2, 1), submit(2, 1)}

type configuration struct {
	name string
	bounds
}

var configurations = []configuration{
	{"plain", bounds{terms: 2, jobs: two, doubled: 1, lost: 1}},
	{"claimed again", bounds{terms: 2, jobs: two, returns: 1}},
	{"three terms", bounds{terms: 3, jobs: two}},
	{"lag", bounds{terms: 2, jobs: two, lag: true}},
	{"cancel", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, lost: 1}},
	{"cancel and claimed again", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, returns: 1}},
	{"hold and release", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1)}}},
	{"hold, release and cancel", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1), cancel(1)}, doubled: 1}},
	{"reprint", bounds{terms: 2, jobs: two, facts: commands{reprint(1)}}},
	{"cancel and reprint", bounds{terms: 2, jobs: two[:1], facts: commands{cancel(1), reprint(1)}, lost: 1}},
	{"late submit", bounds{terms: 2, jobs: two[:1], facts: commands{submit(2, 1)}, lost: 1}},
	{"copies", bounds{terms: 2, jobs: commands{submit(2, 2), submit(1, 1)}, doubled: 1}},
	{"wipe", bounds{terms: 2, jobs: commands{submit(2, 1), submit(1, 1)}, wipes: 1, lost: 1}},
	{"wipe and cancel", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, wipes: 1}},
	// A leader that leads anew in its term, while its Resume is under way, opens its token a second time. If the device has lost its
	// mark in between, it answers with another epoch; the core must go on with the one that the log knows. (It once did not.)
	{"wipe and claimed again", bounds{terms: 2, jobs: two[:1], wipes: 1, returns: 1}},
}

var larger = []configuration{
	{"all faults", bounds{terms: 2, jobs: two, doubled: 1, lost: 1, returns: 1}},
	{"three terms, all faults", bounds{terms: 3, jobs: commands{submit(2, 1), submit(1, 1)}, lost: 1, returns: 1}},
	{"cancel, all faults", bounds{terms: 2, jobs: two, facts: commands{cancel(1)}, lost: 1, returns: 1}},
	{"hold, release, lost", bounds{terms: 2, jobs: two, facts: commands{hold(1), release(1)}, lost: 1}},
	{"reprint, lost", bounds{terms: 2, jobs: two, facts: commands{reprint(1)}, lost: 1}},
	{"wipe, lost", bounds{terms: 2, jobs: two, wipes: 1, lost: 1}},
	{"lag, lost", bounds{terms: 2, jobs: commands{submit(2, 1), submit(1, 1)}, lag: true, lost: 1}},
}

// The rules hold in every state within the bounds. (go test -v prints how many there are.)
func TestRules(t *testing.T) {
	list := configurations
	if *full {
		list = append(list, larger...)
	}
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.states = *most
			if testing.Short() {
				c.states = 5000
			}
			r := newModel(c.bounds, none).search()
			t.Log(r)
			if r.fault != "" {
				t.Errorf("found %q", r.fault)
			}
			if r.stuck > 0 {
				t.Errorf("inv 14: from %d states the jobs cannot end; one of them:", r.stuck)
			}
			for _, line := range r.trace {
				t.Log("  ", line)
			}
		})
	}
}
