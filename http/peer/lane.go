package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"printq/node"
)

var errClosed = errors.New("the member closed the connection")

// A lane is one of the two connections to a peer and what waits for it. Nothing waits where there is no connection.
type lane struct {
	purpose             purpose
	maxFrames, maxBytes int
	maxFrame            int
	writeTimeout        time.Duration
	wake                chan struct{} // holds one
	redial              chan struct{} // holds one: connect at once

	mu   sync.Mutex // guards all below
	conn net.Conn   // nil: not connected
	// The connection, where it can be written to without waiting; nil where not.
	raw syscall.RawConn
	// The writer is at work: what is pushed waits for it.
	writing bool
	// A frame of which the connection took the beginning.
	rest []byte
	// Where a frame is joined for writeNow.
	scratch []byte
	run     uint64    // of the process at the other end
	ends    time.Time // when the connection must be done, once it is ending; nothing more is taken then
	queue   []node.Frame
	// What is queued, and what is being written.
	frames, bytes int
}

func newLane(p purpose, maxFrames, maxBytes int, opts *Options) *lane {
	return &lane{
		purpose: p, maxFrames: maxFrames, maxBytes: maxBytes, maxFrame: opts.MaxFrame, writeTimeout: opts.WriteTimeout,
		wake: make(chan struct{}, 1), redial: make(chan struct{}, 1),
	}
}

func (l *lane) push(f node.Frame) bool {
	n := frameSize(f)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil || !l.ends.IsZero() || n > l.maxFrame {
		return false
	}
	if l.frames >= l.maxFrames || l.frames > 0 && l.bytes+n > l.maxBytes {
		return false
	}
	if l.now(f, n) {
		return true
	}
	l.queue = append(l.queue, f)
	l.frames++
	l.bytes += n
	signal(l.wake)
	return true
}

// maxNow is the longest frame that push writes itself: joining the pieces of a longer one costs more than waking the writer.
const maxNow = 16 << 10

// now writes a frame at once where nothing waits before it: to wake the writer takes longer than to write, and while the
// caller's thread goes on to save, the writer may have to wait for another one. What the connection does not take goes to the
// writer. Where the deadline of its last write has passed, nothing is taken here: the writer sets a new one.
func (l *lane) now(f node.Frame, size int) bool {
	if l.raw == nil || l.writing || len(l.queue) > 0 || len(l.rest) > 0 || size > maxNow {
		return false
	}
	l.scratch = appendFrameHead(l.scratch[:0], f)
	for _, b := range f.Bufs {
		l.scratch = append(l.scratch, b...)
	}
	switch n := writeNow(l.raw, l.scratch); n {
	case 0:
		return false
	case size:
	default:
		l.rest, l.scratch = l.scratch[n:], nil
		signal(l.wake)
	}
	return true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (l *lane) open(conn net.Conn, run uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.run, l.ends = conn, run, time.Time{}
	if tcp, ok := conn.(*net.TCPConn); ok {
		l.raw, _ = tcp.SyscallConn() // an error is that of a connection that is closed already
	}
}

// close drops what is queued.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn, l.raw, l.queue, l.frames, l.bytes = nil, nil, nil, 0, 0
	l.rest, l.writing = nil, false
}

// hears is called when the member, in its run, connected to us: it can be reached, and a connection to an earlier run is dead.
func (l *lane) hears(run uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil && l.run != run {
		l.conn.Close()
	}
	signal(l.redial)
}

// carry writes what is pushed until the connection breaks, or, when the context ends, what is queued and a goodbye within
// the grace.
func (l *lane) carry(ctx context.Context, conn net.Conn, grace time.Duration) error {
	gone := make(chan error, 1)
	go func() { gone <- watch(conn) }()
	defer context.AfterFunc(ctx, func() { l.finish(conn, grace) })()
	err := l.writeAll(ctx, conn, gone, grace)
	conn.Close()
	// That the other side closed says more than that a write failed.
	if seen := <-gone; !errors.Is(seen, net.ErrClosed) && !errors.Is(seen, io.ErrClosedPipe) {
		err = seen
	}
	return err
}

