package load

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// An ack is one operation that ended well.
type ack struct {
	began, ended time.Duration // since the loop began
	n            uint64        // of its first document
}

// A loop is clients that store documents until its time is over.
type loop struct {
	work   Work
	target Target
	issued atomic.Uint64 // operations
	began  time.Time

	mu sync.Mutex // guards what follows
	result
}

type result struct {
	acks   []ack
	failed int
	first  error
}

// put measures after a warm-up, without a pause between the two.
func put(ctx context.Context, t Target, w Work) (Result, error) {
	l := &loop{work: w, target: t, began: time.Now()}
	ctx, cancel := context.WithDeadline(ctx, l.began.Add(w.Warmup+w.Duration))
	defer cancel()
	var before, after usage
	measured := make(chan struct{})
	go func() {
		defer close(measured)
		pause(ctx, w.Warmup)
		before = use(w.PIDs)
		<-ctx.Done()
		after = use(w.PIDs)
	}()
	l.run(ctx)
	cancel()
	<-measured
	r := l.summarize(w.Warmup, time.Since(l.began)-w.Warmup)
	r.ServerCPU, r.GeneratorCPU = after.servers-before.servers, after.self-before.self
	if r.Documents == 0 {
		return r, fmt.Errorf("nothing was acknowledged in %v: %w", w.Warmup+w.Duration, cmp.Or(l.first, errors.New("no operation ended")))
	}
	return r, nil
}

// run returns when every client has ended.
func (l *loop) run(ctx context.Context) {
	var clients sync.WaitGroup
	for i := range l.work.Clients {
		clients.Go(func() { l.client(ctx, i) })
	}
	clients.Wait()
}

// client stores one document after the other. An operation that began before the end is waited for: what the end interrupts would be
// missing from the slow ones.
func (l *loop) client(ctx context.Context, i int) {
	documents := documents(max(1, l.work.Batch), l.work.Size)
	var mine result
	for {
		op := l.issued.Add(1) - 1
		began := l.due(ctx, op)
		first := op*uint64(len(documents)) + 1
		if ctx.Err() != nil || l.work.Count > 0 && first > uint64(l.work.Count) {
			break
		}
		number(documents, first)
		if err := l.target.Put(context.WithoutCancel(ctx), i, first, documents); err != nil {
			mine.failed++
			mine.first = cmp.Or(mine.first, err)
			pause(ctx, 5*time.Millisecond)
			continue
		}
		mine.acks = append(mine.acks, ack{began, time.Since(l.began), first})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acks = append(l.acks, mine.acks...)
	l.failed += mine.failed
	l.first = cmp.Or(l.first, mine.first)
}

// due waits until an operation's time has come, and says when that was.
func (l *loop) due(ctx context.Context, op uint64) time.Duration {
	if l.work.Rate == 0 {
		return time.Since(l.began)
	}
	at := time.Duration(float64(op) / l.work.Rate * float64(time.Second))
	pause(ctx, at-time.Since(l.began))
	return at
}

func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// documents are a client's own, of printable text: what is random does not compress.
func documents(n, size int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		b := make([]byte, max(size, numberBytes))
		rand.Read(b)
		for k := range b {
			b[k] = 'a' + b[k]%26
		}
		list[i] = b
	}
	return list
}

const numberBytes = 16

// Name is how the number of a document is written: in its first bytes, and in what it is called.
func Name(n uint64) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, n))
}

// Number is the document's of that name; 0: it is no such name.
func Number(name []byte) uint64 {
	if len(name) < numberBytes {
		return 0
	}
	n, err := strconv.ParseUint(string(name[:numberBytes]), 16, 64)
	if err != nil {
		return 0
	}
	return n
}

// number makes each document one that was not sent before.
func number(documents [][]byte, first uint64) {
	for i, b := range documents {
		copy(b, Name(first+uint64(i)))
	}
}

// summarize leaves out what ended before the warm-up was over.
func (l *loop) summarize(warmup, elapsed time.Duration) Result {
	each := max(1, l.work.Batch)
	r := Result{Seconds: elapsed.Seconds(), Errors: l.failed}
	if l.first != nil {
		r.FirstError = l.first.Error()
	}
	var took, ends []time.Duration
	for _, a := range l.acks {
		if a.ended < warmup {
			continue
		}
		r.Documents += each
		took = append(took, a.ended-a.began)
		ends = append(ends, a.ended)
	}
	slices.Sort(took)
	r.P50, r.P99, r.Max = ms(Quantile(took, 0.50)), ms(Quantile(took, 0.99)), ms(Quantile(took, 1))
	for _, g := range longest(ends) {
		r.Gaps = append(r.Gaps, Gap{l.began.Add(g.began), ms(g.length)})
	}
	return r
}
