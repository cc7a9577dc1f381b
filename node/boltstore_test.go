package node

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
	"go.etcd.io/raft/v3/raftpb"

	"printq/queue"
)

// tainted is a state.db as a failed sync leaves it: what the kernel shows to the next process, and what is on the disk.
type tainted struct {
	t            *testing.T
	path         string // what is shown
	shown, disk  []byte // as of the last look
	head, before Head
}

// bigBatch changes enough for pages to be freed and used again.
func bigBatch(n uint64) *Batch {
	b := &Batch{Head: Head{Applied: Position{Index: n, Term: 1}, Conf: &raftpb.ConfState{Voters: []uint64{1}}}}
	for i := range 200 {
		b.Changes = append(b.Changes, queue.Change{Bucket: queue.Finished, Key: fmt.Appendf(nil, "%03d", i), Value: bytes.Repeat([]byte{byte(n)}, 200)})
	}
	return b
}

const metaPages = 2

// taint commits three batches and then one more, of which everything reaches the disk but the meta page.
func taint(t *testing.T) *tainted {
	x := &tainted{t: t, path: filepath.Join(t.TempDir(), "state.db")}
	s := x.open()
	for n := range uint64(4) {
		x.disk = x.read()
		x.before = s.Head()
		if err := s.Commit(bigBatch(n + 1)); err != nil {
			t.Fatal(err)
		}
	}
	x.head = s.Head()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	x.shown = x.disk
	x.written(false)
	return x
}

func (x *tainted) open() *boltStore {
	x.t.Helper()
	s, err := openStore(x.path)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (x *tainted) read() []byte {
	x.t.Helper()
	b, err := os.ReadFile(x.path)
	if err != nil {
		x.t.Fatal(err)
	}
	return b
}

// written brings to the disk what was written since the last look, with or without the meta pages.
func (x *tainted) written(metas bool) {
	now, page := x.read(), os.Getpagesize()
	disk := append(bytes.Clone(x.disk), make([]byte, max(0, len(now)-len(x.disk)))...)
	for at := 0; at < len(now); at += page {
		p := now[at:min(at+page, len(now))]
		same := at+len(p) <= len(x.shown) && bytes.Equal(p, x.shown[at:at+len(p)])
		if !same && (metas || at >= metaPages*page) {
			copy(disk[at:], p)
		}
	}
	x.shown, x.disk = now, disk
}

// powerOff is what a process finds that starts after the power was gone: the head, and whether the pages make sense.
func (x *tainted) powerOff() (Head, error) {
	x.t.Helper()
	path := filepath.Join(x.t.TempDir(), "state.db")
	if err := os.WriteFile(path, x.disk, 0o600); err != nil {
		x.t.Fatal(err)
	}
	s, err := openStore(path)
	if err != nil {
		return Head{}, err
	}
	defer s.Close()
	if err := s.db.View(func(tx *bbolt.Tx) (err error) {
		for e := range tx.Check() {
			err = e
		}
		return err
	}); err != nil {
		return s.Head(), err
	}
	return s.Head(), s.Each(queue.Finished, func(key, value []byte) error {
		if value[0] != byte(s.Head().Applied.Index) {
			return fmt.Errorf("job %s is of batch %d, the head of %d", key, value[0], s.Head().Applied.Index)
		}
		return nil
	})
}

// After a failed sync the next process builds on what the kernel shows. It must be on the disk by then.
func TestStateIsDurableBeforeItIsBuiltOn(t *testing.T) {
	x := taint(t)
	if head, err := x.powerOff(); err != nil || head.Applied != x.before.Applied {
		t.Fatalf("power off at once: %v, %v; want %v", head.Applied, err, x.before.Applied)
	}
	s := x.open()
	if s.Head().Applied != x.head.Applied {
		t.Fatalf("the kernel shows %v, want %v", s.Head().Applied, x.head.Applied)
	}
	if err := s.renew(); err != nil {
		t.Fatal(err)
	}
	x.written(true)
	if head, err := x.powerOff(); err != nil || head.Applied != x.head.Applied {
		t.Errorf("power off after open: %v, %v; open had answered %v", head.Applied, err, x.head.Applied)
	}
	if err := s.Commit(bigBatch(5)); err != nil {
		t.Fatal(err)
	}
	x.written(false)
	if head, err := x.powerOff(); err != nil || head.Applied != x.head.Applied {
		t.Errorf("power off in the next commit: %v, %v; open had answered %v", head.Applied, err, x.head.Applied)
	}
}
