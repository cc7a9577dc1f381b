package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"printq/node"
)

// A peer is another member: the connections that we make to it, and those that it makes to us.
type peer struct {
	id      uint64
	handler node.Handler
	// Guarded by the transport's mutex. A peer that is no member knows our cluster: it stays while it is connected.
	out    *outgoing
	member bool

	incoming atomic.Int32 // connections

	mu sync.Mutex // guards all below; held while the handler is told, so that it hears of a member in order
	in [2]*incoming
	// The handler was told so.
	connected bool
	retired   bool
}

// An incoming is one message connection that a member made to us.
type incoming struct {
	lane int // 0: urgent
	conn net.Conn
	// We are the one who ends it; guarded by the peer's mutex.
	ours bool
	done chan struct{} // closed when nothing of it will be received any more
}

// attach makes it the connection of its lane. An older one ends first: its frames come before those of the newer.
func (p *peer) attach(in *incoming) bool {
	p.mu.Lock()
	if p.retired {
		p.mu.Unlock()
		return false
	}
	p.incoming.Add(1)
	older := p.in[in.lane]
	p.in[in.lane] = in
	if older != nil {
		older.conn.Close()
	}
	if in.lane == 0 && !p.connected {
		p.connected = true
		p.handler.Connected(p.id)
	}
	p.mu.Unlock()
	if older != nil {
		<-older.done
	}
	return true
}

// detach tells the handler, unless a newer connection has taken the place.
func (p *peer) detach(in *incoming, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer close(in.done)
	defer p.incoming.Add(-1)
	if p.in[in.lane] != in {
		return
	}
	p.in[in.lane] = nil
	if in.lane == 0 {
		p.connected = false
		p.handler.Disconnected(p.id, !in.ours && !errors.Is(err, errGoodbye) && !errors.Is(err, errFrame))
	}
}

// retire ends what the member makes to us, for good.
func (p *peer) retire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.retired = true
	for _, in := range p.in {
		if in != nil {
			in.ours = true
			in.conn.Close()
		}
	}
}

// accept serves what is dialed to us until the listener is closed. It outlives a shortage of files.
func (t *Transport) accept(ctx context.Context) error {
	const pause = 50 * time.Millisecond
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, net.ErrClosed) {
				return fmt.Errorf("accept members: %w", err)
			}
			t.opts.Logger.Warn("cannot accept a member's connection", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetKeepAliveConfig(keepAlive)
		}
		if !t.admit(conn) {
			conn.Close()
			t.opts.Logger.Debug("refused a connection: there are too many", "from", conn.RemoteAddr())
		}
	}
}

// serve returns when an accepted connection is done with.
func (t *Transport) serve(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(t.opts.HandshakeTimeout))
	h, err := readHello(conn)
	var unfit errHello
	switch {
	case errors.As(err, &unfit):
		t.refuse(conn, h, unfit.Error())
		return
	case err != nil:
		t.opts.Logger.Debug("connection without a hello", "from", conn.RemoteAddr(), "err", err)
		return
	}
	if text := t.objection(h); text != "" {
		t.refuse(conn, h, text)
		return
	}
	switch h.purpose {
	case urgent, bulk:
		t.serveMessages(conn, h)
	case stream:
		t.serveStream(conn, h)
	case probe:
		t.serveProbe(conn, h)
	}
}

// objection says why a hello is refused; empty: it is not.
func (t *Transport) objection(h hello) string {
	t.mu.RLock()
	cluster := t.cluster
	t.mu.RUnlock()
	self := t.opts.ID
	switch {
	case h.purpose < urgent || h.purpose > probe:
		return h.purpose.String() + " is not known here"
	case h.from == self:
		return fmt.Sprintf("this is member %d itself: the address leads back to it, or two members have that id", self)
	case h.purpose == probe && (h.to == 0 || h.to == self):
		return ""
	case h.to != self:
		return fmt.Sprintf("this is member %d, not %d", self, h.to)
	case cluster == "":
		return fmt.Sprintf("member %d is not part of a cluster yet", self)
	case h.cluster != cluster:
		return fmt.Sprintf("this is cluster %q, not %q", cluster, h.cluster)
	case h.from == 0:
		return "only members may ask"
	}
	return ""
}

// refuse sees to it that the text arrives: closing with something unread would discard it.
func (t *Transport) refuse(conn net.Conn, h hello, text string) {
	t.opts.Logger.Debug("refused a connection", "from", conn.RemoteAddr(), "member", h.from, "purpose", h.purpose, "why", text)
	if _, err := conn.Write(reply{id: t.opts.ID, run: t.run, refusal: text}.encode()); err != nil {
		return
	}
	io.CopyN(io.Discard, conn, helloSize+maxCluster+maxAddress+maxHeader)
}

// welcome accepts a hello; what follows has no deadline yet.
func (t *Transport) welcome(conn net.Conn) error {
	if _, err := conn.Write(reply{id: t.opts.ID, run: t.run}.encode()); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

func (t *Transport) serveMessages(conn net.Conn, h hello) {
	p, hears := t.meet(h)
	in := &incoming{conn: conn, done: make(chan struct{})}
	if h.purpose == bulk {
		in.lane = 1
	}
	if p == nil || !p.attach(in) {
		t.refuse(conn, h, "this member is not among the members here")
		return
	}
	hears()
	err := t.welcome(conn)
	if err == nil {
		err = t.receive(conn, h.from)
	}
	p.detach(in, err)
	if errors.Is(err, errFrame) {
		t.opts.Logger.Error("connection from a member is damaged", "peer", h.from, "err", err)
	}
	t.part(p)
}

func (t *Transport) receive(conn net.Conn, from uint64) error {
	frames := newFrameReader(conn, t.opts.MaxFrame)
	for {
		kind, body, err := frames.next()
		if err != nil {
			return err
		}
		if err := t.handler.Receive(from, kind, body); err != nil {
			return fmt.Errorf("%w: %w", errFrame, err)
		}
	}
}

// maxPeers bounds what strangers who know the cluster's id can make us dial.
const maxPeers = 64

// meet finds the peer, or makes one of a member that we were not told of. The function is to be called when the peer is
// accepted: it makes us connect to it at once.
func (t *Transport) meet(h hello) (*peer, func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.peers[h.from]
	if old := t.leaving[h.from]; old != nil && old.incoming.Load() > 0 {
		return nil, nil // it will try again
	}
	delete(t.leaving, h.from)
	switch {
	case t.stopped || p == nil && len(t.peers) >= maxPeers:
		return nil, nil
	case p == nil:
		p = t.add(h.from, h.advertise, false)
	case p.out.addr != h.advertise && (!p.member || p.out.addr == ""):
		t.redirect(p, h.advertise)
	}
	lanes := p.out.lanes
	return p, func() {
		for _, l := range lanes {
			l.hears(h.run)
		}
	}
}

// part forgets a peer that is no member once its last connection is gone.
func (t *Transport) part(p *peer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !p.member && p.incoming.Load() == 0 && t.peers[p.id] == p {
		t.drop(p)
	}
}
