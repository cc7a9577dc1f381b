package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A member holds a few tens of megabytes, and documents pass through it as garbage at hundreds of megabytes a second. With
// the collector's defaults the process would grow to twice what is live, plus what passed meanwhile; a soft limit keeps it
// small at little cost as long as the limit is well above what is live.
const (
	softMemory  = 320 << 20
	memoryCheck = 5 * time.Second
)

// limitMemory keeps the soft limit at softMemory, or at one and a half times what is live where a long queue needs more. GOMEMLIMIT in
// the environment has the last word.
func limitMemory(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(memoryCheck)
	defer tick.Stop()
	for {
		metrics.Read(live)
		alive := int64(live[0].Value.Uint64())
		debug.SetMemoryLimit(max(softMemory, alive+alive/2))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
