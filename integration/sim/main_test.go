package sim

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets the heap grow: a run lives for milliseconds, and what it leaves is small.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}
