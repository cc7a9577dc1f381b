package log_test

import (
	"bytes"
	"errors"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/log/crc32c"
	"printq/log/logtest"
)

// A commit index that was noted goes along with the next batch, and is written by itself only when asked for.
func TestNote(t *testing.T) {
	for _, c := range []struct {
		name string
		then func(*log.Log) error
		want uint64
	}{
		{"the process ends", func(*log.Log) error { return nil }, 1},
		{"entries follow", func(l *log.Log) error { return l.Save(nil, []*raftpb.Entry{entryAt(4)}, true) }, 3},
		{"a vote follows", func(l *log.Log) error { return l.Save(hardState(3, 2, 2), nil, true) }, 2},
		{"a sync follows", func(l *log.Log) error { return l.Save(nil, nil, true) }, 1},
		{"it is written", (*log.Log).WriteNote, 3},
		{"the log is closed", (*log.Log).Close, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := logtest.New()
			l := reopen(t, d)
			save(t, l, 0, 3)
			if err := l.Save(hardState(2, 1, 1), nil, true); err != nil {
				t.Fatal(err)
			}
			steps := d.Steps()
			if l.Note(hardState(2, 1, 3)); d.Steps() != steps {
				t.Error("it costs a write")
			}
			if hs, _, _ := l.InitialState(); hs.GetCommit() != 3 {
				t.Errorf("the log says that %d is committed", hs.GetCommit())
			}
			if err := c.then(l); err != nil {
				t.Fatal(err)
			}
			d.Kill()
			if hs, _, _ := reopen(t, d).InitialState(); hs.GetCommit() != c.want {
				t.Errorf("the next process reads that %d is committed, want %d", hs.GetCommit(), c.want)
			}
		})
	}
}

func hardState(term, vote, commit uint64) *raftpb.HardState {
	return &raftpb.HardState{Term: new(term), Vote: new(vote), Commit: new(commit)}
}

// A checksum that the caller knows is the one that is written.
func TestSaveSummed(t *testing.T) {
	d := logtest.New()
	l := reopen(t, d)
	sound, unsound := bytes.Repeat([]byte("sound"), 5000), bytes.Repeat([]byte("unsound"), 5000)
	entries := []*raftpb.Entry{entryOf(1, 1, string(sound)), entryOf(2, 1, "short"), entryOf(3, 1, string(unsound))}
	sums := []uint32{crc32c.Sum(sound), crc32c.Sum([]byte("short")), crc32c.Sum(sound)}
	if err := l.SaveSummed(hardState(1, 1, 1), entries, sums, true); err != nil {
		t.Fatal(err)
	}
	if err := l.SaveSummed(nil, []*raftpb.Entry{entryOf(4, 1, "on")}, []uint32{crc32c.Sum([]byte("on"))}, true); err != nil {
		t.Fatal(err)
	}
	l = open(t, d, log.Base{}, log.Options{CacheBytes: -1})
	for i, e := range entries {
		got, err := l.ReadEntry(e.GetIndex())
		var damage *log.DamageError
		switch {
		case i == 2 && !errors.As(err, &damage):
			t.Errorf("what a wrong checksum was given for is read: %v", err)
		case i < 2 && (err != nil || !bytes.Equal(got.GetData(), e.GetData())):
			t.Errorf("entry %d: %v", e.GetIndex(), err)
		}
	}
}
