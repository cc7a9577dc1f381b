package node

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// run is the loop that owns the core, and the goroutines that do what may block.
func (n *Node) run(ctx context.Context, c *Core) error {
	background, stop := context.WithCancel(context.Background())
	defer stop()
	n.background = background
	n.work.Go(func() { n.writeBatches(background) })
	n.work.Go(func() { n.reclaim(background) })
	n.work.Go(func() { n.watchDisk(background) })
	n.work.Go(func() { n.trimLines(background) })
	close(n.started)
	n.setWaiting("")

	err := n.loop(ctx, background, c)

	c.endReign()
	n.leading.Store(0)
	for _, e := range n.inbox.close() {
		if e.req != nil {
			e.req.done(Answer{}, fmt.Errorf("%w: ask another member", ErrStopping))
		}
	}
	c.abandonAll()
	stop()
	n.work.Wait()
	return err
}

func (n *Node) loop(ctx, background context.Context, c *Core) error {
	tick := time.NewTicker(n.cfg.Tick)
	defer tick.Stop()
	leave := ctx.Done()
	var left <-chan struct{}
	var events []event
	var err error
	g := newGatherer()
	for {
		gathered := false
		select {
		case <-leave:
			leave = nil
			left = n.leave(background, c)
		case <-left:
			return nil
		case <-tick.C:
			c.Tick(n.now())
		case <-g.timer.C:
			// Who came while the loop was busy is not to be waited for, and not to be left out.
			if events, err = n.handleAll(c, events); err != nil {
				return err
			}
			gathered = len(events) == 0
		case <-n.inbox.wake:
			if events, err = n.handleAll(c, events); err != nil {
				return err
			}
		}
		g.hold(c, n.documents().SyncTime(), gathered)
		var more bool
		if more, err = c.Step(n.now()); err != nil {
			return err
		}
		if more {
			n.inbox.poke()
		}
		if at := c.batch.applied; *n.applied.Load() != at {
			n.applied.Store(&at)
			g.answered()
		}
		for _, to := range c.Asked() {
			n.work.Go(func() { n.handOver(background, to) })
		}
		if err := n.holdWhileOverfull(c); err != nil {
			return err
		}
	}
}

