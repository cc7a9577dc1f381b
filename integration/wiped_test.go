package integration

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestWipedMemberRefused empties the directory of a member: it must not come back as if it had never promised anything.
func TestWipedMemberRefused(t *testing.T) {
	t.Parallel()
	ctx := within(t, 30*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	c.mustSubmit(ctx, c.client, textOf("office", "before", 5, 1))
	c.settle(ctx, c.acknowledged())

	wiped := c.others(c.leader(ctx))[0]
	c.kill(wiped)
	kept := wiped.dir + "-kept"
	if err := os.Rename(wiped.dir, kept); err != nil {
		t.Fatal(err)
	}
	before := snapshotOf(t, c.trays[0])
	out := command(ctx, t, c.serveArgs(wiped)...)
	wantFailure(t, out, 1, "emptied", "new id")
	if after := snapshotOf(t, c.trays[0]); after != before {
		t.Errorf("the tray was touched:\n%s", after)
	}
	if _, err := os.Stat(filepath.Join(wiped.dir, "MANIFEST")); err == nil {
		t.Error("the wiped directory has a manifest again")
	}

	// The others go on without it, and the remedy that it named works.
	c.mustSubmit(ctx, c.clientOf(c.others(wiped)...), textOf("office", "after", 5, 1))
	if err := errors.Join(os.RemoveAll(wiped.dir), os.Rename(kept, wiped.dir)); err != nil {
		t.Fatal(err)
	}
	c.start(wiped)
	c.audit(ctx)
}

// wantFailure checks that a command failed with that code, and said why and what to do in one line that has the words.
func wantFailure(t *testing.T, out outcome, code int, words ...string) {
	t.Helper()
	if out.code != code {
		t.Errorf("exit code %d, not %d", out.code, code)
	}
	var lines []string
	for line := range strings.Lines(out.stderr) {
		if !strings.HasPrefix(line, "time=") { // what it logged before
			lines = append(lines, line)
		}
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "printq: ") {
		t.Fatalf("it said, instead of one line:\n%s", out.stderr)
	}
	for _, word := range words {
		if !strings.Contains(lines[0], word) {
			t.Errorf("it does not say %q: %s", word, lines[0])
		}
	}
	if out.stdout != "" {
		t.Errorf("on standard output: %q", out.stdout)
	}
	t.Log(strings.TrimSpace(lines[0]))
}
