package http

import (
	"context"
	"sync"
	"time"

	"printq/queue"
)

// feedLines is how many of the newest lines a feed keeps for its tails, at least.
const feedLines = 4096

// A feed waits for new lines once for all tails and reads each of them once. It runs while there are tails: the first to
// join starts it, the last to leave stops it and waits for it.
type feed struct {
	node Node

	mu    sync.Mutex // guards what follows; never held while waiting
	tails int
	stop  context.CancelFunc
	done  chan struct{}
	// The newest lines, one seq after the other. The array behind them is only appended to: tails read it without the mutex.
	lines []queue.Line
	// Closed when lines grow, or when the feed has ended with err.
	wake chan struct{}
	err  error
}

// join makes the caller a tail; it calls leave when it ends.
func (f *feed) join() (leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tails++
	if f.tails == 1 {
		ctx, stop := context.WithCancel(context.Background())
		f.stop, f.done = stop, make(chan struct{})
		f.lines, f.wake, f.err = nil, make(chan struct{}), nil
		go f.run(ctx, f.node.Stats().Lines+1, f.done)
	}
	return f.leave
}

func (f *feed) leave() {
	f.mu.Lock()
	f.tails--
	last, done := f.tails == 0, f.done
	if last {
		f.stop()
	}
	f.mu.Unlock()
	if last {
		<-done
	}
}

// run reads lines from next on until ctx ends or the node gives up.
func (f *feed) run(ctx context.Context, next uint64, done chan struct{}) {
	defer close(done)
	for {
		err := f.node.WaitLines(ctx, next)
		var lines []queue.Line
		if err == nil {
			lines, err = f.node.Lines(next, linesAtOnce)
		}
		if err == nil {
			err = ctx.Err()
		}
		tails := f.publish(done, lines, err)
		if err != nil {
			return
		}
		if len(lines) > 0 {
			next = lines[len(lines)-1].Seq + 1
		}
		rest(ctx, tails)
	}
}

// rest gives many tails the time to write in larger batches: one line at a time for a thousand of them would cost more than
// all that makes the lines. A few tails get every line at once.
func rest(ctx context.Context, tails int) {
	if tails <= 16 {
		return
	}
	t := time.NewTimer(time.Duration(tails) * 20 * time.Microsecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (f *feed) publish(run chan struct{}, lines []queue.Line, err error) (tails int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.done != run {
		return 0 // the last tail has left, and another has started the feed anew
	}
	if len(f.lines) >= 2*feedLines {
		f.lines = append(make([]queue.Line, 0, 3*feedLines), f.lines[len(f.lines)-feedLines:]...)
	}
	f.lines = append(f.lines, lines...)
	f.err = err
	close(f.wake)
	f.wake = make(chan struct{})
	return f.tails
}

// next is the lines from seq on that are at hand. Where they are not, the caller reads them from the node, and if there are
// none yet, waits for wake: it is closed after a line that the node did not have when next was called.
func (f *feed) next(seq uint64) (lines []queue.Line, wake <-chan struct{}, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.lines); n > 0 && f.lines[0].Seq <= seq && seq <= f.lines[n-1].Seq {
		at := int(seq - f.lines[0].Seq)
		return f.lines[at:n:n], f.wake, nil
	}
	return nil, f.wake, f.err
}
