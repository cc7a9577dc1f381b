package link_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"printq/integration/link"
)

// An echo is a member that answers with what it hears; heard is how many bytes that was.
type echo struct {
	listener net.Listener
	heard    chan int
}

func startEcho(t *testing.T) *echo {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{l, make(chan int, 1000)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go e.answer(c) // ends with the network's connections, below
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return e
}

func (e *echo) answer(c net.Conn) {
	defer c.Close()
	for b := make([]byte, 1024); ; {
		n, err := c.Read(b)
		if n > 0 {
			e.heard <- n
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func startNetwork(t *testing.T) (*link.Network, *echo, string) {
	t.Helper()
	e := startEcho(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	front := free.Addr().String()
	free.Close()
	n, err := link.New(link.Place{ID: 2, Front: front, Peer: e.listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n, e, front
}

// dial opens a connection as member from, with as much of a hello as the proxy looks at.
func dial(t *testing.T, front string, from uint64) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", front)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	b := make([]byte, 16)
	binary.BigEndian.PutUint64(b[8:], from)
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
	return c
}

// What a connection can come to.
const (
	answered = "answered"
	silent   = "silent"
	broken   = "reset"
	ended    = "ended"
)

// read waits for n bytes, and says what came instead.
func read(t *testing.T, c net.Conn, n int, patience time.Duration) string {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, err := io.ReadFull(c, make([]byte, n))
	switch {
	case err == nil:
		return answered
	case errors.Is(err, os.ErrDeadlineExceeded):
		return silent
	case errors.Is(err, syscall.ECONNRESET):
		return broken
	case errors.Is(err, io.EOF):
		return ended
	}
	t.Fatal(err)
	return ""
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

const (
	long  = 5 * time.Second        // what must come has come
	short = 200 * time.Millisecond // what must not come had the time to
)

// TestFaults sets each fault on a link in use, and says what becomes of its connection, of the next one, and of both when it
// is over; and that another member's link to the same place has nothing of it.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		fault link.Fault
		// Of a connection that was open: what its next four bytes come to, whether they were heard, and how it goes on later.
		open  string
		heard bool
		later string
		// Of a connection that is made meanwhile.
		next string
	}{
		{link.Fault{}, answered, true, answered, answered},
		{link.Fault{Kind: link.Cut}, broken, false, broken, broken},
		{link.Fault{Kind: link.Hold}, silent, false, answered, silent},
		{link.Fault{Kind: link.Hold, Direction: link.Back}, silent, true, answered, silent},
		{link.Fault{Kind: link.Swallow}, silent, false, broken, silent},
		{link.Fault{Kind: link.Swallow, Direction: link.Back}, silent, true, broken, silent},
		{link.Fault{Kind: link.Hang}, silent, false, broken, silent},
		{link.Fault{Kind: link.Slow, Delay: time.Millisecond}, answered, true, answered, answered},
		{link.Fault{Kind: link.Resets, Life: 50 * time.Millisecond}, broken, false, broken, broken},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			n, e, front := startNetwork(t)
			a, other := dial(t, front, 1), dial(t, front, 3)
			for _, conn := range []net.Conn{a, other} {
				want(t, "before", read(t, conn, 16, long), answered)
				<-e.heard
			}
			n.Link(1, 2).Set(c.fault)
			if c.open == broken {
				want(t, "the open connection", read(t, a, 1, long), broken)
			} else {
				write(t, a)
				patience := short
				if c.open == answered {
					patience = long
				}
				want(t, "the open connection", read(t, a, 4, patience), c.open)
				if (len(e.heard) > 0) != c.heard {
					t.Errorf("%d pieces were heard, want some: %v", len(e.heard), c.heard)
				}
			}
			next := dial(t, front, 1)
			if c.next == broken { // with what it is answered until then
				_ = next.SetReadDeadline(time.Now().Add(long))
				if _, err := io.Copy(io.Discard, next); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the next connection: %v, want a reset", err)
				}
			} else {
				want(t, "the next connection", read(t, next, 16, short), c.next)
			}
			write(t, other)
			want(t, "the other member's", read(t, other, 4, long), answered)

			n.Heal()
			if c.later == broken && c.open == silent {
				want(t, "when it is over", read(t, a, 1, long), broken)
			} else if c.open == silent {
				want(t, "when it is over", read(t, a, 4, long), answered)
			}
			want(t, "a new one when it is over", read(t, dial(t, front, 1), 16, long), answered)
		})
	}
}

func write(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := c.Write([]byte("four")); err != nil {
		t.Fatal(err)
	}
}

// TestSlow is late, and not much at a time.
func TestSlow(t *testing.T) {
	n, _, front := startNetwork(t)
	n.Link(1, 2).Set(link.Fault{Kind: link.Slow, Delay: 20 * time.Millisecond, Bandwidth: 64 << 10})
	c := dial(t, front, 1)
	began := time.Now()
	go func() { _, _ = c.Write(make([]byte, 8<<10)) }() // as much as two pieces at least, of 1/16 s each
	want(t, "slowly", read(t, c, 16+8<<10, long), answered)
	if took := time.Since(began); took < 125*time.Millisecond {
		t.Errorf("8 KiB and an answer took %v", took)
	}
	if out, back := n.Link(1, 2).Passed(); out != 16+8<<10 || back != out {
		t.Errorf("%d bytes passed out and %d back", out, back)
	}
}

// TestEnds: an end is no reset, and a reset is no end. Where nobody listens, the connection is reset.
func TestEnds(t *testing.T) {
	_, e, front := startNetwork(t)
	c := dial(t, front, 1)
	write(t, c)
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	want(t, "all that was said before the end", read(t, c, 20, long), answered)
	want(t, "and then", read(t, c, 1, long), ended)

	e.listener.Close()
	want(t, "nobody listens", read(t, dial(t, front, 1), 1, long), broken)
}
