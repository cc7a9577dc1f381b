package node

import (
	"fmt"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/log"
	"printq/queue"
)

// batches is the state's way to the store: what was applied since the last batch waits here, and one batch at a time is
// written off the loop. What is in no batch yet is replayed from the log after a crash.
type batches struct {
	applied Position
	// What the store held durably when last asked.
	durable Head
	// Lines and releases since the last batch.
	lines   []queue.Line
	bytes   int
	release []queue.Extent
	dirty   bool
	since   uint64
	// Bytes of entries applied since the base was last moved, by index: what the base is chosen from.
	sizes entrySizes
	// Releases of durable batches wait here while a snapshot is being streamed.
	held   []queue.Extent
	pinned int
	// Lines below this seq are too old.
	trim uint64
}

// TrimLines lets go of the lines below seq, with the next batch.
func (c *Core) TrimLines(seq uint64) { c.batch.trim = max(c.batch.trim, seq) }

func (b *batches) init(h Head) {
	b.applied, b.durable = h.Applied, h
	b.lines, b.release, b.held, b.bytes, b.dirty = nil, nil, nil, 0, false // what is held is of a log before this one
	b.sizes = entrySizes{first: h.Base.Index + 1}
}

// maxAhead bounds the lines that room is made for before they come.
const maxAhead = 4096

// maxUnwritten bounds the lines that wait for the store. Past it the loop waits for the store too: a member whose disk
// does not keep up must not keep leading.
const maxUnwritten = 64 << 20

func (c *Core) apply(entries []*raftpb.Entry) error {
	changed := map[uint64]bool{}
	live := c.reign.active
	for _, e := range entries {
		if e.GetIndex() <= c.batch.applied.Index {
			continue
		}
		res, err := c.applyEntry(e)
		if err != nil {
			return fmt.Errorf("apply entry %d: %w", e.GetIndex(), err)
		}
		for _, id := range res.Devices {
			changed[id] = true
		}
		if c.lead == c.id && e.GetTerm() == c.term && !c.reign.active {
			c.beginReign()
			live = true
		}
	}
	if live && len(changed) > 0 {
		c.tellDriver(changed)
	}
	return nil
}

func (c *Core) applyEntry(e *raftpb.Entry) (queue.Result, error) {
	entry := queue.Entry{Index: e.GetIndex(), Term: e.GetTerm()}
	switch e.GetType() {
	case raftpb.EntryNormal:
		entry.Data = e.GetData()
	case raftpb.EntryConfChange:
		cc := new(raftpb.ConfChange)
		if err := proto.Unmarshal(e.GetData(), cc); err != nil {
			return queue.Result{}, err
		}
		c.conf = c.raw.ApplyConfChange(cc)
	case raftpb.EntryConfChangeV2:
		cc := new(raftpb.ConfChangeV2)
		if err := proto.Unmarshal(e.GetData(), cc); err != nil {
			return queue.Result{}, err
		}
		c.conf = c.raw.ApplyConfChange(cc)
	}
	res, err := c.queue.Apply(entry, view{c})
	if err != nil {
		return res, err
	}
	c.batch.applied = Position{Index: entry.Index, Term: entry.Term}
	c.batch.add(res, len(e.GetData()), c.ticks)
	c.proposals.applied(len(e.GetData()), entry.Term == c.term)
	for _, x := range res.Retain {
		c.log.Retain(x.Index, int64(x.Length))
	}
	if len(res.Lines) > 0 {
		c.port.Publish(res.Lines)
	}
	c.answer(res.Outcomes, c.batch.applied)
	c.wake(res.Jobs)
	if res.Checkpoint != nil {
		c.checkpointed(*res.Checkpoint)
	}
	return res, nil
}

func (b *batches) add(res queue.Result, size int, tick uint64) {
	if !b.dirty {
		b.dirty, b.since = true, tick
	}
	b.lines = append(b.lines, res.Lines...)
	for _, l := range res.Lines {
		b.bytes += len(l.JSON)
	}
	b.release = append(b.release, res.Release...)
	b.sizes.add(size)
}

