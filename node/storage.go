package node

import (
	"fmt"
	"log/slog"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// storage is what raft sees: the log, with the configuration and the snapshots of the store.
type storage struct{ c *Core }

// InitialState lifts the commit index to what was applied: a commit index is not synced, what was applied is.
func (s storage) InitialState() (*raftpb.HardState, *raftpb.ConfState, error) {
	hs, _, err := s.c.log.InitialState()
	if err != nil {
		return nil, nil, err
	}
	if applied := s.c.batch.applied; hs.GetCommit() < applied.Index {
		hs = &raftpb.HardState{Term: new(max(hs.GetTerm(), applied.Term)), Vote: new(hs.GetVote()), Commit: new(applied.Index)}
	}
	return hs, s.c.conf, nil
}

func (s storage) Entries(lo, hi, maxSize uint64) ([]*raftpb.Entry, error) {
	return s.c.log.Entries(lo, hi, maxSize)
}
func (s storage) Term(i uint64) (uint64, error)       { return s.c.log.Term(i) }
func (s storage) LastIndex() (uint64, error)          { return s.c.log.LastIndex() }
func (s storage) FirstIndex() (uint64, error)         { return s.c.log.FirstIndex() }
func (s storage) Snapshot() (*raftpb.Snapshot, error) { return s.c.describe(), nil }

// describe is the descriptor of a snapshot at what the store holds durably. The receiver fetches the bytes by a stream.
func (c *Core) describe() *raftpb.Snapshot {
	head := c.batch.durable
	return &raftpb.Snapshot{Metadata: &raftpb.SnapshotMetadata{
		ConfState: head.Conf, Index: new(head.Applied.Index), Term: new(head.Applied.Term),
	}}
}

// raftLogger passes raft's own words on. Its warnings and errors are ours; the rest is for debugging.
type raftLogger struct{ l *slog.Logger }

var _ raft.Logger = raftLogger{}

func (r raftLogger) Debug(v ...any)              {}
func (r raftLogger) Debugf(f string, v ...any)   {}
func (r raftLogger) Info(v ...any)               {}
func (r raftLogger) Infof(f string, v ...any)    {}
func (r raftLogger) Warning(v ...any)            { r.l.Debug("raft: " + fmt.Sprint(v...)) }
func (r raftLogger) Warningf(f string, v ...any) { r.l.Debug("raft: " + fmt.Sprintf(f, v...)) }
func (r raftLogger) Error(v ...any)              { r.l.Warn("raft: " + fmt.Sprint(v...)) }
func (r raftLogger) Errorf(f string, v ...any)   { r.l.Warn("raft: " + fmt.Sprintf(f, v...)) }
func (r raftLogger) Fatal(v ...any)              { panic(fmt.Sprint(v...)) }
func (r raftLogger) Fatalf(f string, v ...any)   { panic(fmt.Sprintf(f, v...)) }
func (r raftLogger) Panic(v ...any)              { panic(fmt.Sprint(v...)) }
func (r raftLogger) Panicf(f string, v ...any)   { panic(fmt.Sprintf(f, v...)) }
