package log_test

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/logtest"
)

func entryOf(index, term uint64, data string) *raftpb.Entry {
	return &raftpb.Entry{Index: &index, Term: &term, Data: []byte(data)}
}

func open(t testing.TB, d *logtest.Disk, base log.Base, opts log.Options) *log.Log {
	t.Helper()
	l, err := log.Open(d.FS(), base, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// fill saves entries of 100 bytes, one by one.
func fill(t testing.TB, l *log.Log, from, to uint64) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := l.Save(nil, []*raftpb.Entry{entryOf(i, 1, strings.Repeat("x", 100))}, true); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFlippedBit turns over every bit of a closed log of three segments, one at a time. Each must
// be noticed when the log is opened or read, or be one that nothing depends on, and must not
// change a file. After a Close, there is no tail that could be taken for torn.
func TestFlippedBit(t *testing.T) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 1024}
	l := open(t, d, log.Base{}, opts)
	fill(t, l, 1, 16)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	pristine := d.Files()
	if len(pristine) < 3 {
		t.Fatalf("%d files", len(pristine))
	}
	for name, data := range pristine {
		for off := range data {
			flipped := bytes.Clone(data)
			flipped[off] ^= 1 << (off % 8)
			checkFlipped(t, pristine, name, int64(off), flipped)
		}
	}
}

func checkFlipped(t *testing.T, pristine map[string][]byte, name string, off int64, flipped []byte) {
	t.Helper()
	d := logtest.New()
	files := maps.Clone(pristine)
	files[name] = flipped
	for n, data := range files {
		d.SetFile(n, data)
	}
	l, err := log.Open(d.FS(), log.Base{}, log.Options{SegmentBytes: 1024})
	if err != nil {
		checkDamage(t, err, name, off)
		if !maps.EqualFunc(d.Files(), files, bytes.Equal) {
			t.Fatalf("%s at %d: a file was changed", name, off)
		}
		return
	}
	got, err := l.Entries(1, 17, math.MaxUint64)
	if err != nil {
		checkDamage(t, err, name, off)
	} else if len(got) != 16 {
		t.Fatalf("%s at %d: %d entries, no error", name, off, len(got))
	}
}

func checkDamage(t *testing.T, err error, name string, off int64) {
	t.Helper()
	var damage *log.DamageError
	switch {
	case strings.Contains(err.Error(), "format version"):
	case !errors.As(err, &damage):
		t.Fatalf("%s at %d: %v", name, off, err)
	case damage.File != name:
		t.Fatalf("%s at %d: %v", name, off, err)
	}
}

func TestMissingSegment(t *testing.T) {
	d := logtest.New()
	opts := log.Options{SegmentBytes: 1024}
	l := open(t, d, log.Base{}, opts)
	fill(t, l, 1, 30)
	l.Close()
	if err := d.FS().Remove("0000000000000002.seg"); err != nil {
		t.Fatal(err)
	}
	if _, err := log.Open(d.FS(), log.Base{}, opts); !errors.Is(err, log.ErrBase) {
		t.Fatalf("open without a segment: %v", err)
	}
}

// TestTornAndForgotten cuts a tail, writes the same bytes again and loses them: what lay behind the first
// tail must not come back.
func TestTornAndForgotten(t *testing.T) {
	d := logtest.New()
	l := open(t, d, log.Base{}, log.Options{})
	fill(t, l, 1, 3)
	for i := uint64(4); i <= 6; i++ {
		if err := l.Save(nil, []*raftpb.Entry{entryOf(i, 1, "tail")}, false); err != nil {
			t.Fatal(err)
		}
	}
	// Each of these three batches is 72 bytes. The first one is torn; the others survived.
	files := d.Files()
	at := bytes.Index(files["0000000000000001.seg"], []byte("tail"))
	if err := d.Flip("0000000000000001.seg", int64(at), 0); err != nil {
		t.Fatal(err)
	}
	d.Kill()
	l = open(t, d, log.Base{}, log.Options{})
	if last, _ := l.LastIndex(); last != 3 {
		t.Fatalf("last index %d after the tear, want 3", last)
	}
	if err := l.Save(nil, []*raftpb.Entry{entryOf(4, 1, "tail")}, true); err != nil {
		t.Fatal(err)
	}
	d.Kill()
	l = open(t, d, log.Base{}, log.Options{})
	if last, _ := l.LastIndex(); last != 4 {
		t.Fatalf("last index %d, want 4", last)
	}
}

func TestOtherVersion(t *testing.T) {
	d := logtest.New()
	d.SetFile("0000000000000001.seg", log.HeaderOfVersion(9))
	_, err := log.Open(d.FS(), log.Base{}, log.Options{})
	var damage *log.DamageError
	if err == nil || errors.As(err, &damage) || !strings.Contains(err.Error(), "version 9") {
		t.Fatalf("open of another version: %v", err)
	}
}
