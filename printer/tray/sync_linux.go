package tray

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData makes a file's content durable, with as much of its metadata as reading it needs.
func syncData(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}
