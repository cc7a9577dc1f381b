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

// An edit is a bug planted in the source of production code: this test is built again with one file replaced (go build's
// -overlay), and the build looks for a seed that fails. It is for what no seam reaches.
type edit struct {
	name     string
	file     string // from the module's root
	old, new string
	focus    []Kind
	// byHistory: every check is off but that of the clients' histories.
	byHistory bool
	// decide goes with it, where the driver must do its part.
	decide func(*shell, *queuepb.Command) []*queuepb.Command
}

var edits = []edit{
	{"no-tag-in-the-queue", "queue/apply.go", "if c.Term != t.entry.Term {", "if false {", []Kind{Stale, Kill}, false, nil},
	{
		"chunks-cleared-at-a-term-change", "queue/claims.go", "	t.term = t.entry.Term\n",
		"	t.term = t.entry.Term\n	for _, u := range t.uploads {\n		t.dropUpload(u)\n	}\n",
		[]Kind{Submit, Submit, Submit, Kill, Lossy},
		false,
		nil,
	},
	{"attempt-not-compared", "queue/progress.go", "d.job == nil || attempt != d.attempt", "d.job == nil", []Kind{SlowGo, Stale, Hang}, false, nil},
	{"order-by-submission-only", "queue/heap.go", "if a.priority != b.priority {", "if false {", nil, false, nil},
	{"answer-before-save", "node/core.go", "	c.send(before)\n	if err", "	c.send(append(before, after...))\n	after = nil\n	if err", []Kind{PowerAt, PowerAt, AllDown}, false, nil},
	{"vote-not-synced", "node/core.go", "rd.Entries, rd.MustSync)", "rd.Entries, len(rd.Entries) > 0)", nil, false, nil},
	{"result-of-an-older-reign", "printer/core.go", "|| op.reign != c.reign ", "", []Kind{Transfer, Hang}, false, nil},
	{"failed-sync-not-written-back", "log/open.go", "if err := o.rewrite(a); err != nil {", "if err := o.syncFile(a.file); err != nil {", []Kind{FailSync, Power}, false, nil},
	{"expires-by-a-clock-that-jumped", "node/reign.go", "if c.alarms.clock || c.reign.expiring", "if c.reign.expiring", []Kind{Clock, Clock, Submit, Submit}, false, nil},
	{"stamps-by-a-clock-that-jumped", "node/requests.go", "max(c.stamp(), ", "max(c.now.Wall.UnixNano(), ", nil, false, nil},
	{"wiped-member-adopts-the-cluster", "node/bootstrap.go", "} else if nonce != self.Nonce {", "} else if nonce != self.Nonce && false {", []Kind{Wipe}, false, nil},
	{"request-carried-out-twice", "queue/apply.go", "case known:", "case known && false:", []Kind{SetPrinter, SetPrinter, Read, Doubled, Delayed, Transfer}, true, nil},

	// Devices without a fence.
	{"intent-not-awaited", "printer/stream.go", "	if w.Intended >= to {\n", "	if true {\n		w.Intended = to\n", nil, false, nil},
	{"evidence-without-what-was-taken-whole", "queue/evidence.go", "case pages > uint64(f.sent)*per:", "case false:", nil, false, nil},
	{"remote-id-the-last-wins", "queue/intent.go", "case d.flight.remote != \"\":", "case false:", []Kind{Forget, SlowGo}, false, twoRemotes},
	{"completed-though-not-known", "printer/spool.go", "e.End == device.Completed && e.Known:", "e.End == device.Completed:", nil, false, nil},
	{"given-back-after-an-intent", "queue/intent.go", "|| d.flight.intended > a.from:", ":", nil, false, givesBack},
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
		t.Skip("each one is built anew")
	}
	for i, e := range edits {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel() // the linker of one beside the search of another; each runs in a process of its own
			began := time.Now()
			out, err := exec.Command(e.build(t), "-test.run=^TestHunt$", fmt.Sprint("-hunt=", i)).CombinedOutput()
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

// build makes the test's program with the edit.
func (e edit) build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(root, e.file)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), e.old) != 1 {
		t.Fatalf("%s no longer holds %q once: choose another place for mutant %s", e.file, e.old, e.name)
	}
	dir := t.TempDir()
	broken, overlay, program := filepath.Join(dir, "broken.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "sim.test")
	write(t, broken, []byte(strings.Replace(string(source), e.old, e.new, 1)))
	b, err := json.Marshal(map[string]map[string]string{"Replace": {file: broken}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, overlay, b)
	build := exec.Command("go", "test", "-c", "-ldflags=-s -w", "-overlay", overlay, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build mutant %s: %v\n%s", e.name, err, out)
	}
	return program
}

// TestHunt runs in a program that has an edit in it.
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
