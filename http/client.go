package http

import (
	"context"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"os"
	"sync"
	"time"
)

// A client is a connection that notices whether what was written to it was read. It takes for proof that another request
// came after the answer, or that the client closed the connection in order when nothing of the answer was under way any
// more: who closes with an answer unread sends a reset. What breaks or times out proves nothing.
type client struct {
	net.Conn
	// Bytes that come are TLS's: they may be another request, or the client's last word before it closes.
	encrypted bool
	// What requests of this connection keep for those that follow.
	kept sync.Map

	mu sync.Mutex // guards what follows
	// The answers to all requests so far were handed to the system, and the next request has not begun.
	idle bool
	// The client closed its side in order. The server may notice before it knows that it has written the whole answer, or
	// before it writes any: what comes after the close is never acknowledged.
	closed bool
	// The connection broke.
	gone bool
	// Of an encrypted one: something was written since the last request began, and bytes came after that.
	wrote, word bool
	// What to do once the answers so far were read.
	seen []func()
}

// clients makes the connections of a listener clients.
type clients struct {
	net.Listener
	encrypted bool
}

// Accept makes clients a net.Listener.
func (l clients) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &client{Conn: c, encrypted: l.encrypted}, nil
}

type clientKey struct{}

// withClient puts a connection into the context of its requests.
func withClient(ctx context.Context, c net.Conn) context.Context {
	if c := clientOf(c); c != nil {
		return context.WithValue(ctx, clientKey{}, c)
	}
	return ctx
}

// clientOf is the client below a connection, which TLS may have wrapped; nil: there is none.
func clientOf(c net.Conn) *client {
	if wrapped, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = wrapped.NetConn()
	}
	found, _ := c.(*client)
	return found
}

// note is the server's ConnState: only a connection whose answer was written whole becomes idle.
func (c *client) note(state nethttp.ConnState) {
	c.mu.Lock()
	c.idle = state == nethttp.StateIdle
	seen := c.proven(false)
	c.mu.Unlock()
	for _, f := range seen {
		f()
	}
}

// proven is what was seen: the whole answer was written, and after that the client asked on, or it closed and has it all.
func (c *client) proven(asked bool) (seen []func()) {
	if c.seen != nil && c.idle && !c.gone && (asked || c.closed && acknowledged(c.Conn)) {
		seen, c.seen = c.seen, nil
	}
	return seen
}

// asks notes that another request came over an encrypted connection: the answers before it were read.
func (c *client) asks() {
	if c == nil || !c.encrypted {
		return
	}
	c.mu.Lock()
	seen := c.seen
	c.seen, c.idle, c.wrote, c.word = nil, false, false, false
	c.mu.Unlock()
	for _, f := range seen {
		f()
	}
}

// Write makes a client a net.Conn. What TLS writes between two requests is its answer to the client's last word. Whether the client closes
// in order is to be seen before that: what comes after its end is never acknowledged.
func (c *client) Write(p []byte) (int, error) {
	c.mu.Lock()
	leaving := c.word && c.idle && !c.closed && !c.gone && c.seen != nil
	c.wrote = true
	c.mu.Unlock()
	if leaving {
		c.awaitEnd()
	}
	return c.Conn.Write(p)
}

// awaitEnd reads until the client closes its side, for a little while: nothing else would notice.
func (c *client) awaitEnd() {
	if c.SetReadDeadline(time.Now().Add(farewell)) == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, maxFarewell))
	}
}

// Read makes a client a net.Conn.
func (c *client) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for _, f := range c.read(n, err) {
		f()
	}
	return n, err
}

// read takes note of what a Read gave, and returns what that proves to have been seen.
func (c *client) read(n int, err error) (seen []func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, io.EOF):
		c.closed = true
	case err != nil && !errors.Is(err, os.ErrDeadlineExceeded):
		c.gone, c.seen = true, nil
	}
	c.word = c.word || c.encrypted && c.wrote && n > 0 // perhaps before the server says that the connection is idle
	return c.proven(n > 0 && !c.encrypted)
}

// CloseWrite ends this side, as net/http does before it closes a connection whose request it did not read whole.
func (c *client) CloseWrite() error {
	if tcp, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return tcp.CloseWrite()
	}
	return nil
}

const (
	// farewell is how long a client that asked for one answer only has to read it.
	farewell = time.Second
	// maxFarewell bounds what it may still say.
	maxFarewell = 4096
)

// Close makes a client a net.Conn. After the answer to a last request it waits a little for the client to close its side.
func (c *client) Close() error {
	c.mu.Lock()
	last := !c.idle && !c.gone && c.seen != nil
	c.idle = c.idle || last
	seen := c.proven(false)
	c.mu.Unlock()
	for _, f := range seen {
		f()
	}
	if last && c.CloseWrite() == nil {
		c.awaitEnd()
	}
	return c.Conn.Close()
}

// WhenSeen calls f, quickly, once the client is known to have read this answer; never, if that is not known.
func (w *response) WhenSeen(f func()) {
	if w.client == nil {
		return
	}
	w.client.mu.Lock()
	defer w.client.mu.Unlock()
	if !w.client.gone {
		w.client.seen = append(w.client.seen, f)
	}
}

// Connection is what the requests of the answer's connection keep for each other; nil: nothing.
func (w *response) Connection() *sync.Map {
	if w.client == nil {
		return nil
	}
	return &w.client.kept
}
