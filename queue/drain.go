package queue

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"printq/queue/queuepb"
)

// Drain gives the records that changed since the last Drain, by bucket in the order of Buckets and by key. Ended jobs and
// their keys then leave memory: the caller's View must find them from now on.
func (s *State) Drain() []Change {
	if s.written == s.index && len(s.dirty) == 0 {
		return nil
	}
	writes := make([]dirtied, len(s.dirty))
	for i, k := range s.dirty {
		writes[i] = dirtied{k, rankOf(k.bucket()), k.key()}
	}
	slices.SortStableFunc(writes, func(a, b dirtied) int { return cmp.Or(cmp.Compare(a.rank, b.rank), bytes.Compare(a.key, b.key)) })
	changes := make([]Change, 0, len(writes)+len(writes)/2+1)
	for _, w := range writes {
		changes = s.write(changes, w)
	}
	clear(s.dirty)
	s.dirty = s.dirty[:0]
	s.written = s.index
	changes = append(changes, Change{Meta, []byte(Meta), s.meta()})
	return byBucket(changes)
}

// A dirtied record is one on its way to a bucket.
type dirtied struct {
	kept
	rank rank
	key  []byte
}

// byBucket puts changes in the order of Buckets, and leaves those of one bucket as they are.
func byBucket(changes []Change) []Change {
	var starts [1 << 8]int
	ranks := make([]rank, len(changes))
	for i, c := range changes {
		ranks[i] = rankOf(c.Bucket)
		starts[ranks[i]]++
	}
	at := 0
	for r, n := range starts {
		starts[r] = at
		at += n
	}
	sorted := make([]Change, len(changes))
	for i, c := range changes {
		sorted[starts[ranks[i]]] = c
		starts[ranks[i]]++
	}
	return sorted
}

// write adds the changes that one record needs. Where something was gone and came again under one key, the older is written
// first: it was touched first, and the sort is stable.
func (s *State) write(changes []Change, w dirtied) []Change {
	r := w.rec()
	r.dirty = false
	if r.stored != 0 && (r.gone || r.stored != w.rank) {
		changes = append(changes, Change{r.stored.bucket(), w.key, nil})
		r.stored = 0
	}
	value := s.settle(w.kept, w.key)
	if !r.gone {
		changes = append(changes, Change{w.rank.bucket(), w.key, value})
		r.stored = w.rank
	}
	switch k := w.kept.(type) {
	case *job:
		if k.state.Ended() && s.jobs[k.id] == k {
			delete(s.jobs, k.id)
		}
	case *usedKey:
		if name := k.idempotency.key; s.usedKeys[name] == k {
			delete(s.usedKeys, name)
		}
	}
	return changes
}

// settle brings a record's part of the digest up to date, and gives its bytes.
func (s *State) settle(k kept, key []byte) (value []byte) {
	r := k.rec()
	s.digest -= r.sum
	r.sum = 0
	if !r.gone {
		value = k.encode()
		if counted(k.bucket()) {
			r.sum = recordSum(k.bucket(), key, value)
			s.digest += r.sum
		}
		s.noteSum(k)
	}
	return value
}

// noteSum keeps the part of the digest that an ended job has, for when it leaves.
func (s *State) noteSum(k kept) {
	if j, ok := k.(*job); ok && j.state.Ended() {
		if f := s.ended.byID[j.id]; f != nil {
			f.sum = j.sum
		}
	}
}

// counted reports whether a bucket's records count in the digest.
func counted(b Bucket) bool { return b != Meta && b != Times }

// Digest is a sum over all records but the meta one and the times: equal on members that applied the same entries, whenever they drained.
func (s *State) Digest() uint64 {
	for _, k := range s.dirty {
		s.settle(k, k.key())
	}
	return s.digest
}

// recordSum is what a record adds to the digest.
func recordSum(b Bucket, key, value []byte) uint64 {
	text := make([]byte, 0, 512)
	text = append(text, b...)
	text = append(text, 0, byte(len(key)>>8), byte(len(key)))
	text = append(text, key...)
	text = append(text, value...)
	sum := sha256.Sum256(text)
	return binary.LittleEndian.Uint64(sum[:])
}

func (s *State) meta() []byte {
	chain := s.Chain()
	return marshal(&queuepb.Meta{
		Term: s.term, Time: s.time, Index: s.index, NextJob: s.nextJob, NextDevice: s.nextDevice, Seq: s.seq, Chain: chain[:],
		Digest: s.digest, Version: s.version, Cluster: s.cluster, Void: s.void, NextSubscription: s.nextSubscription,
	})
}
