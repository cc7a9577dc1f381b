// Package peer carries messages and streams between members, over TCP with a small framed protocol of its own.
//
// What a caller can rely on:
//
//  1. To each peer there are two connections that we dial, one for urgent frames and one for bulk, so that a heartbeat never
//     waits behind a document. Frames of one lane arrive in the order of their Send; between the lanes there is no order.
//  2. A frame arrives whole and unchanged, once, or not at all. What is queued when a connection breaks is gone: nothing is
//     sent again over the next one.
//  3. [Transport.Send] never blocks, and the memory that waits for a peer is bounded.
//  4. [node.Handler.Connected] and [node.Handler.Disconnected] alternate for each member, and are about the urgent connection
//     that the member made to us. Disconnected comes after the last frame of it. Its reset is true where the other side ended
//     the connection, or it died, without a goodbye; it is false where the other side said goodbye or where we ended it.
//  5. A stream ends with io.EOF only where the other side said that it was whole.
//  6. [Transport.Run] returns when every goroutine of the transport has ended and every connection is closed, those of streams
//     that are still being read too.
//
// A member that we were not told of, but that knows our cluster's id, is heard, and answered at the address it gives: it may
// have joined while we were away, and be the one to tell us so.
//
// There is no encryption here: Options.Dial and Options.Listener are where it goes.
package peer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"printq/node"
)

// ErrStopped: the transport has been stopped.
var ErrStopped = errors.New("peer transport is stopped")

// ErrNoAddress: the member's address is not known.
var ErrNoAddress = errors.New("no address for member")

// Options configure a Transport. Only ID and one of ListenAddr and Listener are needed.
type Options struct {
	ID uint64
	// Where to listen, unless there is a Listener.
	ListenAddr string
	Listener   net.Listener
	// Advertise is where others reach us; empty: the listener's address.
	Advertise string
	Logger    *slog.Logger // nil: slog.Default
	// Dial opens a connection; nil: TCP with keepalive.
	Dial func(ctx context.Context, addr string) (net.Conn, error)

	// What may wait for one peer in each lane; a frame that alone is more than the bytes goes through an empty queue.
	UrgentBytes, BulkBytes   int // 0: 4 MiB, 64 MiB
	UrgentFrames, BulkFrames int // 0: 4,096
	// The longest frame, sent or received, in bytes; 0: 80 MiB.
	MaxFrame int
	// Connections that others may have made to us at once; 0: 256. More are closed.
	MaxConns int
	// Streams served at once; 0: 8. More are refused.
	MaxStreams int

	HandshakeTimeout time.Duration // to connect and agree; 0: 5 s
	WriteTimeout     time.Duration // without progress, then the connection is reset; 0: 5 s
	IdleTimeout      time.Duration // of a stream, at either side; 0: 30 s
	ProbeTimeout     time.Duration // where the caller's context has no deadline; 0: 2 s
	GoodbyeTimeout   time.Duration // to send what is queued and the goodbye when stopping; 0: 1 s
	// Between attempts to connect: doubled from the first to the second, with jitter; 0: 20 ms, 1 s.
	MinBackoff, MaxBackoff time.Duration
}

