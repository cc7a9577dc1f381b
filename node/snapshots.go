package node

import (
	"maps"
	"slices"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// How a member that is too far behind gets a snapshot:
//
//	leader    raft asks the storage for a snapshot, gets a descriptor, and sends it as MsgSnap
//	receiver  does not step the message yet, but fetches the bytes by a stream: a copy of the leader's store as it is by
//	          then, and the entries that hold the live documents; it stages and syncs them beside its own
//	receiver  steps MsgSnap with the position that was fetched; where raft takes it, the Ready carries it back, and
//	          turn's save installs what is staged, with the hard state, by one rename
//	receiver  tells the leader how it ended; the leader reports it to raft, also when it hears nothing for long

// announced takes a leader's MsgSnap. While a fetch is under way, another leader's is answered as failed, so that it offers
// one again; the same leader's is answered when the fetch ends.
func (c *Core) announced(m *raftpb.Message) {
	switch {
	case c.fetching == nil:
		c.fetching = m
		c.port.Fetch(m)
	case c.fetching.GetFrom() != m.GetFrom():
		c.reportTo(m.GetFrom(), false)
	}
}

// Fetched tells that the announced snapshot is staged, at the position and configuration of meta. Raft takes it in a turn
// of its own, with no batch on its way to the old store and nothing else in the Ready.
func (c *Core) Fetched(meta *raftpb.SnapshotMetadata) error {
	if c.fetching == nil {
		return nil
	}
	if c.writing != nil {
		c.staged = meta // Written comes back to it
		return nil
	}
	m := c.fetching
	c.fetching, c.staged = nil, nil
	if err := c.turns(); err != nil {
		return err
	}
	m.Snapshot = &raftpb.Snapshot{Metadata: meta}
	if err := c.raw.Step(m); err != nil {
		return err
	}
	c.noteLeader()
	if err := c.turns(); err != nil {
		return err
	}
	c.port.Staged() // installed by now, or raft had no use for it
	c.reportTo(m.GetFrom(), true)
	return nil
}

func (c *Core) turns() error {
	for c.raw.HasReady() {
		if err := c.turn(); err != nil {
			return err
		}
	}
	return nil
}

// FetchFailed tells that it could not be had; the leader will announce another.
func (c *Core) FetchFailed() {
	if m := c.fetching; m != nil {
		c.fetching, c.staged = nil, nil
		c.reportTo(m.GetFrom(), false)
	}
}

func (c *Core) reportTo(leader uint64, ok bool) {
	b := byte(0)
	if ok {
		b = 1
	}
	c.port.Send(leader, Frame{Kind: frameSnapshot, Urgent: true, Bufs: [][]byte{{b}}})
}

// snapshotTicks is how long a leader waits to hear how a snapshot ended: ten minutes at the default tick.
const snapshotTicks = 12_000

func (c *Core) snapshotEnded(member uint64, ok bool) {
	delete(c.sent, member)
	status := raft.SnapshotFailure
	if ok {
		status = raft.SnapshotFinish
	}
	c.raw.ReportSnapshot(member, status)
}

// reportSnapshots reports those nobody spoke of again: an unreported one would leave the member in limbo for good.
func (c *Core) reportSnapshots() {
	for _, member := range slices.Sorted(maps.Keys(c.sent)) {
		at := c.sent[member]
		if gone := !c.peer(member).connected && c.ticks-at > electionTicks; gone || c.ticks-at > snapshotTicks {
			c.snapshotEnded(member, false)
		}
	}
}

// install makes the staged snapshot this member's state. What was waiting is answered as unknown: the outcomes that the
// snapshot covers were never seen here.
func (c *Core) install(rd raft.Ready) error {
	if c.writing != nil || len(rd.Entries) > 0 {
		panic("node: a snapshot came beside other work") // Fetched sees to it
	}
	hs := rd.HardState
	if hs == nil {
		hs = &raftpb.HardState{Term: new(c.hard.term), Vote: new(c.hard.vote), Commit: rd.Snapshot.GetMetadata().Index}
	}
	lg, store, err := c.port.Install(rd.Snapshot.GetMetadata(), hs)
	if err != nil {
		return err
	}
	c.log, c.store = lg, store
	if err := c.load(); err != nil {
		return err
	}
	c.counts.snapshotsInstalled++
	c.own = nil
	c.wakeAll()
	c.dispatchAll()
	c.port.Members(c.queue.Members())
	return nil
}
