package stream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"printq/printer/pjl"
	"printq/printer/zpl"
)

const (
	// slice is how long one write may take, so that a context, and what the printer says, are seen to while it takes nothing.
	slice = 100 * time.Millisecond
	// linger is how long a printer may take to end its side, after which the connection is closed anyway; lingerMost, where it has not
	// taken all yet: a word that it says to nobody makes the system drop the rest.
	linger, lingerMost = time.Second, 3 * time.Second
)

// muchNoise is how many bytes a printer may say before its first word of PJL. Reading on would only cost time.
const muchNoise = 16 << 10

// errSilent: no answer in time.
var errSilent = errors.New("no answer")

// errNoise: what it says is not PJL. It is an errSilent, too.
var errNoise = fmt.Errorf("%w in much that was said", errSilent)

// A link is a connection. It has one goroutine, which reads; abort and close wait for it.
type link struct {
	conn  Conn
	talks bool // the printer answers
	mute  bool // nothing can be read

	noise   chan struct{} // closed when much was read, and no word of PJL in it
	said    chan pjl.Message
	labels  labels
	ended   chan struct{} // closed when nothing more is read
	err     error         // why; after ended
	quit    chan struct{}
	reading sync.WaitGroup

	written int64
	taken   time.Time // when the last byte was
	widest  int       // the most that the other side's system had room for
	grown   bool      // the system was asked for a larger buffer
	frame   frame
}

// unread is a Conn that says that it cannot be read from.
type unread interface{ Unread() bool }

func newLink(conn Conn, labels bool) *link {
	l := &link{
		conn: conn, noise: make(chan struct{}), said: make(chan pjl.Message, 16), ended: make(chan struct{}), quit: make(chan struct{}),
		taken: time.Now(),
	}
	if u, ok := conn.(unread); ok && u.Unread() {
		l.mute = true
		return l
	}
	if labels {
		l.labels.said = make(chan zpl.Status, 16)
		l.reading.Go(l.readLabels)
		return l
	}
	l.reading.Go(l.read)
	return l
}

func (l *link) read() {
	defer close(l.ended)
	first := babble{from: l.conn, left: muchNoise, much: func() { close(l.noise) }}
	r := pjl.NewReader(&first)
	for {
		m, err := r.Next()
		if err != nil {
			l.err = err
			return
		}
		first.left = 0 // it speaks PJL, whatever else it says
		select {
		case l.said <- m:
		case <-l.quit:
			return
		}
	}
}

// A babble reads, and says once when all that may be left unsaid before the first word of PJL has come.
type babble struct {
	from io.Reader
	left int // 0: nobody wants to know
	much func()
}

func (b *babble) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	if b.left > 0 && n >= b.left {
		b.much()
	}
	b.left = max(0, b.left-n)
	return n, err
}

// over is why nothing more can be heard, or nil.
func (l *link) over() error {
	select {
	case <-l.ended:
		return l.err
	default:
		return nil
	}
}

// abort ends the connection the hard way: what the printer has not taken is not sent.
func (l *link) abort() {
	if tcp, ok := l.conn.(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // closing is what matters
	}
	l.end()
}

// close ends our side first, and hears the printer out: closing with words unread would reset the connection, and some printers
// then throw away what they have not printed.
func (l *link) close() {
	half, ok := l.conn.(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil {
		timer := time.NewTimer(linger)
		defer timer.Stop()
		begun := time.Now()
		for open := true; open; {
			select {
			case <-l.said:
			case <-l.ended:
				open = false
			case <-timer.C:
				waiting, _, err := l.waiting()
				open = err == nil && waiting > 0 && time.Since(begun) < lingerMost
				timer.Reset(linger)
			}
		}
	}
	l.end()
}

func (l *link) end() {
	close(l.quit)
	_ = l.conn.Close() // what counts was acknowledged before
	l.reading.Wait()
}

// some writes what is taken within a slice.
func (l *link) some(p []byte) (int, error) {
	if err := l.conn.SetWriteDeadline(time.Now().Add(slice)); err != nil && !errors.Is(err, os.ErrNoDeadline) {
		return 0, err
	}
	n, err := l.conn.Write(p)
	if n > 0 {
		l.written += int64(n)
		l.taken = time.Now()
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, nil
	case errors.Is(err, syscall.EAGAIN): // a device that cannot be waited for
		time.Sleep(slice / 2)
		return n, nil
	}
	return n, err
}

// put writes all of it within the limit. What the printer says meanwhile is dropped.
func (l *link) put(ctx context.Context, limit time.Duration, p []byte) (int, error) {
	all := len(p)
	for until := time.Now().Add(limit); len(p) > 0; {
		l.hear() // before and not after: the answer may come with the last byte
		n, err := l.some(p)
		p = p[n:]
		switch {
		case err != nil:
			return all - len(p), err
		case ctx.Err() != nil:
			return all - len(p), ctx.Err()
		case n == 0 && time.Now().After(until):
			return all - len(p), fmt.Errorf("%w: it takes no data", errSilent)
		}
	}
	return all, nil
}

// waiting is how many bytes the other side has not acknowledged, where that can be known.
func (l *link) waiting() (n int, known bool, err error) {
	if c, ok := l.conn.(acknowledging); ok {
		n, err = c.Unacknowledged()
		return n, true, err
	}
	return unacknowledged(l.conn)
}

// acknowledging is a Conn that knows it itself.
type acknowledging interface{ Unacknowledged() (int, error) }

func (l *link) hear() {
	for {
		select {
		case <-l.said:
		default:
			return
		}
	}
}

// ask sends commands with an ECHO after them and gives what the printer says before it comes back. The printer is in PJL after
// that.
func (l *link) ask(ctx context.Context, limit time.Duration, c pjl.Commands, heard func(pjl.Message)) error {
	if c == nil {
		c = pjl.Begin()
	}
	words := "printq " + rand.Text()
	if _, err := l.put(ctx, limit, c.Echo(words)); err != nil {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		select {
		case m := <-l.said:
			if echo, ok := m.Echo(); ok && echo == words {
				return nil
			}
			if heard != nil {
				heard(m)
			}
		case <-l.ended:
			if len(l.said) == 0 { // what was said before the end is heard first
				return l.err
			}
		case <-l.noise:
			return errNoise
		case <-timer.C:
			return fmt.Errorf("%w within %v", errSilent, limit)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// takes: the printer has ended its side, and not the whole connection.
func (l *link) takes(ctx context.Context) bool {
	for range 3 {
		if _, err := l.put(ctx, slice, []byte(pjl.UEL)); err != nil {
			return false
		}
		if pause(ctx, slice) != nil {
			return false
		}
	}
	_, _, err := l.waiting()
	return err == nil
}

// lost is an error as people read it.
func lost(err error) error {
	if errors.Is(err, io.EOF) {
		return errors.New("the printer ended the connection")
	}
	return err
}
