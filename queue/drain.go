package queue

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"

	"printq/queue/queuepb"
)

// Drain gives the records that changed since the last Drain, by bucket in the order of Buckets and by key, for [Find] too.
// Ended jobs and their keys then leave memory: the caller's View must find them from now on.
func (s *State) Drain() []Change {
	if s.written == s.index && len(s.dirty) == 0 {
		return nil
	}
	changes := make([]Change, 0, len(s.dirty)+len(s.dirty)/2+1)
	for _, k := range s.dirty {
		changes = s.write(changes, k)
	}
	clear(s.dirty)
	s.dirty = s.dirty[:0]
	s.written = s.index
	return sorted(append(changes, Change{Meta, []byte(Meta), s.meta()}))
}

// sorted puts changes in order. Where something was gone and came again under one key, the older comes first, as it was
// touched first. Jobs, which are the most, are in order mostly.
func sorted(changes []Change) []Change {
	counts := make([]int, len(Buckets)+1) // by rank, of the changes of the ranks before it
	for _, c := range changes {
		counts[rankOf(c.Bucket)]++
	}
	at := 0
	for r, n := range counts {
		counts[r] = at
		at += n
	}
	list := make([]Change, len(changes))
	for _, c := range changes {
		r := rankOf(c.Bucket)
		list[counts[r]] = c
		counts[r]++
	}
	at = 0
	for _, end := range counts {
		sortByKey(list[at:end])
		at = end
	}
	return list
}

func sortByKey(changes []Change) {
	if slices.IsSortedFunc(changes, func(a, b Change) int { return bytes.Compare(a.Key, b.Key) }) {
		return
	}
	unsorted := slices.Clone(changes)
	order := make([]int, len(changes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(bytes.Compare(unsorted[a].Key, unsorted[b].Key), cmp.Compare(a, b))
	})
	for i, from := range order {
		changes[i] = unsorted[from]
	}
}

// Find looks for a record among the changes of one Drain: a nil value says that it was deleted.
func Find(changes []Change, bucket Bucket, key []byte) (value []byte, found bool) {
	rank := rankOf(bucket)
	after := sort.Search(len(changes), func(i int) bool {
		r := rankOf(changes[i].Bucket)
		return r > rank || r == rank && bytes.Compare(changes[i].Key, key) > 0
	})
	if after == 0 || changes[after-1].Bucket != bucket || !bytes.Equal(changes[after-1].Key, key) {
		return nil, false
	}
	return changes[after-1].Value, true
}

// write adds the changes that one record needs.
func (s *State) write(changes []Change, k kept) []Change {
	r, key, bucket := k.rec(), k.key(), k.bucket()
	r.dirty = false
	if r.stored != 0 && (r.gone || r.stored.bucket() != bucket) {
		changes = append(changes, Change{r.stored.bucket(), key, nil})
		r.stored = 0
	}
	value := s.settle(k, key)
	if !r.gone {
		changes = append(changes, Change{bucket, key, value})
		r.stored = rankOf(bucket)
	}
	switch k := k.(type) {
	case *job:
		if k.state.Ended() && s.jobs.get(k.id) == k {
			s.jobs.remove(k.id)
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
