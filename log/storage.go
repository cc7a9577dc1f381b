package log

import (
	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// InitialState returns the last hard state that was saved, nil if there was none. The
// ConfState is empty: it belongs to the caller's durable state.
func (l *Log) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	if l.hard == nil {
		return nil, &raftpb.ConfState{}, nil
	}
	return cloneHardState(l.hard), &raftpb.ConfState{}, nil
}

// FirstIndex is the base's index plus one.
func (l *Log) FirstIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.base.Index + 1, nil
}

// LastIndex is the base's index if the log holds nothing above it.
func (l *Log) LastIndex() (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.last, nil
}

// Term returns the term of an entry from the base on, else raft.ErrCompacted or raft.ErrUnavailable.
func (l *Log) Term(i uint64) (uint64, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.term(i)
}

// term is Term with mu held.
func (l *Log) term(i uint64) (uint64, error) {
	switch {
	case i < l.base.Index:
		return 0, raft.ErrCompacted
	case i == l.base.Index:
		return l.base.Term, nil
	}
	if at, _, ok := l.inSegments(i); ok {
		return at.term, nil
	}
	return 0, raft.ErrUnavailable
}

// Entries returns the entries of [lo, hi), but stops before their encoded size exceeds maxSize,
// though not before the first one. The slice is the caller's, the entries are shared.
func (l *Log) Entries(lo, hi, maxSize uint64) ([]*raftpb.Entry, error) {
	l.mu.RLock()
	base, last := l.base.Index, l.last
	l.mu.RUnlock()
	switch {
	case lo <= base:
		return nil, raft.ErrCompacted
	case hi > last+1 || last == base:
		return nil, raft.ErrUnavailable
	}
	var entries []*raftpb.Entry
	var size uint64
	r := reader{log: l, ahead: readBuffer}
	for i := lo; i < hi; i++ {
		e, err := r.next(i)
		if err != nil {
			return nil, err
		}
		size += uint64(proto.Size(e))
		if size > maxSize && len(entries) > 0 {
			break
		}
		entries = append(entries, e)
	}
	return entries, nil
}
