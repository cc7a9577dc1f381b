package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"printq/integration/bench/load"
)

func uploads() []row {
	return []row{
		{
			name: "uploads", title: "1 KiB documents, 16 clients, while four uploads of 1 GiB run: what these keep of their undisturbed rate", unit: "of it",
			only: []string{printq}, bars: []bar{{limit: 50, p99: true}, {limit: 0.5}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) { return c.disturbed(ctx, o) },
		},
		{
			name: "idle", title: "CPU of the busiest member at rest", unit: "% of a core", fewer: true, bars: []bar{{limit: 1}},
			measure: func(ctx context.Context, c *cluster, o options) (sample, error) { return c.idle(ctx, o.duration) },
		},
	}
}

// disturbed lets the uploads run alone, and then with clients beside them.
func (c *cluster) disturbed(ctx context.Context, o options) (s sample, err error) {
	if err := c.setPrinters(ctx, 1, true); err != nil {
		return s, err
	}
	var sent atomic.Int64
	uploading, stop := context.WithCancel(ctx)
	failed := make(chan error, 4)
	var all sync.WaitGroup
	for i := range cap(failed) {
		all.Go(func() { failed <- c.upload(uploading, i, &sent) })
	}
	defer all.Wait()
	defer stop()
	if err := sleep(ctx, o.warmup); err != nil {
		return s, err
	}
	alone, err := rate(&sent, func() error { return sleep(ctx, o.duration) })
	if err != nil {
		return s, err
	}
	var r load.Result
	beside, err := rate(&sent, func() (err error) {
		r, err = c.drive(ctx, o.put(load.Work{Clients: 16, Size: kib}))
		return err
	})
	stop()
	all.Wait()
	for range cap(failed) {
		err = errors.Join(err, <-failed)
	}
	s = c.sample(r, beside/alone)
	s.note = fmt.Sprintf("the uploads: %.0f MB/s alone, %.0f MB/s beside %.0f jobs/s", alone, beside, float64(r.Documents)/r.Seconds)
	return s, err
}

// rate is the MB a second that were sent while something was done.
func rate(sent *atomic.Int64, meanwhile func() error) (float64, error) {
	began, before := time.Now(), sent.Load()
	err := meanwhile()
	return float64(sent.Load()-before) / 1e6 / time.Since(began).Seconds(), err
}

// upload sends documents of 1 GiB to a member, one after the other, until ctx ends.
func (c *cluster) upload(ctx context.Context, i int, sent *atomic.Int64) error {
	const size, piece = 1 << 30, 1 << 20
	conn, err := net.Dial("tcp", c.endpoints()[i%members])
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	head := fmt.Sprintf("POST /v1/printers/%s/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", c.printers[0], size)
	text := make([]byte, piece)
	for k := range text {
		text[k] = 'a' + byte(k%26)
	}
	answer := make([]byte, 64<<10)
	for {
		_, err := conn.Write([]byte(head))
		for done := 0; err == nil && done < size; done += piece {
			_, err = conn.Write(text)
			sent.Add(piece)
		}
		n := 0
		if err == nil {
			n, err = conn.Read(answer)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("upload: %w", err)
		case string(answer[:min(n, 12)]) != "HTTP/1.1 201":
			return fmt.Errorf("upload: %s", answer[:n])
		}
	}
}

// idle waits until the members have come to rest, and then for as long again.
func (c *cluster) idle(ctx context.Context, duration time.Duration) (s sample, err error) {
	if c.name == printq {
		if err := c.setPrinters(ctx, 1, false); err != nil {
			return s, err
		}
	}
	if err := sleep(ctx, duration); err != nil {
		return s, err
	}
	before, began := make([]float64, members), time.Now()
	for i, pid := range c.pids() {
		before[i] = load.CPU(pid)
	}
	if err := sleep(ctx, 2*duration); err != nil {
		return s, err
	}
	for i, pid := range c.pids() {
		s.value = max(s.value, 100*(load.CPU(pid)-before[i])/time.Since(began).Seconds())
	}
	s.memory = c.peak()
	return s, nil
}
