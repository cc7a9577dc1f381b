package log

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// aioRing is a queue of one request to the kernel (io_submit(2)). Whoever waits for it waits for an eventfd, as for a socket. A
// thread that waits in a system call would keep its processor from the other goroutines, until Go's monitor, which looks every
// 20 us while there are such threads, takes it away: together that is a seventh of the CPU of a member under 64 KiB documents.
type aioRing struct {
	aioFiles
	conn syscall.RawConn // of the eventfd
	// What the kernel is told the addresses of: a stack may move.
	request iocb
	list    [1]*iocb
	vec     [maxSyncWrite / directChunk]unix.Iovec
}

// aioFiles is what must be given back.
type aioFiles struct {
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
	iocbPwritev   = 8 // IOCB_CMD_PWRITEV
	iocbFlagResFD = 1 // IOCB_FLAG_RESFD
)

func newRing() (*aioRing, error) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil, errors.ErrUnsupported
	}
	r := &aioRing{}
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
	runtime.AddCleanup(r, aioFiles.release, r.aioFiles)
	return r, nil
}

func (f aioFiles) release() {
	unix.Syscall(unix.SYS_IO_DESTROY, f.context, 0, 0)
	if f.event != nil {
		f.event.Close()
	}
}

// write is pwritev2(2) with RWF_DSYNC.
func (r *aioRing) write(fd uintptr, bufs [][]byte, offset int64) (n int, err error) {
	defer clear(r.vec[:])
	for i, b := range bufs {
		r.vec[i].Base = &b[0]
		r.vec[i].SetLen(len(b))
	}
	r.request = iocb{
		op: iocbPwritev, fd: uint32(fd), buf: uint64(uintptr(unsafe.Pointer(&r.vec))), size: uint64(len(bufs)), offset: offset,
		flag: unix.RWF_DSYNC, options: iocbFlagResFD,
	}
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

func (r *aioRing) submit(event uintptr) error {
	r.request.event = uint32(event)
	r.list[0] = &r.request
	_, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, r.context, 1, uintptr(unsafe.Pointer(&r.list)))
	if errno != 0 {
		return errno
	}
	return nil
}

// result does not wait. The eventfd's count is never read: each change of it wakes us.
func (r *aioRing) result() (n int, done bool, err error) {
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

// rings are those that nobody uses at the moment: one, or two while Reclaim writes.
type rings struct {
	mu      sync.Mutex
	idle    []*aioRing
	refused bool // by the system, for good
}

// take returns nil where the system has none to give.
func (r *rings) take() *aioRing {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 && !r.refused {
		ring := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return ring
	}
	if r.refused {
		return nil
	}
	ring, err := newRing()
	r.refused = err != nil
	return ring
}

func (r *rings) give(ring *aioRing, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, ring)
	r.refused = r.refused || refusal(err)
}