// flush begins the next batch where it is time; with force, where there is anything to write.
func (c *Core) flush(force bool) {
	b := &c.batch
	if !b.dirty || c.writing != nil {
		return
	}
	if !force && c.ticks-b.since < c.cfg.BatchTicks && b.bytes < maxUnwritten/16 {
		return
	}
	w := &Batch{
		Head:    Head{Applied: b.applied, Conf: c.conf, Base: c.chooseBase()},
		Changes: c.queue.Drain(),
		Lines:   b.lines,
		release: b.release,
	}
	w.TrimLines = b.trim
	if seq := c.queue.Seq(); seq > c.cfg.MaxLines {
		w.TrimLines = max(b.trim, seq-c.cfg.MaxLines+1)
	}
	b.lines, b.release, b.bytes, b.dirty = make([]queue.Line, 0, min(len(b.lines), maxAhead)), nil, 0, false // about as many come again
	c.writing = w
	c.counts.batches++
	c.port.Write(w)
}

// Overfull reports that so much waits for the store that the loop must wait with it.
func (c *Core) Overfull() bool { return c.writing != nil && c.batch.bytes > maxUnwritten }

// Written tells that the batch under way is durable: only now may the log forget.
func (c *Core) Written() error {
	w := c.writing
	c.writing = nil
	if w == nil {
		return nil
	}
	c.batch.durable = w.Head
	if err := c.log.SetBase(w.Base); err != nil {
		return fmt.Errorf("move the log's base to %d: %w", w.Base.Index, err)
	}
	c.batch.held = append(c.batch.held, w.release...)
	c.letGo()
	if c.staged != nil {
		return c.Fetched(c.staged)
	}
	return nil
}

// Pin keeps the log's base and every document where they are, while a snapshot is being streamed; Unpin ends it.
func (c *Core) Pin() { c.batch.pinned++ }

// Unpin ends one Pin.
func (c *Core) Unpin() {
	c.batch.pinned--
	c.letGo()
}

func (c *Core) letGo() {
	if c.batch.pinned > 0 {
		return
	}
	for _, x := range c.batch.held {
		c.log.Release(x.Index, int64(x.Length))
	}
	c.batch.held = nil
}

// chooseBase keeps the newest entries, by number and by bytes, for members that are slow; what is older, a slow member
// gets by a snapshot. The base never passes what this batch makes durable.
func (c *Core) chooseBase() log.Base {
	b := &c.batch
	old := b.durable.Base
	if b.pinned > 0 {
		return old
	}
	index := b.sizes.keep(b.applied.Index, c.cfg.RetainEntries, c.cfg.RetainBytes)
	if index <= old.Index {
		return old
	}
	term, err := c.log.Term(index)
	if err != nil {
		return old
	}
	return log.Base{Index: index, Term: term}
}

// entrySizes remembers the bytes of the applied entries above the base.
type entrySizes struct {
	first uint64 // index of sizes[0]
	sizes []uint32
	bytes uint64
}

func (s *entrySizes) add(size int) {
	s.sizes = append(s.sizes, uint32(size))
	s.bytes += uint64(size)
}

// keep drops the oldest until the limits hold, and returns the index of the last one dropped.
func (s *entrySizes) keep(applied, entries, bytes uint64) uint64 {
	// What was applied before this process started was never added: it is the oldest.
	if n := uint64(len(s.sizes)); applied >= n && s.first < applied-n+1 {
		s.first = applied - n + 1
	}
	i := 0
	for i < len(s.sizes) && (uint64(len(s.sizes)-i) > entries || s.bytes > bytes) {
		s.bytes -= uint64(s.sizes[i])
		i++
	}
	s.first += uint64(i)
	s.sizes = append(s.sizes[:0:0], s.sizes[i:]...)
	return s.first - 1
}
