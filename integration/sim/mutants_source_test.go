package sim

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"printq/queue/queuepb"
)

// An edit is a bug planted in the source of production code, for what no seam reaches. This test is built again, once, with all of
// the edits in it (go build's -overlay), each behind a condition; and for each the build looks for a seed that fails.
type edit struct {
	name string
	file string // from the module's root
	// In new, PLANTED is the condition under which the bug is there.
	old, new string
	focus    []Kind
	// byHistory: every check is off but that of the clients' histories.
	byHistory bool
	// decide goes with it, where the driver must do its part.
	decide func(*shell, *queuepb.Command) []*queuepb.Command
}

var edits = []edit{
	{"no-tag-in-the-queue", "queue/apply.go", "if c.Term != t.entry.Term {", "if c.Term != t.entry.Term && !PLANTED {", []Kind{Stale, Kill}, false, nil},
	{
		"chunks-cleared-at-a-term-change", "queue/claims.go", "	t.term = t.entry.Term\n",
		"	t.term = t.entry.Term\n	for _, u := range t.uploads {\n		if PLANTED {\n			t.dropUpload(u)\n		}\n	}\n",
		[]Kind{Submit, Submit, Submit, Kill, Lossy},
		false,
		nil,
	},
	{"attempt-not-compared", "queue/progress.go", "|| attempt != d.attempt:", "|| attempt != d.attempt && !PLANTED:", []Kind{SlowGo, Stale, Hang}, false, nil},
	{"order-by-submission-only", "queue/heap.go", "{ return sortKey{^j.priority, j.place()} }", "{ if PLANTED { return sortKey{0, j.place()} }; return sortKey{^j.priority, j.place()} }", nil, false, nil},
	{
		"answer-before-save", "node/core.go", "	c.send(before)\n", "	if PLANTED {\n		before, after = append(before, after...), nil\n	}\n	c.send(before)\n",
		[]Kind{PowerAt, PowerAt, AllDown},
		false,
		nil,
	},
	{"applied-before-save", "node/core.go", "	if len(rd.Entries) > 0 {\n		first :=", "	if len(rd.Entries) > 0 && !PLANTED {\n		first :=", nil, false, nil},
	{"vote-not-synced", "node/core.go", "c.notes.sums(rd.Entries), true)", "c.notes.sums(rd.Entries), len(rd.Entries) > 0 || !PLANTED)", nil, false, nil},
	{"result-of-an-older-reign", "printer/core.go", "|| op.reign != c.reign ", "|| op.reign != c.reign && !PLANTED ", []Kind{Transfer, Hang}, false, nil},
	{
		"failed-sync-not-written-back", "log/open.go", "if err := o.rewrite(a); err != nil {",
		"if err := map[bool]func(*segment) error{false: o.rewrite, true: func(a *segment) error { return o.syncFile(a.file) }}[PLANTED](a); err != nil {",
		[]Kind{FailSync, Power},
		false,
		nil,
	},
	{"expires-by-a-clock-that-jumped", "node/reign.go", "if c.alarms.clock || c.reign.expiring", "if c.alarms.clock && !PLANTED || c.reign.expiring", []Kind{Clock, Clock, Submit, Submit}, false, nil},
	{"stamps-by-a-clock-that-jumped", "node/proposals.go", "max(c.stamp(), ", "max(map[bool]int64{false: c.stamp(), true: c.now.Wall.UnixNano()}[PLANTED], ", nil, false, nil},
	{"wiped-member-adopts-the-cluster", "node/bootstrap.go", "} else if nonce != self.Nonce {", "} else if nonce != self.Nonce && !PLANTED {", []Kind{Wipe}, false, nil},
	{"request-carried-out-twice", "queue/apply.go", "case known:", "case known && !PLANTED:", []Kind{SetPrinter, SetPrinter, Read, Doubled, Delayed, Transfer}, true, nil},

	// Devices without a fence.
	{"intent-not-awaited", "printer/stream.go", "	if w.Intended >= to {\n", "	if PLANTED {\n		w.Intended = to\n	}\n	if w.Intended >= to {\n", nil, false, nil},
	{"evidence-without-what-was-taken-whole", "queue/evidence.go", "case pages > uint64(f.sent)*per:", "case pages > uint64(f.sent)*per && !PLANTED:", nil, false, nil},
	{"remote-id-the-last-wins", "queue/intent.go", "case d.flight.remote != \"\":", "case d.flight.remote != \"\" && !PLANTED:", []Kind{Forget, SlowGo}, false, twoRemotes},
	{"completed-though-not-known", "printer/spool.go", "e.End == device.Completed && e.Known:", "e.End == device.Completed && (e.Known || PLANTED):", nil, false, nil},
	{"given-back-after-an-intent", "queue/intent.go", "|| d.flight.intended > a.from:", "|| d.flight.intended > a.from && !PLANTED:", nil, false, givesBack},
}

