package log

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"golang.org/x/sys/unix"
)

// ways is where large batches go. The smallest of them are below directMin, to show why.
var ways = []struct {
	name  string
	least int64
}{{"cached", math.MaxInt64}, {"direct", 60 << 10}}

func sizeNames(sizes []int) string {
	s := ""
	for _, n := range sizes {
		s += fmt.Sprintf("%dKiB", n>>10)
	}
	return s
}

// BenchmarkWriteVec writes and syncs batches into new files of 64 MiB; batches of two sizes by turns. What fresh pages
// cost shows over some GiB: give -benchtime as a number of batches.
func BenchmarkWriteVec(b *testing.B) {
	root := b.TempDir() // not each run's own: memory of files that were removed is cheap to fill
	for _, sizes := range [][]int{{1 << 10}, {64 << 10}, {128 << 10}, {256 << 10}, {1 << 20}, {4 << 20}, {1 << 10, 1 << 20}} {
		for _, way := range ways {
			b.Run(fmt.Sprintf("%s/%s", sizeNames(sizes), way.name), func(b *testing.B) {
				dir, err := os.MkdirTemp(root, "")
				if err != nil {
					b.Fatal(err)
				}
				benchmarkWriteVec(b, dirWithMin(dir, way.least), sizes)
			})
		}
	}
}

func benchmarkWriteVec(b *testing.B, d *osDir, sizes []int) {
	data := bytes.Repeat([]byte("printq"), 1<<20)
	var f *osFile
	var first time.Duration
	off, files := int64(math.MaxInt32), 0
	used, bytes := cpu(), int64(0)
	for b.Loop() {
		for i, size := range sizes {
			if off+int64(size) > 64<<20 {
				off, files = 40, files+1
				if f != nil {
					f.Close()
				}
				f = create(b, d, fmt.Sprint(files))
			}
			began := time.Now()
			if err := f.WriteVec([][]byte{data[:32], data[:size-32]}, off); err != nil {
				b.Fatal(err)
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			if i == 0 {
				first += time.Since(began)
			}
			off, bytes = off+int64(size), bytes+int64(size)
		}
	}
	report(b, used, bytes)
	b.ReportMetric(float64(first.Microseconds())/float64(b.N), "us/first")
}

// BenchmarkSaveDirect saves entries through a log; entries of two sizes by turns.
func BenchmarkSaveDirect(b *testing.B) {
	root := b.TempDir()
	for _, sizes := range [][]int{{1 << 10}, {256 << 10}, {1 << 20}, {4 << 20}, {1 << 10, 1 << 20}} {
		for _, way := range ways {
			b.Run(fmt.Sprintf("%s/%s", sizeNames(sizes), way.name), func(b *testing.B) {
				dir, err := os.MkdirTemp(root, "")
				if err != nil {
					b.Fatal(err)
				}
				benchmarkSave(b, dirWithMin(dir, way.least), sizes)
			})
		}
	}
}

func benchmarkSave(b *testing.B, d *osDir, sizes []int) {
	l, err := Open(d, Base{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	data := make([]byte, 4<<20)
	next, used, bytes := uint64(1), cpu(), int64(0)
	var first time.Duration
	for b.Loop() {
		for i, size := range sizes {
			began := time.Now()
			if err := l.Save(nil, []*raftpb.Entry{{Index: new(next), Term: new(uint64(1)), Data: data[:size]}}, true); err != nil {
				b.Fatal(err)
			}
			if i == 0 {
				first += time.Since(began)
			}
			next, bytes = next+1, bytes+int64(size)
		}
	}
	report(b, used, bytes)
	b.ReportMetric(float64(first.Microseconds())/float64(b.N), "us/first")
}

func report(b *testing.B, used time.Duration, bytes int64) {
	b.ReportMetric(float64((cpu()-used).Microseconds())/(float64(bytes)/(1<<20)), "cpu-us/MiB")
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}

func cpu() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
