package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// A data directory holds
//
//	LOCK           held while a process uses it
//	MANIFEST       whose it is, and which generation of state and log counts; replaced by one rename
//	BOOTSTRAP      before there is a manifest: the nonce of this attempt to form a cluster
//	state-G.db     the queue's state and the head, of generation G
//	log-G/         the log of generation G
//	repair/        documents fetched from other members, because our own bytes of them are damaged
//
// A snapshot is staged as the next generation, synced, and becomes this member's state with the manifest's rename. What
// belongs to no generation that counts is removed at the next open.
type dir struct {
	path string
	lock *os.File
}

const manifestFormat = 1

// A manifest says whose directory it is. Birth is how the cluster came to be: a member that has lost its directory cannot
// show the nonce that stands there under its id, and so does not come back to vote as if it had never voted.
type manifest struct {
	Format     int    `json:"format"`
	Cluster    string `json:"cluster"`
	Member     uint64 `json:"member"`
	Generation uint64 `json:"generation"`
	Birth      birth  `json:"birth"`
}

type birth struct {
	Members map[uint64]string `json:"members"` // peer addresses
	Nonces  map[uint64]string `json:"nonces"`
}

// openDir makes the directory where it is missing, and takes its lock.
func openDir(path string) (*dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := lockFile(lock); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("data directory %s is in use by another process: stop that one, or give --data another directory", path)
	}
	return &dir{path: path, lock: lock}, nil
}

func (d *dir) Close() error { return d.lock.Close() }

func (d *dir) file(name string) string { return filepath.Join(d.path, name) }

func (d *dir) state(generation uint64) string {
	return d.file(fmt.Sprintf("state-%d.db", generation))
}

func (d *dir) logs(generation uint64) string { return d.file(fmt.Sprintf("log-%d", generation)) }

// manifest reads it; fs.ErrNotExist: there is none.
func (d *dir) manifest() (*manifest, error) {
	b, err := os.ReadFile(d.file("MANIFEST"))
	if err != nil {
		return nil, err
	}
	m := new(manifest)
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", d.file("MANIFEST"), err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("%s has format %d, and this printq reads %d: use the printq that wrote it", d.file("MANIFEST"), m.Format, manifestFormat)
	}
	return m, nil
}

// writeManifest is the commit point of bootstrap and of a snapshot's installation.
func (d *dir) writeManifest(m *manifest) error { return d.writeJSON("MANIFEST", m) }

// writeJSON replaces a file by one rename, synced before and after.
func (d *dir) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	tmp := d.file(name + ".tmp")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, d.file(name)); err != nil {
		return err
	}
	return syncDir(d.path)
}

// sweep removes the files of generations that do not count.
func (d *dir) sweep(generation uint64) error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	keep := map[string]bool{
		filepath.Base(d.state(generation)): true, filepath.Base(d.logs(generation)): true,
	}
	for _, e := range entries {
		name := e.Name()
		state, _ := filepath.Match("state-*.db*", name)
		logs, _ := filepath.Match("log-*", name)
		tmp, _ := filepath.Match("*.tmp", name)
		if (state || logs || tmp || name == "repair") && !keep[name] {
			if err := os.RemoveAll(d.file(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// empty reports whether the directory holds nothing of a member's.
func (d *dir) empty() (bool, error) {
	_, err := os.Stat(d.file("MANIFEST"))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return false, err
}

func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
