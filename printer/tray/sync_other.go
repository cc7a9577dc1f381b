//go:build !linux

package tray

import (
	"errors"
	"os"
	"runtime"
)

// syncData makes a file's content durable.
func syncData(f *os.File) error { return f.Sync() }

func createPage(path string) (pageFile, error) { return os.Create(path) }

// syncDir makes the names in a directory durable. Windows has no such call: NTFS journals them.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
