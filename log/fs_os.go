package log

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// OSDir is the directory at path. List makes it, durably, if it is not there; its parent must be.
func OSDir(path string) FS { return &osDir{root: path, direct: newDirectIO()} }

type osDir struct {
	root   string
	direct *directIO
}

func (d *osDir) List() ([]string, error) {
	if err := d.make(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (d *osDir) make() error {
	err := os.Mkdir(d.root, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	return syncDir(filepath.Dir(d.root))
}

func (d *osDir) path(name string) string { return filepath.Join(d.root, name) }

func (d *osDir) Create(name string) (File, error) {
	return d.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (d *osDir) Open(name string) (File, error) { return d.open(name, os.O_RDWR) }

func (d *osDir) open(name string, flag int) (File, error) {
	f, err := os.OpenFile(d.path(name), flag, 0o600)
	if err != nil {
		return nil, err
	}
	return &osFile{File: f, direct: directFile{io: d.direct}}, nil
}

func (d *osDir) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }
func (d *osDir) Remove(name string) error     { return os.Remove(d.path(name)) }
func (d *osDir) SyncDir() error               { return syncDir(d.root) }

// osFile adds what differs between systems: WriteVec and Sync.
type osFile struct {
	*os.File
	direct directFile
}

func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Truncate comes at the end of a file's writing, so what large writes needed is given back.
func (f *osFile) Truncate(size int64) error {
	f.direct.forget()
	return errors.Join(f.direct.close(), f.File.Truncate(size))
}

func (f *osFile) Close() error {
	return errors.Join(f.direct.close(), f.File.Close())
}
