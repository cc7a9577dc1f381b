package model

import (
	"strings"
	"testing"
)

// What is not as the rules say, and which check must notice. The bounds are about the smallest in which it can be seen.
//
// Two of them are only seen by the check that is nearest to them: a fence that ignores the token, and a log without R1. Epoch,
// attempt, close and R5 stand behind them, so that larger bounds may be needed before they spoil the paper.
var bugs = []struct {
	name  string
	bug   bug
	finds []string // any of them
	bounds
}{
	{"a device without a fence", noFence, []string{"inv 5", "inv 6"}, bounds{terms: 2, jobs: two, blind: true}},
	{"a fence that ignores the token", noToken, []string{"inv 4"}, bounds{terms: 2, jobs: two}},
	{"a mark without the attempt", noAttempt, []string{"inv 6", "inv 7"}, bounds{
		terms: 1, jobs: two[:1], facts: commands{hold(1), release(1)},
	}},
	{"a close that is not remembered", forgetsClose, []string{"a page came out"}, bounds{
		terms: 1, jobs: two, facts: commands{cancel(1)}, lost: 1,
	}},
	{"an epoch that outlives the mark", noEpoch, []string{"inv 6", "inv 7"}, bounds{terms: 2, jobs: two, wipes: 1}},
	{"decisions of an old leader taken for the new one's", noTag, []string{"inv 3"}, bounds{terms: 2, jobs: two}},
	{"a resume with a mark from before the open", oldMark, []string{"inv 15"}, bounds{terms: 2, jobs: two, returns: 1}},
	{"a driver that sends before its resume commits", hasty, []string{"inv"}, bounds{terms: 2, jobs: two, wipes: 1}},
	{"a driver that takes a lost page for printed", trusting, []string{"inv 6", "inv 7"}, bounds{terms: 1, jobs: two, lost: 1}},
}

// A search that finds nothing is worth something only if it finds these.
func TestBugsAreFound(t *testing.T) {
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			b.states = 200_000
			r := newModel(b.bounds, b.bug).search()
			t.Logf("%v: %s", r, r.fault)
			for _, line := range r.trace {
				t.Log("  ", line)
			}
			for _, want := range b.finds {
				if strings.HasPrefix(r.fault, want) {
					return
				}
			}
			t.Errorf("found %q, want one of %q", r.fault, b.finds)
		})
	}
}
