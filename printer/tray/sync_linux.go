package tray

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"printq/log/aio"
)

// Each page makes a file and syncs a directory. os.File would have the poller look at each of them in vain, and a page would cost a
// tenth more.

// uninterrupted calls again what a signal interrupted.
func uninterrupted[T any](call func() (T, error)) (T, error) {
	for {
		if v, err := call(); !errors.Is(err, unix.EINTR) {
			return v, err
		}
	}
}

// rings are what trays sync with: as many as sync at the same time.
var rings aio.Rings

// syncFile syncs without a thread that waits, where the system lets it: so that as many trays as there are can be in a sync at once.
func syncFile(rings *aio.Rings, fd int, request func(*aio.Ring, uintptr) error, call func(int) error) error {
	err := rings.Do(func(ring *aio.Ring) error { return request(ring, uintptr(fd)) })
	if !errors.Is(err, aio.ErrRefused) {
		return err
	}
	_, err = uninterrupted(func() (struct{}, error) { return struct{}{}, call(fd) })
	return err
}

// syncData makes a file's content durable, with as much of its metadata as reading it needs.
func syncData(f *os.File) error { return rawFile{int(f.Fd()), f.Name()}.Sync() }

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	f, err := openRaw(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	err = syncFile(&rings, f.fd, (*aio.Ring).Sync, unix.Fsync)
	return errors.Join(f.failed("sync", err), f.Close())
}

// A rawFile is a file without os.File around it.
type rawFile struct {
	fd   int
	path string
}

func openRaw(path string, flags int) (rawFile, error) {
	fd, err := uninterrupted(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0o644) })
	f := rawFile{fd, path}
	return f, f.failed("open", err)
}

func createPage(path string) (pageFile, error) {
	return openRaw(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC)
}

// Write implements io.Writer.
func (f rawFile) Write(b []byte) (n int, err error) {
	for n < len(b) {
		k, err := uninterrupted(func() (int, error) { return unix.Write(f.fd, b[n:]) })
		if err != nil {
			return n, f.failed("write", err)
		}
		n += k
	}
	return n, nil
}

// Sync implements pageFile.
func (f rawFile) Sync() error {
	return f.failed("sync", syncFile(&rings, f.fd, (*aio.Ring).SyncData, unix.Fdatasync))
}

// Close implements io.Closer. It is not called again where it was interrupted: the descriptor is free then.
func (f rawFile) Close() error { return f.failed("close", unix.Close(f.fd)) }

func (f rawFile) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: what, Path: f.path, Err: err}
}
