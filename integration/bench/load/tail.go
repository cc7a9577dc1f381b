package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// arrivals is when each document's line came, at one reader.
type arrivals struct {
	mu sync.Mutex // guards at
	at map[uint64]time.Time
}

func (a *arrivals) note(n uint64) bool {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at[n] = now
	return true
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.at)
}

// tail stores documents while readers follow the log. The latencies are from an acknowledgement to its line; a line may come
// first, and then counts as 0.
func tail(ctx context.Context, t Target, w Work) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	readers := make([]*arrivals, max(1, w.Tails))
	failed := make(chan error, len(readers))
	var ready, ended sync.WaitGroup
	for i := range readers {
		r := &arrivals{at: map[uint64]time.Time{}}
		readers[i] = r
		ready.Add(1)
		ended.Go(func() {
			once := sync.OnceFunc(ready.Done)
			defer once()
			if err := t.Tail(ctx, false, once, r.note); ctx.Err() == nil {
				failed <- fmt.Errorf("a tail ended early: %w", err)
			}
		})
	}
	defer ended.Wait()
	defer cancel()
	ready.Wait()
	l := &loop{work: w, target: t, began: time.Now()}
	before := use(w.PIDs)
	storing, end := context.WithTimeout(ctx, w.Duration)
	defer end()
	l.run(storing)
	r := l.summarize(0, time.Since(l.began))
	if err := l.await(ctx, readers, failed); err != nil {
		return r, err
	}
	after := use(w.PIDs)
	r.ServerCPU, r.GeneratorCPU = after.servers-before.servers, after.self-before.self
	r.latencies(l, readers)
	return r, nil
}

// await returns when every reader has had the line of every document that was acknowledged.
func (l *loop) await(ctx context.Context, readers []*arrivals, failed <-chan error) error {
	const patience = 20 * time.Second
	late := time.After(patience)
	for _, a := range readers {
		for a.count() < len(l.acks) {
			select {
			case err := <-failed:
				return err
			case <-late:
				return fmt.Errorf("%v after the last acknowledgement a reader has %d of %d lines", patience, a.count(), len(l.acks))
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

func (r *Result) latencies(l *loop, readers []*arrivals) {
	var took []time.Duration
	for _, a := range readers {
		for _, k := range l.acks {
			if at, ok := a.at[k.n]; ok {
				took = append(took, max(0, at.Sub(l.began)-k.ended))
			}
		}
	}
	slices.Sort(took)
	r.P50, r.P99, r.Max = ms(Quantile(took, 0.50)), ms(Quantile(took, 0.99)), ms(Quantile(took, 1))
}

// replay reads so many lines from the beginning.
func replay(ctx context.Context, t Target, w Work) (r Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Duration)
	defer cancel()
	before, began := use(w.PIDs), time.Now()
	err = t.Tail(ctx, true, func() {}, func(uint64) bool {
		r.Documents++
		return r.Documents < w.Count
	})
	r.Seconds = time.Since(began).Seconds()
	after := use(w.PIDs)
	r.ServerCPU, r.GeneratorCPU = after.servers-before.servers, after.self-before.self
	if r.Documents < w.Count {
		return r, fmt.Errorf("only %d of %d lines came in %v: %w", r.Documents, w.Count, w.Duration, err)
	}
	return r, nil
}
