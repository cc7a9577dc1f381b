package node

import (
	"fmt"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/raft/v3/raftpb"

	"printq/queue"
)

// filed is a store with the lines 1 to n, in batches of 100. Those up to alone each have a record of their own, as they had once.
func filed(t *testing.T, n, alone uint64) *boltStore {
	s, err := openStore(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte(queue.Lines))
		for seq := uint64(1); seq <= alone && err == nil; seq++ {
			err = b.Put(lineKey(seq), appendLine(nil, someLine(seq)))
		}
		return err
	})
	for seq := alone + 1; seq <= n && err == nil; {
		batch := &Batch{Head: Head{Conf: &raftpb.ConfState{Voters: []uint64{1}}}}
		for ; seq <= n && len(batch.Lines) < 100; seq++ {
			batch.Lines = append(batch.Lines, someLine(seq))
		}
		err = s.Commit(batch)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// someLine is one of some 600 bytes; each tenth is longer than a group.
func someLine(seq uint64) queue.Line {
	size := 500
	if seq%10 == 0 {
		size = groupBytes + 1
	}
	return queue.Line{Seq: seq, Job: seq / 2, Printer: "p", JSON: fmt.Appendf(nil, `{"seq":%d,"x":"%0*d"}`, seq, size, seq)}
}

// Any stretch of lines is read as it was written, wherever a group begins.
func TestLinesAreReadFromAnywhere(t *testing.T) {
	const n = 230
	s := filed(t, n, 25)
	for seq := uint64(1); seq <= n+1; seq++ {
		for _, limit := range []int{1, 7, n} {
			lines, err := s.Lines(seq, limit)
			if err != nil {
				t.Fatal(err)
			}
			if want := min(limit, int(n+1-seq)); len(lines) != want {
				t.Fatalf("%d lines from %d on, want %d", len(lines), seq, want)
			}
			for i, l := range lines {
				want := someLine(seq + uint64(i))
				if l.Seq != want.Seq || l.Job != want.Job || l.Printer != "p" || string(l.JSON) != string(want.JSON) {
					t.Fatalf("line %d from %d on is %d of job %d: %.40s", i, seq, l.Seq, l.Job, l.JSON)
				}
			}
		}
	}
}

// No line leaves that is not below the one that lines are kept from, and not many stay that are.
func TestLinesAreTrimmed(t *testing.T) {
	const n = 230
	s := filed(t, n, 25)
	for trim := uint64(0); trim <= n+1; trim += 3 {
		if err := s.Commit(&Batch{Head: Head{Conf: &raftpb.ConfState{}}, TrimLines: trim}); err != nil {
			t.Fatal(err)
		}
		oldest := s.oldestLine()
		if oldest > max(trim, 1) || oldest+20 < min(trim, n) {
			t.Fatalf("the oldest line is %d, kept from %d on", oldest, trim)
		}
		if lines, err := s.Lines(max(trim, 1), n); err != nil || len(lines) != int(min(n, n+1-max(trim, 1))) {
			t.Fatalf("%d lines from %d on, %v", len(lines), trim, err)
		}
	}
}
