package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sort"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/queue"
)

// Log is what the core asks of the log package: one member's raft log, and the documents in it.
type Log interface {
	InitialState() (*raftpb.HardState, *raftpb.ConfState, error)
	Entries(lo, hi, maxSize uint64) ([]*raftpb.Entry, error)
	Term(i uint64) (uint64, error)
	FirstIndex() (uint64, error)
	LastIndex() (uint64, error)
	SaveSummed(hs *raftpb.HardState, entries []*raftpb.Entry, sums []uint32, sync bool) error
	// Note takes a commit index that goes along with the next Save; WriteNote writes it if there was none.
	Note(hs *raftpb.HardState)
	WriteNote() error
	SetBase(b log.Base) error
	Retain(index uint64, bytes int64)
	Release(index uint64, bytes int64)
}

// Port is what the core asks of the world. No method blocks.
type Port interface {
	// Send passes a frame to a member; what is lost is sent again.
	Send(to uint64, f Frame) bool
	// Write begins to write a batch to the store; Core.Written says when it is durable.
	Write(b *Batch)
	// Fetch begins to fetch the snapshot that a leader's message announces; Core.Fetched or Core.Refetch ends it.
	Fetch(m *raftpb.Message)
	// Install makes a fetched snapshot this member's state, in one step that a crash leaves done or not done, together
	// with the hard state. The core goes on with what it returns.
	Install(meta *raftpb.SnapshotMetadata, hs *raftpb.HardState) (Log, Store, error)
	// Staged tells that a fetched snapshot has been installed, or is of no use: what is left of it may go.
	Staged()
	// Leader tells of a change of leader or term, at the moment the core notices it; lead is 0 where there is none.
	Leader(lead, term uint64)
	// Loaded tells that the state was read from the store, which holds the lines up to seq.
	Loaded(seq uint64)
	// Publish hands over the lines of newly applied entries, in order.
	Publish(lines []queue.Line)
	// Followed reports whether anybody waits for lines, or has since it was asked last.
	Followed() bool
	// Members tells the addresses of the members, whenever they may have changed.
	Members(members []*queue.Member)
}

// Driver drives the printers. The core calls it from its loop: no method blocks.
type Driver interface {
	// Lead begins a reign: this member leads in the term, and has applied an entry of it. The context ends at the moment
	// the loop learns that leadership or term is lost.
	Lead(ctx context.Context, term uint64, drives []queue.Drive)
	// Changed tells of drives that an entry committed in this reign changed.
	Changed(drives []queue.Drive)
}

// Timing is in ticks; how long a tick takes is the shell's.
const (
	heartbeatTicks = 2
	electionTicks  = 20
	resendTicks    = 20 // before a request that nobody answered is sent again; doubles, up to 8 times this
	readTicks      = 10 // before a read index that nobody answered is asked again
	dutyTicks      = 20 // between status frames, and between a leader's looks at what is due
	transferTicks  = 2 * electionTicks
	failoverTicks  = 8                 // of tries to follow a leader that died
	doubtTicks     = 2 * electionTicks // without belief in resets after one that was mistaken; doubles, up to 32 times this
)

// A Core is one member without its I/O. It is not safe for concurrent use: one goroutine calls all its methods.
type Core struct {
	id      uint64
	session uint64
	cfg     Config
	logger  *slog.Logger
	port    Port
	driver  Driver
	rand    *rand.Rand

	raw   *raft.RawNode
	log   Log
	store Store
	queue *queue.State
	conf  *raftpb.ConfState

	// What raft last said of itself, noticed at noteLeader.
	lead, term uint64
	hard       hardTerm
	acked      ack
	noted      uint64 // the tick of the last WriteNote

	requests  requests
	proposals proposals
	notes     notes
	reads     reads
	batch     batches
	reign     reign
	watchers  map[uint64][]*jobWatch
	peers     map[uint64]*peer
	ticks     uint64
	failover  failover
	alarms    alarms
	// writing is the batch on its way to the store; nil: none.
	writing *Batch
	now     Instant
	clock   clock
	counts  counters
	// fetching is the snapshot message whose snapshot is being fetched.
	fetching *raftpb.Message
	// staged is the position of one that waits for the batch under way.
	staged *raftpb.SnapshotMetadata
	// snapshots sent and not yet reported, by member, with the tick they were sent at.
	sent map[uint64]uint64
	own  []checkpoint
	// quiet: the others were told that nobody here waits for what they do.
	quiet bool
	// asked are transfers that other members asked this leader for.
	asked []uint64
}

