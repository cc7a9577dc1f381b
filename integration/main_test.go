package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// exe is the program under test. TestMain sets it before any test runs.
var exe string

func TestMain(m *testing.M) {
	if what := os.Getenv(senderOf); what != "" {
		fmt.Fprintln(os.Stderr, sender(what))
		os.Exit(0)
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "printq-integration-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	exe = filepath.Join(dir, "printq")
	if runtime.GOOS == "windows" {
		exe += ".exe"
	}
	if out, err := exec.Command("go", "build", "-o", exe, "printq/cmd/printq").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build printq: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// long reports whether tests are to be as large as the promise is, however long that takes.
func long() bool { return os.Getenv("PRINTQ_LONG") == "1" }

// notShort leaves a test out with -short, and says why.
func notShort(t *testing.T, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("left out with -short: " + why)
	}
}

// within is the time that a test has for what it waits for; ten times as much where it is long.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	if long() {
		d *= 10
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// until asks again and again, every few milliseconds, until it is so. What there is no call to wait for is waited for here.
func until(ctx context.Context, t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited until %s: %v", what, context.Cause(ctx))
		}
	}
}

func since(t time.Time) time.Duration { return time.Since(t).Round(time.Millisecond) }
