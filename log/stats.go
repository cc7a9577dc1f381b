package log

import (
	"sync/atomic"
	"time"
)

// Stats is a log's size and work since Open.
type Stats struct {
	Segments, Carries, Free int   // files
	Bytes                   int64 // of all files
	Retained                int   // entries
	LiveBytes               int64 // as given to Retain
	CacheEntries            int
	CacheBytes              int64
	CacheHits, CacheMisses  uint64 // entries asked for
	Syncs                   uint64 // of segments by the writer, not of carries
	SyncTotal, SyncMax      time.Duration
}

// counts is guarded by Log.mu, but for the atomics, which are counted under its read lock.
type counts struct {
	hits, misses atomic.Uint64
	syncs        uint64
	total, max   time.Duration
	lately       atomic.Int64 // nanoseconds
}

func (c *counts) synced(d time.Duration) {
	c.syncs++
	c.total += d
	c.max = max(c.max, d)
	lately := c.lately.Load()
	c.lately.Store(lately + (int64(d)-lately)/8)
}

// SyncTime is how long a sync takes lately: an average in which the last eight count most.
func (l *Log) SyncTime() time.Duration { return time.Duration(l.counts.lately.Load()) }

func (c *counts) lookup(hit bool) {
	if hit {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
}

// Stats returns a consistent picture.
func (l *Log) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	st := Stats{
		Segments: len(l.segments), Carries: len(l.carries), Free: len(l.free),
		CacheEntries: len(l.cache.entries), CacheBytes: l.cache.bytes,
		CacheHits: l.counts.hits.Load(), CacheMisses: l.counts.misses.Load(),
		Syncs: l.counts.syncs, SyncTotal: l.counts.total, SyncMax: l.counts.max,
	}
	for _, list := range [][]*segment{l.segments, l.carries} {
		for _, s := range list {
			st.Bytes += s.size
			st.Retained += len(s.refs)
			for _, r := range s.refs {
				st.LiveBytes += r.bytes
			}
		}
	}
	for _, f := range l.free {
		st.Bytes += f.size
	}
	return st
}
