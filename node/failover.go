package node

// A failover is what this member makes of a connection that its leader did not end in order: a hint that the leader's process died,
// and no proof. It forgets the leader and campaigns, with a pre-vote, which is harmless where the others still hear the leader. Where
// they do not either (all connections were reset, and nobody died) there is an election that nobody needed. So a hint that turned out to be mistaken,
// because the leader is soon connected again, makes the following ones count less: resets in a storm cost a few elections, not
// one each.
type failover struct {
	// For how many more ticks this member tries to follow deposed, the leader that may have died.
	left    int
	deposed uint64
	// The tick of the last hint that was believed.
	believed uint64
	// No hint is believed before this tick; doubt is for how long that was, and 0 where the last hint was not mistaken.
	until, doubt uint64
}

// Connected tells that a member's messages reach us again. What we had sent it may have been lost with the old connections: a leader is
// asked again soon.
func (c *Core) Connected(id uint64) {
	c.peer(id).connected = true
	c.failover.connected(id, c.ticks)
	if id == c.lead {
		c.requests.hurry()
	}
}

// connected finds out that a hint was mistaken. A process that was started anew needs longer than a connection.
func (f *failover) connected(id, now uint64) {
	if id != f.deposed || now > f.believed+failoverTicks {
		return
	}
	f.deposed = 0
	f.doubt = max(doubtTicks, min(2*f.doubt, 32*doubtTicks))
	f.until = now + f.doubt
}

// believes reports whether a hint is to be acted on. The doubt is over when the members have been without one for as long again.
func (f *failover) believes(now uint64) bool {
	if now < f.until {
		return false
	}
	if now >= f.until+f.doubt {
		f.doubt = 0
	}
	return true
}

// Disconnected tells that the connection from a member ended. With reset it ended without a goodbye.
func (c *Core) Disconnected(id uint64, reset bool) {
	c.peer(id).connected = false
	c.raw.ReportUnreachable(id)
	if _, sent := c.sent[id]; sent {
		c.snapshotEnded(id, false) // whatever it had fetched, it may have forgotten
	}
	if !reset || id != c.raw.BasicStatus().Lead || id == c.id || !c.failover.believes(c.ticks) {
		return
	}
	if err := c.raw.ForgetLeader(); err != nil {
		return
	}
	c.noteLeader()
	c.failover.left, c.failover.deposed, c.failover.believed = failoverTicks, id, c.ticks
	c.campaign()
}

func (c *Core) tickFailover() {
	if c.failover.left > 0 {
		c.failover.left--
		c.campaign()
	}
}

// campaign tries for leadership after the leader's death, in turns with the other members, so that two of them do not
// split the vote: the lowest id at once, the next a tick later, and so on for a few rounds. A member that has not yet
// noticed the death does not answer, so one try may not be enough.
func (c *Core) campaign() {
	rank, others := 0, 0
	for _, id := range c.conf.GetVoters() {
		switch {
		case id == c.failover.deposed:
			continue
		case id < c.id:
			rank++
		}
		others++
	}
	if others > 0 && (failoverTicks-c.failover.left)%others == rank {
		_ = c.raw.Campaign() // an error says that this member may not: then another one will
	}
}
