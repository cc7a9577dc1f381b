package log_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
)

// TestReadersBesideSaveAndReclaim reads retained documents while they are carried from file to file and
// the log goes on.
func TestReadersBesideSaveAndReclaim(t *testing.T) {
	l, err := log.Open(log.OSDir(t.TempDir()), log.Base{}, log.Options{SegmentBytes: 16 << 10, CacheBytes: 4096})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	document := func(i uint64) string { return strings.Repeat(fmt.Sprintf("%8d", i), 32) }
	const kept, last = 50, 2000
	for i := uint64(1); i <= kept; i++ {
		if err := l.Save(nil, []*raftpb.Entry{entryOf(i, 1, document(i))}, false); err != nil {
			t.Fatal(err)
		}
		l.Retain(i, 256)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for r := range uint64(3) {
		readers.Go(func() {
			p := make([]byte, 100)
			for i := r; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				index := i%kept + 1
				if n, err := l.ReadAt(index, p, 64); err != nil && !errors.Is(err, io.EOF) || string(p[:n]) != document(index)[64:164] {
					t.Errorf("read at %d: %d bytes, %v", index, n, err)
					return
				}
				if e, err := l.ReadEntry(index); err != nil || string(e.GetData()) != document(index) {
					t.Errorf("read %d: %v", index, err)
					return
				}
				l.Stats()
			}
		})
	}
	readers.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if _, _, err := l.Reclaim(context.Background()); err != nil {
				t.Errorf("reclaim: %v", err)
				return
			}
		}
	})
	for i := uint64(kept + 1); i <= last; i++ {
		if err := l.Save(nil, []*raftpb.Entry{entryOf(i, 1, document(i))}, i%20 == 0); err != nil {
			t.Error(err)
			break
		}
		if i%100 == 0 {
			l.Retain(i-50, 256)
			if err := l.SetBase(log.Base{Index: i - 10, Term: 1}); err != nil {
				t.Error(err)
				break
			}
		}
	}
	close(done)
	readers.Wait()
	reclaimAll(t, l)
	if st := l.Stats(); st.Carries == 0 || st.Segments > 5 {
		t.Errorf("%+v", st)
	}
}
