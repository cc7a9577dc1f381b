package log

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Reclaim frees the space of one sealed segment that lies wholly below the base, or of one carry,
// if less than half of it is retained. What is retained of it moves to a new carry first, together
// with small carries, so that their number stays low. It reports how many bytes the directory
// shrank by, recycled files not counted, and whether there is more to do. It may run beside
// everything else; one goroutine calls it, after everything that is still needed has been
// retained.
//
// A *DamageError means that a record could not be carried: its file stays, and later calls pass it over.
func (l *Log) Reclaim(ctx context.Context) (freed int64, more bool, err error) {
	l.work.Lock()
	defer l.work.Unlock()
	if err := l.failure(); err != nil {
		return 0, false, err
	}
	sources := l.plan()
	if len(sources) == 0 {
		return 0, false, nil
	}
	carry, err := l.carryOver(ctx, sources)
	if err != nil {
		return 0, false, fmt.Errorf("reclaim %s: %w", sources[0].name, err)
	}
	if !l.replace(sources, carry) {
		return 0, true, nil // a reference was added meanwhile: begin again
	}
	if carry != nil {
		freed -= carry.size
	}
	for _, s := range sources {
		n, err := l.retire(s)
		freed += n
		if err != nil {
			return freed, false, fmt.Errorf("reclaim %s: %w", s.name, err)
		}
	}
	return freed, len(l.plan()) > 0, nil
}

// plan chooses what to replace next: one file, and the carries that go along.
func (l *Log) plan() []*segment {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, s := range l.segments[:len(l.segments)-1] {
		// What overwrote entries of this segment may not be synced yet, so they count, too.
		if s.top <= l.base.Index && s.sparse() {
			return l.withCarries(s)
		}
	}
	for _, s := range l.carries {
		if s.sparse() {
			return l.withCarries(s)
		}
	}
	return nil
}

func (s *segment) sparse() bool {
	return !s.damaged && (s.live == 0 || 2*s.live < s.area())
}

// withCarries adds carries that are at most twice what has come together so far. So each record is
// copied a number of times that grows with the logarithm of what is retained, and so does the
// number of carries.
func (l *Log) withCarries(s *segment) []*segment {
	sources, live := []*segment{s}, s.live
	if live == 0 {
		return sources
	}
	others := slices.Clone(l.carries)
	slices.SortFunc(others, func(a, b *segment) int {
		return cmp.Or(cmp.Compare(a.live, b.live), cmp.Compare(a.generation, b.generation))
	})
	for _, c := range others {
		if c != s && !c.damaged && c.live <= 2*live && live+c.live <= l.opts.SegmentBytes {
			sources = append(sources, c)
			live += c.live
		}
	}
	return sources
}

// carryOver copies what is retained of the sources, or returns nil if nothing is.
func (l *Log) carryOver(ctx context.Context, sources []*segment) (*segment, error) {
	kept := l.keptOf(sources)
	if len(kept) == 0 {
		return nil, nil
	}
	w, err := l.NewCarry()
	if err != nil {
		return nil, err
	}
	if err := l.copyKept(ctx, w, kept); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	if err := w.publish(); err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	return w.seg, nil
}

// kept is a retained record and the file that it lies in.
type kept struct {
	seg *segment
	at  place
}

func (l *Log) keptOf(sources []*segment) []kept {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []kept
	for _, s := range sources {
		for i := range s.refs {
			if at, ok := s.lookup(i); ok {
				all = append(all, kept{s, at})
			}
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return cmp.Compare(a.at.index, b.at.index) })
	return all
}

func (l *Log) copyKept(ctx context.Context, w *CarryWriter, all []kept) error {
	r := reader{log: l, ahead: readBuffer}
	for _, k := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := r.read(k.seg, k.at)
		var damage *DamageError
		if errors.As(err, &damage) {
			l.mu.Lock()
			k.seg.damaged = true
			l.mu.Unlock()
		}
		if err != nil {
			return err
		}
		if err := w.Add(e); err != nil {
			return err
		}
	}
	return nil
}

// replace takes the sources out of the log and puts the carry in. It reports false, and leaves the
// sources, if one of their entries is retained that the carry does not hold.
func (l *Log) replace(sources []*segment, carry *segment) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if carry != nil {
		l.adopt(carry)
	}
	for _, s := range sources {
		if len(s.refs) > 0 {
			return false
		}
	}
	gone := func(s *segment) bool { return slices.Contains(sources, s) }
	l.segments = slices.DeleteFunc(slices.Clone(l.segments), gone)
	l.carries = slices.DeleteFunc(slices.Clone(l.carries), gone)
	return true
}

// retire removes a file, or keeps it to be written again, once the last read of it has ended.
// Nothing rests on that being durable: next syncs the directory before it writes to a free file,
// and a file that comes back is without a use.
func (l *Log) retire(s *segment) (freed int64, err error) {
	if err := s.close(); err != nil {
		return 0, err
	}
	if !l.recyclable(s) {
		return s.size, l.fs.Remove(s.name)
	}
	name := fileName(s.generation, extFree)
	if err := l.fs.Rename(s.name, name); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free = append(l.free, freeFile{name, s.size})
	return 0, nil
}

// recyclable: free files are about as large as a segment becomes.
func (l *Log) recyclable(s *segment) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.free) < l.opts.FreeFiles && s.size >= l.opts.SegmentBytes*3/4 && s.size <= l.opts.SegmentBytes*5/4
}
