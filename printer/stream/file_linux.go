package stream

import (
	"os"

	"golang.org/x/sys/unix"
)

const (
	// openFlags: a terminal does not become ours, and a device that is not there does not keep us.
	openFlags = unix.O_NOCTTY | unix.O_NONBLOCK
	// lpGetStatus is LPGETSTATUS of linux/lp.h; usblp answers it too.
	lpGetStatus = 0x060b
)

// The lines of a parallel port, as LPGETSTATUS has them.
const (
	lpNoError  = 0x08
	lpSelected = 0x10
	lpPaperOut = 0x20
)

// lineStatus is what a line printer's status lines say; empty: nothing, or the device has none.
func lineStatus(f *os.File) (reason, detail string) {
	raw, err := f.SyscallConn()
	if err != nil {
		return "", ""
	}
	status, known := 0, false
	if err := raw.Control(func(fd uintptr) {
		var err error
		status, err = unix.IoctlGetInt(int(fd), lpGetStatus)
		known = err == nil
	}); err != nil || !known {
		return "", ""
	}
	return lines(status & 0xff)
}

func lines(status int) (reason, detail string) {
	switch {
	case status&lpPaperOut != 0:
		return "media-empty", "the printer says that it has no paper"
	case status&lpSelected == 0:
		return "paused", "the printer says that it is off line"
	case status&lpNoError == 0:
		return "other", "the printer says that it has an error"
	}
	return "", ""
}
