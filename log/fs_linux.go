package log

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxVec is the number of buffers that one system call takes (IOV_MAX).
const maxVec = 1024

// WriteVec writes the whole blocks of a large batch past the page cache, and the rest through it.
func (f *osFile) WriteVec(bufs [][]byte, off int64) error {
	f.direct.tail = tail{}
	rest := append([][]byte(nil), bufs...)
	from, to := f.direct.span(off, off+sizeOf(rest))
	if from == to {
		return f.writeCached(rest, off)
	}
	head, rest := split(rest, from-off)
	if err := f.writeCached(head, off); err != nil {
		return err
	}
	n, err := f.direct.write(f.Name(), rest, from, to)
	if err != nil {
		return err
	}
	_, rest = split(rest, n)
	return f.writeCached(rest, from+n)
}

// writeCached hands all buffers to the kernel at once, so that payloads need not be copied
// together first. It uses bufs up.
func (f *osFile) writeCached(rest [][]byte, off int64) error {
	for len(rest) > 0 {
		n, err := f.pwritev(rest[:min(len(rest), maxVec)], off)
		if err != nil {
			return &os.PathError{Op: "pwritev", Path: f.Name(), Err: err}
		}
		rest = skip(rest, n)
		off += int64(n)
	}
	return nil
}

func (f *osFile) pwritev(bufs [][]byte, off int64) (n int, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, err
	}
	ctlErr := raw.Control(func(fd uintptr) {
		n, err = retry(func() (int, error) { return unix.Pwritev(int(fd), bufs, off) })
	})
	if ctlErr != nil {
		return 0, ctlErr
	}
	if err == nil && n == 0 && len(skip(bufs, 0)) > 0 {
		err = io.ErrShortWrite
	}
	return n, err
}

// skip drops the first n bytes, and the buffers that are empty then.
func skip(bufs [][]byte, n int) [][]byte {
	for len(bufs) > 0 && n >= len(bufs[0]) {
		n -= len(bufs[0])
		bufs = bufs[1:]
	}
	if n > 0 {
		bufs[0] = bufs[0][n:]
	}
	return bufs
}

// Sync leaves out the metadata that a reader does not need, such as the time of the last change.
// An error is final: see Log.Save.
func (f *osFile) Sync() (err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	ctlErr := raw.Control(func(fd uintptr) {
		_, err = retry(func() (int, error) { return 0, unix.Fdatasync(int(fd)) })
	})
	if ctlErr != nil {
		return ctlErr
	}
	if err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

// retry repeats a call that a signal interrupted before it did anything.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