func (o *Options) fill() {
	o.Logger = cmp.Or(o.Logger, slog.Default())
	o.UrgentBytes = cmp.Or(o.UrgentBytes, 4<<20)
	o.BulkBytes = cmp.Or(o.BulkBytes, 64<<20)
	o.UrgentFrames = cmp.Or(o.UrgentFrames, 4096)
	o.BulkFrames = cmp.Or(o.BulkFrames, 4096)
	o.MaxFrame = cmp.Or(o.MaxFrame, 80<<20)
	o.MaxConns = cmp.Or(o.MaxConns, 256)
	o.MaxStreams = cmp.Or(o.MaxStreams, 8)
	o.HandshakeTimeout = cmp.Or(o.HandshakeTimeout, 5*time.Second)
	o.WriteTimeout = cmp.Or(o.WriteTimeout, 5*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 30*time.Second)
	o.ProbeTimeout = cmp.Or(o.ProbeTimeout, 2*time.Second)
	o.GoodbyeTimeout = cmp.Or(o.GoodbyeTimeout, time.Second)
	o.MinBackoff = cmp.Or(o.MinBackoff, 20*time.Millisecond)
	o.MaxBackoff = cmp.Or(o.MaxBackoff, time.Second)
	if o.Dial == nil {
		dialer := &net.Dialer{KeepAliveConfig: keepAlive}
		o.Dial = func(ctx context.Context, addr string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", addr) }
	}
}

// keepAlive finds a silent death within 10 s, also on a connection that only reads.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: time.Second, Count: 5}

// A Transport is a node.Transport. All methods may be called at any time from any goroutine, Run once.
type Transport struct {
	opts     Options
	handler  node.Handler
	listener net.Listener
	// run tells this process from an earlier one of the same member: a connection to that one is of no use any more.
	run     uint64
	streams chan struct{} // a slot per served stream

	mu      sync.RWMutex // guards all below
	cluster string
	peers   map[uint64]*peer
	// Peers that were forgotten while they were connected: the handler has yet to hear of the end.
	leaving map[uint64]*peer
	conns   map[net.Conn]bool // all that are open; true: accepted, and so counted in accepted
	// Of the accepted connections, those open.
	accepted int
	running  bool
	stopped  bool
	group    sync.WaitGroup // everything that Run waits for; Add only while !stopped
}

// New listens, so that the address is known, but accepts and dials nothing before Run.
func New(opts Options, handler node.Handler) (*Transport, error) {
	if opts.ID == 0 {
		return nil, errors.New("peer transport: the member id is 0")
	}
	opts.fill()
	l := opts.Listener
	if l == nil {
		lc := net.ListenConfig{KeepAliveConfig: keepAlive}
		var err error
		if l, err = lc.Listen(context.Background(), "tcp", opts.ListenAddr); err != nil {
			return nil, fmt.Errorf("listen for members: %w", err)
		}
	}
	opts.Advertise = cmp.Or(opts.Advertise, l.Addr().String())
	return &Transport{
		opts: opts, handler: handler, listener: l, run: rand.Uint64(),
		streams: make(chan struct{}, opts.MaxStreams),
		peers:   map[uint64]*peer{}, leaving: map[uint64]*peer{}, conns: map[net.Conn]bool{},
	}, nil
}

// Addr is where others reach us.
func (t *Transport) Addr() string { return t.opts.Advertise }

// Run accepts and dials until the context ends, then says goodbye to every peer. It returns nil, or why it can no longer
// accept.
func (t *Transport) Run(ctx context.Context) error {
	t.start()
	accepting := make(chan error, 1)
	go func() { accepting <- t.accept(ctx) }()
	var err error
	select {
	case <-ctx.Done():
		t.listener.Close()
		<-accepting
	case err = <-accepting:
		t.listener.Close()
	}
	t.stop()
	return err
}

func (t *Transport) start() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running = true
	for _, p := range t.peers {
		t.launch(p.out)
	}
}

// stop ends the outgoing connections first, so that the goodbyes go out while what comes in is still heard.
func (t *Transport) stop() {
	t.mu.Lock()
	t.stopped = true
	outs := make([]*outgoing, 0, len(t.peers))
	for _, p := range t.peers {
		p.out.cancel()
		outs = append(outs, p.out)
	}
	t.mu.Unlock()
	for _, o := range outs {
		o.group.Wait()
	}
	t.mu.Lock()
	peers := make([]*peer, 0, len(t.peers))
	for _, p := range t.peers {
		peers = append(peers, p)
	}
	t.mu.Unlock()
	for _, p := range peers {
		p.retire()
	}
	t.closeConns()
	t.group.Wait()
}

