package stream

import (
	"fmt"
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

const tcpClose = 7 // TCP_CLOSE of the kernel's tcp_states.h

// unacknowledged is how many bytes the other side has not acknowledged, where the system can be asked. The error is that of a
// connection that is no more: its queue is empty, and says nothing.
func unacknowledged(conn Conn) (n int, known bool, err error) {
	s, ok := conn.(syscall.Conn)
	if !ok {
		return 0, false, nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	_, tcp := conn.(*net.TCPConn)
	control := raw.Control(func(fd uintptr) {
		// SIOCOUTQ is TIOCOUTQ: a serial line answers it too. What answers nothing cannot be asked.
		if n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err != nil {
			n, err = 0, nil
			return
		}
		known = true
		if tcp {
			err = alive(int(fd)) // after the queue: a connection that is alive now was so then
		}
	})
	if control != nil {
		return 0, false, control
	}
	return n, known, err
}

// roomOf a TCP connection.
func roomOf(conn Conn) (r room, known bool) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return room{}, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return room{}, false
	}
	err = raw.Control(func(fd uintptr) {
		waiting, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
		buffer, err2 := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF)
		info, err3 := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		if known = err == nil && err2 == nil && err3 == nil; known {
			// The buffer holds the system's own records, too: half of it is for them (socket(7)). Systems before 5.4 do not know the window.
			r = room{waiting: waiting, buffer: buffer / 2, window: int(info.Snd_wnd)}
		}
	})
	return r, known && err == nil
}

func alive(fd int) error {
	info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return fmt.Errorf("state of the connection: %w", err)
	}
	if info.State == tcpClose {
		return fmt.Errorf("the connection is lost: %w", unix.ECONNRESET)
	}
	return nil
}
