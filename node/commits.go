package node

import "go.etcd.io/raft/v3/raftpb"

// A leader tells its followers how far the log is committed. A message for nothing else costs both sides a wake-up; to a follower where
// nobody waits for an entry it goes along with the next entries, or in the next tick.

// hearing is what a leader knows of a follower that is to hear what is committed.
type hearing struct {
	// Somebody there waits for the entries up to asked, and for those that its requests are about to be made into.
	asked    uint64
	proposed bool
	// told is the last commit index that was sent; late is the message that says a newer one, and waits. nil: none.
	told uint64
	late *raftpb.Message
}

// later keeps a message that can wait.
func (c *Core) later(m *raftpb.Message) bool {
	if m.GetType() != raftpb.MsgApp {
		return false
	}
	p := c.peer(m.GetTo())
	p.late = nil                           // this one says as much
	probes := m.GetIndex() < m.GetCommit() // for what the follower has
	if p.status.Quiet && p.asked <= p.told && len(m.GetEntries()) == 0 && !probes {
		p.late = m
		return true
	}
	p.told = m.GetCommit()
	return false
}

// sendLate sends what waits for the tick.
func (c *Core) sendLate() {
	for _, id := range c.others() {
		c.hurry(id, 0)
	}
}

// hurry is for a member where somebody waits for the entries up to index: what waits goes to it now.
func (c *Core) hurry(id, index uint64) {
	p := c.peer(id)
	p.asked = max(p.asked, index)
	if m := p.late; m != nil {
		p.asked = max(p.asked, m.GetCommit())
		c.send([]*raftpb.Message{m})
	}
}

// placed notes whose requests are in the entries up to last.
func (c *Core) placed(last uint64) {
	for _, p := range c.peers {
		if p.proposed {
			p.proposed, p.asked = false, last
		}
	}
}

// forgetLate is for a member that does not lead any more.
func (c *Core) forgetLate() {
	for _, p := range c.peers {
		p.late = nil
	}
}