func (t *Transport) closeConns() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for conn := range t.conns {
		conn.Close()
	}
}

// SetCluster tells who we are and where the members are; we may be among them. It may be called again with other members:
// connections to those whose address is the same stay. The cluster's id does not change once it is set.
func (t *Transport) SetCluster(cluster string, members map[uint64]string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	t.cluster = cluster
	for id, p := range t.peers {
		if _, ok := members[id]; !ok && p.member {
			t.drop(p)
		}
	}
	for id, addr := range members {
		if id == t.opts.ID {
			continue
		}
		p := t.peers[id]
		switch {
		case p == nil:
			t.add(id, addr, true)
		case p.out.addr != addr:
			p.member = true
			t.redirect(p, addr)
		default:
			p.member = true
		}
	}
}

// add makes a peer; the caller holds t.mu.
func (t *Transport) add(id uint64, addr string, member bool) *peer {
	p := &peer{id: id, member: member, handler: t.handler, out: t.newOutgoing(id, addr)}
	t.peers[id] = p
	t.launch(p.out)
	return p
}

// redirect gives a peer another address; the caller holds t.mu.
func (t *Transport) redirect(p *peer, addr string) {
	p.out.cancel()
	p.out = t.newOutgoing(p.id, addr)
	t.launch(p.out)
}

// drop forgets a peer; the caller holds t.mu. The handler is told from another goroutine: the caller may be the handler.
func (t *Transport) drop(p *peer) {
	delete(t.peers, p.id)
	p.out.cancel()
	if p.incoming.Load() > 0 {
		t.leaving[p.id] = p
	}
	if !t.stopped {
		t.group.Go(p.retire)
	}
}

// launch starts the lanes of a peer, if there is a Run that will wait for them; the caller holds t.mu.
func (t *Transport) launch(o *outgoing) {
	if !t.running || t.stopped || o.addr == "" {
		return
	}
	for _, l := range o.lanes {
		t.group.Add(1)
		o.group.Add(1)
		go func() {
			defer t.group.Done()
			defer o.group.Done()
			o.connectForever(l)
		}()
	}
}

// Send queues a frame for a member; see node.Transport.
func (t *Transport) Send(to uint64, f node.Frame) bool {
	t.mu.RLock()
	p := t.peers[to]
	if p == nil {
		t.mu.RUnlock()
		return false
	}
	o := p.out
	t.mu.RUnlock()
	if f.Urgent {
		return o.lanes[0].push(f)
	}
	return o.lanes[1].push(f)
}

// A PeerStatus is how our connections to a member stand.
type PeerStatus struct {
	ID        uint64
	Addr      string
	Connected bool
	// Why not, or why not before; it may be what the member answered. Empty: never failed.
	LastError string
	// Since when Connected and LastError are as they are.
	Since time.Time
}

// Peers tells of every peer, by id.
func (t *Transport) Peers() []PeerStatus {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make([]PeerStatus, 0, len(t.peers))
	for _, p := range t.peers {
		list = append(list, p.out.status())
	}
	slices.SortFunc(list, func(a, b PeerStatus) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// track notes a connection that we dialed, so that the end of Run closes it. It reports false where that has been.
func (t *Transport) track(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return false
	}
	t.conns[conn] = false
	return true
}

// admit is track for a connection that was made to us, and starts to serve it. It reports false also where there is no room.
func (t *Transport) admit(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped || t.accepted >= t.opts.MaxConns {
		return false
	}
	t.conns[conn] = true
	t.accepted++
	t.group.Go(func() {
		defer t.release(conn)
		t.serve(conn)
	})
	return true
}

// release closes a tracked connection. It may be called again.
func (t *Transport) release(conn net.Conn) {
	conn.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if accepted, ok := t.conns[conn]; ok {
		delete(t.conns, conn)
		if accepted {
			t.accepted--
		}
	}
}
