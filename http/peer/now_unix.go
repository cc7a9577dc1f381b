//go:build unix

package peer

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// writeNow writes what the system takes at once, without waiting for room. It reports how much; what is wrong with a
// connection that takes nothing, the next blocking write says.
func writeNow(conn syscall.RawConn, p []byte) (n int) {
	_ = conn.Write(func(fd uintptr) bool {
		n, _ = unix.Write(int(fd), p)
		return true // whatever came of it: do not wait
	})
	return max(n, 0)
}
