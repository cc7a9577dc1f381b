package log

import (
	"fmt"
)

// roll seals the active segment and begins the next one.
func (l *Log) roll() error {
	if err := l.seal(l.active); err != nil {
		return err
	}
	return l.next()
}

// seal ends a segment with its index, the hard state and a footer, and syncs it. The records are
// synced before: a seal that survives a crash vouches for them.
func (l *Log) seal(s *segment) error {
	if err := l.Sync(); err != nil {
		return err
	}
	size, err := writeSeal(&l.batch, s, s.end, l.synced, s.table.encode(l.hard))
	if err != nil {
		return err
	}
	if err := l.syncFile(s.file); err != nil {
		return fmt.Errorf("sync %s: %w", s.name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.size = size
	return nil
}

// writeSeal writes a seal at end, cuts the file behind its footer and returns the file's size.
func writeSeal(b *batch, s *segment, end, synced int64, table []byte) (int64, error) {
	b.reset(s.seed)
	b.add(recordHeader{kind: recordTable}, table, nil)
	bufs, n := b.finish(end, synced)
	size := end + n + footerSize
	if err := s.file.WriteVec(append(bufs, encodeFooter(s.seed, end)), end); err != nil {
		return 0, fmt.Errorf("seal %s: %w", s.name, err)
	}
	if err := s.file.Truncate(size); err != nil {
		return 0, fmt.Errorf("seal %s: %w", s.name, err)
	}
	return size, nil
}

// next adds an empty segment, in a free file if there is one. Its name is durable before
// it holds a byte: a free file whose new name was lost would otherwise hold records of a
// generation that could be given out again.
func (l *Log) next() error {
	generation := l.generation()
	name := fileName(generation, extSegment)
	f, size, err := l.takeFile(name)
	if err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	s := newSegment(name, generation, f)
	s.size = size
	l.mu.Lock()
	s.start = l.last + 1
	l.segments = append(l.segments, s)
	l.mu.Unlock()
	l.active = s
	if err := l.fs.SyncDir(); err != nil {
		return fmt.Errorf("begin %s: %w", name, err)
	}
	return l.begin(s)
}

func (l *Log) takeFile(name string) (File, int64, error) {
	l.mu.Lock()
	var old freeFile
	if n := len(l.free); n > 0 {
		old, l.free = l.free[n-1], l.free[:n-1]
	}
	l.mu.Unlock()
	if old.name == "" {
		f, err := l.fs.Create(name)
		return f, 0, err
	}
	if err := l.fs.Rename(old.name, name); err != nil {
		return nil, 0, err
	}
	f, err := l.fs.Open(name)
	return f, old.size, err
}

// begin writes the header and the hard state of a segment, the active one, and syncs them.
func (l *Log) begin(s *segment) error {
	l.batch.reset(s.seed)
	if l.hard != nil {
		l.batch.addHardState(l.hard)
	}
	bufs, size := l.batch.finish(fileHeaderSize, 0)
	header := fileHeader{generation: s.generation, first: l.last + 1}.encode()
	if err := s.file.WriteVec(append([][]byte{header}, bufs...), 0); err != nil {
		return fmt.Errorf("begin %s: %w", s.name, err)
	}
	if err := l.syncFile(s.file); err != nil {
		return fmt.Errorf("begin %s: sync: %w", s.name, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s.end = fileHeaderSize + size
	s.size = max(s.size, s.end)
	l.synced, l.marked = s.end, true
	return nil
}
