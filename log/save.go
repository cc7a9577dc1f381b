package log

import (
	"fmt"
	"time"

	"go.etcd.io/raft/v3"
	"go.etcd.io/raft/v3/raftpb"
)

// Save writes a hard state (nil or empty: none) and entries as one batch: one write, and if
// durable, one sync. Entries whose index is in the log overwrite it and everything after it; those at or
// below the base are skipped. A crash leaves the whole batch or nothing of it.
//
// A change of term or vote, and entries, need a sync before anything that rests on them
// is sent. A hard state in which only the commit index moved needs none.
//
// After an error of the disk the log has failed for good; see the package's contract.
func (l *Log) Save(hs *raftpb.HardState, entries []*raftpb.Entry, durable bool) error {
	return l.SaveSummed(hs, entries, nil, durable)
}

// SaveSummed is Save where the CRC-32C of each entry's Data is known. One that is wrong makes the entry one that does not check.
func (l *Log) SaveSummed(hs *raftpb.HardState, entries []*raftpb.Entry, sums []uint32, durable bool) error {
	if err := l.failure(); err != nil {
		return err
	}
	all := len(entries)
	entries, err := l.admit(entries)
	if err != nil {
		return err
	}
	if sums != nil {
		sums = sums[all-len(entries):]
	}
	if raft.IsEmptyHardState(hs) {
		hs = nil
	}
	if hs == nil && len(entries) > 0 && l.noted {
		hs = l.hard
	}
	if hs != nil || len(entries) > 0 {
		if err := l.append(hs, entries, sums, durable); err != nil {
			return l.fail(fmt.Errorf("save: %w", err))
		}
	}
	if durable {
		return l.Sync()
	}
	return nil
}

// Note takes a hard state in which only the commit index moved. It is written along with the next Save, by WriteNote, or by
// Close: what is committed is known again from the others, so it is not worth a write of its own.
func (l *Log) Note(hs *raftpb.HardState) { l.hard, l.noted = cloneHardState(hs), true }

// WriteNote writes what was noted since the last Save, without a sync. Like every batch it says that what came before is
// synced, so that nothing that was synced can be taken for torn for long.
func (l *Log) WriteNote() error {
	if !l.noted {
		return nil
	}
	return l.Save(l.hard, nil, false)
}

// admit drops the entries that the base has passed and checks that the rest follow on.
func (l *Log) admit(entries []*raftpb.Entry) ([]*raftpb.Entry, error) {
	for len(entries) > 0 && entries[0].GetIndex() <= l.base.Index {
		entries = entries[1:]
	}
	if len(entries) > 0 && entries[0].GetIndex() > l.last+1 {
		return nil, fmt.Errorf("%w: entry %d after %d", ErrGap, entries[0].GetIndex(), l.last)
	}
	for i := range entries[min(1, len(entries)):] {
		if entries[i+1].GetIndex() != entries[i].GetIndex()+1 {
			return nil, fmt.Errorf("%w: entry %d after %d", ErrGap, entries[i+1].GetIndex(), entries[i].GetIndex())
		}
	}
	if batchSize(entries, nil) > maxBatch {
		return nil, fmt.Errorf("%w: %d entries, %d bytes", ErrTooLarge, len(entries), batchSize(entries, nil))
	}
	return entries, nil
}

func (l *Log) append(hs *raftpb.HardState, entries []*raftpb.Entry, sums []uint32, durable bool) error {
	if a := l.active; a.area() > batchHeaderSize+recordSize(hardStateSize) && a.end+batchSize(entries, hs) > l.opts.SegmentBytes {
		if err := l.roll(); err != nil {
			return err
		}
	}
	a := l.active
	l.batch.reset(a.seed)
	for i, e := range entries {
		if sums != nil {
			l.batch.addEntry(e, &sums[i])
		} else {
			l.batch.addEntry(e, nil)
		}
	}
	if hs != nil {
		l.batch.addHardState(hs)
	}
	at := a.end
	if err := l.write(a, durable); err != nil {
		return err
	}
	l.publish(a, at, entries)
	if hs != nil {
		l.hard, l.noted = cloneHardState(hs), false
	}
	return nil
}

// fewAhead is how many batches must find room in the zeros that one takes along: for fewer, to write the zeros takes longer than
// they save.
const fewAhead = 16

// write puts the batch at the end of the active segment. A small batch that reaches the end of
// what was ever written takes zeros along. Where all before it is synced, a durable one is synced in the
// same step.
func (l *Log) write(a *segment, durable bool) error {
	bufs, size := l.batch.finish(a.end, l.synced)
	end := a.end + size
	total := end
	if ahead := l.opts.WriteAheadBytes; end > a.size && size < ahead/fewAhead && end < l.opts.SegmentBytes {
		total = min(end+ahead, l.opts.SegmentBytes)
		bufs = append(bufs, l.zeroes(total-end))
	}
	durable = durable && l.synced == a.end
	began := time.Now()
	write := a.file.WriteVec
	if durable {
		write = a.file.WriteSync
	}
	if err := write(bufs, a.end); err != nil {
		return fmt.Errorf("write %s: %w", a.name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if durable {
		l.synced = end
		l.counts.synced(time.Since(began))
	}
	a.end, a.size = end, max(a.size, total)
	l.marked = false
	return nil
}

func (l *Log) zeroes(n int64) []byte {
	if int64(len(l.zeros)) < n {
		l.zeros = make([]byte, n)
	}
	return l.zeros[:n]
}

// publish makes entries that were written readable.
func (l *Log) publish(a *segment, at int64, entries []*raftpb.Entry) {
	if len(entries) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut(entries[0].GetIndex())
	for i, e := range entries {
		a.table.add(e.GetIndex(), e.GetTerm(), at+l.batch.offsets[i])
	}
	l.last = entries[len(entries)-1].GetIndex()
	a.top = max(a.top, l.last)
	l.cache.put(entries)
}

// cut forgets the entries from index on, in whatever segments they lie. The caller holds mu.
func (l *Log) cut(index uint64) {
	for i := len(l.segments) - 1; i >= 0; i-- {
		s := l.segments[i]
		s.start = min(s.start, index)
		if !s.table.empty() && s.table.last() < index {
			return
		}
		s.cut(index)
	}
}

// Sync makes everything saved so far durable.
func (l *Log) Sync() error {
	if err := l.failure(); err != nil {
		return err
	}
	a := l.active
	if l.synced == a.end {
		return nil
	}
	if err := l.syncFile(a.file); err != nil {
		return l.fail(fmt.Errorf("sync %s: %w", a.name, err))
	}
	l.synced = a.end
	return nil
}

func (l *Log) syncFile(f File) error {
	began := time.Now()
	err := f.Sync()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts.synced(time.Since(began))
	return err
}

// mark writes an empty batch, which says that all before it is synced.
func (l *Log) mark() error {
	a := l.active
	if l.marked {
		return nil
	}
	l.batch.reset(a.seed)
	if err := l.write(a, false); err != nil {
		return l.fail(err)
	}
	l.marked = true
	return nil
}

func cloneHardState(hs *raftpb.HardState) *raftpb.HardState {
	return &raftpb.HardState{Term: new(hs.GetTerm()), Vote: new(hs.GetVote()), Commit: new(hs.GetCommit())}
}
