package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"printq/integration/bench/load"
)

// failovers measure the longest time without an acknowledgement to any of 16 clients, from the moment when something is done to
// the members until the end of the trial.
func failovers() []row {
	// Afterwards, until it is over: the peers need seconds.
	const calm, long = 3 * time.Second, 12 * time.Second
	return []row{
		{
			name: "kill", title: "the leader gets SIGKILL", unit: "ms", fewer: true, trials: true, bars: []bar{{limit: 100}, {limit: 500, worst: true}},
			measure: func(ctx context.Context, c *cluster, _ options) (sample, error) {
				return c.disturb(ctx, c.needs(calm, long), func(leader int) error { return c.members[leader].stop(os.Kill, time.Second) })
			},
		},
		{
			name: "stop", title: "the leader gets SIGSTOP", unit: "ms", fewer: true, trials: true, bars: []bar{{limit: 1500}},
			measure: func(ctx context.Context, c *cluster, _ options) (sample, error) {
				return c.disturb(ctx, c.needs(2*calm, long), func(leader int) error { return c.members[leader].cmd.Process.Signal(syscall.SIGSTOP) })
			},
		},
		{
			name: "transfer", title: "leader transfer", unit: "ms", fewer: true, trials: true, only: []string{printq},
			bars: []bar{{limit: 50}, {limit: 300, worst: true}},
			measure: func(ctx context.Context, c *cluster, _ options) (sample, error) {
				return c.disturb(ctx, calm, func(int) error { return c.call(ctx, http.MethodPost, "/v1/leader/transfer", []byte("{}")) })
			},
		},
		{
			name: "rolling", title: "all three are restarted, one after the other", unit: "ms", fewer: true, trials: true, only: []string{printq},
			bars: []bar{{limit: 50}, {limit: 300, worst: true}},
			measure: func(ctx context.Context, c *cluster, _ options) (sample, error) {
				return c.disturb(ctx, calm, func(int) error { return c.restartAll(ctx) })
			},
		},
	}
}

// disturb does something to the members under load, and goes on for a while, until the longest gap is sure to be over.
func (c *cluster) disturb(ctx context.Context, calm time.Duration, act func(leader int) error) (s sample, err error) {
	if c.name == printq {
		if err := c.setPrinters(ctx, 1, true); err != nil {
			return s, err
		}
	}
	w := load.Work{Do: load.Put, Clients: 16, Size: kib, Failover: true, Warmup: time.Second, Duration: time.Minute}
	var began time.Time
	r, err := c.driveUntil(ctx, w, func() error {
		if err := sleep(ctx, w.Warmup+quiet); err != nil {
			return err
		}
		leader, err := c.leader(ctx)
		if err != nil {
			return err
		}
		began = time.Now()
		if err := act(leader); err != nil {
			return err
		}
		return sleep(ctx, calm)
	})
	s = sample{p50: r.P50, p99: r.P99, errors: r.Errors, note: r.FirstError}
	for _, kind := range slices.Sorted(maps.Keys(r.Repeats)) {
		s.note = strings.TrimSpace(fmt.Sprintf("%s %d %s", s.note, r.Repeats[kind], kind))
	}
	g := gapAfter(r.Gaps, began)
	s.value = g.MS
	s.note = fmt.Sprintf("%s; the gap began after %v; before, the longest was %.0f ms", s.note,
		g.Began.Sub(began).Round(time.Millisecond), gapBefore(r.Gaps, began).MS)
	return s, err
}

// quiet is how long the members are left alone first.
const quiet = 2 * time.Second

func (c *cluster) needs(printqs, peers time.Duration) time.Duration {
	if c.name == printq {
		return printqs
	}
	return peers
}

// gapAfter is the longest gap a part of which lies after a moment. Only the longest of all are known: one that is shorter than
// those is taken for the shortest of them.
func gapAfter(gaps []load.Gap, moment time.Time) load.Gap {
	for _, g := range gaps {
		if g.Ended().After(moment) {
			return g
		}
	}
	if len(gaps) == 0 {
		return load.Gap{}
	}
	return gaps[len(gaps)-1]
}

// gapBefore is the longest gap that was over before a moment.
func gapBefore(gaps []load.Gap, moment time.Time) load.Gap {
	for _, g := range gaps {
		if g.Ended().Before(moment) {
			return g
		}
	}
	return load.Gap{}
}

// restartAll restarts one member after the other, each once the last one is ready.
func (c *cluster) restartAll(ctx context.Context) error {
	for i, m := range c.members {
		if err := m.stop(syscall.SIGTERM, 20*time.Second); err != nil {
			return err
		}
		if err := c.begin(i); err != nil {
			return err
		}
		if err := c.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
