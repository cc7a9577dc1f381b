package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"printq/integration/bench/load"
)

// A row is one kind of work.
type row struct {
	name, title string
	unit        string
	// fewer is better, as with times.
	fewer bool
	// A part of the systems; empty: all.
	only []string
	bars []bar
	// trials: it is taken so often as -trials says, not -runs.
	trials bool
	// leaves: its data stay until all rows are taken. ext4 without a journal passes over each inode that was freed within the last
	// minutes whenever it makes a file, so the files of one run, removed, would slow each page of the next.
	leaves bool
	// crowded: there are so many jobs that no limit on memory holds.
	crowded bool
	// measure does the work on fresh members, which it may leave in any state.
	measure func(ctx context.Context, c *cluster, o options) (sample, error)
}

// A sample is what one run found. Zero: it does not apply.
type sample struct {
	value    float64 // in the row's unit
	p50, p99 float64 // ms
	cpu      float64 // of the servers, microseconds for each document
	memory   float64 // of the member with the most, MB
	cores    float64 // that the generator took
	// Operations that failed for good, and what was said of the first, or whatever else there is to say.
	errors int
	note   string
}

// A bar is what printq's median has to reach.
type bar struct {
	// Compared with this peer: times its value. Empty: the bar is in the row's unit.
	peer  string
	limit float64
	// On the 99th percentile, or on the worst run, and not on the value.
	p99, worst bool
}

const (
	printq    = "printq"
	etcd      = "etcd"
	jetStream = "JetStream"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// rows are all rows, in the order of the table.
func rows() []row {
	return slices.Concat(puts(), uploads(), tails(), prints(), millions(), failovers())
}

func puts() []row {
	return []row{
		putRow(1, kib, bar{peer: etcd, limit: 2}, bar{peer: etcd, limit: 1, p99: true}, bar{peer: jetStream, limit: 1}),
		putRow(16, kib, bar{peer: etcd, limit: 2}, bar{peer: etcd, limit: 1, p99: true}, bar{peer: jetStream, limit: 1}),
		putRow(64, kib, bar{peer: etcd, limit: 2}, bar{peer: etcd, limit: 1, p99: true}, bar{peer: jetStream, limit: 0.8}),
		putRow(256, kib, bar{peer: etcd, limit: 2}, bar{peer: etcd, limit: 1, p99: true}),
		{
			name: "batch", title: "1 KiB labels, 64 to a request, 16 clients", unit: "jobs/s", bars: []bar{{limit: 40_000}, {peer: jetStream, limit: 2}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) {
				return c.put(ctx, o.put(labels), 1)
			},
		},
		putRow(16, 64*kib, bar{peer: etcd, limit: 3}, bar{peer: jetStream, limit: 2.5}),
		putRow(64, 64*kib, bar{peer: etcd, limit: 3}, bar{peer: jetStream, limit: 2.5}),
		putRow(16, mib, bar{limit: 300}, bar{peer: etcd, limit: 3}, bar{peer: jetStream, limit: 3}),
	}
}

func putRow(clients, size int, bars ...bar) row {
	name, unit, each := fmt.Sprintf("%dKiB-%d", size/kib, clients), "jobs/s", 1.0
	title := fmt.Sprintf("%d KiB documents, %d clients", size/kib, clients)
	if size > kib {
		unit, each = "MB/s", float64(size)/1e6
	}
	return row{
		name: name, title: title, unit: unit, bars: bars,
		measure: func(ctx context.Context, c *cluster, o options) (sample, error) {
			return c.put(ctx, o.put(load.Work{Clients: clients, Size: size}), each)
		},
	}
}

// put is a work of storing documents, each of which counts for so much.
func (o options) put(w load.Work) load.Work {
	w.Do, w.Warmup, w.Duration = load.Put, o.warmup, o.duration
	return w
}

func (c *cluster) put(ctx context.Context, w load.Work, each float64) (s sample, err error) {
	if c.name == printq {
		if err := c.setPrinters(ctx, 1, true); err != nil {
			return s, err
		}
	}
	r, err := c.drive(ctx, w)
	if err != nil {
		return s, err
	}
	return c.sample(r, float64(r.Documents)*each/r.Seconds), nil
}

func (c *cluster) sample(r load.Result, value float64) sample {
	s := sample{
		value: value, p50: r.P50, p99: r.P99, memory: c.peak(), errors: r.Errors, note: r.FirstError,
		cores: r.GeneratorCPU / r.Seconds,
	}
	if r.Documents > 0 {
		s.cpu = r.ServerCPU * 1e6 / float64(r.Documents)
	}
	return s
}

func tails() []row {
	const entries = 100_000
	return []row{
		{
			name: "tail", title: "from the acknowledgement to its line, p99, at 500 jobs/s", unit: "ms", fewer: true, bars: []bar{{limit: 5}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) {
				return c.tail(ctx, load.Work{Rate: 500, Clients: 16, Size: kib, Duration: o.duration})
			},
		},
		{
			name: "tails", title: "the same to 1,000 tails, at 20 jobs/s", unit: "ms", fewer: true, only: []string{printq},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) {
				return c.tail(ctx, load.Work{Rate: 20, Clients: 4, Size: kib, Duration: o.duration, Tails: 1000})
			},
		},
		{
			name: "replay", title: "replay of 100,000 entries by one reader", unit: "lines/s", bars: []bar{{limit: 200_000}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) {
				fill := load.Work{Do: load.Put, Clients: 64, Size: kib, Count: entries, Duration: 2 * time.Minute}
				if _, err := c.put(ctx, fill, 1); err != nil {
					return sample{}, err
				}
				r, err := c.drive(ctx, load.Work{Do: load.Replay, Count: entries, Duration: time.Minute})
				return c.sample(r, float64(r.Documents)/r.Seconds), err
			},
		},
	}
}

func (c *cluster) tail(ctx context.Context, w load.Work) (s sample, err error) {
	w.Do = load.Tail
	s, err = c.put(ctx, w, 1)
	s.value = s.p99
	return s, err
}
