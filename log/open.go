package log

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Open opens the log in a directory, or begins one in an empty directory, as of a base that the caller's
// durable state names. It first only reads; a *DamageError or ErrBase leaves every file as it was. Then it
// cuts a torn tail, removes what a carry left unfinished, and syncs: what Open has shown is durable.
func Open(fs FS, base Base, opts Options) (*Log, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	l := &Log{fs: fs, opts: opts, base: base, cache: cache{limit: opts.CacheBytes}}
	o := opener{Log: l}
	if err := o.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open log: %w", err), l.closeFiles())
	}
	return l, nil
}

// opener is what Open knows while it runs.
type opener struct {
	*Log
	remove []string // files that were never finished
	tail   found    // of the last segment, if it is not sealed
	state  tailState
}

type tailState int

const (
	tailNone   tailState = iota // no segment at all
	tailSealed                  // the next one was not begun
	tailBlank                   // no header yet
	tailOpen
)

func (o *opener) open() error {
	names, err := o.fs.List()
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := o.classify(name); err != nil {
			return err
		}
	}
	for i, s := range o.segments {
		if err := o.inspect(s, i == len(o.segments)-1); err != nil {
			return err
		}
	}
	for _, s := range o.carries {
		if _, err := openSealed(s); err != nil {
			return err
		}
	}
	if err := o.position(); err != nil {
		return err
	}
	return o.repair()
}

// classify opens a file of ours and passes over others.
func (o *opener) classify(name string) error {
	generation, ext, ok := parseName(name)
	if !ok {
		return nil
	}
	switch ext {
	case extSegment, extCarry, extFree:
	case extTemp:
		o.newest = max(o.newest, generation)
		o.remove = append(o.remove, name)
		return nil
	default:
		return nil
	}
	o.newest = max(o.newest, generation)
	f, err := o.fs.Open(name)
	if err != nil {
		return err
	}
	s := newSegment(name, generation, f)
	switch ext {
	case extSegment:
		o.segments = append(o.segments, s)
	case extCarry:
		o.carries = append(o.carries, s)
	}
	if s.size, err = f.Size(); err != nil || ext != extFree {
		return err
	}
	o.keepFree(name, s.size)
	return f.Close()
}

func (o *opener) keepFree(name string, size int64) {
	if len(o.free) < o.opts.FreeFiles {
		o.free = append(o.free, freeFile{name, size})
	} else {
		o.remove = append(o.remove, name)
	}
}

// inspect reads a segment's index, or all of it if it is the last one and not sealed, and
// cuts what it overwrote from the segments before it.
func (o *opener) inspect(s *segment, last bool) error {
	o.state = tailOpen
	h, ok, err := readHeader(s)
	switch {
	case err != nil:
		return err
	case !ok && last:
		o.state = tailBlank
		s.start = math.MaxUint64 // until position has found the last index
		o.tail.erase, err = evidence(s, fileHeaderSize, 0)
		return err
	case !ok:
		return s.damage(0, "header does not check")
	}
	o.startAt(s, h.first)
	hard, err := openSealed(s)
	if err == nil {
		o.state, o.hard = tailSealed, hard
		o.overwrite(s)
		return nil
	}
	var damage *DamageError
	if !last || !errors.As(err, &damage) {
		return err
	}
	if o.tail, err = scan(s); err != nil {
		return err
	}
	s.table, s.end = o.tail.table, o.tail.end
	if o.tail.hard != nil {
		o.hard = o.tail.hard
	}
	o.overwrite(s)
	return nil
}

// overwrite notes which entries s holds. The lowest one in its table is the lowest ever written to
// it, since an entry that was overwritten was so by one of its own index or a lower one.
func (o *opener) overwrite(s *segment) {
	if !s.table.empty() {
		s.top = s.table.last()
		o.startAt(s, s.table.first())
	}
}

// startAt says that s holds the log from index on, and the segments before it no longer do.
func (o *opener) startAt(s *segment, index uint64) {
	s.start = index
	for _, before := range o.segments {
		if before == s {
			return
		}
		before.start = min(before.start, index)
		before.table.cut(index)
	}
}

