package log

import "go.etcd.io/raft/v3/raftpb"

// cache keeps the newest entries, so that raft's questions about the tail do not touch the disk.
// The entries are consecutive and end at the log's last one.
type cache struct {
	limit   int64 // bytes
	bytes   int64
	entries []*raftpb.Entry
}

// entryOverhead is roughly what an entry takes beside its data.
const entryOverhead = 128

func cost(e *raftpb.Entry) int64 { return int64(len(e.GetData())) + entryOverhead }

// first is the lowest cached index, or 0.
func (c *cache) first() uint64 {
	if len(c.entries) == 0 {
		return 0
	}
	return c.entries[0].GetIndex()
}

func (c *cache) get(index uint64) *raftpb.Entry {
	first := c.first()
	if first == 0 || index < first || index-first >= uint64(len(c.entries)) {
		return nil
	}
	return c.entries[index-first]
}

// put adds entries and forgets those that they overwrite, then the oldest ones beyond the limit.
func (c *cache) put(entries []*raftpb.Entry) {
	for _, e := range entries {
		c.cut(e.GetIndex())
		c.entries = append(c.entries, e)
		c.bytes += cost(e)
	}
	n := 0
	for ; n < len(c.entries) && c.bytes > c.limit; n++ {
		c.bytes -= cost(c.entries[n])
		c.entries[n] = nil
	}
	c.entries = c.entries[n:]
}

// cut forgets the entries from index on, and all if they would no longer be consecutive.
func (c *cache) cut(index uint64) {
	first := c.first()
	keep := 0
	if first != 0 && index > first && index-first <= uint64(len(c.entries)) {
		keep = int(index - first)
	}
	for i := keep; i < len(c.entries); i++ {
		c.bytes -= cost(c.entries[i])
		c.entries[i] = nil
	}
	c.entries = c.entries[:keep]
}