// handleAll handles what waits, and gives it back, to be the next to be filled.
func (n *Node) handleAll(c *Core, spare []event) ([]event, error) {
	events := n.inbox.take(spare)
	for i := range events {
		if err := n.handle(c, &events[i]); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// now is the moment, by both clocks. A difference of two time.Now would not tell that somebody has set the clock.
func (n *Node) now() Instant {
	t := time.Now()
	return Instant{Wall: t.Round(0), Steady: t.Sub(n.began)}
}

func (n *Node) handle(c *Core, e *event) error {
	switch {
	case e.req != nil:
		c.submit(e.req)
	case e.fn != nil:
		return e.fn(c)
	default:
		err := c.Receive(n.now(), e.from, e.kind, e.body)
		if errors.Is(err, ErrDiverged) {
			return err
		}
		if err != nil {
			n.logger.Warn("a frame was dropped", "from", e.from, "kind", e.kind, "error", err)
		}
	}
	return nil
}

// holdWhileOverfull waits for the store where it does not keep up with what is applied.
func (n *Node) holdWhileOverfull(c *Core) error {
	for c.Overfull() {
		<-n.inbox.wake
		if _, err := n.handleAll(c, nil); err != nil {
			return err
		}
		c.flush(false)
	}
	return nil
}

// leave hands leadership over, answers what waits and writes what was applied. The channel is closed when that is done.
func (n *Node) leave(ctx context.Context, c *Core) <-chan struct{} {
	c.Quiesce()
	left := make(chan struct{})
	n.work.Go(func() {
		defer close(left)
		ctx, cancel := context.WithTimeout(ctx, leaveTimeout)
		defer cancel()
		n.handOver(ctx, 0)
		n.settle(ctx)
		if ctx.Err() != nil {
			n.logger.Warn("ends without waiting any longer for answers and for its store; its next start reads more of the log", "after", leaveTimeout)
		}
	})
	return left
}

const (
	// leaveTimeout bounds an orderly stop, finishTimeout the wait for the unit in flight.
	leaveTimeout  = 10 * time.Second
	finishTimeout = 5 * time.Second
)

// settle waits until this member's clients have their answers, and what was applied by then is in the store.
func (n *Node) settle(ctx context.Context) {
	for {
		done := false
		changed := n.changed.wait()
		if n.ask(ctx, func(c *Core) { done = c.settle() }) != nil || done {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// handOver lets the driver finish its unit and moves leadership, where this member has it.
func (n *Node) handOver(ctx context.Context, to uint64) {
	term := n.leading.Load()
	if term == 0 {
		return
	}
	alone := false
	if err := n.ask(ctx, func(c *Core) { alone = c.furthest() == 0 }); err != nil || alone {
		return
	}
	finish, cancel := context.WithTimeout(ctx, finishTimeout)
	if err := n.driver.Finish(finish); err != nil {
		n.logger.Warn("the unit in flight did not end in time; the next leader takes it over", "error", err)
	}
	cancel()
	n.post(func(c *Core) { c.Transfer(to) })
	limit, cancel := context.WithTimeout(ctx, 2*transferTicks*n.cfg.Tick)
	defer cancel()
	for n.Leads(term) {
		changed := n.changed.wait()
		if !n.Leads(term) {
			break
		}
		select {
		case <-changed:
		case <-limit.Done():
			// Nobody took it: lead on.
			n.post(func(c *Core) {
				if c.reign.active && c.term == term {
					c.endReign()
					c.beginReign()
				}
			})
			return
		}
	}
}

// writeBatches writes the core's batches, one at a time.
func (n *Node) writeBatches(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-n.writes:
			n.mu.Lock()
			store := n.store
			n.mu.Unlock()
			err := store.Commit(b)
			if err == nil && len(b.Lines) > 0 {
				n.tail.stored(b.Lines[len(b.Lines)-1].Seq)
			}
			n.inbox.put(event{fn: func(c *Core) error {
				if err != nil {
					return fmt.Errorf("this member cannot write its state and stops: %w", err)
				}
				return c.Written()
			}})
		}
	}
}

// reclaim frees the log's space as documents and entries are let go.
func (n *Node) reclaim(ctx context.Context) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for more := true; more && ctx.Err() == nil; {
			var err error
			lg := n.documents()
			if _, more, err = lg.Reclaim(ctx); err != nil && ctx.Err() == nil && lg == n.documents() {
				n.inbox.put(event{fn: func(*Core) error { return fmt.Errorf("this member cannot tidy its log and stops: %w", err) }})
				return
			}
		}
	}
}

// watchDisk tells the core when space gets low, and when there is enough again.
func (n *Node) watchDisk(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if free, err := diskFree(n.cfg.Dir); err == nil {
			n.free.Store(free)
			low := free < n.cfg.LowDisk
			n.post(func(c *Core) { c.SetLowDisk(low) })
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// lineAge is how old a log line gets.
const lineAge = 30 * 24 * time.Hour

// trimLines lets lines go that are older than lineAge. (Their number is bounded by the core.)
func (n *Node) trimLines(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if seq, err := n.tail.firstSince(now.Add(-lineAge)); err == nil {
				n.post(func(c *Core) { c.TrimLines(seq) })
			} else {
				n.logger.Warn("old log lines stay", "error", err)
			}
		}
	}
}

// post gives the loop something to do.
func (n *Node) post(fn func(*Core)) bool {
	return n.inbox.put(event{fn: func(c *Core) error { fn(c); return nil }})
}

// ask runs fn in the loop and waits for it.
func (n *Node) ask(ctx context.Context, fn func(*Core)) error {
	select {
	case <-n.started:
	default:
		return fmt.Errorf("%w: this member is starting", ErrNoQuorum)
	}
	done := make(chan struct{})
	if !n.post(func(c *Core) { fn(c); close(done) }) {
		return ErrStopping
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-n.ended:
		return ErrStopping
	}
}
