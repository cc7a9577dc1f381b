package log_test

import (
	"errors"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
)

func TestFailedSyncIsFinal(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{}, log.Options{})
	fill(t, l, 1, 2)
	d.FailSync(1)
	one := []*raftpb.Entry{entryOf(3, 1, "lost")}
	if err := l.Save(nil, one, true); !errors.Is(err, logtest.ErrSync) {
		t.Fatalf("save: %v", err)
	}
	for range 2 {
		if err := l.Save(nil, one, true); !errors.Is(err, logtest.ErrSync) {
			t.Fatalf("save after a failed sync: %v", err)
		}
		if err := l.Sync(); !errors.Is(err, logtest.ErrSync) {
			t.Fatalf("sync after a failed sync: %v", err)
		}
	}
	if err := l.Close(); !errors.Is(err, logtest.ErrSync) {
		t.Fatalf("close after a failed sync: %v", err)
	}
	if err := l.Save(nil, one, true); err == nil {
		t.Fatal("save after close")
	}
}

func TestFullDisk(t *testing.T) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 1024, WriteAheadBytes: -1}
	l := open(t, d, log.Base{}, opts)
	fill(t, l, 1, 5)
	d.SetCapacity(1200)
	var err error
	saved := uint64(5)
	for ; err == nil; saved++ {
		err = l.Save(nil, []*raftpb.Entry{entryOf(saved+1, 1, "more of the same")}, true)
	}
	saved--
	if !errors.Is(err, logtest.ErrFull) {
		t.Fatalf("save on a full disk: %v", err)
	}
	d.SetCapacity(0)
	d.Kill()
	l = open(t, d, log.Base{}, opts)
	if last, _ := l.LastIndex(); last != saved {
		t.Fatalf("last index %d, want %d", last, saved)
	}
	fill(t, l, saved+1, saved+9)
}

func TestRefusals(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{Index: 10, Term: 2}, log.Options{})
	if err := l.Save(nil, []*raftpb.Entry{entryOf(12, 2, "")}, true); !errors.Is(err, log.ErrGap) {
		t.Errorf("gap before the entries: %v", err)
	}
	if err := l.Save(nil, []*raftpb.Entry{entryOf(11, 2, ""), entryOf(13, 2, "")}, true); !errors.Is(err, log.ErrGap) {
		t.Errorf("gap between the entries: %v", err)
	}
	fill(t, l, 11, 20)
	for _, b := range []log.Base{{Index: 9, Term: 2}, {Index: 21, Term: 1}, {Index: 15, Term: 9}} {
		if err := l.SetBase(b); !errors.Is(err, log.ErrBase) {
			t.Errorf("set base %v: %v", b, err)
		}
	}
	if _, err := l.ReadEntry(5); !errors.Is(err, log.ErrNotFound) {
		t.Errorf("read what never was: %v", err)
	}
	l.Close()
	for _, b := range []log.Base{{Index: 9, Term: 2}, {Index: 21, Term: 1}, {Index: 15, Term: 9}} {
		if _, err := log.Open(d.FS(), b, log.Options{}); !errors.Is(err, log.ErrBase) {
			t.Errorf("open at base %v: %v", b, err)
		}
	}
}
