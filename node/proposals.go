package node

import (
	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
	"printq/queue"
)

// proposals are what every member's clients and the leader's own driver want in the log, until raft has taken it. They are a
// leader's, of one term: at a change of either they are forgotten, and the members send their requests again.
type proposals struct {
	// In the order in which they came.
	waiting []proposal
	bytes   int
	// Of the facts among them, and of those that raft took at a time last, in bytes.
	facts, lastFacts int
	// Bytes that raft took and that are not applied yet.
	uncommitted int
	// What is known of the entries that raft took last, until place.
	took []took
	// held: nothing is proposed until Core.Release, so that more comes together.
	held bool
}

// A proposal is a command as it will stand in an entry.
type proposal struct {
	head, payload []byte
	sum           uint32 // CRC-32C of the payload
	whole         []byte // see forwarded
	// The request of another member that it is; 0: our own, or a decision.
	member, seq uint64
	// The term of a decision: in another term it is not proposed (R1 would void it). 0: a fact.
	term  uint64
	alone bool
}

func (p proposal) size() int { return len(p.head) + len(p.payload) }

const (
	// Entries are packed up to about this size; a chunk or a document may make one a little larger.
	packBytes    = 64 << 10
	packCommands = 1024
	// maxProposed bounds what raft holds unapplied; the rest waits.
	maxProposed = 32 << 20
	// Of proposals longer than small, raft gets about so many bytes at a time.
	small   = 32 << 10
	maxBulk = 1536 << 10
	// Up to so many bytes go through raft without their data, which place adds: raft would copy it. More than that it must see the size
	// of, to make several messages of it.
	maxBare = 2 << 20
	// maxGathered is as much as is worth a sync of its own.
	maxGathered = 1 << 20
)

func (q *proposals) push(p proposal) {
	q.waiting = append(q.waiting, p)
	q.bytes += p.size()
	if p.term == 0 {
		q.facts += p.size()
	}
}

func (q *proposals) applied(size int, ours bool) {
	if ours {
		q.uncommitted = max(0, q.uncommitted-size)
	}
}

// Decide proposes a decision of the driver's or of the leader's duties, if this member still leads in the term.
func (c *Core) Decide(term uint64, head []byte, alone bool) {
	if c.lead == c.id && c.term == term {
		c.proposals.push(proposal{head: head, term: term, alone: alone})
	}
}

// Gathering reports whether a leader does well to Hold its proposals for a moment: fewer wait than went last time and are under way
// now. The clients of those are about to ask again, and would wait for a sync of their own. Where that is a slow disk's, a short wait
// for them makes one sync of two. A client that is alone is never waited for.
func (c *Core) Gathering() bool {
	q := &c.proposals
	return c.lead == c.id && q.facts > 0 && q.facts < min(q.lastFacts+q.uncommitted, maxGathered)
}

// Hold keeps proposals back until Release.
func (c *Core) Hold() { c.proposals.held = true }

// Release ends Hold.
func (c *Core) Release() { c.proposals.held = false }

// propose hands what has queued up to raft, as one message of packed entries.
func (c *Core) propose() {
	q := &c.proposals
	if len(q.waiting) == 0 || c.lead != c.id || q.held || q.uncommitted >= maxProposed {
		return
	}
	now, rest := q.choose()
	entries, notes, size := c.pack(now, sizeOf(now) <= maxBare)
	if len(entries) > 0 {
		err := c.raw.Step(&raftpb.Message{Type: raftpb.MsgProp.Enum(), From: new(c.id), Entries: entries})
		if err != nil {
			return // leadership is being handed over, or too much is under way: they wait
		}
		q.took = notes
	}
	c.counts.proposals += uint64(len(now))
	q.uncommitted += size
	q.keep(rest)
}

// choose takes what is to be saved next. Labels go before documents, and of documents only so much goes at once that a label which
// comes a moment later waits for no more than that. Between commands of one client there is an order only where it has waited
// for one before it sent the next.
func (q *proposals) choose() (now, rest []proposal) {
	left, bulk := maxProposed-q.uncommitted, maxBulk
	if q.bytes <= min(left, bulk) {
		return q.waiting, nil
	}
	var documents []proposal
	for _, p := range q.waiting {
		if p.size() > small {
			documents = append(documents, p)
		} else if left > 0 {
			now = append(now, p)
			left -= p.size()
		} else {
			rest = append(rest, p)
		}
	}
	for _, p := range documents {
		if left > 0 && bulk > 0 {
			now = append(now, p)
			left -= p.size()
			bulk -= p.size()
		} else {
			rest = append(rest, p)
		}
	}
	return now, rest
}

