package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/cmd/printq/internal/client"
)

// errReached: a reader has come as far as it was to.
var errReached = errors.New("reached")

// Compare reads the log of every server, up to the newest line that any of them has when it begins, and gives each line to
// each once all servers have sent the same bytes and it verifies. A server that makes no progress for the patience fails it.
func Compare(ctx context.Context, c *client.Client, from uint64, patience time.Duration, each func(Line) error) (Chain, error) {
	var chain Chain
	until, err := newest(ctx, c)
	if err != nil || until < max(from, 1) {
		return chain, err
	}
	group, ctx := errgroup.WithContext(ctx)
	var feeds []*feed
	for _, server := range c.Servers() {
		f := &feed{server: server, lines: make(chan Line, 64)}
		feeds = append(feeds, f)
		group.Go(func() error { return f.read(ctx, c.Only(server), from, until) })
	}
	group.Go(func() error {
		for chain.Seq < until {
			line, err := agreed(ctx, feeds, patience)
			if err == nil {
				err = chain.Add(line)
			}
			if err == nil && each != nil {
				err = each(line)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	err = group.Wait()
	return chain, err
}

// newest is the highest seq that any server has.
func newest(ctx context.Context, c *client.Client) (seq uint64, err error) {
	for _, server := range c.Servers() {
		v, err := c.Only(server).Cluster(ctx)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", server, err)
		}
		seq = max(seq, v.Seq)
	}
	return seq, nil
}

// A feed is the log as one server tells it.
type feed struct {
	server string
	lines  chan Line
}

func (f *feed) read(ctx context.Context, c *client.Client, from, until uint64) error {
	err := Lines(ctx, c, Options{From: from, Follow: true}, func(l Line) error {
		if l.Seq > until {
			return errReached
		}
		select {
		case f.lines <- Line{l.Seq, bytes.Clone(l.JSON)}:
		case <-ctx.Done():
			return ctx.Err()
		}
		if l.Seq == until {
			return errReached
		}
		return nil
	})
	if err == nil || errors.Is(err, errReached) {
		return nil
	}
	return fmt.Errorf("%s: %w", f.server, err)
}

// agreed takes the next line of every feed.
func agreed(ctx context.Context, feeds []*feed, patience time.Duration) (Line, error) {
	var first Line
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for i, f := range feeds {
		var l Line
		select {
		case l = <-f.lines:
		case <-timer.C:
			return first, fmt.Errorf("%s sends no further line for %v: is that member stuck? see printq status", f.server, patience)
		case <-ctx.Done():
			return first, ctx.Err()
		}
		if i == 0 {
			first = l
		} else if !bytes.Equal(l.JSON, first.JSON) {
			return first, fmt.Errorf("%w: %s and %s differ:\n%s\n%s", ErrBroken, feeds[0].server, f.server, first.JSON, l.JSON)
		}
	}
	return first, nil
}
