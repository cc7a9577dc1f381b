package log_test

import (
	"fmt"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
)

// BenchmarkSave saves and syncs batches of entries, and lets the base follow so that files are recycled.
func BenchmarkSave(b *testing.B) {
	for _, c := range []struct{ bytes, entries int }{{1 << 10, 1}, {1 << 10, 64}, {256 << 10, 1}, {256 << 10, 8}} {
		b.Run(fmt.Sprintf("%dx%dKiB", c.entries, c.bytes>>10), func(b *testing.B) {
			l, err := log.Open(log.OSDir(b.TempDir()), log.Base{}, log.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			data := make([]byte, c.bytes)
			b.SetBytes(int64(c.bytes * c.entries))
			b.ReportAllocs()
			next := uint64(1)
			for b.Loop() {
				entries := make([]*raftpb.Entry, c.entries)
				for i := range entries {
					entries[i] = &raftpb.Entry{Index: new(next), Term: new(uint64(1)), Data: data}
					next++
				}
				if err := l.Save(nil, entries, true); err != nil {
					b.Fatal(err)
				}
				if next%4096 < uint64(c.entries) {
					l.SetBase(log.Base{Index: next - 1, Term: 1})
					reclaimAll(b, l)
				}
			}
			st := l.Stats()
			b.ReportMetric(float64((st.SyncTotal / time.Duration(st.Syncs)).Microseconds()), "us/sync")
		})
	}
}

// BenchmarkOpen opens a log of a million entries.
func BenchmarkOpen(b *testing.B) {
	dir := log.OSDir(b.TempDir())
	l, err := log.Open(dir, log.Base{}, log.Options{})
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 200)
	for i := uint64(1); i <= 1_000_000; i += 1000 {
		var entries []*raftpb.Entry
		for j := range uint64(1000) {
			entries = append(entries, &raftpb.Entry{Index: new(i + j), Term: new(uint64(1)), Data: data})
		}
		if err := l.Save(nil, entries, false); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := l.Close(); err != nil {
			b.Fatal(err)
		}
		if l, err = log.Open(dir, log.Base{}, log.Options{}); err != nil {
			b.Fatal(err)
		}
		if last, _ := l.LastIndex(); last != 1_000_000 {
			b.Fatal(last)
		}
	}
}
