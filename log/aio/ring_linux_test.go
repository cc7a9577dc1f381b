package aio

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

func ring(t *testing.T) *Ring {
	t.Helper()
	r, err := newRing()
	if err != nil {
		t.Skip(err)
	}
	return r
}

func create(t *testing.T) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "a"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// A request that the kernel answers with an error is one, and the next is done.
func TestErrorsAreReported(t *testing.T) {
	r, f := ring(t), create(t)
	block := make([]byte, 4096)
	reading, err := os.Open(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	for range 3 {
		if n, err := r.WriteSync(reading.Fd(), [][]byte{block}, 0); err == nil {
			t.Fatalf("wrote %d bytes to a file that is open for reading", n)
		}
		if n, err := r.WriteSync(f.Fd(), [][]byte{block, block[:100]}, 0); err != nil || n != 4196 {
			t.Fatal(n, err)
		}
	}
}

// What cannot be synced was not, and the next request is done: a pipe is refused, and so is what is no file.
func TestSyncs(t *testing.T) {
	r, f := ring(t), create(t)
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	defer to.Close()
	for range 3 {
		if err := r.Sync(to.Fd()); !errors.Is(err, ErrRefused) || !errors.Is(err, unix.EINVAL) {
			t.Fatal(err)
		}
		if err := r.SyncData(1 << 20); !errors.Is(err, ErrRefused) || !errors.Is(err, unix.EBADF) {
			t.Fatal(err)
		}
		if err := errors.Join(r.Sync(f.Fd()), r.SyncData(f.Fd())); err != nil {
			t.Fatal(err)
		}
	}
}

// Many at once have a ring each, which are used again.
func TestRingsAreUsedAgain(t *testing.T) {
	const most = 8
	ring(t)
	f := create(t)
	rings := new(Rings)
	var all sync.WaitGroup
	for range most {
		all.Go(func() {
			for range 20 {
				if err := rings.Do(func(r *Ring) error { return r.SyncData(f.Fd()) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(rings.idle); n < 1 || n > most {
		t.Errorf("%d rings", n)
	}
	for range 2 {
		err := rings.Do(func(r *Ring) error { return r.SyncData(1 << 20) })
		if !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	}
	if err := rings.Do(func(*Ring) error { t.Error("a ring, though the system refuses"); return nil }); err != ErrRefused {
		t.Error(err)
	}
}
