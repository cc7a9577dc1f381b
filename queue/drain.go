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
	type write struct {
		kept
		key []byte
	}
	writes := make([]write, len(s.dirty))
	for i, k := range s.dirty {
		writes[i] = write{k, k.key()}
	}
	slices.SortStableFunc(writes, func(a, b write) int {
		return cmp.Or(cmp.Compare(rank(a.bucket()), rank(b.bucket())), bytes.Compare(a.key, b.key))
	})
	changes := make([]Change, 0, len(writes)+1)
	for _, w := range writes {
		changes = s.write(changes, w.kept, w.key)
	}
	clear(s.dirty)
	s.dirty = s.dirty[:0]
	s.written = s.index
	changes = append(changes, Change{Meta, []byte(Meta), s.meta()})
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(rank(a.Bucket), rank(b.Bucket)) })
	return changes
}

// write adds the changes that one record needs. Where something was gone and came again under one key, the older is written
// first: it was touched first, and the sort is stable.
func (s *State) write(changes []Change, k kept, key []byte) []Change {
	r := k.rec()
	r.dirty = false
	bucket := k.bucket()
	if r.stored != "" && (r.gone || r.stored != bucket) {
		changes = append(changes, Change{r.stored, key, nil})
		r.stored = ""
	}
	value := s.settle(k, key)
	if !r.gone {
		changes = append(changes, Change{bucket, key, value})
		r.stored = bucket
	}
	switch k := k.(type) {
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
	}
	return value
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

func rank(b Bucket) int { return slices.Index(Buckets, b) }

func (s *State) meta() []byte {
	chain := s.Chain()
	return marshal(&queuepb.Meta{
		Term: s.term, Time: s.time, Index: s.index, NextJob: s.nextJob, NextDevice: s.nextDevice, Seq: s.seq, Chain: chain[:],
		Digest: s.digest, Version: s.version, Cluster: s.cluster, Void: s.void, NextSubscription: s.nextSubscription,
	})
}
