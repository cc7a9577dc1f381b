package link

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// piece is how much is passed on at once.
const piece = 4 << 10

// A conn is one connection through the proxy: front to the member that dials, and on to the one that is dialed.
type conn struct {
	link  *Link
	front *net.TCPConn
	// Set by run before anything else may reset it.
	ctx    context.Context
	cancel context.CancelFunc
	// It has lost bytes, and must not go on when the fault is over.
	lossy atomic.Bool
	timer *time.Timer // of Resets; guarded by the link's mutex
}

// reset ends it both ways. It may be called from anywhere, and again.
func (c *conn) reset() { c.cancel() }

// run passes on what comes, until both sides have ended or one was reset.
func (c *conn) run(to string, begun []byte) {
	c.ctx, c.cancel = context.WithCancel(c.link.network.ctx)
	defer c.cancel()
	if !c.link.admit(c) {
		reset(c.front)
		return
	}
	defer c.link.release(c)
	dialer := net.Dialer{Timeout: 5 * time.Second}
	dialed, err := dialer.DialContext(c.ctx, "tcp", to)
	if err != nil {
		reset(c.front)
		return
	}
	back := dialed.(*net.TCPConn)
	stop := context.AfterFunc(c.ctx, func() { reset(c.front); reset(back) })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { c.pass(Out, back, c.front, begun) })
	both.Go(func() { c.pass(Back, c.front, back, nil) })
	both.Wait()
	if c.ctx.Err() != nil {
		reset(c.front)
		reset(back)
		return
	}
	// Both have ended in good order: what was passed on last must still arrive.
	c.front.Close()
	back.Close()
}

// pass passes on one direction to its end. An end becomes an end; anything else ends both directions.
func (c *conn) pass(d Direction, to, from *net.TCPConn, begun []byte) {
	if err := c.move(d, to, begun); err != nil {
		c.reset()
		return
	}
	b := make([]byte, piece)
	for {
		n, err := from.Read(b)
		if moved := c.move(d, to, b[:n]); moved != nil {
			c.reset()
			return
		}
		switch {
		case errors.Is(err, io.EOF):
			if c.end(d, to) != nil {
				c.reset()
			}
			return
		case err != nil:
			c.reset()
			return
		}
	}
}

// move passes bytes on when the link lets them.
func (c *conn) move(d Direction, to io.Writer, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	f, err := c.turn(d)
	if err != nil {
		return err
	}
	switch {
	case f.loses(d):
		c.lossy.Store(true)
		return nil
	case c.lossy.Load() && f.Kind != Swallow: // it lost them as the fault was ending
		return net.ErrClosed
	case f.Kind == Slow:
		if err := c.wait(f.Delay + time.Duration(len(b))*time.Second/time.Duration(f.Bandwidth)); err != nil {
			return err
		}
	}
	c.link.count(d, len(b))
	_, err = to.Write(b)
	return err
}

// end passes an end on, when the link lets it.
func (c *conn) end(d Direction, to *net.TCPConn) error {
	f, err := c.turn(d)
	for ; err == nil && f.loses(d); f, err = c.turn(d) {
		if err := c.wait(piece * time.Microsecond); err != nil { // an end is lost like anything else
			return err
		}
	}
	if err != nil {
		return err
	}
	return to.CloseWrite()
}

// turn waits until bytes of a direction do not have to wait.
func (c *conn) turn(d Direction) (Fault, error) {
	for {
		f, changed := c.link.state()
		if err := context.Cause(c.ctx); err != nil { // the change to this fault has reset it
			return f, err
		}
		if !f.withholds(d) {
			return f, nil
		}
		select {
		case <-changed:
		case <-c.ctx.Done():
			return f, context.Cause(c.ctx)
		}
	}
}

func (c *conn) wait(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}
