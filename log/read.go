package log

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sort"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
)

// place is where an entry's record lies, as the index has it.
type place struct {
	index, term uint64
	from, to    int64 // the record lies within
}

// inSegments looks an entry up in the segments, not the carries. The caller holds mu.
func (l *Log) inSegments(index uint64) (place, *segment, bool) {
	n := sort.Search(len(l.segments), func(i int) bool { return l.segments[i].start > index })
	if n == 0 {
		return place{}, nil, false
	}
	s := l.segments[n-1]
	at, ok := s.lookup(index)
	return at, s, ok
}

func (s *segment) lookup(index uint64) (place, bool) {
	n, term, ok := s.table.find(index)
	if !ok {
		return place{}, false
	}
	from, to := s.table.extent(n, s.end)
	return place{index, term, from, to}, true
}

// holder looks an entry up wherever it may lie. A carry was made later than what it replaces. The
// caller holds mu.
func (l *Log) holder(index uint64) (place, *segment, bool) {
	if index <= l.base.Index {
		for i := len(l.carries) - 1; i >= 0; i-- {
			if at, ok := l.carries[i].lookup(index); ok {
				return at, l.carries[i], true
			}
		}
	}
	return l.inSegments(index)
}

// readable is holder for what callers may read: above the base, or retained.
func (l *Log) readable(index uint64) (place, *segment, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if errors.Is(l.failed, ErrClosed) {
		return place{}, nil, ErrClosed
	}
	at, s, ok := l.holder(index)
	if ok && index <= l.base.Index {
		_, ok = s.refs[index]
	}
	if !ok {
		return place{}, nil, fmt.Errorf("entry %d: %w", index, ErrNotFound)
	}
	return at, s, nil
}

// ReadEntry returns an entry above the base, or one that is retained. Its CRC has been checked; a
// *DamageError says where it failed.
func (l *Log) ReadEntry(index uint64) (*raftpb.Entry, error) {
	r := reader{log: l}
	return r.next(index)
}

// ReadAt reads from an entry's Data as io.ReaderAt does: from memory, if it is one of the newest. From the disk it reads only the
// bytes asked for, so it cannot check their CRC: for that, read the whole entry.
func (l *Log) ReadAt(index uint64, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("entry %d: offset %d is negative", index, off)
	}
	if e := l.cached(index); e != nil {
		return readData(e, p, off)
	}
	for {
		at, s, err := l.readable(index)
		if err != nil {
			return 0, err
		}
		n, err := s.readData(at, p, off)
		if !errors.Is(err, errGone) {
			return n, err
		}
	}
}

func readData(e *raftpb.Entry, p []byte, off int64) (int, error) {
	data := e.GetData()
	n := copy(p, data[min(off, int64(len(data))):])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (s *segment) readData(at place, p []byte, off int64) (int, error) {
	var head [recordHeaderSize]byte
	if _, err := s.readAt(head[:], at.from); err != nil {
		return 0, s.readError(err, at)
	}
	h := decodeRecordHeader(head[:])
	if err := s.expect(h, at); err != nil {
		return 0, err
	}
	rest := int64(h.bytes) - off
	if rest <= 0 {
		return 0, io.EOF
	}
	n, err := s.readAt(p[:min(int64(len(p)), rest)], at.from+recordHeaderSize+off)
	if err != nil && n < len(p) && int64(n) < rest {
		return n, s.readError(err, at)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// expect checks that a record is the one that the index says lies here.
func (s *segment) expect(h recordHeader, at place) error {
	if h.kind != recordEntry || h.index != at.index || h.term != at.term || at.from+recordSize(int(h.bytes)) > at.to {
		return s.damage(at.from, fmt.Sprintf("record is not entry %d of term %d", at.index, at.term))
	}
	return nil
}

func (s *segment) readError(err error, at place) error {
	switch {
	case errors.Is(err, errGone):
		return err
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return s.damage(at.from, "file ends within a record")
	}
	return fmt.Errorf("read entry %d in %s: %w", at.index, s.name, err)
}

// reader reads entries, best in order: it keeps its place in a file.
type reader struct {
	log   *Log
	ahead int64 // bytes to read ahead; 0: just the record
	seg   *segment
	pos   int64
	buf   *bufio.Reader
}

const readBuffer = 64 << 10

// next returns an entry, from the cache or from its file.
func (r *reader) next(index uint64) (*raftpb.Entry, error) {
	if e := r.log.cached(index); e != nil {
		return e, nil
	}
	for {
		at, s, err := r.log.readable(index)
		if err != nil {
			return nil, err
		}
		e, err := r.read(s, at)
		if !errors.Is(err, errGone) {
			return e, err
		}
	}
}

func (l *Log) cached(index uint64) *raftpb.Entry {
	l.mu.RLock()
	defer l.mu.RUnlock()
	e := l.cache.get(index)
	l.counts.lookup(e != nil)
	return e
}

func (r *reader) read(s *segment, at place) (*raftpb.Entry, error) {
	if err := r.seek(s, at); err != nil {
		return nil, s.readError(err, at)
	}
	var head [recordHeaderSize]byte
	if _, err := io.ReadFull(r.buf, head[:]); err != nil {
		return nil, s.readError(err, at)
	}
	h := decodeRecordHeader(head[:])
	if err := s.expect(h, at); err != nil {
		return nil, err
	}
	data := make([]byte, h.bytes)
	if _, err := io.ReadFull(r.buf, data); err != nil {
		return nil, s.readError(err, at)
	}
	r.pos = at.from + recordHeaderSize + int64(h.bytes)
	if crc32c.Update(headerCRC(head[:], s.seed), data) != h.crc {
		return nil, s.damage(at.from, fmt.Sprintf("entry %d does not check", at.index))
	}
	return h.entry(data), nil
}

// seek puts the reader at a record. Records that follow on each other are read through one buffer.
func (r *reader) seek(s *segment, at place) error {
	if r.seg == s && at.from >= r.pos && at.from-r.pos <= readBuffer {
		n, err := r.buf.Discard(int(at.from - r.pos))
		r.pos += int64(n)
		return err
	}
	r.seg, r.pos = s, at.from
	size := max(r.ahead, min(readBuffer, at.to-at.from))
	r.buf = bufio.NewReaderSize(io.NewSectionReader(s, at.from, maxOffset), int(size))
	return nil
}

// entry makes an entry in one piece of memory.
func (h recordHeader) entry(data []byte) *raftpb.Entry {
	e := &struct {
		raftpb.Entry
		index, term uint64
		typ         raftpb.EntryType
	}{index: h.index, term: h.term, typ: raftpb.EntryType(h.typ)}
	e.Index, e.Term = &e.index, &e.term
	if h.flags&flagType != 0 {
		e.Type = &e.typ
	}
	if h.flags&flagData != 0 {
		e.Data = data
	}
	return &e.Entry
}
