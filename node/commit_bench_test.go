package node

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/queue"
)

// BenchmarkCommit is what a job costs in state.db that is submitted, with its record and its line, so many in a batch.
func BenchmarkCommit(b *testing.B) {
	for _, jobs := range []int{1, 20, 5000} {
		b.Run(fmt.Sprintf("jobs=%d", jobs), func(b *testing.B) {
			store, err := openStore(filepath.Join(b.TempDir(), "state.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer store.Close()
			record, line := bytes.Repeat([]byte("r"), 150), bytes.Repeat([]byte("l"), 480)
			batch := &Batch{Head: Head{Conf: &raftpb.ConfState{Voters: []uint64{1}}}}
			seq := uint64(0)
			for b.Loop() {
				seq++
				batch.Changes = append(batch.Changes, queue.Change{Bucket: queue.Live, Key: lineKey(seq), Value: record})
				batch.Lines = append(batch.Lines, queue.Line{Seq: seq, JSON: line, Job: seq, Printer: "printer"})
				if len(batch.Lines) == jobs {
					batch.Applied.Index++
					if err := store.Commit(batch); err != nil {
						b.Fatal(err)
					}
					batch.Changes, batch.Lines = batch.Changes[:0], batch.Lines[:0]
				}
			}
		})
	}
}
