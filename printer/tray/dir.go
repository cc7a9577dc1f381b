package tray

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// A disk makes durable what was written: a file's content, and the names in a directory. It is not the real one in tests that cut
// the power.
type disk struct {
	create  func(path string) (pageFile, error)
	sync    func(*os.File) error
	syncDir func(dir string) error
	rewrite func(f *os.File, from, to int64) error
}

// A pageFile is a new file, empty even if there was one of that name. Sync makes what was written durable, but not the name.
type pageFile interface {
	io.WriteCloser
	Sync() error
}

// rewrite writes a piece of a file again, where it is, and makes it durable. A sync alone does not write what the kernel takes for
// clean since one that failed.
func rewrite(f *os.File, from, to int64) error {
	w, err := os.OpenFile(f.Name(), os.O_WRONLY, 0) // not to append
	if err != nil {
		return err
	}
	defer w.Close()
	was, err := f.Stat()
	now, err2 := w.Stat()
	switch {
	case err != nil || err2 != nil:
		return errors.Join(err, err2)
	case !os.SameFile(was, now):
		return fmt.Errorf("%s is another file now", f.Name())
	}
	if _, err := io.Copy(io.NewOffsetWriter(w, from), io.NewSectionReader(f, from, to-from)); err != nil {
		return err
	}
	return syncData(w)
}

// makeDirs makes the tray's directories, and their names durable where they are new.
func (d disk) makeDirs(dir string) error {
	made := false
	for _, sub := range []string{pagesDir, partsDir} {
		path := filepath.Join(dir, sub)
		if _, err := os.Stat(path); err == nil {
			continue
		}
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		made = true
	}
	if !made {
		return nil
	}
	return errors.Join(d.syncDir(dir), d.syncDir(filepath.Dir(dir)))
}

// identity reads DIR/id, and makes it if it is not there. It appears whole and once: of processes that make it at the same
// time all but one find it made.
func (d disk) identity(dir string) (string, error) {
	path := filepath.Join(dir, "id")
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := d.makeIdentity(dir, path); err != nil {
			return "", err
		}
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(b))
	if id == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return id, nil
}

func (d disk) makeIdentity(dir, path string) error {
	temp, err := os.CreateTemp(dir, ".id-")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(rand.Text() + "\n")
	if err := errors.Join(err, temp.Chmod(0o644), d.sync(temp), temp.Close()); err != nil {
		return err
	}
	// A link, not a rename: it does not replace.
	if err := os.Link(temp.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return d.syncDir(dir)
}
