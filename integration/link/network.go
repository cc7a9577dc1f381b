package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A Network is the proxies of all members. Its methods are safe for concurrent use.
type Network struct {
	group     sync.WaitGroup
	ctx       context.Context // until Close
	cancel    context.CancelFunc
	listeners []net.Listener

	mu    sync.Mutex
	links map[[2]uint64]*Link // by who dials and who is dialed; guarded by mu
}

// A Place is where a member is.
type Place struct {
	ID uint64
	// The proxy listens at Front, and the member at Peer.
	Front, Peer string
}

// New listens before each member.
func New(places ...Place) (*Network, error) {
	n := &Network{links: map[[2]uint64]*Link{}}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for _, p := range places {
		l, err := net.Listen("tcp", p.Front)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen before member %d: %w", p.ID, err), n.Close())
		}
		n.listeners = append(n.listeners, l)
		n.group.Go(func() { n.accept(l, p) })
	}
	return n, nil
}

// Link is the link of one member to another.
func (n *Network) Link(from, to uint64) *Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.links[[2]uint64{from, to}]
	if l == nil {
		l = &Link{network: n, changed: make(chan struct{}), conns: map[*conn]bool{}}
		n.links[[2]uint64{from, to}] = l
	}
	return l
}

// Heal ends every fault.
func (n *Network) Heal() {
	for _, l := range n.all() {
		l.Set(Fault{})
	}
}

func (n *Network) all() (links []*Link) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.links {
		links = append(links, l)
	}
	return links
}

// Close resets everything.
func (n *Network) Close() error {
	n.cancel()
	var err error
	for _, l := range n.listeners {
		err = errors.Join(err, l.Close())
	}
	n.group.Wait()
	return err
}

func (n *Network) accept(l net.Listener, to Place) {
	for {
		c, err := l.Accept()
		if n.ctx.Err() != nil {
			if err == nil {
				reset(c)
			}
			return
		}
		if err != nil { // out of files, perhaps: those who dial try again, and so must we
			select {
			case <-time.After(10 * time.Millisecond):
			case <-n.ctx.Done():
			}
			continue
		}
		n.group.Go(func() { n.serve(c.(*net.TCPConn), to) })
	}
}

// head is as much of a hello as it takes to see who dials: see http/peer.
const head = 16

// serve finds out whose connection it is.
func (n *Network) serve(front *net.TCPConn, to Place) {
	stop := context.AfterFunc(n.ctx, func() { reset(front) })
	defer stop()
	var b [head]byte
	_ = front.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(front, b[:]); err != nil {
		reset(front)
		return
	}
	_ = front.SetReadDeadline(time.Time{})
	c := &conn{front: front, link: n.Link(binary.BigEndian.Uint64(b[8:]), to.ID)}
	c.run(to.Peer, b[:])
}

// reset closes a connection as a dying process or a firewall does: the other side's next read or write fails.
func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	c.Close()
}
