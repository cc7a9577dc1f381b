package quick

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"
)

// A stream is what a *net.TCPConn offers, without its short cuts around Read and Write.
type stream interface {
	net.Conn
	syscall.Conn
	CloseWrite() error
}

// A conn is a connection: first this package's, and perhaps later net/http's, for which it begins with what was read ahead.
type conn struct {
	stream
	front *Front
	// What was read and not yet taken, in buf.
	ahead, buf []byte

	// idle: no request has begun. Who makes it busy may answer one, who makes it ended may close it.
	state atomic.Int32
	// The deadlines that the connection has.
	readUntil, writeUntil time.Time

	request http.Request
	base    *http.Request // what requests of the connection have in common, for some time
	// Of base's context.
	expires time.Time
	cancel  context.CancelFunc
	body    body
	answer  answer
}

const (
	idle int32 = iota
	busy
	ended
)

func newConn(f *Front, s stream) *conn {
	c := &conn{stream: s, front: f, buf: make([]byte, maxHead)}
	c.body.c, c.answer.c = c, c
	c.answer.header = make(http.Header)
	return c
}

// Read makes a conn a net.Conn, for net/http.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.ahead) == 0 {
		c.ahead, c.buf = nil, nil
		return c.stream.Read(p)
	}
	n := copy(p, c.ahead)
	c.ahead = c.ahead[n:]
	return n, nil
}

// serve answers requests until the connection ends, or reports that the rest of it is net/http's.
func (c *conn) serve(ctx context.Context) (handOn bool) {
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, c.LocalAddr())
	c.base = &http.Request{
		Method: http.MethodPost, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, URL: new(url.URL), Header: make(http.Header),
		Body: &c.body, RemoteAddr: c.RemoteAddr().String(),
	}
	c.cancel = func() {}
	defer func() { c.cancel() }()
	patience := c.front.HeaderTimeout
	for first := true; c.await(patience); first = false {
		if first {
			c.front.ConnState(c, http.StateActive)
		}
		c.renew(ctx)
		handler := c.next()
		if handler == nil {
			return true
		}
		if !c.carryOut(handler) || !c.state.CompareAndSwap(busy, idle) {
			return false
		}
		patience = c.front.IdleTimeout
	}
	return false
}

// renew sees to it that the context of the next request lasts. One for each request would cost more than the rest of what is done here.
func (c *conn) renew(ctx context.Context) {
	now, limit := time.Now(), c.front.RequestTimeout
	if c.expires.Sub(now) > limit-limit/8 {
		return
	}
	c.cancel()
	c.expires = now.Add(limit)
	ctx, c.cancel = context.WithDeadline(ctx, c.expires)
	c.base = c.base.WithContext(ctx)
}

// await returns when something of a request is there.
func (c *conn) await(patience time.Duration) bool {
	if len(c.ahead) == 0 {
		c.readBy(time.Now(), patience)
		n, err := c.stream.Read(c.buf)
		if n == 0 || err != nil {
			return false
		}
		c.ahead = c.buf[:n]
	}
	return c.state.CompareAndSwap(idle, busy)
}

// readBy gives the next Read about so long. A deadline that is almost the same stays.
func (c *conn) readBy(now time.Time, patience time.Duration) {
	if left := c.readUntil.Sub(now); left > patience || left < patience-patience/8 {
		_ = c.SetReadDeadline(now.Add(patience)) // an error shows in Read
	}
}

// next is the handler of the request that begins in ahead; nil: it is not one that is served here.
func (c *conn) next() Handler {
	end := bytes.Index(c.ahead, []byte("\r\n\r\n"))
	if end < 0 {
		return nil
	}
	r := &c.request
	*r = *c.base
	if !parse(string(c.ahead[:end]), r) {
		return nil
	}
	handler := c.front.Route(r)
	if handler != nil {
		c.ahead = c.ahead[end+4:]
		c.body.left = r.ContentLength
	}
	return handler
}

// carryOut answers a request, and reports whether there may be another one on the connection.
func (c *conn) carryOut(handler Handler) bool {
	c.answer.reset()
	handler(&c.answer, &c.request)
	whole := c.body.skip()
	if !whole {
		c.answer.last = true
	}
	if c.answer.write() != nil {
		return false
	}
	if c.answer.last && !whole {
		c.linger()
	}
	return !c.answer.last
}

// linger lets the client read its answer: what of its request was not read would have it reset.
func (c *conn) linger() {
	if c.CloseWrite() == nil && c.SetReadDeadline(time.Now().Add(500*time.Millisecond)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c.stream, maxBody))
	}
}

// SetReadDeadline makes a conn a net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.readUntil = t
	return c.stream.SetReadDeadline(t)
}

// A body is that of the request under way.
type body struct {
	c    *conn
	left int64
	// The deadline that the handler wants; it is set when there is something to wait for.
	until time.Time
}

// Read returns io.EOF with the last byte, as net/http does.
func (b *body) Read(p []byte) (n int, err error) {
	p = p[:min(int64(len(p)), b.left)]
	if len(b.c.ahead) > 0 {
		n = copy(p, b.c.ahead)
		b.c.ahead = b.c.ahead[n:]
	} else if len(p) > 0 {
		if !b.until.Equal(b.c.readUntil) {
			_ = b.c.SetReadDeadline(b.until) // an error shows in Read
		}
		n, err = b.c.stream.Read(p)
	}
	b.left -= int64(n)
	if b.left == 0 {
		return n, io.EOF
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close makes a body an io.ReadCloser.
func (b *body) Close() error { return nil }

// skip reads what the handler left, and reports whether that came.
func (b *body) skip() bool {
	if b.left > 0 {
		if b.until.IsZero() {
			b.until = time.Now().Add(b.c.front.HeaderTimeout)
		}
		_, _ = io.Copy(io.Discard, b)
	}
	return b.left == 0
}
