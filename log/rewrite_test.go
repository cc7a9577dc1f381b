package log_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
)

// After a failed sync the process ends, and the next one finds in the kernel's cache what never reached the disk. What it
// builds on that must survive a loss of power with all that stands before it.
func TestReopenAfterAFailedSync(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			d := logtest.New()
			l := reopen(t, d)
			last := save(t, l, 0, 1+r.IntN(6))
			d.FailSync(1)
			for err := error(nil); err == nil; last++ {
				err = l.Save(nil, []*raftpb.Entry{entryAt(last + 1)}, true)
			}
			d.Kill()
			l = reopen(t, d)
			last, _ = l.LastIndex()
			last = save(t, l, last, 1+r.IntN(6))
			d.Crash(r)
			l = reopen(t, d)
			if got, _ := l.LastIndex(); got != last {
				t.Errorf("the log ends at %d, %d was synced", got, last)
			}
			for i := uint64(1); i <= last; i++ {
				if _, err := l.ReadEntry(i); err != nil && !errors.Is(err, log.ErrNotFound) {
					t.Errorf("entry %d: %v", i, err)
				}
			}
		})
	}
}

func reopen(t *testing.T, d *logtest.Disk) *log.Log {
	t.Helper()
	l, err := log.Open(d.FS(), log.Base{}, log.Options{SegmentBytes: 512, WriteAheadBytes: -1})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func save(t *testing.T, l *log.Log, last uint64, n int) uint64 {
	t.Helper()
	for range n {
		last++
		if err := l.Save(nil, []*raftpb.Entry{entryAt(last)}, true); err != nil {
			t.Fatal(err)
		}
	}
	return last
}

func entryAt(i uint64) *raftpb.Entry {
	return &raftpb.Entry{Index: new(i), Term: new(uint64(1)), Data: fmt.Appendf(nil, "entry %d", i)}
}
