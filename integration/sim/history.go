package sim

import (
	"bytes"

	"go.etcd.io/raft/v3/raftpb"

	"printq/node"
	"printq/queue"
)

// history is what was committed, as the first member to know of it had it: the one sequence that all members' logs are prefixes
// of, and what it means.
type history struct {
	w        *World
	entries  []entry // entries[i] has index i+2
	state    *queue.State
	lines    []queue.Line // lines[i] has seq i+1
	leaders  map[uint64]leader
	jobs     map[uint64]*jobHistory
	drives   []queue.Drive // as of the last entry
	acked    uint64        // the highest position that a client was told
	claims   map[queue.Token]bool
	reprints map[string]bool
	attempts map[printing]*attempted
	doubts   map[uint64]map[int]bool // units that were ever in doubt, by job
}

type entry struct {
	term uint64
	kind raftpb.EntryType
	data []byte
}

// A leader of a term is one process of one member.
type leader struct {
	member *member
	birth  uint64
}

func (h *history) init(w *World) {
	h.w = w
	h.state = queue.New(clusterID)
	h.leaders, h.jobs, h.claims = map[uint64]leader{}, map[uint64]*jobHistory{}, map[queue.Token]bool{}
	h.reprints = map[string]bool{}
	h.attempts, h.doubts = map[printing]*attempted{}, map[uint64]map[int]bool{}
}

func (h *history) last() uint64 { return uint64(len(h.entries)) + 1 }

// leads checks that a term has one leader.
func (h *history) leads(m *member, term uint64) {
	if l, ok := h.leaders[term]; ok && (l.member != m || l.birth != m.birth) {
		h.w.violated(1, "members %d and %d lead in term %d", l.member.id, m.id, term)
	} else if !ok {
		h.w.counts.add("leader elected")
	}
	h.leaders[term] = leader{m, m.birth}
	h.w.raceOnLeading(m, term)
}

// committed checks what a member now takes for committed (invariant 1), and takes up what is new.
func (h *history) committed(m *member, commit uint64) {
	first, _ := m.log.FirstIndex()
	entries, err := m.log.Entries(max(m.applied+1, first), commit+1, 1<<40)
	if err != nil {
		if m.flipped {
			return // its core will find out
		}
		h.w.violated(1, "member %d commits %d and cannot read it: %v", m.id, commit, err)
	}
	for _, e := range entries {
		h.one(m, e)
	}
}

func (h *history) one(m *member, e *raftpb.Entry) {
	at := int(e.GetIndex()) - 2
	mine := entry{e.GetTerm(), e.GetType(), e.GetData()}
	switch {
	case at < len(h.entries):
		if ours := h.entries[at]; ours.term != mine.term || !bytes.Equal(ours.data, mine.data) {
			h.w.violated(1, "entry %d of member %d has term %d, %d bytes; committed was one of term %d, %d bytes",
				e.GetIndex(), m.id, mine.term, len(mine.data), ours.term, len(ours.data))
		}
		return
	case at > len(h.entries):
		h.w.violated(1, "member %d commits %d, the last known is %d", m.id, e.GetIndex(), h.last())
	}
	h.entries = append(h.entries, mine)
	h.durable(m, e)
	h.apply(mine)
}

// durable checks that a majority holds what is committed (invariant 11).
func (h *history) durable(m *member, e *raftpb.Entry) {
	if m.leading > e.GetTerm() {
		h.w.counts.add("race: entry of an older term committed by a newer leader")
	}
	holders := 0
	for _, other := range h.w.members {
		if other.holds(e) {
			holders++
		}
	}
	if 2*holders <= len(h.w.members) {
		h.w.violated(11, "entry %d is committed and %d of %d members hold it", e.GetIndex(), holders, len(h.w.members))
	}
}

// holds reports whether a member's log has an entry, or had it when the member went down.
func (m *member) holds(e *raftpb.Entry) bool {
	if m.log == nil {
		return false
	}
	term, err := m.log.Term(e.GetIndex())
	return err == nil && term == e.GetTerm() || err != nil && m.applied >= e.GetIndex()
}

// apply lets the sequence go on, and checks what is to be checked after every entry.
func (h *history) apply(e entry) {
	q := queue.Entry{Index: h.last(), Term: e.term}
	if e.kind == raftpb.EntryNormal {
		q.Data = e.data
	}
	before := h.state.Term()
	r, err := h.state.Apply(q, nil)
	if err != nil {
		h.w.violated(1, "entry %d cannot be applied: %v", q.Index, err)
	}
	h.w.trace.note(8, q.Index, q.Term)
	h.w.trace.noteBytes(e.data)
	h.lines = append(h.lines, r.Lines...)
	if h.w.trace.on {
		for _, l := range r.Lines {
			h.w.trace.say(h.w.now, "LOG %s", l.JSON)
		}
	}
	old := h.drives
	h.drives = h.state.Drives()
	h.checkTags(q, r)
	h.checkTokens(old)
	h.checkProgress(r)
	h.checkLines(r)
	if e.term > before {
		h.w.raceOnTerm(old, before)
	}
}

// published checks that a member's lines are the sequence's (invariants 1 and 10).
func (h *history) published(m *member, lines []queue.Line) {
	for _, l := range lines {
		if l.Seq != m.seq+1 {
			h.w.violated(1, "member %d publishes line %d after %d", m.id, l.Seq, m.seq)
		}
		m.seq = l.Seq
		if int(l.Seq) > len(h.lines) || !bytes.Equal(h.lines[l.Seq-1].JSON, l.JSON) {
			h.w.violated(1, "line %d of member %d is not the one that others have: %s", l.Seq, m.id, l.JSON)
		}
	}
}

// sent checks that what says "I saved" or "I voted" leaves after its sync (invariant 11).
func (h *history) sent(m *member, f node.Frame) {
	if m.log.dirty && promises(f) {
		h.w.violated(11, "member %d answers before it has synced", m.id)
	}
}

// drive is a device as of the last entry.
func (h *history) drive(device uint64) *queue.Drive {
	for i := range h.drives {
		if h.drives[i].Device == device {
			return &h.drives[i]
		}
	}
	return nil
}
