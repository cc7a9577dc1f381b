package log

import (
	"errors"
	"fmt"
	"sync"

	"go.etcd.io/raft/v3/raftpb"
)

// Options are a log's limits. The zero value is what production uses.
type Options struct {
	// SegmentBytes is the size at which a segment is sealed and the next one begun. Zero means 64 MiB. A
	// batch that is larger than it gets a segment of its own. Small segments mean more
	// files; large ones a slower Open, which reads the last one, and coarser reclaiming.
	SegmentBytes int64
	// CacheBytes bounds the memory for the newest entries. Zero means 32 MiB, below zero no cache.
	CacheBytes int64
	// WriteAheadBytes is how far a new file is filled with zeros ahead of small batches, since a sync is
	// faster where a file has been written before. Zero means 1 MiB, below zero never.
	WriteAheadBytes int64
	// FreeFiles is how many reclaimed segments are kept to be written again, each of
	// SegmentBytes. Zero means 2, below zero none.
	FreeFiles int
}

const minSegmentBytes = 256

func (o Options) withDefaults() (Options, error) {
	o.SegmentBytes = orDefault(o.SegmentBytes, 64<<20)
	o.CacheBytes = max(0, orDefault(o.CacheBytes, 32<<20))
	o.WriteAheadBytes = max(0, orDefault(o.WriteAheadBytes, 1<<20))
	o.FreeFiles = max(0, orDefault(o.FreeFiles, 2))
	if o.SegmentBytes < minSegmentBytes || o.SegmentBytes > maxOffset/2 {
		return o, fmt.Errorf("segments of %d bytes: want %d to %d", o.SegmentBytes, minSegmentBytes, int64(maxOffset/2))
	}
	return o, nil
}

func orDefault[T int | int64](v, zero T) T {
	if v == 0 {
		return zero
	}
	return v
}

// Base is the position that the log is compacted to: the index and term of the last entry
// below the first index.
type Base struct{ Index, Term uint64 }

var (
	// ErrClosed: the log has been closed.
	ErrClosed = errors.New("log is closed")
	// ErrNotFound: the log does not hold the entry, or it is below the base and nothing retains it.
	ErrNotFound = errors.New("entry is not in the log")
	// ErrBase: a base is not a position in the log, or is below the one before.
	ErrBase = errors.New("base does not belong to this log")
	// ErrGap: entries do not follow on what is in the log, or on each other. Nothing was written.
	ErrGap = errors.New("entries leave a gap")
	// ErrTooLarge: a batch of more than 1 GiB. Nothing was written.
	ErrTooLarge = errors.New("batch is too large")
)

// DamageError says where a file of the log does not hold what was written to it. Nothing has been
// changed or deleted.
type DamageError struct {
	File   string // name within the log's directory
	Offset int64  // bytes
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("log file %s is damaged at offset %d: %s", e.File, e.Offset, e.Reason)
}

// Log is one member's log. Open makes one.
type Log struct {
	fs   FS
	opts Options

	// Owned by the goroutine that writes.
	active *segment // the last of segments
	batch  batch
	hard   *raftpb.HardState
	noted  bool  // hard was noted and not written
	synced int64 // offset in the active segment below which all is known to be synced
	marked bool  // the last batch in the active segment says so of all before it
	zeros  []byte

	// work is held by Reclaim and by Close: one of them at a time.
	work sync.Mutex

	// mu guards the fields below and those of the segments. It is never held during I/O.
	mu       sync.RWMutex
	base     Base
	last     uint64
	segments []*segment // by start and by generation; the last one is being written
	carries  []*segment // by generation
	free     []freeFile
	newest   uint64 // highest generation ever used
	cache    cache
	counts   counts
	failed   error // every later write returns it
}

// freeFile is a reclaimed segment that waits to be written again.
type freeFile struct {
	name string
	size int64
}

func (l *Log) failure() error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.failed
}

// fail makes err the answer to every later write.
func (l *Log) fail(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = err
	}
	return err
}

// generation returns a number that no file of this log has had.
func (l *Log) generation() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest++
	return l.newest
}

// SetBase moves the first index up to b.Index+1. No file is touched. b must be in the log and
// not below the base before, else ErrBase. The caller has made b durable.
func (l *Log) SetBase(b Base) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b == l.base {
		return nil
	}
	term, err := l.term(b.Index)
	if err != nil || b.Index < l.base.Index || term != b.Term {
		return fmt.Errorf("%w: index %d term %d, log holds %d to %d", ErrBase, b.Index, b.Term, l.base.Index, l.last)
	}
	l.base = b
	return nil
}

// Close syncs what was written, waits for reads and for Reclaim, and closes the files. It returns the
// error of a log that had failed.
func (l *Log) Close() error {
	l.work.Lock()
	defer l.work.Unlock()
	err := l.WriteNote()
	if err == nil {
		err = l.Sync()
	}
	if errors.Is(err, ErrClosed) {
		return nil
	}
	if err == nil {
		err = l.mark()
	}
	l.fail(ErrClosed)
	return errors.Join(err, l.closeFiles())
}

func (l *Log) closeFiles() error {
	l.mu.Lock()
	all := append(append([]*segment(nil), l.segments...), l.carries...)
	l.failed = ErrClosed
	l.mu.Unlock()
	var err error
	for _, s := range all {
		err = errors.Join(err, s.close())
	}
	return err
}
