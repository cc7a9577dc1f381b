package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"printq/integration/bench/load"
)

// millions are about a million jobs that wait on a thousand printers.
func millions() []row {
	return []row{
		{
			name: "million", title: "CPU for a label, 64 to a request, where a million jobs wait on 1,000 printers, of what it is where none waits",
			unit: "of it", fewer: true, only: []string{printq}, crowded: true, bars: []bar{{limit: 1.3}}, measure: submitAmongMany,
		},
		{
			name: "million-restart", title: "a member with a million jobs waiting gets SIGKILL: from its start until it is ready", unit: "s",
			fewer: true, only: []string{printq}, crowded: true, bars: []bar{{limit: 10}}, measure: restartAmongMany,
		},
		{
			name: "million-memory", title: "the most that a member has had resident until a million jobs wait, or until it has read them at its start, for each",
			unit: "bytes", fewer: true, only: []string{printq}, crowded: true, bars: []bar{{limit: kib}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) {
				s, err := restartAmongMany(ctx, c, o)
				s.memory = max(s.memory, c.peak())
				s.value = s.memory * 1e6 / waiting
				return s, err
			},
		},
	}
}

const (
	waiting       = 1_000_000
	printersOfAll = 1000
)

// labels are submitted as fast as the members take them.
var labels = load.Work{Clients: 16, Size: kib, Batch: 64}

// submitAmongMany measures the same load before and after the queue is filled.
func submitAmongMany(ctx context.Context, c *cluster, o options) (s sample, err error) {
	if err := c.setPrinters(ctx, printersOfAll, true); err != nil {
		return s, err
	}
	empty, err := c.drive(ctx, o.put(labels))
	if err == nil {
		err = c.fill(ctx)
	}
	if err != nil {
		return s, err
	}
	full, err := c.drive(ctx, o.put(labels))
	if err != nil {
		return s, err
	}
	before := c.sample(empty, 0)
	s = c.sample(full, 0)
	s.value = s.cpu / before.cpu
	s.note = fmt.Sprintf("%s; %.1f us for each before, %.0f and %.0f jobs/s", s.note, before.cpu,
		float64(empty.Documents)/empty.Seconds, float64(full.Documents)/full.Seconds)
	return s, nil
}

// fill makes a million jobs wait, beside those that do already.
func (c *cluster) fill(ctx context.Context) error {
	w := labels
	w.Do, w.Count, w.Duration = load.Put, waiting, 10*time.Minute
	r, err := c.drive(ctx, w)
	if err == nil && r.Documents < waiting {
		err = fmt.Errorf("%d jobs of %d were taken: %s", r.Documents, waiting, r.FirstError)
	}
	return err
}

// restartAmongMany kills a member that does not lead, and starts it again.
func restartAmongMany(ctx context.Context, c *cluster, _ options) (s sample, err error) {
	if err := c.setPrinters(ctx, printersOfAll, true); err != nil {
		return s, err
	}
	if err := c.fill(ctx); err != nil {
		return s, err
	}
	leader, err := c.leader(ctx)
	if err != nil {
		return s, err
	}
	i := (leader + 1) % members
	if err := c.members[i].stop(os.Kill, 10*time.Second); err != nil {
		return s, err
	}
	began := time.Now()
	if err := c.begin(i); err != nil {
		return s, err
	}
	err = c.await(ctx)
	s.value = time.Since(began).Seconds()
	s.memory = float64(load.Peak(c.members[i].pid())) / 1e6
	return s, err
}
