package log

import (
	"errors"
	"fmt"

	"go.etcd.io/raft/v3/raftpb"
)

// CarryWriter writes a carry segment: entries below the base that are still needed, without their
// neighbours. Nothing of it is visible before Commit. It is used by one goroutine.
type CarryWriter struct {
	log   *Log
	seg   *segment
	batch batch
	done  bool
}

// carryBatch is the size at which a carry's batch is written.
const carryBatch = 1 << 20

// NewCarry begins a carry segment. A receiver of a snapshot uses it to bring the entries that
// are still needed into an empty log. End it with Commit or Abort.
func (l *Log) NewCarry() (*CarryWriter, error) {
	if err := l.failure(); err != nil {
		return nil, err
	}
	generation := l.generation()
	name := fileName(generation, extTemp)
	f, err := l.fs.Create(name)
	if err != nil {
		return nil, fmt.Errorf("begin carry: %w", err)
	}
	w := &CarryWriter{log: l, seg: newSegment(name, generation, f)}
	w.seg.end = fileHeaderSize
	w.batch.reset(w.seg.seed)
	if err := f.WriteVec([][]byte{fileHeader{generation: generation}.encode()}, 0); err != nil {
		return nil, errors.Join(fmt.Errorf("begin carry: %w", err), w.Abort())
	}
	return w, nil
}

// Add appends an entry. Indexes ascend and are not above the base.
func (w *CarryWriter) Add(e *raftpb.Entry) error {
	t := &w.seg.table
	if base, _ := w.log.FirstIndex(); e.GetIndex() >= base || !t.empty() && e.GetIndex() <= t.last() {
		return fmt.Errorf("%w: carry of entry %d", ErrGap, e.GetIndex())
	}
	w.batch.addEntry(e, nil)
	t.add(e.GetIndex(), e.GetTerm(), w.seg.end+w.batch.offsets[len(w.batch.offsets)-1])
	if w.seg.end > maxOffset/2 {
		return fmt.Errorf("%w: carry of %d bytes", ErrTooLarge, w.seg.end)
	}
	if w.batch.bytes >= carryBatch {
		return w.flush()
	}
	return nil
}

func (w *CarryWriter) flush() error {
	bufs, size := w.batch.finish(w.seg.end, 0)
	if err := w.seg.file.WriteVec(bufs, w.seg.end); err != nil {
		return fmt.Errorf("write carry: %w", err)
	}
	w.seg.end += size
	w.batch.reset(w.seg.seed)
	return nil
}

// Commit makes the carry durable, and then visible. After an error nothing of it is visible before
// the next Open, and the writer is done.
func (w *CarryWriter) Commit() error {
	if err := w.publish(); err != nil {
		return errors.Join(err, w.Abort())
	}
	w.log.addCarry(w.seg)
	return nil
}

// publish leaves the file open under its lasting name.
func (w *CarryWriter) publish() error {
	s := w.seg
	if w.batch.count > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	size, err := writeSeal(&w.batch, s, s.end, 0, s.table.encode(nil))
	if err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync carry: %w", err)
	}
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("close carry: %w", err)
	}
	s.size = size
	name := fileName(s.generation, extCarry)
	w.done = true
	if err := w.log.fs.Rename(s.name, name); err != nil {
		return fmt.Errorf("commit carry: %w", err)
	}
	s.name = name
	if err := w.log.fs.SyncDir(); err != nil {
		return fmt.Errorf("commit carry: %w", err)
	}
	if s.file, err = w.log.fs.Open(name); err != nil {
		return fmt.Errorf("commit carry: %w", err)
	}
	return nil
}

// Abort removes what was written. After Commit it does nothing.
func (w *CarryWriter) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	return errors.Join(w.seg.close(), w.log.fs.Remove(w.seg.name))
}

// addCarry makes a carry readable. References to its entries move to it.
func (l *Log) addCarry(c *segment) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.adopt(c)
}

// adopt is addCarry with mu held.
func (l *Log) adopt(c *segment) {
	for _, list := range [][]*segment{l.segments, l.carries} {
		for _, s := range list {
			for i, r := range s.refs {
				if at, ok := c.lookup(i); ok && i <= l.base.Index {
					s.live -= r.extent
					delete(s.refs, i)
					r.extent = at.to - at.from
					c.live += r.extent
					c.refs[i] = r
				}
			}
		}
	}
	l.carries = append(l.carries, c)
}
