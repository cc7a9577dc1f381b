package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The demo's report has to be able to fail: with a tray that breaks rule R8 it says so, and exits with an error. The same
// faulty connection before a tray that keeps the rule does no harm.
func TestDemoNoticesABrokenFence(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two programs and runs six processes: not with -short")
	}
	for _, c := range []struct {
		tag   string
		fails bool
	}{{"printq_repeats", false}, {"printq_nofence", true}} {
		exe := filepath.Join(t.TempDir(), "printq")
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", c.tag, "-o", exe, ".").CombinedOutput(); err != nil {
			t.Fatalf("build: %v\n%s", err, out)
		}
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), exe, "demo")
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // a demo that fails keeps everything
		err := cmd.Run()
		report := stdout.String() + stderr.String()
		if doubled := !strings.Contains(report, " 0 doubled"); (err != nil) != c.fails || doubled != c.fails {
			t.Errorf("with %s: %v\n%s", c.tag, err, report)
		}
		t.Logf("with %s:\n%s", c.tag, report)
	}
}
