package sim

import (
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
)

// memberLog is a member's log as its core sees it. It lets virtual time pass in syncs, and tells the history what was saved and
// what is committed.
type memberLog struct {
	*log.Log
	m *member
	// dirty: something that others may rely on was saved and not synced.
	dirty bool
	hard  [2]uint64 // term and vote as saved
}

func newMemberLog(m *member, lg *log.Log) *memberLog {
	l := &memberLog{Log: lg, m: m}
	if hs, _, err := lg.InitialState(); err == nil {
		l.hard = [2]uint64{hs.GetTerm(), hs.GetVote()}
	}
	return l
}

// SaveSummed implements node.Log.
func (l *memberLog) SaveSummed(hs *raftpb.HardState, entries []*raftpb.Entry, sums []uint32, sync bool) error {
	m := l.m
	m.w.trace.note(6, m.id, hs.GetTerm(), hs.GetVote(), hs.GetCommit(), uint64(len(entries)))
	if m.w.trace.on {
		m.w.trace.say(m.w.now+m.io, "m%d saves %s sync %v", m.id, saved(hs, entries), sync)
	}
	m.expires(entries)
	m.doing = "saving"
	if len(entries) == 0 {
		m.doing = "saving a hard state alone"
	}
	if err := l.Log.SaveSummed(hs, entries, sums, sync && !m.w.mutant.NoSync); err != nil {
		return err
	}
	if sync {
		m.io += m.syncTime()
		l.dirty = false
	} else if len(entries) > 0 || hs != nil && l.hard != [2]uint64{hs.GetTerm(), hs.GetVote()} {
		l.dirty = true
	}
	if hs != nil {
		l.hard = [2]uint64{hs.GetTerm(), hs.GetVote()}
		l.committed(hs)
	}
	return nil
}

// Note implements node.Log.
func (l *memberLog) Note(hs *raftpb.HardState) {
	l.m.w.trace.note(6, l.m.id, hs.GetTerm(), hs.GetVote(), hs.GetCommit(), 0)
	if l.hard != [2]uint64{hs.GetTerm(), hs.GetVote()} {
		l.dirty = true
	}
	l.Log.Note(hs)
	l.committed(hs)
}

// WriteNote implements node.Log.
func (l *memberLog) WriteNote() error {
	l.m.doing = "writing a commit index"
	return l.Log.WriteNote()
}

func (l *memberLog) committed(hs *raftpb.HardState) {
	if commit := hs.GetCommit(); commit > l.m.applied {
		l.m.w.history.committed(l.m, commit)
		l.m.applied = commit // this turn applies it
	}
}

// SetBase implements node.Log.
func (l *memberLog) SetBase(b log.Base) error {
	l.m.doing = "moving the log's base"
	return l.Log.SetBase(b)
}

// Retain implements node.Log.
func (l *memberLog) Retain(index uint64, bytes int64) {
	if !l.m.w.mutant.NoRetain {
		l.Log.Retain(index, bytes)
	}
}

func (m *member) syncTime() time.Duration {
	d := m.w.between(300*time.Microsecond, 4*time.Millisecond)
	if at := m.w.now + m.io; at < m.stalled {
		m.w.counts.add("sync on a stalled disk")
		d += m.stalled - at
	}
	return d
}
