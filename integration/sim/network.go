package sim

import (
	"slices"
	"time"

	"go.etcd.io/raft/v3/raftpb"
)

// network is what lies between the members, and between them and the printers. Each counter says how many faults under way
// make it so.
type network struct {
	w       *World
	cut     [8][8]int // nothing gets from the one to the other
	devices [8][8]int // member, tray
	loss    int       // of 1,000 frames
	double  int
	slow    int // of 1,000 frames, by up to seconds
	// Frames sent from one member to another, and the newest of them that has arrived.
	sent, newest [8][8]uint64
	// Resets of the connections between two members: what was on its way over one then is lost.
	resets [8][8]int
}

func (n *network) init(w *World) { n.w = w }

// cuts reports that one of the two does not hear the other.
func (n *network) cuts(a, b *member) bool {
	return n.cut[a.id][b.id] > 0 || n.cut[b.id][a.id] > 0
}

// send carries a frame: late, out of order, twice, or not at all.
func (n *network) send(from, to *member, kind byte, body []byte, wait time.Duration) bool {
	w := n.w
	w.trace.note(7, from.id, to.id, uint64(kind), uint64(len(body)))
	if w.trace.on {
		w.trace.say(w.now+wait, "m%d → m%d %s", from.id, to.id, frame(kind, body))
	}
	if !to.up {
		return false
	}
	copies := 1
	if w.random.IntN(1000) < n.double {
		copies = 2
		w.counts.add("frame doubled")
	}
	for range copies {
		n.deliver(from, to, kind, slices.Clone(body), wait, n.delay()) // a body is the receiver's to write to
	}
	return true
}

func (n *network) delay() time.Duration {
	w := n.w
	if w.random.IntN(1000) < n.slow {
		w.counts.add("frame delayed")
		return w.between(20*time.Millisecond, 3*time.Second)
	}
	return w.between(200*time.Microsecond, 3*time.Millisecond)
}

// deliver lets a frame arrive, unless it is lost on the way. The sender may have died by then, but not before the write that the
// frame waits for has ended.
func (n *network) deliver(from, to *member, kind byte, body []byte, wait, delay time.Duration) {
	w := n.w
	if w.random.IntN(1000) < n.loss {
		w.counts.add("frame lost")
		return
	}
	n.sent[from.id][to.id]++
	number, resets := n.sent[from.id][to.id], n.resets[from.id][to.id]
	arrive := func() {
		switch {
		case n.cut[from.id][to.id] > 0:
			w.counts.add("frame cut off")
			return
		case n.resets[from.id][to.id] != resets:
			w.counts.add("frame lost with its connection")
			return
		}
		if newest := &n.newest[from.id][to.id]; number < *newest {
			w.counts.add("frame overtaken by a later one")
		} else {
			*newest = number
		}
		to.soon(0, func() error { return to.receive(from, kind, body) })
	}
	if wait < 10*time.Millisecond {
		w.after(wait+delay, arrive)
	} else {
		from.after(wait, func() { w.after(delay, arrive) })
	}
}

func (m *member) receive(from *member, kind byte, body []byte) error {
	err := m.core.Receive(m.time(), from.id, kind, body)
	switch {
	case err == nil:
	case kind == frameRaft && message(body).GetType() == raftpb.MsgReadIndex: // forwarded twice: refused, and asked again
		m.w.counts.add("read index forwarded twice")
	default:
		m.w.violated(1, "member %d does not take from %d: %s: %v", m.id, from.id, frame(kind, body), err)
	}
	return nil
}

// began tells the members of a new process, and it of them.
func (n *network) began(m *member) {
	for _, other := range n.w.members {
		if other == m || !other.up {
			continue
		}
		n.connect(m, other)
		n.connect(other, m)
	}
}

func (n *network) connect(m, to *member) {
	m.soon(n.w.between(time.Millisecond, 50*time.Millisecond), func() error {
		m.core.Disconnected(to.id, false) // the older connection, if there was one
		if to.up && !n.cuts(m, to) {
			m.core.Connected(to.id)
		}
		return nil
	})
}

// renew makes all connections anew: what was lost on the old ones is known to be.
func (n *network) renew() {
	for _, m := range n.w.members {
		if m.up {
			n.began(m)
		}
	}
}

// ended tells the others that a process has died, where its connections are reset; a loss of power is silent.
func (n *network) ended(m *member, reset bool) {
	for _, other := range n.w.members {
		if other == m || !other.up || !reset || n.cuts(m, other) {
			continue
		}
		n.w.counts.add("connection reset")
		other.soon(n.w.between(time.Millisecond, 20*time.Millisecond), func() error {
			other.core.Disconnected(m.id, true)
			return nil
		})
	}
}
