package quick

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

// A Handler answers a request as below net/http, within the limits that the package names.
type Handler func(http.ResponseWriter, *http.Request)

// Options of a Front. All are required.
type Options struct {
	// Route is the handler of a request; nil: net/http's.
	Route func(*http.Request) Handler
	// How long a new connection's first head may take; how long a connection may be idle; how long a client may take nothing.
	HeaderTimeout, IdleTimeout, WriteTimeout time.Duration
	// When a request's context ends, or up to an eighth of it sooner: requests of a connection share theirs.
	RequestTimeout time.Duration
	// ConnState is net/http's, for connections while they are here: StateNew, StateActive and StateClosed. One that
	// is handed on goes through the first two again, there.
	ConnState func(net.Conn, http.ConnState)
	Logger    *slog.Logger
}

// A Front accepts the connections of a listener, and is itself the listener of those that are handed on.
type Front struct {
	net.Listener
	Options
	handed  chan net.Conn
	closing chan struct{} // nothing is handed on any more
	cut     context.CancelFunc
	ctx     context.Context
	serving sync.WaitGroup

	close func()

	mu    sync.Mutex // guards what follows
	conns map[*conn]bool
}

// New makes a front for a listener. It is closed with Shutdown.
func New(l net.Listener, o Options) *Front {
	f := &Front{Listener: l, Options: o, handed: make(chan net.Conn), closing: make(chan struct{}), conns: make(map[*conn]bool)}
	f.ctx, f.cut = context.WithCancel(context.Background())
	f.close = sync.OnceFunc(func() { close(f.closing) })
	return f
}

// Run accepts until the listener is closed, and returns why it ended.
func (f *Front) Run() error {
	pause := time.Duration(0)
	for {
		c, err := f.Listener.Accept()
		var passing interface{ Temporary() bool }
		switch {
		case err == nil:
			pause = 0
			f.start(c)
		case errors.As(err, &passing) && passing.Temporary():
			// Too many files are open, for instance: as net/http does.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			f.Logger.Debug("accepting a connection", "error", err, "again after", pause)
			time.Sleep(pause)
		default:
			return err
		}
	}
}

func (f *Front) start(nc net.Conn) {
	f.serving.Go(func() {
		s, ok := nc.(stream)
		if !ok {
			f.handOn(nc)
			return
		}
		f.serve(newConn(f, s))
	})
}

func (f *Front) serve(c *conn) {
	f.ConnState(c, http.StateNew)
	f.mu.Lock()
	f.conns[c] = true
	f.mu.Unlock()
	handOn := f.guarded(c)
	f.mu.Lock()
	delete(f.conns, c)
	f.mu.Unlock()
	if handOn {
		handOn = f.handOn(c)
	}
	if !handOn {
		c.Close()
		f.ConnState(c, http.StateClosed)
	}
}

// guarded ends a connection whose handler panics, and nothing else, as net/http does.
func (f *Front) guarded(c *conn) (handOn bool) {
	defer func() {
		if why := recover(); why != nil && why != http.ErrAbortHandler {
			f.Logger.Error("a request ended in a panic", "client", c.RemoteAddr(), "panic", why, "stack", string(debug.Stack()))
		}
	}()
	return c.serve(f.ctx)
}

func (f *Front) handOn(c net.Conn) bool {
	select {
	case f.handed <- c:
		return true
	case <-f.closing:
		c.Close()
		return false
	}
}

// Accept makes a Front a net.Listener: it returns connections that are handed on.
func (f *Front) Accept() (net.Conn, error) {
	select {
	case c := <-f.handed:
		return c, nil
	case <-f.closing:
		return nil, net.ErrClosed
	}
}

// Close makes a Front a net.Listener: nothing is handed on any more. The listener that it accepts from is not its own.
func (f *Front) Close() error {
	f.close()
	return nil
}

// Shutdown hands nothing on any more, closes idle connections, and returns when all requests have ended; Run has returned. When ctx ends, it cuts those that have not,
// says so, and returns when their handlers have.
func (f *Front) Shutdown(ctx context.Context) error {
	f.close()
	f.closeAll(func(c *conn) bool { return c.state.CompareAndSwap(idle, ended) })
	done := make(chan struct{})
	go func() { f.serving.Wait(); close(done) }()
	var late error
	select {
	case <-done:
	case <-ctx.Done():
		late = ctx.Err()
	}
	f.cut()
	f.closeAll(func(*conn) bool { return true })
	<-done
	return late
}

func (f *Front) closeAll(which func(*conn) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		if which(c) {
			_ = c.Close() // its goroutine ends with it, whatever this says
		}
	}
}
