//go:build unix

package emulator

import "syscall"

// receiveBuffer sets how much the system takes on a socket before the program reads it.
func receiveBuffer(fd uintptr, bytes int) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, bytes)
}
