package node

import (
	"context"
	"fmt"
	"io"

	"go.etcd.io/raft/v3/raftpb"

	"printq/queue"
)

// port is a Node as its core sees it. The methods are called in the loop.
type port struct{ n *Node }

var _ Port = port{}

func (p port) Send(to uint64, f Frame) bool { return p.n.transport.Send(to, f) }

func (p port) Write(b *Batch) { p.n.writes <- b } // the core has one under way at most: there is room

func (p port) Loaded(seq uint64) { p.n.tail.reset(p.n.store, seq) }

func (p port) Publish(lines []queue.Line) { p.n.tail.append(lines) }

func (p port) Followed() bool { return p.n.tail.followed() }

func (p port) Leader(lead, term uint64) {
	n := p.n
	n.leader.Store(lead)
	if lead == n.cfg.ID {
		n.leading.Store(term)
	} else {
		n.leading.Store(0)
	}
	n.changed.broadcast()
}

func (p port) Members(members []*queue.Member) {
	n := p.n
	addrs := make(map[uint64]string, len(n.manifest.Birth.Members))
	for id, addr := range n.manifest.Birth.Members {
		addrs[id] = addr
	}
	for _, m := range members {
		if m.GetPeer() != "" {
			addrs[m.GetId()] = m.GetPeer()
		}
	}
	n.transport.SetCluster(n.manifest.Cluster, addrs)
}

func (p port) Fetch(m *raftpb.Message) {
	n := p.n
	n.work.Go(func() {
		meta, err := n.fetchSnapshot(m.GetFrom())
		if err != nil {
			n.logger.Warn("fetching a snapshot failed; the leader will offer another", "from", m.GetFrom(), "error", err)
			n.post(func(c *Core) { c.FetchFailed() })
			return
		}
		n.inbox.put(event{fn: func(c *Core) error { return c.Fetched(meta) }})
	})
}

func (p port) Install(meta *raftpb.SnapshotMetadata, hs *raftpb.HardState) (Log, Store, error) {
	if err := p.n.install(meta, hs); err != nil {
		return nil, nil, err
	}
	return p.n.log, p.n.store, nil
}

func (p port) Staged() { p.n.staging.discard() }

var _ Handler = (*Node)(nil)

// Receive takes a frame for the loop. Where the loop is behind, it waits, and the sender's connection with it.
func (n *Node) Receive(from uint64, kind byte, body []byte) error {
	if err := checkSums(kind, body); err != nil {
		return err
	}
	n.inbox.put(event{from: from, kind: kind, body: body})
	return nil
}

// Connected tells that a member's messages reach us.
func (n *Node) Connected(id uint64) { n.post(func(c *Core) { c.Connected(id) }) }

// Disconnected tells that they no longer do.
func (n *Node) Disconnected(id uint64, reset bool) {
	n.post(func(c *Core) { c.Disconnected(id, reset) })
}

// ServeStream writes a snapshot, or the bytes of a document.
func (n *Node) ServeStream(ctx context.Context, from uint64, header []byte, w io.Writer) error {
	if len(header) == 0 {
		return errFrame
	}
	select {
	case <-n.started:
	default:
		return fmt.Errorf("member %d is starting", n.cfg.ID)
	}
	switch header[0] {
	case streamDocument:
		return n.serveDocument(header[1:], w)
	case streamSnapshot:
		return n.serveSnapshot(ctx, w)
	}
	return fmt.Errorf("member %d knows no stream %q", n.cfg.ID, header[0])
}
