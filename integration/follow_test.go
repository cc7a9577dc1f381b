package integration

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A follower reads the log as it grows, over connections that break: from one member, or from whichever answers.
type follower struct {
	name string

	mu sync.Mutex
	// Guarded by mu: how many lines have come, and what they hash to.
	lines uint64
	sum   hash.Hash
}

// tails are the followers, until they are stopped.
type tails struct {
	followers []*follower
	group     *errgroup.Group
	stop      context.CancelCauseFunc
}

// follow starts a follower of each member, and one of all.
func (c *cluster) follow(ctx context.Context) *tails {
	t := new(tails)
	ctx, t.stop = context.WithCancelCause(ctx)
	t.group, ctx = errgroup.WithContext(ctx)
	read := func(name string, of *client) {
		f := &follower{name: name, sum: sha256.New()}
		t.followers = append(t.followers, f)
		t.group.Go(func() error { return of.readLog(ctx, 1, f.take) })
	}
	for _, m := range c.members {
		read("member "+m.addr, c.clientOf(m))
	}
	read("all members", c.clientOf(c.members...))
	return t
}

func (f *follower) take(_ logLine, line []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lines++
	f.sum.Write(line)
	return nil
}

func (f *follower) has() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lines
}

// checkTails stops the followers when they have all lines, and compares what they have with them.
func (c *cluster) checkTails(ctx context.Context, t *tails, lines [][]byte) {
	c.t.Helper()
	for _, f := range t.followers {
		until(ctx, c.t, "the tail of "+f.name+" has every line", func() bool { return f.has() >= uint64(len(lines)) })
	}
	t.stop(errEnough)
	if err := t.group.Wait(); !errors.Is(err, errEnough) {
		c.t.Error(err)
	}
	want := sha256.New()
	for _, line := range lines {
		want.Write(line)
	}
	for _, f := range t.followers {
		if f.lines != uint64(len(lines)) || string(f.sum.Sum(nil)) != string(want.Sum(nil)) {
			c.t.Errorf("the tail of %s: %d lines came, and are not the %d of the log", f.name, f.lines, len(lines))
		}
	}
}
