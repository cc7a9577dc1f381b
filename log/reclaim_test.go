package log_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
)

func reclaimAll(t testing.TB, l *log.Log) {
	t.Helper()
	for range 10_000 {
		_, more, err := l.Reclaim(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
	t.Fatal("reclaim does not end")
}

// TestCarriesStayFew retains one entry in ten of many segments for good.
func TestCarriesStayFew(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{}, log.Options{SegmentBytes: 4096, FreeFiles: -1})
	var kept []uint64
	for i := uint64(1); i < 3000; i++ {
		fill(t, l, i, i)
		if i%30 == 0 {
			l.Retain(i, 100)
			kept = append(kept, i)
		}
		if i%100 == 0 {
			if err := l.SetBase(log.Base{Index: i - 50, Term: 1}); err != nil {
				t.Fatal(err)
			}
			reclaimAll(t, l)
		}
	}
	st := l.Stats()
	if st.Carries > 12 || st.Segments > 10 || st.Retained != len(kept) || st.LiveBytes != int64(100*len(kept)) {
		t.Fatalf("%+v", st)
	}
	if got := slices.Collect(l.Retained()); !slices.Equal(got, kept) {
		t.Fatalf("retained %v, want %v", got, kept)
	}
	for _, i := range kept {
		if _, err := l.ReadEntry(i); err != nil {
			t.Fatal(err)
		}
		l.Release(i, 100)
	}
	reclaimAll(t, l)
	if st := l.Stats(); st.Carries != 0 || st.LiveBytes != 0 {
		t.Fatalf("nothing is retained: %+v", st)
	}
}

// TestRecycledFiles: in the long run no file is created, and old records in recycled files stay dead.
func TestRecycledFiles(t *testing.T) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 2048}
	l := open(t, d, log.Base{}, opts)
	for i := uint64(1); i < 300; i += 10 {
		fill(t, l, i, i+9)
		if err := l.SetBase(log.Base{Index: i + 9, Term: 1}); err != nil {
			t.Fatal(err)
		}
		reclaimAll(t, l)
		d.Kill()
		l = open(t, d, log.Base{Index: i + 9, Term: 1}, opts)
		if last, _ := l.LastIndex(); last != i+9 {
			t.Fatalf("last index %d, want %d", last, i+9)
		}
	}
	if n := len(d.Files()); n > 4 {
		t.Fatalf("%d files", n)
	}
}

