// Package logtest has a simulated disk for the log: it loses, tears and refuses on request, and does
// the same again from the same seed.
package logtest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"printq/log"
)

// Sector is what the simulated disk writes wholly or not at all, in bytes.
const Sector = 512

var (
	// ErrPower is what every call returns once the power is off.
	ErrPower = errors.New("power is off")
	// ErrFull is what a write returns that exceeds the capacity.
	ErrFull = errors.New("no space left on device")
	// ErrSync is what a sync returns that was told to fail.
	ErrSync = errors.New("input/output error")
)

// Disk is one directory in memory. It keeps what is durable apart from what was only
// written. Its methods may be called concurrently. The zero value is not ready: use New.
type Disk struct {
	mu      sync.Mutex
	durable map[string]*inode // the directory as of the last SyncDir
	names   map[string]*inode // the directory as it looks
	dirOps  []dirOp           // what differs between them, in order
	boot    int               // handles of earlier boots are dead

	steps     int // changing calls so far
	powerOff  int // power fails at this step; 0: never
	failSync  int // syncs until one fails; 0: none
	off       bool
	capacity  int64 // bytes; 0: no limit
	syncDelay func()
}

// New returns an empty disk.
func New() *Disk {
	return &Disk{durable: map[string]*inode{}, names: map[string]*inode{}}
}

// PowerOffAt lets the power fail during the nth changing call from now on: the call is begun, but is
// not acknowledged. Zero takes the order back.
func (d *Disk) PowerOffAt(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.powerOff = 0
	if n > 0 {
		d.powerOff = d.steps + n
	}
}

// Steps is the number of changing calls so far: writes, syncs and directory operations.
func (d *Disk) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps
}

// FailSync lets the nth sync of a file or of the directory from now on fail. What it should have
// made durable never will be, even if a later sync succeeds, as on real systems.
func (d *Disk) FailSync(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failSync = n
}

// SetCapacity bounds the sum of all file lengths. Zero is no bound.
func (d *Disk) SetCapacity(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = bytes
}

// OnSync calls f before each sync of a file, for a disk that is slow or stalled.
func (d *Disk) OnSync(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncDelay = f
}

// Flip turns over one bit of a file, in what is durable and in what is seen.
func (d *Disk) Flip(name string, offset int64, bit uint) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.names[name]
	if n == nil || offset >= int64(len(n.data)) {
		return fmt.Errorf("flip %s at %d: %w", name, offset, fs.ErrNotExist)
	}
	n.data[offset] ^= 1 << bit
	if offset < int64(len(n.durable)) {
		n.durable[offset] ^= 1 << bit
	}
	return nil
}

// Files returns a copy of all files as they look.
func (d *Disk) Files() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string][]byte{}
	for name, n := range d.names {
		all[name] = slices.Clone(n.data)
	}
	return all
}

// SetFile puts a durable file there.
func (d *Disk) SetFile(name string, data []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := &inode{data: slices.Clone(data), durable: slices.Clone(data)}
	d.names[name], d.durable[name] = n, n
}

// step counts a changing call. It reports an error if the power is off, and do reports whether the
// call still reaches the disk.
func (d *Disk) step(boot int) (do bool, err error) {
	if d.off || boot != d.boot {
		return false, ErrPower
	}
	d.steps++
	if d.steps == d.powerOff {
		d.off = true
		return true, ErrPower
	}
	return true, nil
}

// syncFails counts a sync.
func (d *Disk) syncFails() bool {
	if d.failSync == 0 {
		return false
	}
	d.failSync--
	return d.failSync == 0
}

func (d *Disk) used() (sum int64) {
	for _, n := range d.names {
		sum += int64(len(n.data))
	}
	return sum
}

// FS returns the disk as a log sees it until the next Crash.
func (d *Disk) FS() log.FS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return &mount{d, d.boot}
}

// mount is the disk from one boot to the next.
type mount struct {
	*Disk
	boot int
}

func (m *mount) List() ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.off || m.boot != m.Disk.boot {
		return nil, ErrPower
	}
	return slices.Sorted(maps.Keys(m.names)), nil
}

func (m *mount) Create(name string) (log.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	n := &inode{}
	if err := m.change(dirOp{to: name, node: n}); err != nil {
		return nil, err
	}
	return &file{m.Disk, m.boot, n}, nil
}

func (m *mount) Open(name string) (log.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.off || m.boot != m.Disk.boot {
		return nil, ErrPower
	}
	n := m.names[name]
	if n == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{m.Disk, m.boot, n}, nil
}

func (m *mount) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[from] == nil {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	return m.change(dirOp{from: from, to: to, node: m.names[from]})
}

func (m *mount) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.names[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	return m.change(dirOp{from: name, node: m.names[name]})
}

func (m *mount) change(op dirOp) error {
	do, err := m.step(m.boot)
	if do {
		op.apply(m.names)
		m.dirOps = append(m.dirOps, op)
	}
	return err
}

func (m *mount) SyncDir() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	do, err := m.step(m.boot)
	if err != nil || !do {
		return err
	}
	if m.syncFails() {
		return ErrSync
	}
	m.durable = maps.Clone(m.names)
	m.dirOps = nil
	return nil
}

// file is an open file. Its place in the file is the caller's.
type file struct {
	disk *Disk
	boot int
	node *inode
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off || f.boot != f.disk.boot {
		return 0, ErrPower
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteVec(bufs [][]byte, off int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	do, err := f.disk.step(f.boot)
	if !do {
		return err
	}
	data := slices.Concat(bufs...)
	if room := f.disk.capacity - f.disk.used() + int64(len(f.node.data)) - off; f.disk.capacity > 0 && int64(len(data)) > room {
		data, err = data[:max(0, room)], ErrFull
	}
	f.node.change(change{off: off, data: data})
	return err
}

// WriteSync makes durable what it writes, and the length, but nothing that was written before it.
func (f *file) WriteSync(bufs [][]byte, off int64) error {
	f.disk.mu.Lock()
	wait := f.disk.syncDelay
	before := f.node.pending
	f.disk.mu.Unlock()
	if wait != nil {
		wait()
	}
	if err := f.WriteVec(bufs, off); err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.syncFails() {
		f.node.pending = before
		return ErrSync
	}
	f.node.settle(len(before))
	return nil
}

func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	do, err := f.disk.step(f.boot)
	if do {
		f.node.change(change{off: size, truncate: true})
	}
	return err
}

func (f *file) Sync() error {
	f.disk.mu.Lock()
	wait := f.disk.syncDelay
	f.disk.mu.Unlock()
	if wait != nil {
		wait()
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	do, err := f.disk.step(f.boot)
	if err != nil || !do {
		return err
	}
	if f.disk.syncFails() {
		f.node.pending = nil // marked clean, never written
		return ErrSync
	}
	f.node.sync()
	return nil
}

func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *file) Close() error { return nil }
