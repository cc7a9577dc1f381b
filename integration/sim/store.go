package sim

import (
	"encoding/binary"
	"maps"
	"slices"

	"printq/node"
	"printq/queue"
)

// memoryStore is a node.Store in memory: a batch is durable as a whole or not at all. It is not copied when a process ends.
type memoryStore struct {
	head    node.Head
	records map[queue.Bucket]map[string][]byte
	late    *node.Batch // a mutant's: not written yet
}

var _ node.Store = (*memoryStore)(nil)

// newStore is the store of a member that has applied nothing, as node's bootstrap writes it.
func newStore(first *node.Batch) *memoryStore {
	s := &memoryStore{records: map[queue.Bucket]map[string][]byte{}}
	s.write(first)
	return s
}

func (s *memoryStore) clone() *memoryStore {
	c := &memoryStore{head: s.head, records: map[queue.Bucket]map[string][]byte{}}
	for b, records := range s.records {
		c.records[b] = maps.Clone(records)
	}
	return c
}

func (s *memoryStore) Head() node.Head { return s.head }

func (s *memoryStore) Get(bucket queue.Bucket, key []byte) ([]byte, error) {
	return s.records[bucket][string(key)], nil
}

func (s *memoryStore) Each(bucket queue.Bucket, fn func(key, value []byte) error) error {
	records := s.records[bucket]
	for _, k := range slices.Sorted(maps.Keys(records)) {
		if err := fn([]byte(k), records[k]); err != nil {
			return err
		}
	}
	return nil
}

func (s *memoryStore) Lines(seq uint64, limit int) (lines []queue.Line, err error) {
	for ; len(lines) < limit; seq++ {
		value := s.records[queue.Lines][string(binary.BigEndian.AppendUint64(nil, seq))]
		if value == nil {
			break
		}
		lines = append(lines, queue.Line{Seq: seq, JSON: value})
	}
	return lines, nil
}

func (s *memoryStore) Commit(b *node.Batch) error {
	s.write(b)
	return nil
}

func (s *memoryStore) write(b *node.Batch) {
	for _, c := range b.Changes {
		s.put(c.Bucket, string(c.Key), c.Value)
	}
	for _, l := range b.Lines {
		s.put(queue.Lines, string(binary.BigEndian.AppendUint64(nil, l.Seq)), l.JSON)
	}
	s.head = b.Head
}

func (s *memoryStore) put(bucket queue.Bucket, key string, value []byte) {
	records := s.records[bucket]
	if records == nil {
		records = map[string][]byte{}
		s.records[bucket] = records
	}
	if value == nil {
		delete(records, key)
	} else {
		records[key] = value
	}
}
