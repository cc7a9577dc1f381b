package log_test

import (
	"bytes"
	"context"
	"math"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
)

// FuzzOpen opens files of arbitrary bytes. Open must return, and what it shows must be readable
// or damaged, and writable, and the same after another Open.
func FuzzOpen(f *testing.F) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 1024}
	l := open(f, d, log.Base{}, opts)
	fill(f, l, 1, 12)
	l.Close()
	files := d.Files()
	f.Add(files["0000000000000001.seg"], files["0000000000000002.seg"], uint16(40), byte(1))
	f.Add(files["0000000000000001.seg"], []byte("printqlg"), uint16(900), byte(0x80))
	f.Add([]byte{}, files["0000000000000002.seg"], uint16(3), byte(0))
	f.Fuzz(func(t *testing.T, first, second []byte, at uint16, flip byte) {
		if second = bytes.Clone(second); len(second) > 0 {
			second[int(at)%len(second)] ^= flip
		}
		d := logtest.New()
		if len(first) > 0 {
			d.SetFile("0000000000000001.seg", first)
		}
		d.SetFile("0000000000000002.seg", second)
		l, err := log.Open(d.FS(), log.Base{}, opts)
		if err != nil {
			return
		}
		use(t, l)
		last, _ := l.LastIndex()
		l.Close()
		l, err = log.Open(d.FS(), log.Base{}, opts)
		if err != nil {
			t.Fatalf("open again: %v", err)
		}
		if again, _ := l.LastIndex(); again != last {
			t.Fatalf("last index %d, then %d", last, again)
		}
		l.Close()
	})
}

func use(t *testing.T, l *log.Log) {
	last, _ := l.LastIndex()
	l.Entries(1, last+1, math.MaxUint64)
	l.Retain(1, 1)
	l.ReadAt(1, make([]byte, 10), 1)
	if last == math.MaxUint64 {
		return
	}
	if err := l.Save(nil, []*raftpb.Entry{entryOf(last+1, 1, "one more")}, true); err != nil {
		t.Fatal(err)
	}
	if _, err := l.ReadEntry(last + 1); err != nil {
		t.Fatal(err)
	}
	l.Reclaim(context.Background())
}