func TestSnapshotReceiver(t *testing.T) {
	d := logtest.New()
	base := log.Base{Index: 1000, Term: 7}
	l := open(t, d, base, log.Options{})
	w, err := l.NewCarry()
	if err != nil {
		t.Fatal(err)
	}
	for i := uint64(100); i <= 1000; i += 100 {
		if err := w.Add(entryOf(i, i/200+1, fmt.Sprint("document ", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Add(entryOf(1001, 7, "")); !errors.Is(err, log.ErrGap) {
		t.Fatalf("add above the base: %v", err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open(t, d, base, log.Options{})
	l.Retain(300, 5)
	e, err := l.ReadEntry(300)
	if err != nil || string(e.GetData()) != "document 300" || e.GetTerm() != 2 {
		t.Fatalf("read: %v, %v", e, err)
	}
	if err := l.Save(nil, []*raftpb.Entry{entryOf(1001, 7, "next")}, true); err != nil {
		t.Fatal(err)
	}
}

// TestDamageIsNotCarried: Reclaim reports it once, leaves the file, and goes on with others.
func TestDamageIsNotCarried(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{}, log.Options{SegmentBytes: 2048, CacheBytes: -1})
	fill(t, l, 1, 60)
	l.Retain(1, 100)
	l.Retain(20, 100)
	if err := d.Flip("0000000000000001.seg", 200, 3); err != nil {
		t.Fatal(err)
	}
	l.SetBase(log.Base{Index: 60, Term: 1})
	_, _, err := l.Reclaim(context.Background())
	var damage *log.DamageError
	if !errors.As(err, &damage) {
		t.Fatalf("reclaim: %v", err)
	}
	reclaimAll(t, l)
	if st := l.Stats(); st.Carries != 1 {
		t.Fatalf("%+v", st)
	}
	if _, ok := d.Files()["0000000000000001.seg"]; !ok {
		t.Fatal("the damaged file is gone")
	}
}

// TestRetainBesideReclaim retains an entry of a segment whose carry, without it, is just being synced.
func TestRetainBesideReclaim(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{}, log.Options{SegmentBytes: 2048, CacheBytes: -1})
	fill(t, l, 1, 60)
	l.Retain(1, 100)
	l.SetBase(log.Base{Index: 60, Term: 1})
	d.OnSync(func() {
		if len(slices.Collect(l.Retained())) == 1 {
			l.Retain(2, 100)
		}
	})
	reclaimAll(t, l)
	for i := uint64(1); i <= 2; i++ {
		if _, err := l.ReadEntry(i); err != nil {
			t.Error(err)
		}
	}
}

// TestOverwrittenStayGone: segment 1 holds entries that segment 2 overwrote, and segment 2 is gone.
func TestOverwrittenStayGone(t *testing.T) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 2048, CacheBytes: -1}
	l := open(t, d, log.Base{}, opts)
	long := strings.Repeat("long", 60)
	for i := uint64(1); i <= 6; i++ {
		if err := l.Save(nil, []*raftpb.Entry{entryOf(i, 1, long)}, true); err != nil {
			t.Fatal(err)
		}
	}
	for l.Stats().Segments < 2 { // overwrites 5 again and again, until that begins a second segment
		if err := l.Save(nil, []*raftpb.Entry{entryOf(5, 2, long)}, true); err != nil {
			t.Fatal(err)
		}
	}
	for l.Stats().Segments < 3 { // and then a third, which holds no entry that could overwrite 6
		if err := l.Save(&raftpb.HardState{Term: new(uint64(2))}, nil, false); err != nil {
			t.Fatal(err)
		}
	}
	base := log.Base{Index: 5, Term: 2}
	if err := l.SetBase(base); err != nil {
		t.Fatal(err)
	}
	for i := uint64(1); i <= 4; i++ {
		l.Retain(i, 1)
	}
	reclaimAll(t, l)
	l.Close()
	if files := d.Files(); files["0000000000000001.seg"] == nil || files["0000000000000002.seg"] != nil {
		t.Fatalf("segments 1 and 2: %d and %d bytes", len(files["0000000000000001.seg"]), len(files["0000000000000002.seg"]))
	}
	l = open(t, d, base, opts)
	if last, _ := l.LastIndex(); last != 5 {
		t.Fatalf("last index %d, want 5", last)
	}
}

// TestOverwriteNotYetSynced: a segment whose entries were all overwritten may be needed still, if
// a crash takes the overwriting ones back.
func TestOverwriteNotYetSynced(t *testing.T) {
	for seed := range uint64(20) {
		overwriteNotYetSynced(t, seed)
	}
}

func overwriteNotYetSynced(t *testing.T, seed uint64) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 1024}
	l := open(t, d, log.Base{}, opts)
	fill(t, l, 1, 7)
	if err := l.Save(nil, []*raftpb.Entry{entryOf(1, 2, "unsynced")}, false); err != nil {
		t.Fatal(err)
	}
	if st := l.Stats(); st.Segments != 2 {
		t.Fatalf("%+v", st)
	}
	reclaimAll(t, l)
	d.Crash(rand.New(rand.NewPCG(seed, 1)))
	l = open(t, d, log.Base{}, opts)
	last, _ := l.LastIndex()
	e, err := l.ReadEntry(1)
	if err != nil || last != 7 && (last != 1 || e.GetTerm() != 2) {
		t.Fatalf("last index %d, first entry %v, %v", last, e, err)
	}
}

func TestReclaimStops(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{}, log.Options{SegmentBytes: 2048})
	fill(t, l, 1, 60)
	l.Retain(1, 100)
	l.SetBase(log.Base{Index: 60, Term: 1})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := l.Reclaim(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("reclaim: %v", err)
	}
	for name := range d.Files() {
		if len(name) > 4 && name[len(name)-4:] == ".tmp" {
			t.Fatalf("%s is left", name)
		}
	}
}