// position finds the last index and checks that base lies in the log and nothing is missing after it.
func (o *opener) position() error {
	next, held := o.base.Index+1, false
	for _, s := range o.segments {
		held = held || !s.table.empty()
		if s.table.empty() || s.table.last() < next {
			continue
		}
		if s.table.first() > next {
			return fmt.Errorf("%w: entry %d follows on base %d in %s", ErrBase, s.table.first(), next-1, s.name)
		}
		next = s.table.last() + 1
	}
	o.last = next - 1
	if reached := o.reached(); reached >= next || held && reached < o.base.Index {
		return fmt.Errorf("%w: index %d, entries end at %d, the log had reached %d", ErrBase, o.base.Index, o.last, reached)
	}
	if err := o.checkTerm(); err != nil {
		return err
	}
	if o.state != tailNone {
		o.active = o.segments[len(o.segments)-1]
		o.active.start = min(o.active.start, o.last+1)
	}
	return nil
}

// checkTerm compares the base's term with its entry's, if that can be trusted: where the next
// entry lies in the same segment. Otherwise the entry may have been overwritten by a segment that
// Reclaim has removed.
func (o *opener) checkTerm() error {
	at, s, ok := o.inSegments(o.base.Index)
	if !ok || at.term == o.base.Term {
		return nil
	}
	if _, ok := s.lookup(o.base.Index + 1); !ok {
		return nil
	}
	return fmt.Errorf("%w: entry %d has term %d in %s, not %d", ErrBase, o.base.Index, at.term, s.name, o.base.Term)
}

// reached is the last index that the segments came to, even if Reclaim removed it since.
func (o *opener) reached() uint64 {
	var last uint64
	for _, s := range o.segments {
		if s.start > 0 && s.start < math.MaxUint64 {
			last = max(last, s.start-1)
		}
		if !s.table.empty() {
			last = max(last, s.table.last())
		}
	}
	return last
}

// repair is the part of Open that writes.
func (o *opener) repair() error {
	for _, name := range o.remove {
		if err := o.fs.Remove(name); err != nil {
			return err
		}
	}
	if err := o.fs.SyncDir(); err != nil {
		return err
	}
	if o.state == tailNone {
		return o.next()
	}
	a := o.active
	if o.tail.erase > 0 {
		from := max(o.tail.end, fileHeaderSize)
		if err := a.file.WriteVec([][]byte{make([]byte, o.tail.erase-from)}, from); err != nil {
			return fmt.Errorf("erase torn tail of %s: %w", a.name, err)
		}
	}
	if err := o.rewrite(a); err != nil {
		return fmt.Errorf("write back %s: %w", a.name, err)
	}
	switch o.state {
	case tailSealed:
		return o.next()
	case tailBlank:
		return o.begin(a)
	}
	o.synced, o.marked = a.end, o.tail.marked
	return nil
}

// rewrite makes durable what was read, which will be relied on now. A sync alone would not: after one that failed, in the
// process before, the kernel holds the pages as clean although they never reached the disk. What is not known to have been
// synced is written again first.
func (o *opener) rewrite(s *segment) error {
	at, end := o.tail.synced, o.tail.end
	switch o.state {
	case tailSealed:
		at, end = 0, s.size
	case tailBlank:
		at, end = 0, 0
	}
	if at < fileHeaderSize {
		at = 0
	}
	buf := make([]byte, min(end-at, scanBuffer))
	for at < end {
		p := buf[:min(end-at, int64(len(buf)))]
		if _, err := s.file.ReadAt(p, at); err != nil {
			return err
		}
		if err := s.file.WriteVec([][]byte{p}, at); err != nil {
			return err
		}
		at += int64(len(p))
	}
	if o.state == tailSealed { // a sealed file ends with its footer, which a longer, recycled one did not
		if err := s.file.Truncate(s.size); err != nil {
			return err
		}
	}
	return o.syncFile(s.file)
}
