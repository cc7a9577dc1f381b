package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// A Gate says how connections are let in. All fields are required but Insecure.
type Gate struct {
	// What the front end is called, in errors and logs.
	Name string
	// Connections at once.
	Conns int
	// How long a connection may move nothing.
	Idle time.Duration
	// How long what is under way may take when Serve's context ends. Then it is reset.
	Drain time.Duration
	// Allows a listener that other hosts reach.
	Insecure bool
	Logger   *slog.Logger
}

// Serve runs handle for each connection until ctx ends, and closes l. handle's context outlives ctx by Gate.Drain. A connection
// that handle does not end with Conn.End is reset, however this process ends.
func Serve(ctx context.Context, l net.Listener, g Gate, handle func(context.Context, *Conn)) error {
	if tcp, ok := l.Addr().(*net.TCPAddr); !g.Insecure && !(ok && tcp.IP.IsLoopback()) {
		l.Close()
		return fmt.Errorf("serve %s on %s: it can be reached from other hosts, and anybody there could print: "+
			"listen on 127.0.0.1, or say --insecure", g.Name, l.Addr())
	}
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	h := &hall{gate: g, handle: handle, conns: map[*Conn]bool{}, room: make(chan struct{}, g.Conns)}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	err := h.accept(ctx, work, l)
	if stop() {
		l.Close() // accept failed by itself
	}
	h.leave(cut)
	return err
}

// A hall holds the connections that were let in.
type hall struct {
	gate   Gate
	handle func(context.Context, *Conn)
	room   chan struct{}
	open   sync.WaitGroup

	mu    sync.Mutex
	conns map[*Conn]bool // guarded by mu
}

// acceptPause is how long accept waits where the system is short of something.
const acceptPause = 100 * time.Millisecond

func (h *hall) accept(ctx, work context.Context, l net.Listener) error {
	for {
		select {
		case h.room <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		inner, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				(&Conn{Conn: inner}).Reset()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("serve %s on %s: %w", h.gate.Name, l.Addr(), err)
		case err != nil:
			<-h.room
			h.gate.Logger.Warn("accept a connection", "server", h.gate.Name, "error", err)
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
			}
		default:
			h.let(work, &Conn{Conn: inner, idle: h.gate.Idle})
		}
	}
}

func (h *hall) let(work context.Context, c *Conn) {
	c.armed(true)
	h.mu.Lock()
	h.conns[c] = true
	h.mu.Unlock()
	h.open.Go(func() {
		defer func() {
			_ = c.Close()
			h.mu.Lock()
			delete(h.conns, c)
			h.mu.Unlock()
			<-h.room
		}()
		h.handle(work, c)
	})
}

// leave lets what is under way end, and cuts what does not.
func (h *hall) leave(cut context.CancelFunc) {
	h.each((*Conn).stop)
	timer := time.AfterFunc(h.gate.Drain, func() {
		cut()
		h.each((*Conn).Reset)
	})
	defer timer.Stop()
	h.open.Wait()
}

func (h *hall) each(do func(*Conn)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		do(c)
	}
}