// givesBack yields an attempt as soon as a window of it is announced.
func givesBack(s *shell, c *queuepb.Command) []*queuepb.Command {
	i := c.GetIntent()
	if i == nil {
		return []*queuepb.Command{c}
	}
	s.m.after(s.w.between(0, 200*time.Millisecond), func() {
		s.propose(c.Term, &queuepb.Command{Term: c.Term, Body: &queuepb.Command_Yield{Yield: &queuepb.Yield{
			Device: i.Device, Token: i.Token, Attempt: i.Attempt, Reason: "other",
		}}})
	})
	return []*queuepb.Command{c}
}

// twoRemotes commits another id of the job a little later, as a driver does that had made it a second time.
func twoRemotes(s *shell, c *queuepb.Command) []*queuepb.Command {
	r := c.GetRemote()
	if r == nil {
		return []*queuepb.Command{c}
	}
	p := s.w.trayOf(r.Device).press
	id := p.jobs.again(r.Id)
	s.m.after(s.w.between(0, 200*time.Millisecond), func() {
		s.propose(c.Term, &queuepb.Command{Term: c.Term, Body: &queuepb.Command_Remote{Remote: &queuepb.Remote{
			Device: r.Device, Token: r.Token, Attempt: r.Attempt, Id: id,
		}}})
	})
	return []*queuepb.Command{c}
}

var hunt = flag.Int("hunt", -1, "look for a seed on which this edit of the source is caught (for TestMutantsInSource)")

func TestMutantsInSource(t *testing.T) {
	if testing.Short() || *hunt >= 0 {
		t.Skip("a program is built anew")
	}
	program := plant(t)
	t.Run("none", func(t *testing.T) {
		t.Parallel() // what the edits break is nothing but what they are to break
		if out, err := exec.Command(program, "-test.run=^TestSeeds$", "-seeds=1:20").CombinedOutput(); err != nil {
			t.Fatalf("with no bug planted: %v\n%s", err, out)
		}
	})
	for i, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel() // each search is a process of its own
			began := time.Now()
			c := exec.Command(program, "-test.run=^TestHunt$", fmt.Sprint("-hunt=", i))
			c.Env = append(os.Environ(), "PLANTED="+e.name)
			out, err := c.CombinedOutput()
			var seed uint64
			at := bytes.Index(out, []byte("caught seed="))
			if at >= 0 {
				_, err = fmt.Sscanf(string(out[at:]), "caught seed=%d", &seed)
			}
			if at < 0 || err != nil {
				t.Fatalf("mutant %s is not caught: %v\n%s", e.name, err, out)
			}
			t.Logf("%.300s", out)
			fmt.Printf("mutant %s caught seed=%d seconds=%.1f\n", e.name, seed, time.Since(began).Seconds())
		})
	}
}

// plantedSource says in each package that has an edit which bug is there.
const plantedSource = `package %s

import "os"

var plantedBug = os.Getenv("PLANTED")

func planted(name string) bool { return plantedBug == name }
`

// plant makes this test's program with the edits.
func plant(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sources, replaced := map[string]string{}, map[string]string{}
	for _, e := range edits {
		file := filepath.Join(root, e.file)
		if sources[file] == "" {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources[file] = string(b)
			of := filepath.Dir(file)
			sources[filepath.Join(of, "planted.go")] = fmt.Sprintf(plantedSource, filepath.Base(of))
		}
		if strings.Count(sources[file], e.old) != 1 {
			t.Fatalf("%s no longer holds %q once: choose another place for mutant %s", e.file, e.old, e.name)
		}
		sources[file] = strings.Replace(sources[file], e.old, strings.ReplaceAll(e.new, "PLANTED", fmt.Sprintf("planted(%q)", e.name)), 1)
	}
	for file, source := range sources {
		replaced[file] = filepath.Join(dir, fmt.Sprint(len(replaced), ".go"))
		write(t, replaced[file], []byte(source))
	}
	overlay, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim.test")
	b, err := json.Marshal(map[string]map[string]string{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, b)
	build := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-overlay", overlay, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the mutants: %v\n%s", err, out)
	}
	return program
}

// TestHunt runs in the program that has the edits in it.
func TestHunt(t *testing.T) {
	if *hunt < 0 {
		t.Skip("for TestMutantsInSource")
	}
	e := edits[*hunt]
	for seed := uint64(1); seed <= 600; seed++ {
		if v := run(t, PlanOf(seed, e.focus...), Mutant{HistoriesOnly: e.byHistory, Decide: e.decide}).Violation; v != nil {
			fmt.Printf("caught seed=%d: %v\n", seed, v)
			return
		}
	}
	t.Error("not caught")
}