type hardTerm struct{ term, vote uint64 }

// counters only grow.
type counters struct {
	proposals, refused, resent, elections, batches, snapshotsSent, snapshotsInstalled uint64
	// Messages of raft's that named a document which is not held here any more.
	notHeld uint64
}

// Config is what a core needs to know of its surroundings. Zero limits stand for their defaults.
type Config struct {
	ID uint64
	// Where clients and members reach this member; recorded in the log so that every member can tell.
	HTTP, Peer string
	// Bytes of requests that may wait or be under way; 64 MiB.
	MaxPendingBytes int
	// Requests that may wait or be under way; 16,384.
	MaxPending int
	// Entries, and bytes of entries, kept for members that are slow; 10,000 and 256 MiB.
	RetainEntries uint64
	RetainBytes   uint64
	// Log lines kept; 1,000,000.
	MaxLines uint64
	// Entries between checkpoints; 10,000.
	CheckpointEvery uint64
	// The time between two batches of the store, in ticks; 4.
	BatchTicks uint64
	Logger     *slog.Logger
	// Random numbers: sessions and the delay before a campaign. Two cores must not share a seed.
	Seed uint64
}

func (c Config) withDefaults() Config {
	setDefault(&c.MaxPendingBytes, 64<<20)
	setDefault(&c.MaxPending, 16<<10)
	setDefault(&c.RetainEntries, 10_000)
	setDefault(&c.RetainBytes, 256<<20)
	setDefault(&c.MaxLines, 1_000_000)
	setDefault(&c.CheckpointEvery, 10_000)
	setDefault(&c.BatchTicks, 4)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// NewCore takes up where the log and the store ended. The store must hold a head: a new member's is written by Bootstrap.
func NewCore(cfg Config, lg Log, store Store, port Port, driver Driver) (*Core, error) {
	cfg = cfg.withDefaults()
	c := &Core{
		id: cfg.ID, cfg: cfg, logger: cfg.Logger, port: port, driver: driver,
		log: lg, store: store,
		rand:     rand.New(rand.NewPCG(cfg.Seed, cfg.ID)),
		watchers: map[uint64][]*jobWatch{},
		peers:    map[uint64]*peer{},
		sent:     map[uint64]uint64{},
	}
	c.session = c.rand.Uint64() | 1
	c.requests.init()
	c.reads.init()
	if err := c.load(); err != nil {
		return nil, err
	}
	raw, err := raft.NewRawNode(&raft.Config{
		ID: c.id, ElectionTick: electionTicks, HeartbeatTick: heartbeatTicks,
		Storage: storage{c}, Applied: c.batch.applied.Index,
		MaxSizePerMsg: 1 << 20, MaxInflightMsgs: 512, MaxInflightBytes: 32 << 20,
		MaxCommittedSizePerReady:  16 << 20,
		MaxUncommittedEntriesSize: uint64(2 * cfg.MaxPendingBytes),
		CheckQuorum:               true, PreVote: true, StepDownOnRemoval: true,
		ReadOnlyOption: raft.ReadOnlySafe, DisableProposalForwarding: true,
		Logger: raftLogger{c.logger},
	})
	if err != nil {
		return nil, fmt.Errorf("start raft: %w", err)
	}
	c.raw = raw
	st := raw.BasicStatus()
	c.hard = hardTerm{st.GetTerm(), st.GetVote()}
	c.term = st.GetTerm()
	c.port.Members(c.queue.Members())
	return c, nil
}

// load reads the queue's state from the store, and tells the log which documents are needed.
func (c *Core) load() error {
	head := c.store.Head()
	if head.Conf == nil {
		return errors.New("state.db holds no configuration: this member was never bootstrapped")
	}
	state, err := queue.Load(c.store.Each)
	if err != nil {
		return fmt.Errorf("read the queue's state: %w", err)
	}
	c.queue = state
	c.conf = head.Conf
	c.batch.init(head)
	for e := range state.Documents() {
		c.log.Retain(e.Index, int64(e.Length))
	}
	c.port.Loaded(state.Seq())
	return nil
}

// Tick lets one tick of time pass.
func (c *Core) Tick(now Instant) {
	c.noteClock(now)
	c.now = now
	c.ticks++
	c.raw.Tick()
	c.sendLate()
	c.tickFailover()
	c.noteLeader()
	c.resend()
	c.reads.retry(c)
	c.reportSnapshots()
	c.tickReign()
	if c.ticks%dutyTicks == 0 {
		c.tellStatus()
		c.duties()
	} else if c.reign.behind && c.reign.transfer == 0 {
		c.expire() // a thousand jobs a second end, and more
	}
}

// Receive takes a frame from another member.
func (c *Core) Receive(now Instant, from uint64, kind byte, body []byte) error {
	c.now = now
	switch kind {
	case frameRaft:
		m, parts, err := decodeRaft(body)
		if err != nil || !c.rejoin(m, parts) {
			return err
		}
		return c.step(from, m)
	case frameForward:
		return c.forwarded(from, body)
	case frameRefuse:
		return c.refused(body)
	case frameStatus:
		return c.heard(from, body)
	case frameTransfer:
		return c.transferAsked(body)
	case frameSnapshot:
		c.snapshotEnded(from, len(body) == 1 && body[0] == 1)
		return nil
	}
	return nil // a newer member's: not for us
}

func (c *Core) step(from uint64, m *raftpb.Message) error {
	// A read index may have been passed on by a member that no longer leads; it is still for whoever asked.
	passedOn := m.GetType() == raftpb.MsgReadIndex
	if m.GetFrom() != from && !passedOn || m.GetTo() != c.id || raft.IsLocalMsg(m.GetType()) {
		return errFrame
	}
	if m.GetType() == raftpb.MsgSnap {
		c.announced(m)
		return nil
	}
	err := c.raw.Step(m)
	c.noteLeader()
	if passedOn && c.lead == c.id {
		c.hurry(from, c.raw.BasicStatus().GetCommit()) // which is the answer
	}
	if errors.Is(err, raft.ErrStepPeerNotFound) || errors.Is(err, raft.ErrProposalDropped) {
		return nil
	}
	return err
}

// Work does all there is to do. An error is the end of this member.
func (c *Core) Work(now Instant) error {
	for {
		if more, err := c.Step(now); err != nil || !more {
			return err
		}
	}
}

// Step does a part of it: at most one turn. It reports whether there may be more, so that what has come meanwhile need not wait
// for all of it.
func (c *Core) Step(now Instant) (more bool, err error) {
	c.now = now
	c.forward()
	c.propose()
	c.reads.ask(c)
	if more = c.raw.HasReady(); more {
		if err := c.turn(); err != nil {
			return false, err
		}
	}
	c.flush(false)
	return more, c.writeNote()
}

// writeNote is once in a tick: before that, the next entries may take the commit index along.
func (c *Core) writeNote() error {
	if c.noted == c.ticks {
		return nil
	}
	c.noted = c.ticks
	if err := c.log.WriteNote(); err != nil {
		return fmt.Errorf("save to the log: %w", err)
	}
	return nil
}

// turn is one turn of raft's wheel. The order is what the promise rests on:
//
//	send   what rests on nothing new: a leader's entries travel to the followers while it writes them itself
//	apply  what is committed and on our disk already: whoever waits for it need not wait for the save as well
//	save   entries, term and vote: one write, one sync
//	send   what says that we saved or voted
//	apply  what is committed of the entries just saved
//	advance
func (c *Core) turn() error {
	rd := c.raw.Ready()
	c.place(rd.Entries)
	before, after := splitMessages(rd, c.hard)
	var last []*raftpb.Message
	if !rd.MustSync {
		before, last = nil, before // nothing is waited for: first those are answered who wait here
	}
	c.send(before)
	saved, unsaved := splitCommitted(rd)
	if err := c.applySaved(saved); err != nil {
		return err
	}
	if err := c.save(rd); err != nil {
		return err
	}
	c.send(after)
	if err := c.apply(unsaved); err != nil {
		return err
	}
	c.send(last)
	c.reads.granted(rd.ReadStates)
	c.raw.Advance(rd)
	c.noteLeader()
	c.reads.serve(c)
	return nil
}

// splitCommitted parts the committed entries into those that an earlier turn saved, and those that this one has to save first.
func splitCommitted(rd raft.Ready) (saved, unsaved []*raftpb.Entry) {
	all := rd.CommittedEntries
	if !rd.MustSync || !raft.IsEmptySnap(rd.Snapshot) {
		return nil, all // there is no sync to be spared, or none of them is here
	}
	n := len(all)
	if len(rd.Entries) > 0 {
		first := rd.Entries[0].GetIndex()
		n = sort.Search(n, func(i int) bool { return all[i].GetIndex() >= first })
	}
	return all[:n], all[n:]
}

// applySaved applies entries that were saved before this turn. The log is told first what is committed, as it is by a save.
func (c *Core) applySaved(entries []*raftpb.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	commit := entries[len(entries)-1].GetIndex()
	c.log.Note(&raftpb.HardState{Term: &c.hard.term, Vote: &c.hard.vote, Commit: &commit})
	return c.apply(entries)
}

// splitMessages tells which messages may go before the save. Answers to votes and appends rest on it; while the term or the vote
// is new, everything does.
func splitMessages(rd raft.Ready, hard hardTerm) (before, after []*raftpb.Message) {
	if hs := rd.HardState; hs != nil && (hardTerm{hs.GetTerm(), hs.GetVote()}) != hard || !raft.IsEmptySnap(rd.Snapshot) {
		return nil, rd.Messages
	}
	for _, m := range rd.Messages {
		switch m.GetType() {
		case raftpb.MsgAppResp, raftpb.MsgVoteResp, raftpb.MsgPreVoteResp:
			after = append(after, m)
		default:
			before = append(before, m)
		}
	}
	return before, after
}

func (c *Core) save(rd raft.Ready) error {
	if !raft.IsEmptySnap(rd.Snapshot) {
		if err := c.install(rd); err != nil {
			return fmt.Errorf("install snapshot: %w", err)
		}
	} else if rd.MustSync {
		if err := c.log.SaveSummed(rd.HardState, rd.Entries, c.notes.sums(rd.Entries), true); err != nil {
			return fmt.Errorf("save to the log: %w", err)
		}
	} else if rd.HardState != nil {
		c.log.Note(rd.HardState)
	}
	if hs := rd.HardState; hs != nil {
		c.hard = hardTerm{hs.GetTerm(), hs.GetVote()}
	}
	return nil
}

func (c *Core) send(messages []*raftpb.Message) {
	for _, m := range messages {
		if m.GetTo() == c.id || c.said(m) || c.later(m) {
			continue
		}
		f, err := encodeRaft(m, &c.notes)
		if err != nil {
			panic(err) // raft's own message
		}
		ok := c.port.Send(m.GetTo(), f)
		switch {
		case m.GetType() == raftpb.MsgSnap && ok:
			c.sent[m.GetTo()] = c.ticks
			c.counts.snapshotsSent++
		case m.GetType() == raftpb.MsgSnap:
			c.raw.ReportSnapshot(m.GetTo(), raft.SnapshotFailure)
		case !ok:
			c.acked = ack{}
			c.raw.ReportUnreachable(m.GetTo())
		}
	}
}

// An ack is what was said to a leader of the entries that are saved here.
type ack struct{ to, term, index, tick uint64 }

// said reports that a message says only what was said in this tick already. A leader's word of what is committed comes by an
// append without entries, and raft answers each; that answer costs both sides a wake-up. In the next tick it is said again, as what
// was said first may have been lost.
func (c *Core) said(m *raftpb.Message) bool {
	if m.GetType() != raftpb.MsgAppResp || m.GetReject() {
		return false
	}
	a := ack{m.GetTo(), m.GetTerm(), m.GetIndex(), c.ticks}
	again := a == c.acked
	c.acked = a
	return again
}

// noteLeader notices a change of leader or term as soon as raft knows of it, before anything is written or sent: the
// driver's context ends here.
func (c *Core) noteLeader() {
	st := c.raw.BasicStatus()
	lead, term := st.Lead, st.GetTerm()
	if lead == c.lead && term == c.term {
		return
	}
	if term != c.term || lead != c.id {
		c.endReign()
	}
	if lead != raft.None {
		c.failover.left = 0
	}
	if lead == c.id && (c.lead != c.id || term != c.term) {
		c.counts.elections++
	}
	c.lead, c.term = lead, term
	c.port.Leader(lead, term)
	c.proposals, c.requests.forwards = proposals{}, nil
	c.forgetLate()
	if lead != raft.None {
		c.dispatchAll()
		c.reads.again()
		c.logger.Info("leader", "leader", lead, "term", term)
	}
}

// Leads reports whether this member leads, and in which term.
func (c *Core) Leads() (term uint64, ok bool) { return c.term, c.lead == c.id }
