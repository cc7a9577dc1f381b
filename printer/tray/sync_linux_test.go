package tray

import (
	"errors"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"printq/log/aio"
)

// A sync says the same whether or not the system takes asynchronous requests, and does not try them again where it took none.
func TestSyncsWithoutRequests(t *testing.T) {
	f, err := openRaw(filepath.Join(t.TempDir(), "a"), unix.O_WRONLY|unix.O_CREAT)
	if err != nil {
		t.Fatal(err)
	}
	for _, refused := range []bool{false, true} {
		rings := new(aio.Rings)
		if refused {
			rings.Refuse()
		}
		for range 2 {
			if err := syncFile(rings, f.fd, (*aio.Ring).SyncData, unix.Fdatasync); err != nil {
				t.Error(err)
			}
		}
		if err := syncFile(rings, -1, (*aio.Ring).Sync, unix.Fsync); !errors.Is(err, unix.EBADF) {
			t.Errorf("no file was synced: %v", err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A request that fails is not tried another way: the kernel would call what it could not write durable.
func TestFailedSyncIsNotTriedAgain(t *testing.T) {
	rings, failure := new(aio.Rings), errors.New("input/output error")
	if err := rings.Do(func(*aio.Ring) error { return nil }); err != nil {
		t.Skip(err)
	}
	err := syncFile(rings, -1, func(*aio.Ring, uintptr) error { return failure }, func(int) error { return nil })
	if !errors.Is(err, failure) {
		t.Error(err)
	}
}
