package log

import (
	"iter"
	"slices"
)

// Retain keeps an entry readable until a Release undoes it; entries are counted. bytes is what of
// the entry the caller needs, for Stats. An entry that the log does not hold is passed over.
func (l *Log) Retain(index uint64, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, s, ok := l.holder(index)
	if !ok {
		return
	}
	r := s.refs[index]
	if r.count == 0 {
		r.extent = at.to - at.from
		s.live += r.extent
	}
	r.count++
	r.bytes += bytes
	s.refs[index] = r
}

// Release undoes one Retain of the same index and bytes.
func (l *Log) Release(index uint64, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, s, ok := l.holder(index)
	if !ok {
		return
	}
	r, ok := s.refs[index]
	if !ok {
		return
	}
	r.count--
	r.bytes -= bytes
	if r.count > 0 {
		s.refs[index] = r
		return
	}
	s.live -= r.extent
	delete(s.refs, index)
}

// Retained yields the retained indexes in ascending order, as of the call that begins the iteration.
func (l *Log) Retained() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		for _, i := range l.retained() {
			if !yield(i) {
				return
			}
		}
	}
}

func (l *Log) retained() []uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []uint64
	for _, list := range [][]*segment{l.segments, l.carries} {
		for _, s := range list {
			for i := range s.refs {
				all = append(all, i)
			}
		}
	}
	slices.Sort(all)
	return all
}
