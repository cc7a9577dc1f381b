package emulator

import (
	"context"
	"errors"
	"net"
	"sync"
	"syscall"
)

// A gate is a listener that can be shut and opened again at one address while somebody accepts from it.
//
// While it is shut, a listener that the emulator opened itself is closed, so that the system refuses who comes. A listener
// that was given stays open, and a connection that comes is reset at once.
type gate struct {
	mu sync.Mutex
	// Signalled at every change.
	cond         *sync.Cond
	inner        net.Listener
	own          bool
	shut, closed bool
	shuts        int // how often it was shut
	room         int // of the system's buffer for a connection, where the listener is its own; 0: as the system has it
}

func newGate(ln net.Listener, own bool) *gate {
	g := &gate{inner: ln, own: own}
	g.cond = sync.NewCond(&g.mu)
	return g
}

// listen opens a gate of its own at a free port.
func listen(room int) (*gate, error) {
	ln, err := listenAt("127.0.0.1:0", room)
	if err != nil {
		return nil, err
	}
	g := newGate(ln, true)
	g.room = room
	return g, nil
}

// listenAt takes a port. What is set on a listener holds for its connections from their first byte on.
func listenAt(addr string, room int) (net.Listener, error) {
	var c net.ListenConfig
	if room > 0 {
		c.Control = func(_, _ string, raw syscall.RawConn) (err error) {
			return errors.Join(raw.Control(func(fd uintptr) { err = receiveBuffer(fd, room) }), err)
		}
	}
	return c.Listen(context.Background(), "tcp", addr)
}

// Accept waits for a connection; while the gate is shut, none comes.
func (g *gate) Accept() (net.Conn, error) {
	conn, _, err := g.accept()
	return conn, err
}

// accept also says how often the gate had been shut before: who came in before it was shut again may not have been served yet.
func (g *gate) accept() (conn net.Conn, era int, err error) {
	for {
		ln, err := g.listener()
		if err != nil {
			return nil, 0, err
		}
		conn, err := ln.Accept()
		switch era, current := g.current(ln); {
		case err == nil && current:
			return conn, era, nil
		case err == nil:
			reset(conn)
		case current || !g.own:
			return nil, 0, err
		}
	}
}

func (g *gate) listener() (net.Listener, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.shut && g.own && !g.closed {
		g.cond.Wait()
	}
	if g.closed {
		return nil, net.ErrClosed
	}
	return g.inner, nil
}

// current: who comes through the listener may come in. One that was closed is not current even when the gate is open again.
func (g *gate) current(ln net.Listener) (era int, current bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shuts, !g.shut && g.inner == ln
}

// since reports whether the gate has not been shut since.
func (g *gate) since(era int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shuts == era
}

// close lets nobody in from now on.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut || g.closed {
		return
	}
	g.shut = true
	g.shuts++
	if g.own {
		g.inner.Close()
	}
}

// open lets them in again. With an error somebody else has taken the port meanwhile.
func (g *gate) open() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.shut || g.closed {
		return nil
	}
	if g.own {
		ln, err := listenAt(g.inner.Addr().String(), g.room)
		if err != nil {
			return err
		}
		g.inner = ln
	}
	g.shut = false
	g.cond.Broadcast()
	return nil
}

// Close ends it for good.
func (g *gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.cond.Broadcast()
	return g.inner.Close()
}

// Addr is the same over its life.
func (g *gate) Addr() net.Addr {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inner.Addr()
}

// reset ends a connection the hard way, where it has one.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
