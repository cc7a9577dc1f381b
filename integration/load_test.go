package integration

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A load is clients at work: each submits a document, waits until it is acknowledged, and goes on to the next.
type load struct {
	cluster *cluster
	client  *client
	group   *errgroup.Group
	leaving chan struct{}
	count   atomic.Int64 // of documents begun

	mu sync.Mutex
	// acks are the times of the acknowledgements; changed is closed and made anew with each. Guarded by mu.
	acks    []time.Time
	changed chan struct{}
}

// load starts so many clients of all members. Each begins a document every so often, or, with 0, as soon as the last is
// acknowledged.
func (c *cluster) load(ctx context.Context, clients int, every time.Duration, next func(n int) *document) *load {
	return c.visits(ctx, clients, every, func(ctx context.Context, l *load, n int) error {
		if err := c.submit(ctx, l.client, next(n)); err != nil {
			return err
		}
		l.note()
		return nil
	})
}

// visits is load with what a client does said in full: it notes each acknowledgement itself.
func (c *cluster) visits(ctx context.Context, clients int, every time.Duration, visit func(ctx context.Context, l *load, n int) error) *load {
	l := &load{cluster: c, client: c.clientOf(c.members...), leaving: make(chan struct{}), changed: make(chan struct{})}
	l.group, ctx = errgroup.WithContext(ctx)
	for range clients {
		l.group.Go(func() error {
			for l.another(ctx, every) {
				if err := visit(ctx, l, int(l.count.Add(1))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return l
}

// another reports whether another document is to be sent, at its time.
func (l *load) another(ctx context.Context, every time.Duration) bool {
	select {
	case <-time.After(every):
		select {
		case <-l.leaving:
			return false
		default:
			return true
		}
	case <-l.leaving:
		return false
	case <-ctx.Done():
		return false
	}
}

func (l *load) note() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, time.Now())
	close(l.changed)
	l.changed = make(chan struct{})
}

// acked waits until so many more documents are acknowledged that were begun after this call or were under way.
func (l *load) acked(ctx context.Context, more int) {
	l.cluster.t.Helper()
	begin := -1
	for {
		l.mu.Lock()
		n, changed := len(l.acks), l.changed
		l.mu.Unlock()
		if begin < 0 {
			begin = n
		}
		if n >= begin+more {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			l.cluster.t.Fatalf("%d of %d more documents are acknowledged: %v", n-begin, more, context.Cause(ctx))
		}
	}
}

// firstAfter is how long after a moment the first acknowledgement came, once there is one.
func (l *load) firstAfter(ctx context.Context, moment time.Time) time.Duration {
	l.cluster.t.Helper()
	for {
		l.mu.Lock()
		i := slices.IndexFunc(l.acks, func(t time.Time) bool { return t.After(moment) })
		at, changed := moment, l.changed
		if i >= 0 {
			at = l.acks[i]
		}
		l.mu.Unlock()
		if i >= 0 {
			return at.Sub(moment).Round(time.Millisecond)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			l.cluster.t.Fatalf("nothing is acknowledged: %v", context.Cause(ctx))
		}
	}
}

// stop lets each client's document be acknowledged, and waits for them.
func (l *load) stop() {
	l.cluster.t.Helper()
	close(l.leaving)
	if err := l.group.Wait(); err != nil {
		l.cluster.t.Fatal(err)
	}
}

// gap is the longest time between two acknowledgements.
func (l *load) gap() (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := 1; i < len(l.acks); i++ {
		longest = max(longest, l.acks[i].Sub(l.acks[i-1]))
	}
	return longest.Round(time.Millisecond)
}
