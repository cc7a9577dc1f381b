package sim

import (
	"flag"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"
)

var (
	seeds      = flag.String("seeds", someSeeds, "START:COUNT: the seeds to run")
	transcript = flag.String("transcript", "", "write what happened into this file (one seed)")
	drop       = flag.String("drop", "", "steps of the plan to leave out, by number, with commas (one seed)")
	planFile   = flag.String("plan", "", "run this plan instead of a seed's")
	keep       = flag.String("keep", "", "write the plan that is run, without what is dropped, into this file")
)

// someSeeds are run where nobody says which.
const someSeeds = "1:1500"

// enough seeds for everything to occur.
const enough = 400

// shrinks is how many failures are made smaller; the others are only told.
const shrinks = 2

// run plays a plan.
func run(t *testing.T, p Plan, m Mutant) Result {
	t.Helper()
	cryptotest.SetGlobalRandom(t, p.Seed)
	return Run(p, m)
}

// TestACorpus runs first: plans that once failed.
func TestACorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			p, err := ReadPlan(file)
			if err != nil {
				t.Fatal(err)
			}
			if r := run(t, p, Mutant{}); r.Violation != nil {
				t.Errorf("%v\nreplay: go test ./integration/sim -run Seeds -plan %s -transcript /tmp/plan.txt", r.Violation, file)
			}
		})
	}
}

// TestReplay: the same plan gives the same run.
func TestReplay(t *testing.T) {
	for seed := uint64(1); seed <= 5; seed++ {
		p := PlanOf(seed)
		a := run(t, p, Mutant{})
		p.Transcript = true
		b, c := run(t, p, Mutant{}), run(t, p, Mutant{})
		if a.Hash != b.Hash || b.Hash != c.Hash || string(b.Transcript) != string(c.Transcript) {
			t.Errorf("seed %d: hashes %016x, %016x, %016x; transcripts equal: %v", seed, a.Hash, b.Hash, c.Hash, string(b.Transcript) == string(c.Transcript))
		}
	}
}

// TestShrink: what is left of a plan still fails, and little is.
func TestShrink(t *testing.T) {
	p := PlanOf(2, Delayed, Doubled)
	m := Mutant{}.with(unfenced)
	v := run(t, p, m).Violation
	if v == nil {
		t.Fatal("a device without a fence does not fail")
	}
	small := Shrink(p, v.Invariant, violates(t, m)).Keep()
	if w := run(t, small, m).Violation; w == nil || w.Invariant != v.Invariant || len(small.Steps) > len(p.Steps)/2 {
		t.Errorf("%d of %d steps are left: %v", len(small.Steps), len(p.Steps), w)
	}
}

func violates(t *testing.T, m Mutant) func(Plan) (int, bool) {
	return func(p Plan) (int, bool) {
		v := run(t, p, m).Violation
		if v == nil {
			return 0, false
		}
		return v.Invariant, true
	}
}

func TestSeeds(t *testing.T) {
	var counts Counts
	var total Result
	began, n, failed := time.Now(), 0, 0
	for p := range plans(t) {
		r := run(t, p, Mutant{})
		n++
		counts.Merge(r.Counts)
		total.Virtual += r.Virtual
		total.Entries += r.Entries
		total.Pages += r.Pages
		if *transcript != "" {
			write(t, *transcript, r.Transcript)
			t.Logf("seed %d: hash %016x", p.Seed, r.Hash)
		}
		if r.Violation != nil {
			failed++
			report(t, p, r, failed <= shrinks)
		}
	}
	took := time.Since(began)
	t.Logf("%d seeds in %.1fs (%.0f ms a seed, %.0f a minute), %.1f virtual hours (%.1f a minute), %d entries, %d pages",
		n, took.Seconds(), 1000*took.Seconds()/float64(n), float64(n)/took.Minutes(), total.Virtual.Hours(),
		total.Virtual.Hours()/took.Minutes(), total.Entries, total.Pages)
	var lines []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		lines = append(lines, fmt.Sprintf("%8d %s", counts[what], what))
	}
	t.Logf("what occurred:\n%s", strings.Join(lines, "\n"))
	if n < enough {
		return
	}
	for _, what := range Required() {
		if counts[what] == 0 {
			t.Errorf("in %d seeds this never occurred: %s", n, what)
		}
	}
}

// plans are those that the flags ask for.
func plans(t *testing.T) iter.Seq[Plan] {
	if *planFile != "" {
		p, err := ReadPlan(*planFile)
		if err != nil {
			t.Fatal(err)
		}
		return func(yield func(Plan) bool) { yield(flagged(t, p)) }
	}
	var start, count uint64
	if _, err := fmt.Sscanf(*seeds, "%d:%d", &start, &count); err != nil {
		t.Fatalf("-seeds %s: want START:COUNT", *seeds)
	}
	if testing.Short() && *seeds == someSeeds {
		count = 150
	}
	return func(yield func(Plan) bool) {
		for seed := start; seed < start+count && yield(flagged(t, PlanOf(seed))); seed++ {
		}
	}
}

// flagged is a plan as the other flags have it.
func flagged(t *testing.T, p Plan) Plan {
	p.Transcript = *transcript != ""
	dropSteps(t, &p)
	if *keep != "" {
		if err := WritePlan(*keep, p); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// report says how a failure is replayed: twice here, with a transcript, and made smaller.
func report(t *testing.T, p Plan, r Result, small bool) {
	t.Errorf("seed %d: %v\nreplay: %s", p.Seed, r.Violation, replay(p))
	if !small || *transcript != "" || *planFile != "" {
		return
	}
	p.Transcript = true
	again := run(t, p, Mutant{})
	if again.Hash != r.Hash {
		t.Errorf("seed %d: replayed, it gives hash %016x after %016x", p.Seed, again.Hash, r.Hash)
	}
	file := filepath.Join(os.TempDir(), fmt.Sprintf("printq-seed-%d.txt", p.Seed))
	write(t, file, again.Transcript)
	p.Transcript = false
	p = Shrink(p, r.Violation.Invariant, violates(t, Mutant{}))
	t.Logf("seed %d: hash %016x twice, transcript in %s\n%d of %d steps are left: %s\nwith -keep testdata/corpus/NAME.json it stays for good",
		p.Seed, again.Hash, file, len(p.Steps)-len(p.Dropped), len(p.Steps), replay(p))
}

func write(t *testing.T, file string, b []byte) {
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func replay(p Plan) string {
	s := fmt.Sprintf("go test ./integration/sim -run Seeds -seeds %d:1 -transcript /tmp/seed-%d.txt", p.Seed, p.Seed)
	var dropped []string
	for i := range p.Steps {
		if p.Dropped[i] {
			dropped = append(dropped, strconv.Itoa(i))
		}
	}
	if len(dropped) > 0 {
		s += " -drop " + strings.Join(dropped, ",")
	}
	return s
}

func dropSteps(t *testing.T, p *Plan) {
	if *drop == "" {
		return
	}
	p.Dropped = map[int]bool{}
	for _, s := range strings.Split(*drop, ",") {
		i, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("-drop %s: want numbers", *drop)
		}
		p.Dropped[i] = true
	}
}