// keep is what is left of the proposals once raft has taken the others.
func (q *proposals) keep(rest []proposal) {
	facts := q.facts
	q.waiting, q.bytes, q.facts = nil, 0, 0
	for _, p := range rest {
		q.push(p)
	}
	if took := facts - q.facts; took > 0 {
		q.lastFacts = took
	}
}

// pack makes entries of proposals. A claim stands alone in its entry. State time never goes back.
func (c *Core) pack(proposals []proposal, bare bool) (entries []*raftpb.Entry, notes []took, size int) {
	now := max(c.stamp(), c.queue.Time().UnixNano())
	var group []queue.Packed
	var last proposal // of the group
	bytes := 0
	seal := func() {
		if len(group) > 0 {
			note := takeNote(now, group, last)
			e := new(raftpb.Entry)
			if !bare {
				note.last.whole = nil // raft may refuse it, and then the head is still needed
				e.Data, note.data = note.join(), nil
			}
			entries, notes = append(entries, e), append(notes, note)
			size += note.size
			group, bytes = nil, 0
		}
	}
	for _, p := range proposals {
		if p.term != 0 && p.term != c.term {
			continue
		}
		if p.alone || bytes+p.size() > packBytes && bytes > 0 || len(group) == packCommands {
			seal()
		}
		if p.member != 0 {
			c.peer(p.member).proposed = true
		}
		last = p
		group = append(group, queue.Packed{Head: p.head, Payload: p.payload})
		bytes += p.size()
		if p.alone {
			seal()
		}
	}
	seal()
	return entries, notes, size
}

func sizeOf(proposals []proposal) (size int) {
	for _, p := range proposals {
		size += p.size()
	}
	return size
}

// took is the note of an entry that has no index yet, and its data.
type took struct {
	sum    uint32
	origin origin
	size   int
	data   []byte // or
	begin  []byte // of the data, whose rest is
	last   proposal
}

// joinFrom is how long a document is whose checksum is joined to that of what stands before it: to compute a shorter one's again
// is faster.
const joinFrom = 4 << 10

// takeNote packs commands, of which last is the last.
func takeNote(now int64, group []queue.Packed, last proposal) took {
	if len(group) > 1 || len(last.payload) < keepFrom {
		data := queue.Pack(now, group)
		return took{sum: crc32c.Sum(data), size: len(data), data: data}
	}
	begin := queue.Pack(now, []queue.Packed{{Head: last.head}})
	t := took{origin: origin{last.member, last.seq, len(begin)}, size: len(begin) + len(last.payload), begin: begin, last: last}
	if t.sum = crc32c.Sum(begin); len(last.payload) < joinFrom {
		t.sum = crc32c.Update(t.sum, last.payload)
	} else {
		t.sum = crc32c.Join(t.sum, last.sum, len(last.payload))
	}
	return t
}

func (t *took) join() []byte {
	if t.data != nil {
		return t.data
	}
	return join(t.begin, t.last.payload, t.last.whole)
}

// join puts begin before a document, in the memory before it if whole has enough of it.
func join(begin, payload, whole []byte) []byte {
	at := len(whole) - len(payload) - len(begin)
	if at < 0 {
		return append(append(make([]byte, 0, len(begin)+len(payload)), begin...), payload...)
	}
	copy(whole[at:], begin)
	return whole[at:]
}

// place completes the entries that propose gave to raft, and notes what is known of them: they are the last ones of those it
// wants saved, as nothing was appended since.
func (c *Core) place(entries []*raftpb.Entry) {
	q := &c.proposals
	if len(q.took) == 0 {
		return
	}
	for i, e := range entries[len(entries)-len(q.took):] {
		t := &q.took[i]
		if e.Data == nil {
			e.Data = t.join()
		}
		c.notes.put(e, t.sum, t.origin)
	}
	q.took = nil
	c.placed(entries[len(entries)-1].GetIndex())
}
