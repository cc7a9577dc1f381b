package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// A file is a Conn to a path.
type file struct {
	*os.File
	plain    bool
	readable bool
	synced   bool // nothing was written since
	trouble  func(*os.File) (reason, detail string)
}

// openFile opens without waiting for a reader or a carrier. Only a plain file is made.
func openFile(_ context.Context, path string, talk bool) (Conn, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return openPlain(path)
	case err != nil:
		return nil, err
	case info.Mode().IsRegular():
		return openPlain(path)
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory", path)
	}
	how := os.O_WRONLY
	if talk && info.Mode()&os.ModeCharDevice != 0 {
		how = os.O_RDWR
	}
	f, err := os.OpenFile(path, how|openFlags, 0)
	if errors.Is(err, syscall.ENXIO) {
		return nil, fmt.Errorf("nobody reads from it: %w", err)
	} else if err != nil {
		return nil, err
	}
	// A read that cannot be broken off would outlive the connection.
	readable := how == os.O_RDWR && f.SetReadDeadline(time.Time{}) == nil
	return &file{File: f, readable: readable, trouble: lineStatus}, nil
}

func openPlain(path string) (Conn, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	return &file{File: f, plain: true}, nil
}

// Unread: nothing comes back from it.
func (f *file) Unread() bool { return !f.readable }

// Read never ends a stream: a device with nothing to say is no end of it.
func (f *file) Read(p []byte) (int, error) {
	for {
		n, err := f.File.Read(p)
		if n > 0 || err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EAGAIN) {
			return n, err
		}
		time.Sleep(slice) // a device that answers at once that it has nothing
	}
}

func (f *file) Write(p []byte) (int, error) {
	f.synced = false
	return f.File.Write(p)
}

// Unacknowledged is 0 for a plain file that is on the disk; for a device, what the kernel still has, where it says that.
func (f *file) Unacknowledged() (int, error) {
	if !f.plain {
		n, _, err := unacknowledged(f)
		return n, err
	}
	if f.synced {
		return 0, nil
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	f.synced = true
	return 0, nil
}

// Trouble is what the printer's own lines say.
func (f *file) Trouble() (reason, detail string) {
	if f.trouble == nil {
		return "", ""
	}
	return f.trouble(f.File)
}
