package model

import (
	"flag"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

var (
	full = flag.Bool("full", false, "search the larger bounds, too: minutes, and some GB")
	most = flag.Int("states", 3_000_000, "the states after which a search is cut off")
)

// TestMain: what a search holds on to, it holds to its end. Looking through it for garbage so often took a third of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(3 << 30)
	os.Exit(m.Run())
}

// The rules hold in every state within the bounds. (go test -v prints how many there are.)
func TestRules(t *testing.T) {
	for _, c := range slices.Concat(plain, doubt, several, unseen, counters, spoolers) {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.name, "larger") && !*full {
				t.Skip("with -full")
			}
			t.Parallel()
			c.states = *most
			if testing.Short() {
				c.states = 5000
			}
			r := newModel(c.bounds, none).search()
			t.Logf("%-48s %v", c.name, r)
			if r.fault != "" {
				t.Errorf("found %q", r.fault)
			}
			if r.stuck > 0 {
				t.Errorf("inv 14: from %d states the jobs cannot end; one of them:", r.stuck)
			}
			if !r.capped && (r.asked != 1<<len(c.facts)-1 || r.least > 0) {
				t.Errorf("not everything happened: facts %b, %d faults are left", r.asked, r.least)
			}
			for _, line := range r.trace {
				t.Log("  ", line)
			}
		})
	}
}