// watch returns once the other side has closed the connection, and so nothing more can be sent. It says nothing otherwise.
func watch(conn net.Conn) error {
	defer conn.Close()
	n, err := conn.Read(make([]byte, 1))
	if n > 0 || err == io.EOF {
		return errClosed
	}
	return err
}

// finish takes nothing more, and allows what is queued the grace.
func (l *lane) finish(conn net.Conn, grace time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends = time.Now().Add(grace)
	conn.SetWriteDeadline(l.ends)
}

// writeAll gathers all that waits into one write.
func (l *lane) writeAll(ctx context.Context, conn net.Conn, gone chan error, grace time.Duration) error {
	var (
		spare []node.Frame
		heads []byte
		bufs  net.Buffers
	)
	for {
		batch, rest, bytes := l.take(spare)
		if len(batch)+len(rest) == 0 {
			select {
			case <-l.wake:
			case err := <-gone:
				gone <- err
				return err
			case <-ctx.Done():
				return l.farewell(ctx, conn, grace)
			}
			continue
		}
		if bufs = bufs[:0]; len(rest) > 0 {
			bufs = append(bufs, rest)
		}
		heads, bufs = gather(batch, heads, bufs)
		if err := l.write(conn, bufs); err != nil {
			return err
		}
		l.written(len(batch), bytes)
		clear(batch)
		clear(bufs)
		spare = batch[:0]
	}
}

// farewell may find frames that were pushed between the last take and the context's end.
func (l *lane) farewell(ctx context.Context, conn net.Conn, grace time.Duration) error {
	l.finish(conn, grace)
	batch, rest, _ := l.take(nil)
	_, bufs := gather(batch, nil, net.Buffers{rest})
	if err := l.write(conn, append(bufs, goodbye)); err != nil {
		return err
	}
	return ctx.Err()
}

// take empties the queue, which goes on in the memory of the spare one. What is pushed from now on waits until there is nothing
// to take.
func (l *lane) take(spare []node.Frame) (batch []node.Frame, rest []byte, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rest, l.rest = l.rest, nil
	l.writing = len(l.queue)+len(rest) > 0
	if len(l.queue) == 0 {
		return nil, rest, 0
	}
	batch, l.queue = l.queue, spare
	for _, f := range batch {
		bytes += frameSize(f)
	}
	return batch, rest, bytes
}

func (l *lane) written(frames, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.frames -= frames
	l.bytes -= bytes
}

func gather(batch []node.Frame, heads []byte, bufs net.Buffers) ([]byte, net.Buffers) {
	// The heads must not move once they are referred to.
	if need := frameHead * len(batch); cap(heads) < need {
		heads = make([]byte, 0, 2*need)
	}
	heads = heads[:0]
	for _, f := range batch {
		heads = appendFrameHead(heads, f)
		bufs = append(bufs, heads[len(heads)-frameHead:])
		for _, b := range f.Bufs {
			if len(b) > 0 {
				bufs = append(bufs, b)
			}
		}
	}
	return heads, bufs
}

// write gives up where nothing could be written for the write timeout; a slow connection is given time.
func (l *lane) write(conn net.Conn, bufs net.Buffers) error {
	for {
		last := l.extend(conn)
		n, err := bufs.WriteTo(conn)
		if err == nil {
			return nil
		}
		if n == 0 || last || !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// extend allows the next write its time, and reports whether it is the last: the connection is ending.
func (l *lane) extend(conn net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	deadline := time.Now().Add(l.writeTimeout)
	ending := !l.ends.IsZero()
	if ending && l.ends.Before(deadline) {
		deadline = l.ends
	}
	conn.SetWriteDeadline(deadline)
	return ending
}
