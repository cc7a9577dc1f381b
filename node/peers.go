package node

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"printq/queue"
)

// peer is what this member knows of another, from its connection and its status frames.
type peer struct {
	connected bool
	status    status
	// Its clock less ours when the status arrived.
	offset time.Duration
	heard  uint64
	hearing
}

// alarms are what this member has to say about itself.
type alarms struct {
	lowDisk    bool
	clock      bool
	announcing bool
	// A checkpoint on which another member differs.
	diverged string
	damaged  string
}

// ErrDiverged ends a member whose state is not the majority's.
var ErrDiverged = errors.New("this member's state differs from the majority's")

func (c *Core) peer(id uint64) *peer {
	p := c.peers[id]
	if p == nil {
		p = new(peer)
		c.peers[id] = p
	}
	return p
}

func (c *Core) tellStatus() {
	s := status{
		Applied: c.batch.applied.Index, Time: c.now.Wall, Version: queue.Version, LowDisk: c.alarms.lowDisk, HTTP: c.cfg.HTTP,
	}
	s.Quiet = len(c.watchers) == 0 && !c.port.Followed()
	c.quiet = s.Quiet
	if n := len(c.own); n > 0 {
		s.Checkpoint = &c.own[n-1]
	}
	f := encodeJSON(frameStatus, s)
	for _, id := range c.others() {
		c.port.Send(id, f)
	}
}

func (c *Core) others() []uint64 {
	return slices.DeleteFunc(c.members(), func(id uint64) bool { return id == c.id })
}

func (c *Core) members() []uint64 {
	return append(slices.Clone(c.conf.GetVoters()), c.conf.GetLearners()...)
}

// heard takes another member's status.
func (c *Core) heard(from uint64, body []byte) error {
	p := c.peer(from)
	var s status
	if err := json.Unmarshal(body, &s); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	p.status, p.heard = s, c.ticks
	p.offset = s.Time.Sub(c.now.Wall)
	if !s.Quiet {
		c.hurry(from, 0)
	}
	return c.compare()
}

// ownCheckpoints is how many of our checkpoints are kept for members that reach them later.
const ownCheckpoints = 8

func (c *Core) checkpointed(p queue.Checkpoint) {
	c.own = append(c.own, checkpoint{Index: p.Index, Chain: hex.EncodeToString(p.Chain[:]), Digest: p.Digest})
	if n := len(c.own); n > ownCheckpoints {
		c.own = slices.Delete(c.own, 0, n-ownCheckpoints)
	}
	c.tellStatus()
}

// compare holds the other members' checkpoints against ours. A member that is alone against a majority stops; where there
// is no majority on either side, all that can be done is to say so.
func (c *Core) compare() error {
	against, differ := map[checkpoint]int{}, ""
	for _, id := range c.members() {
		p := c.peers[id]
		if id == c.id || p == nil || p.status.Checkpoint == nil {
			continue
		}
		theirs := *p.status.Checkpoint
		i := slices.IndexFunc(c.own, func(o checkpoint) bool { return o.Index == theirs.Index })
		if i >= 0 && c.own[i] != theirs {
			against[theirs]++
			differ = fmt.Sprintf("member %d and this one differ at entry %d: run printq log --verify on each", id, theirs.Index)
		}
	}
	c.alarms.diverged = differ
	for theirs, n := range against {
		if n > len(c.conf.GetVoters())/2 {
			return fmt.Errorf("%w at entry %d: its disk or memory is at fault; keep its data directory for inspection "+
				"and replace the member", ErrDiverged, theirs.Index)
		}
	}
	return nil
}

// SetLowDisk tells whether the disk is nearly full.
func (c *Core) SetLowDisk(low bool) { c.alarms.lowDisk = low }

// texts are the alarms in words.
func (c *Core) texts() (texts []string) {
	a := c.alarms
	if a.lowDisk {
		texts = append(texts, "disk space is low: new documents are refused here until some is freed")
	}
	if a.clock {
		texts = append(texts, "this leader's clock is more than 10 s off the other members': nothing expires; set the clock")
	}
	for _, t := range []string{a.diverged, a.damaged} {
		if t != "" {
			texts = append(texts, t)
		}
	}
	return texts
}
