package node

import (
	"context"
	"maps"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"printq/queue"
	"printq/queue/queuepb"
)

// reign is what this member does while it leads and has applied an entry of its own term: before that, it reads no state
// and decides nothing.
type reign struct {
	active bool
	term   uint64
	cancel context.CancelFunc
	// The index of the last checkpoint this member proposed.
	checkpoint uint64
	// What was found due and is proposed already, until it is applied: so that it is not proposed again each second.
	expiring uint64
	// More was due than one command may name.
	behind bool
	// Where leadership is to go, and until which tick we try.
	transfer      uint64
	transferUntil uint64
}

func (c *Core) beginReign() {
	ctx, cancel := context.WithCancel(context.Background())
	c.reign = reign{active: true, term: c.term, cancel: cancel, checkpoint: c.batch.applied.Index}
	c.driver.Lead(ctx, c.term, c.queue.Drives())
}

// endReign ends the driver's context, also in the middle of a write.
func (c *Core) endReign() {
	if c.reign.active {
		c.reign.cancel()
	}
	c.reign = reign{}
}

func (c *Core) tellDriver(devices map[uint64]bool) {
	if !c.reign.active {
		return
	}
	drives := make([]queue.Drive, 0, len(devices))
	for _, id := range slices.Sorted(maps.Keys(devices)) {
		drives = append(drives, c.queue.Drive(id))
	}
	c.driver.Changed(drives)
}

// decide proposes a decision of our own, tagged with the term it is made in.
func (c *Core) decide(cmd *queuepb.Command) {
	cmd.Term = c.term
	c.Decide(c.term, queue.Encode(cmd), false)
}

// duties are a leader's: to find what is due, to mark checkpoints, and every member's: to have its address in the log.
func (c *Core) duties() {
	c.announce()
	if !c.reign.active || c.reign.transfer != 0 {
		return
	}
	c.expire()
	if c.batch.applied.Index-c.reign.checkpoint >= c.cfg.CheckpointEvery {
		c.reign.checkpoint = c.batch.applied.Index
		c.decide(&queuepb.Command{Body: &queuepb.Command_Checkpoint{Checkpoint: &queuepb.Checkpoint{}}})
	}
}

// expireLimit bounds the ids of each kind that one command names: what takes longer to apply holds up everything else.
const expireLimit = 500

func (c *Core) expire() {
	c.alarms.clock = c.skewed()
	if c.alarms.clock || c.reign.expiring > c.batch.applied.Index {
		return
	}
	due := c.queue.Due(c.now.Wall, expireLimit)
	c.reign.behind = len(due.GetFinished()) >= expireLimit || len(due.GetDocuments()) >= expireLimit || len(due.GetKeys()) >= expireLimit
	if due != nil {
		c.reign.expiring = c.batch.applied.Index + 1
		c.decide(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: due}})
	}
}

// announce puts this member's addresses into the log where they differ.
func (c *Core) announce() {
	if c.cfg.HTTP == "" && c.cfg.Peer == "" || len(c.requests.pending) > c.cfg.MaxPending/2 || c.alarms.announcing {
		return
	}
	for _, m := range c.queue.Members() {
		if m.GetId() == c.id && m.GetHttp() == c.cfg.HTTP && m.GetPeer() == c.cfg.Peer {
			return
		}
	}
	cmd := &queuepb.Command{Body: &queuepb.Command_SetMember{
		SetMember: &queuepb.SetMember{Id: c.id, Http: c.cfg.HTTP, Peer: c.cfg.Peer},
	}}
	c.alarms.announcing = true
	c.Propose(c.now, cmd, nil, func(Answer, error) {
		c.alarms.announcing = false
		c.port.Members(c.queue.Members())
	})
}

// Transfer hands leadership to a member, or with 0 to the one that is furthest. It goes on in the ticks that follow.
func (c *Core) Transfer(to uint64) {
	if c.lead != c.id {
		if c.lead != 0 {
			c.port.Send(c.lead, Frame{Kind: frameTransfer, Urgent: true, Bufs: [][]byte{protowire.AppendVarint(nil, to)}})
		}
		return
	}
	if to == 0 {
		to = c.furthest()
	}
	if to == 0 || to == c.id {
		return
	}
	c.reign.transfer, c.reign.transferUntil = to, c.ticks+transferTicks
	c.raw.TransferLeader(to)
}

func (c *Core) transferAsked(body []byte) error {
	to, n := protowire.ConsumeVarint(body)
	if n < 0 {
		return errFrame
	}
	if c.lead == c.id {
		c.handOver(to)
	}
	return nil
}

// handOver is a transfer that another member asked for: the shell lets the driver finish its unit first.
func (c *Core) handOver(to uint64) { c.asked = append(c.asked, to) }

// Asked returns the transfers that other members asked for, once.
func (c *Core) Asked() []uint64 {
	asked := c.asked
	c.asked = nil
	return asked
}

// tickReign asks raft again for a transfer it gave up: it does after an election timeout, or when the target is behind.
func (c *Core) tickReign() {
	r := &c.reign
	if r.transfer == 0 {
		return
	}
	if c.ticks >= r.transferUntil {
		r.transfer = 0
		return
	}
	if c.raw.BasicStatus().LeadTransferee == 0 {
		c.raw.TransferLeader(r.transfer)
	}
}

// furthest is the voter, other than this member, that holds most of the log and is connected.
func (c *Core) furthest() (best uint64) {
	var match uint64
	for id, pr := range c.raw.Status().Progress {
		if id != c.id && !pr.IsLearner && c.peer(id).connected && (best == 0 || pr.Match > match || pr.Match == match && id < best) {
			best, match = id, pr.Match
		}
	}
	return best
}
