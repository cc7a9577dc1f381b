package node

import (
	"bytes"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
)

// A note is what is known of an entry beside what raft knows: an entry of one index and term is the same wherever it is.
type note struct {
	index, term uint64
	sum         uint32 // CRC-32C of its data
	origin      origin
}

// An origin is the member whose request an entry is made of, and that holds its document while its client waits. It need not be sent
// there, once: if it got lost, or the client left, raft sends it again, and then the whole of it.
type origin struct {
	member, seq uint64
	begin       int // bytes of the data before the document
}

// notes are of the newest entries, at their index modulo their number.
type notes [1024]note

// keepFrom is the shortest document that is not sent where it came from.
const keepFrom = 64

func (n *notes) slot(index uint64) *note { return &n[index%uint64(len(n))] }

func (n *notes) put(e *raftpb.Entry, sum uint32, from origin) {
	*n.slot(e.GetIndex()) = note{e.GetIndex(), e.GetTerm(), sum, from}
}

func (n *notes) of(e *raftpb.Entry) *note {
	if s := n.slot(e.GetIndex()); s.index == e.GetIndex() && s.term == e.GetTerm() && s.index != 0 {
		return s
	}
	return nil
}

// sum is the CRC-32C of an entry's data. It is computed where it was not known.
func (n *notes) sum(e *raftpb.Entry) uint32 {
	if s := n.of(e); s != nil {
		return s.sum
	}
	sum := crc32c.Sum(e.GetData())
	n.put(e, sum, origin{})
	return sum
}

func (n *notes) sums(entries []*raftpb.Entry) []uint32 {
	sums := make([]uint32, len(entries))
	for i, e := range entries {
		sums[i] = n.sum(e)
	}
	return sums
}

// kept tells the first time which request of a member's holds an entry's document, and what of the data stands before it. seq 0: none.
func (n *notes) kept(e *raftpb.Entry, member uint64) (seq uint64, begin []byte) {
	s := n.of(e)
	if s == nil || s.origin.member != member || member == 0 {
		return 0, nil
	}
	from := s.origin
	s.origin = origin{}
	return from.seq, e.GetData()[:from.begin]
}

// rejoin completes the entries of a message with the documents that we hold, and notes their checksums. It reports false where one
// is missing: the message is as good as lost.
func (c *Core) rejoin(m *raftpb.Message, parts []part) bool {
	for i, e := range m.GetEntries() {
		p := parts[i]
		if p.seq != 0 {
			r := c.requests.pending[p.seq]
			if r == nil || !r.completes(p) {
				c.counts.notHeld++
				return false
			}
			e.Data = join(p.begin, r.payload, r.takeRoom())
		}
		c.notes.put(e, p.sum, origin{})
	}
	return true
}

// completes compares the session too: it is in the head.
func (r *request) completes(p part) bool {
	return uint64(len(p.begin)+len(r.payload)) == p.size && bytes.HasSuffix(p.begin, r.head) &&
		crc32c.Join(crc32c.Sum(p.begin), r.sum, len(r.payload)) == p.sum
}
