package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A member holds a few tens of megabytes, and documents pass through it as garbage at hundreds of megabytes a second. With
// the collector's defaults the process would grow to twice what is live, plus what passed meanwhile; a soft limit keeps it
// small at little cost as long as the limit is well above what is live.
const softMemory = 320 << 20

// limitMemory keeps the soft limit at softMemory, or so far above what is live, where a long queue needs more, that the collector's defaults
// come first: nearer to it, a job submitted to a million cost twice what it costs an empty queue. It looks
// after each collection: a member that reads a million jobs outgrows a limit in a moment, and a heap at its limit is collected all
// the time. GOMEMLIMIT in the environment has the last word.
func limitMemory(ctx context.Context) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	limit := int64(0)
	for {
		metrics.Read(live)
		alive := int64(live[0].Value.Uint64())
		// Setting it stops the world: not for a trifle.
		if want := max(softMemory, 2*alive+alive/4); want > limit+limit/8 || want < limit-limit/8 {
			limit = want
			debug.SetMemoryLimit(limit)
		}
		select {
		case <-ctx.Done():
			return
		case <-collected():
		}
	}
}

// collected is closed after the next collection: it finds an object that nobody holds.
func collected() <-chan struct{} {
	done := make(chan struct{})
	runtime.AddCleanup(&struct{ self *int }{}, func(done chan struct{}) { close(done) }, done)
	return done
}
