package log

import (
	"errors"
	"fmt"
	"sync"
)

// segment is one file of the log: the one being written, a sealed one or a carry.
type segment struct {
	name       string
	generation uint64
	seed       uint32

	// Guarded by Log.mu.
	start   uint64 // the segment holds the log from here to the next segment's start; not for carries
	table   table
	top     uint64 // highest index that the file holds, overwritten or not
	refs    map[uint64]reference
	live    int64 // bytes of the records that refs names
	end     int64 // where the records end and the next batch, or the seal, begins
	size    int64 // of the file
	damaged bool  // Reclaim found it so and leaves it alone

	// gate is held for reading while the file is read, and for writing when it is closed.
	gate sync.RWMutex
	file File
	gone bool
}

// reference counts what is still needed of one entry.
type reference struct {
	count  int
	bytes  int64 // as the callers of Retain gave it
	extent int64 // of the record
}

// errGone: the file was retired between the time it was found and the time it was read. The
// entry lies elsewhere now, or nowhere.
var errGone = errors.New("segment is gone")

func newSegment(name string, generation uint64, f File) *segment {
	return &segment{name: name, generation: generation, seed: seedOf(generation), file: f, refs: map[uint64]reference{}}
}

// readAt is as in io.ReaderAt, but errors name the file.
func (s *segment) readAt(p []byte, off int64) (int, error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.gone {
		return 0, errGone
	}
	return s.file.ReadAt(p, off)
}

func (s *segment) ReadAt(p []byte, off int64) (int, error) { return s.readAt(p, off) }

// close waits for the reads in flight.
func (s *segment) close() error {
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.gone {
		return nil
	}
	s.gone = true
	if err := s.file.Close(); err != nil {
		return fmt.Errorf("close %s: %w", s.name, err)
	}
	return nil
}

func (s *segment) damage(at int64, reason string) error {
	return &DamageError{File: s.name, Offset: at, Reason: reason}
}

// area is how many bytes of the file hold records.
func (s *segment) area() int64 { return s.end - fileHeaderSize }

// cut forgets the entries from index on.
func (s *segment) cut(index uint64) {
	s.table.cut(index)
	for i, r := range s.refs {
		if i >= index {
			s.live -= r.extent
			delete(s.refs, i)
		}
	}
}
