//go:build unix

package main

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/integration/paper"
)

// The experiments in small, without CUPS: printq loses and doubles nothing.
func TestExperiments(t *testing.T) {
	if testing.Short() {
		t.Skip("left out with -short: four clusters, one after the other")
	}
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	var out strings.Builder
	ok, err := run(ctx, &out, Scale{Page: 40 * time.Millisecond, Short: 12, Long: 40}, "off", "")
	t.Log("\n" + out.String())
	if err != nil || !ok {
		t.Errorf("the promises were not kept: %v", err)
	}
}

// The judgement bites.
func TestJudge(t *testing.T) {
	e, one := experiment{jobs: 1, pages: 20}, make([]paper.Unit, 1)
	for name, c := range map[string]struct {
		r  Result
		ok bool
	}{
		"all is well":      {Result{Before: paper.Tally{Pages: 10, Lost: 10}, Tally: paper.Tally{Pages: 20}, InDoubt: one}, true},
		"torn":             {Result{Tally: paper.Tally{Pages: 21, Torn: 1}, InDoubt: one}, runtime.GOOS != "linux"},
		"much in doubt":    {Result{Tally: paper.Tally{Pages: 20}, InDoubt: make([]paper.Unit, 2)}, false},
		"doubled":          {Result{Tally: paper.Tally{Pages: 21, Doubled: 1}}, false},
		"lost":             {Result{Tally: paper.Tally{Pages: 19, Lost: 1}}, false},
		"doubled too soon": {Result{Before: paper.Tally{Doubled: 1}, Tally: paper.Tally{Pages: 20}}, false},
		"a sheet too many": {Result{Tally: paper.Tally{Pages: 21}}, false},
	} {
		if c.r.judge(e); (len(c.r.Wrong) == 0) != c.ok {
			t.Errorf("%s: %q", name, c.r.Wrong)
		}
	}
}

// What a job says of itself is compared with the paper.
func TestLook(t *testing.T) {
	d := paper.Document{Name: "x", Pages: 9}
	jet := emulator.NewJetDirect(emulator.Options{})
	defer jet.Close()
	p := &target{jet: jet, documents: []paper.Document{d}, jobs: []uint64{7}} // nothing is out
	for name, c := range map[string]struct {
		job api.Job
		ok  bool
	}{
		"in doubt":           {api.Job{ID: 7, Reason: "in-doubt", InDoubt: &api.Doubt{Copy: 1, From: 1, To: 1}}, true},
		"called printed":     {api.Job{ID: 7, Reason: "in-doubt", Printed: 1, InDoubt: &api.Doubt{Copy: 1, From: 2, To: 2}}, false},
		"held for no reason": {api.Job{ID: 7, Reason: "held"}, false},
	} {
		var r Result
		if r.look(p, c.job); (len(r.Wrong) == 0) != c.ok {
			t.Errorf("%s: %q", name, r.Wrong)
		}
	}
}
