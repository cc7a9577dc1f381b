package sim

import (
	"bytes"
	"context"
	"slices"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/node"
	"printq/queue"
)

var background = context.Background()

// A member is its core's port to the world.
var _ node.Port = (*member)(nil)

// Send implements node.Port. What the core sends after a write leaves when the write has ended.
func (m *member) Send(to uint64, f node.Frame) bool {
	m.w.history.sent(m, f)
	return m.w.net.send(m, m.w.members[to-1], f.Kind, bytes.Join(f.Bufs, nil), m.io)
}

// Write implements node.Port: state.db is written by a goroutine beside the loop.
func (m *member) Write(b *node.Batch) {
	m.writing = true
	m.after(m.io+m.w.between(time.Millisecond, 30*time.Millisecond), func() {
		if m.w.now < m.stalled {
			m.Write(b)
			return
		}
		m.w.mutant.commit(m.store, b)
		m.writing = false
		m.w.trace.note(3, m.id, b.Applied.Index)
		m.w.trace.say(m.w.now, "m%d state.db holds %d", m.id, b.Applied.Index)
		m.soon(m.w.between(0, 2*time.Millisecond), m.core.Written)
	})
}

// Leader implements node.Port.
func (m *member) Leader(lead, term uint64) {
	m.leading = 0
	if lead == m.id {
		m.leading, m.since = term, m.w.now
		m.led[term] = true
		m.w.history.leads(m, term)
	}
	m.w.trace.note(4, m.id, lead, term)
	m.w.trace.say(m.w.now, "m%d knows leader %d of term %d", m.id, lead, term)
}

// Loaded implements node.Port.
func (m *member) Loaded(seq uint64) { m.seq = seq }

// Followed implements node.Port.
func (m *member) Followed() bool { return false }

// Publish implements node.Port.
func (m *member) Publish(lines []queue.Line) { m.w.history.published(m, lines) }

// Members implements node.Port.
func (m *member) Members([]*queue.Member) {}

// Fetch implements node.Port.
func (m *member) Fetch(msg *raftpb.Message) {
	leader := m.w.members[msg.GetFrom()-1]
	m.after(m.io+m.w.between(time.Millisecond, 20*time.Millisecond), func() {
		if !leader.up || leader.paused || m.w.net.cuts(m, leader) {
			m.fetchFailed()
			return
		}
		m.w.counts.add("snapshot begun")
		m.w.snapshotUnder()
		birth, source, began := leader.birth, leader.log, leader.snapshot()
		m.after(m.w.between(5*time.Millisecond, 800*time.Millisecond), func() {
			alive := leader.up && leader.birth == birth
			if !alive || leader.log != source || m.w.net.cuts(m, leader) || !m.stage(leader, began) { // it may have installed one itself
				m.w.counts.add("snapshot broken off")
				m.fetchFailed()
			} else {
				head := m.staged.Head()
				m.soon(0, func() error {
					return m.core.Fetched(&raftpb.SnapshotMetadata{
						ConfState: head.Conf, Index: &head.Applied.Index, Term: &head.Applied.Term,
					})
				})
			}
			if alive {
				leader.soon(0, func() error { leader.core.Unpin(); return nil })
			}
		})
	})
}

func (m *member) fetchFailed() {
	m.soon(0, func() error { m.core.FetchFailed(); return nil })
}

// snapshot pins what a stream needs, and copies the store.
func (m *member) snapshot() *memoryStore {
	m.core.Pin()
	return m.store.clone()
}

// Staged implements node.Port.
func (m *member) Staged() { m.staged, m.fresh = nil, nil }

// Install implements node.Port. The commit point is the manifest's rename: here, that the member's disk is another one.
func (m *member) Install(_ *raftpb.SnapshotMetadata, hs *raftpb.HardState) (node.Log, node.Store, error) {
	m.w.counts.add("snapshot installed")
	m.doing = "installing a snapshot"
	if m.armed == "" && m.w.often(6) && !m.w.healed {
		m.armed = "power"
		m.fresh.PowerOffAt(1 + m.w.random.IntN(3))
	}
	lg, err := log.Open(m.fresh.FS(), m.staged.Head().Base, logOptions)
	if err != nil {
		return nil, nil, err
	}
	if err := lg.Save(hs, nil, true); err != nil {
		return nil, nil, err
	}
	m.fresh.PowerOffAt(0)
	m.disk, m.store, m.log = m.fresh, m.staged, newMemberLog(m, lg)
	m.applied = m.store.Head().Applied.Index
	m.w.trace.note(5, m.id, m.applied)
	m.w.trace.say(m.w.now, "m%d installs a snapshot at %d", m.id, m.applied)
	return m.log, m.store, nil
}

// snapshotUnder notes what is wrong while a snapshot is fetched.
func (w *World) snapshotUnder() {
	for what, wrong := range map[string]bool{
		"a lossy network": w.net.loss > 0, "a doubling network": w.net.double > 0, "a delaying network": w.net.slow > 0,
		"a partition": w.net.cutAnywhere(), "a stalled disk": w.anyStalled(), "a paused process": w.anyPaused(),
	} {
		if wrong {
			w.counts.add("snapshot under " + what)
		}
	}
}

func (n *network) cutAnywhere() bool {
	for _, row := range n.cut {
		for _, cuts := range row {
			if cuts > 0 {
				return true
			}
		}
	}
	return false
}

func (w *World) anyStalled() bool {
	return slices.ContainsFunc(w.members, func(m *member) bool { return w.now < m.stalled })
}

func (w *World) anyPaused() bool {
	return slices.ContainsFunc(w.members, func(m *member) bool { return m.paused })
}
