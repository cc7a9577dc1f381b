package aio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MaxBufs is how many pieces one write may have.
const MaxBufs = 8

// A Ring is a queue of one request to the kernel (io_submit(2)). Whoever waits for it waits for an eventfd. Its methods are called
// one after another.
type Ring struct {
	kept
	conn syscall.RawConn // of the eventfd
	// What the kernel is told the addresses of: a stack may move.
	request iocb
	list    [1]*iocb
	vec     [MaxBufs]unix.Iovec
}

// kept is what must be given back.
type kept struct {
	context uintptr
	event   *os.File
}

// iocb is the kernel's struct iocb, of a machine with little-endian numbers.
type iocb struct {
	_         uint64 // data
	_         uint32 // key
	flag      uint32 // RWF_DSYNC
	op        uint16
	_         int16 // priority
	fd        uint32
	buf, size uint64 // of iovecs
	offset    int64
	_         uint64
	options   uint32
	event     uint32
}

// ioEvent is the kernel's struct io_event.
type ioEvent struct {
	data, request   uint64
	result, result2 int64
}

const (
	iocbFsync     = 2 // IOCB_CMD_FSYNC
	iocbFdatasync = 3 // IOCB_CMD_FDSYNC
	iocbPwritev   = 8 // IOCB_CMD_PWRITEV
	iocbFlagResFD = 1 // IOCB_FLAG_RESFD
)

// ErrRefused: the system did not take the request on, so nothing was done.
var ErrRefused = errors.New("the system takes no asynchronous requests")

// newRing fails where the system has none to give. What it has is given back when nobody knows the Ring any more.
func newRing() (*Ring, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errors.ErrUnsupported
	}
	r := &Ring{}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&r.context)), 0); errno != 0 {
		return nil, os.NewSyscallError("io_setup", errno)
	}
	fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err == nil {
		r.event = os.NewFile(uintptr(fd), "eventfd")
		r.conn, err = r.event.SyscallConn()
	}
	if err != nil {
		r.release()
		return nil, err
	}
	runtime.AddCleanup(r, kept.release, r.kept)
	return r, nil
}

func (f kept) release() {
	unix.Syscall(unix.SYS_IO_DESTROY, f.context, 0, 0)
	if f.event != nil {
		f.event.Close()
	}
}

// WriteSync is pwritev2(2) with RWF_DSYNC. A file that refuses it says so when it is carried out, and nothing was written.
func (r *Ring) WriteSync(fd uintptr, bufs [][]byte, offset int64) (n int, err error) {
	defer clear(r.vec[:])
	for i, b := range bufs {
		r.vec[i].Base = &b[0]
		r.vec[i].SetLen(len(b))
	}
	n, err = r.do(iocb{
		op: iocbPwritev, fd: uint32(fd), buf: uint64(uintptr(unsafe.Pointer(&r.vec))), size: uint64(len(bufs)), offset: offset,
		flag: unix.RWF_DSYNC,
	})
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EAGAIN) {
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return n, err
}

// Sync is fsync(2).
func (r *Ring) Sync(fd uintptr) error {
	_, err := r.do(iocb{op: iocbFsync, fd: uint32(fd)})
	return err
}

// SyncData is fdatasync(2).
func (r *Ring) SyncData(fd uintptr) error {
	_, err := r.do(iocb{op: iocbFdatasync, fd: uint32(fd)})
	return err
}

func (r *Ring) do(request iocb) (n int, err error) {
	request.options = iocbFlagResFD
	r.request = request
	submitted := false
	waitErr := r.conn.Read(func(event uintptr) (done bool) {
		if !submitted { // here, and not before: Read forgets what the eventfd said earlier
			submitted = true
			if err = r.submit(event); err != nil {
				return true
			}
		}
		n, done, err = r.result()
		return done
	})
	return n, errors.Join(waitErr, err)
}

func (r *Ring) submit(event uintptr) error {
	r.request.event = uint32(event)
	r.list[0] = &r.request
	_, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, r.context, 1, uintptr(unsafe.Pointer(&r.list)))
	if errno != 0 {
		return fmt.Errorf("%w: %w", ErrRefused, errno)
	}
	return nil
}

// result does not wait. The eventfd's count is never read: each change of it wakes us.
func (r *Ring) result() (n int, done bool, err error) {
	var event ioEvent
	got, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, r.context, 0, 1, uintptr(unsafe.Pointer(&event)), 0, 0)
	switch {
	case errno == unix.EINTR:
		return 0, false, nil
	case errno != 0:
		return 0, true, errno
	case got == 0:
		return 0, false, nil
	case event.result < 0:
		return 0, true, unix.Errno(-event.result)
	}
	return int(event.result), true, nil
}
