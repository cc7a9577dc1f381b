package main

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
)

// The soft limit grows with what is live as soon as a collection has found it, and comes down again.
func TestMemoryLimit(t *testing.T) {
	t.Setenv("GOMEMLIMIT", "")
	before := debug.SetMemoryLimit(-1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); limitMemory(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; debug.SetMemoryLimit(before) })

	queue := make([]byte, 400<<20) // never touched: it costs no memory
	collect(t, func(limit int64) bool { return limit >= 900<<20 && limit < 1<<30 })
	runtime.KeepAlive(queue)
	collect(t, func(limit int64) bool { return limit == softMemory })
}

// collect collects until the limit is as it should be.
func collect(t *testing.T, good func(limit int64) bool) {
	t.Helper()
	for range 1000 {
		if good(debug.SetMemoryLimit(-1)) {
			return
		}
		runtime.GC()
	}
	t.Fatalf("the limit is %d MiB after a thousand collections", debug.SetMemoryLimit(-1)>>20)
}
