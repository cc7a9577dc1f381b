package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	nethttp "net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gorilla/mux"

	"printq/http/quick"
)

// A Server answers clients for one member. Its methods may be called from any goroutine.
type Server struct {
	options Options
	node    Node

	guard   guard
	router  *mux.Router
	metrics *metrics
	feed    feed
	// The value of every Printq-Member header; shared, never changed.
	member []string

	requests, tails atomic.Int64
	// Ends when the first Serve begins to stop: waits and tails end with it.
	stopping context.Context
	stop     context.CancelFunc
}

// New makes a server. It serves nothing yet.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	s := &Server{options: o, node: o.Node, guard: newGuard(o.AllowedHosts), member: []string{strconv.FormatUint(o.Member, 10)}}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.feed.node = o.Node
	var err error
	if s.metrics, err = newMetrics(s); err != nil {
		return nil, err
	}
	s.router = s.routes()
	return s, nil
}

// Handler is the server as a handler, for a listener of the caller's own. Tails and waits end with their requests only.
func (s *Server) Handler() nethttp.Handler { return nethttp.HandlerFunc(s.serveHTTP) }

// Serve answers on l until ctx ends, and closes l. Then log tails end with a bookmark, requests under way may end, and so may those
// that are sent meanwhile over connections that are open: each answer says that it is its connection's last, so that a client
// finds out by an answer, and not by a reset for which it cannot tell whether its request was carried out. Connections that are idle for
// GraceTimeout are closed, and what has not ended after DrainTimeout is cut. It may be called for several listeners under one ctx: when the
// first stops, waits and tails end on all. A listener beyond loopback is refused unless the options say Insecure.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	open := newConnections()
	front := s.front(l, open.note)
	return s.serveOn(ctx, l, listening{clients{Listener: front}, open, front})
}

// ServeTLS is Serve for clients that encrypt.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener, config *tls.Config) error {
	return s.serveOn(ctx, l, listening{tls.NewListener(clients{l, true}, config), newConnections(), nil})
}

// listening is what there is of a listener: where net/http accepts, the connections, and who accepts before it; nil: nobody.
type listening struct {
	accepting net.Listener
	open      *connections
	front     *quick.Front
}

// serveOn serves what comes from l.
func (s *Server) serveOn(ctx context.Context, l net.Listener, by listening) error {
	if !s.options.Insecure && !IsLoopback(l.Addr().String()) {
		l.Close()
		return fmt.Errorf("serve http on %s: it can be reached from other hosts, and anybody there could print and cancel: "+
			"listen on 127.0.0.1, or say --insecure", l.Addr())
	}
	server := &nethttp.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: s.options.HeaderTimeout,
		WriteTimeout:      s.options.WriteTimeout,
		IdleTimeout:       s.options.IdleTimeout,
		MaxHeaderBytes:    s.options.MaxHeader,
		ConnContext:       withClient,
		ConnState: func(c net.Conn, state nethttp.ConnState) {
			client := clientOf(c)
			client.note(state)
			by.open.note(client.Conn, state)
		},
		ErrorLog: slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelDebug),
	}
	context.AfterFunc(ctx, func() { l.Close() })
	err := by.serve(server, func() { s.drain(server, by) })
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve http on %s: %w", l.Addr(), err)
}

// serve accepts until the listener is closed, and then drains. It returns why accepting ended.
func (by listening) serve(server *nethttp.Server, drain func()) error {
	if by.front == nil {
		err := server.Serve(by.accepting)
		drain()
		return err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = server.Serve(by.accepting) }() // it ends with the front
	err := by.front.Run()
	drain()
	<-ended
	return err
}

// drain ends what is served. A handler of net/http's that was cut still runs until it notices: its request's context has ended.
func (s *Server) drain(server *nethttp.Server, by listening) {
	s.stop()
	by.open.await(s.options.GraceTimeout)
	by.open.closeFresh()
	ctx, cancel := context.WithTimeout(context.Background(), s.options.DrainTimeout)
	defer cancel()
	var err error
	if by.front != nil {
		err = by.front.Shutdown(ctx)
	}
	if err = errors.Join(err, server.Shutdown(ctx)); err != nil {
		s.options.Logger.Warn("cutting requests that did not end", "after", s.options.DrainTimeout)
		server.Close()
	}
}

func (s *Server) serveHTTP(rw nethttp.ResponseWriter, r *nethttp.Request) {
	if s.foreign(rw, r) {
		return
	}
	if s.options.IPP != nil && isIPP(r) {
		s.serve(s.metrics.ipp, rw, r, func(w *response, r *nethttp.Request) error {
			r.Body = ippBody{s.openBody(w, r), r.Body}
			s.options.IPP.ServeHTTP(w, r)
			return nil
		})
		return
	}
	s.router.ServeHTTP(rw, r)
}

// foreign refuses what a browser sends on behalf of a foreign page.
func (s *Server) foreign(rw nethttp.ResponseWriter, r *nethttp.Request) bool {
	err := s.guard.check(r)
	if err != nil {
		s.serve(s.metrics.refused, rw, r, func(*response, *nethttp.Request) error { return err })
	}
	return err != nil
}

// serve runs one request: admits it, answers its error, and counts it.
func (s *Server) serve(rt *route, rw nethttp.ResponseWriter, r *nethttp.Request, h handler) {
	w := &response{ResponseWriter: rw, server: s, started: time.Now()}
	w.client, _ = r.Context().Value(clientKey{}).(*client)
	w.client.asks()
	defer rt.observe(w)
	if r.ContentLength != 0 {
		// Also for a body that nobody reads: net/http reads on, to use the connection again.
		w.readUntil(w.started.Add(s.options.BodyTimeout))
	}
	if rt.open != nil {
		defer rt.open.Add(-1)
		if rt.open.Add(1) > rt.limit {
			w.fail(r, errBusy)
			return
		}
	}
	if err := h(w, r); err != nil {
		w.fail(r, err)
	}
}
