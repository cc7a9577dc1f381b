package http

import (
	"net"
	"syscall"
	"unsafe"
)

// acknowledged reports whether the peer has everything that was written to c: nothing is in the send queue (tcp(7), SIOCOUTQ),
// nor was it emptied by a reset.
func acknowledged(c net.Conn) bool {
	raw, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	left := int32(-1)
	if err := control.Control(func(fd uintptr) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&left))); errno != 0 {
			left = -1
		}
		if broken, err := syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_ERROR); broken != 0 || err != nil {
			left = -1
		}
	}); err != nil {
		return false
	}
	return left == 0
}
