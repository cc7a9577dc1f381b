//go:build unix

package main

import (
	"context"
	"os"
	"syscall"
	"time"

	"printq/integration/cups"
)

// A Scale is how large the experiments are.
type Scale struct {
	// Page is how long the printer takes for one.
	Page time.Duration
	// Short and Long are the pages of the two documents; what happens, happens in the middle.
	Short, Long int
}

// An experiment is jobs, and what happens to whom prints them.
type experiment struct {
	name string
	// jobs of so many pages each.
	jobs, pages int
	// paused: the jobs wait at a printer that is disabled, until it is all over.
	paused bool
	// toCUPS, where the experiment is one with CUPS.
	toCUPS func(context.Context, *cups.Scheduler) error
	// toPrintq happens to the members.
	toPrintq func(context.Context, *cluster) error
	note     string
}

func experiments(s Scale) []experiment {
	return []experiment{
		{
			name: "10 jobs acknowledged, printer disabled, SIGKILL 1 s later, restart", jobs: 10, pages: 1, paused: true,
			toCUPS: func(ctx context.Context, c *cups.Scheduler) error {
				pause(ctx, time.Second)
				c.Kill(false)
				return c.Start(ctx)
			},
			toPrintq: killAll, note: "all three members at once",
		},
		{
			name: "SIGKILL of scheduler and backend in mid-job, restart", jobs: 1, pages: s.Short,
			toCUPS: func(ctx context.Context, c *cups.Scheduler) error {
				c.Kill(true)
				return c.Start(ctx)
			},
			toPrintq: killLeader, note: "the leader, which drives the printer",
		},
		{
			name: "SIGKILL of the scheduler alone in mid-job, restart", jobs: 1, pages: s.Long,
			toCUPS: func(ctx context.Context, c *cups.Scheduler) error {
				c.Kill(false)
				return c.Start(ctx)
			},
			toPrintq: orphan, note: "the leader stopped until another leads, so that it goes on with its connection",
		},
		{
			name: "orderly restart (SIGTERM) in mid-job", jobs: 1, pages: s.Long,
			toCUPS: func(ctx context.Context, c *cups.Scheduler) error {
				if err := c.Terminate(); err != nil {
					return err
				}
				return c.Start(ctx)
			},
			toPrintq: rolling, note: "one member after the other, the leader first",
		},
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// killAll is a power failure, one second after the acknowledgement.
func killAll(ctx context.Context, c *cluster) error {
	pause(ctx, time.Second)
	all := []int{0, 1, 2}
	if err := c.stop(os.Kill, all...); err != nil {
		return err
	}
	return c.restart(ctx, all...)
}

func killLeader(ctx context.Context, c *cluster) error {
	leader, err := c.leader(ctx)
	if err != nil {
		return err
	}
	if err := c.stop(os.Kill, leader); err != nil {
		return err
	}
	return c.restart(ctx, leader)
}

// orphan makes two of the leader, as far as that goes: it is stopped at some instruction, its connection to the printer open, until another
// leads; then it goes on.
func orphan(ctx context.Context, c *cluster) error {
	old, err := c.leader(ctx)
	if err != nil {
		return err
	}
	process := c.members[old]
	if err := process.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	c.members[old] = nil // it does not even refuse
	_, err = c.leader(ctx)
	c.members[old] = process
	if err := process.Process.Signal(syscall.SIGCONT); err != nil {
		return err
	}
	return err
}

// rolling restarts every member, the leader first.
func rolling(ctx context.Context, c *cluster) error {
	leader, err := c.leader(ctx)
	if err != nil {
		return err
	}
	for n := range size {
		i := (leader + n) % size
		if err := c.stop(syscall.SIGTERM, i); err != nil {
			return err
		}
		if err := c.restart(ctx, i); err != nil {
			return err
		}
	}
	return nil
}
