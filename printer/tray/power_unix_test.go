//go:build unix

package tray

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A plug is the power of a tray's disk. It knows what was made durable: contents by sync, names by syncDir. A renaming is durable as a
// whole, and with either of its directories.
type plug struct {
	root string
	live map[uint64]*node // by inode
	disk map[string]*node // the names that would be there
	// moment is called whenever the power may go, fails whether a sync does.
	moment func()
	fails  func() bool
}

// A node is a file, or a directory, whatever its name.
type node struct {
	directory bool
	durable   []byte
	// clean is how much of it a failed sync has left: the kernel takes it for durable, and does not write it any more.
	clean int
}

func newPlug(root string) *plug {
	p := &plug{root: root, live: map[uint64]*node{}, disk: map[string]*node{}, moment: func() {}, fails: func() bool { return false }}
	for name, n := range p.seen() { // what was there before has been there for long
		n.durable, _ = os.ReadFile(filepath.Join(root, name))
		n.clean, p.disk[name] = len(n.durable), n
	}
	return p
}

// seen is what processes see: names and what they stand for.
func (p *plug) seen() map[string]*node {
	names, inodes := map[string]*node{}, map[uint64]*node{}
	_ = filepath.WalkDir(p.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == p.root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		inode := info.Sys().(*syscall.Stat_t).Ino
		if inodes[inode] = p.live[inode]; inodes[inode] == nil {
			inodes[inode] = &node{directory: d.IsDir()}
			p.live[inode] = inodes[inode]
		}
		names[strings.TrimPrefix(path, p.root+"/")] = inodes[inode]
		return nil
	})
	p.live = inodes // a number may stand for another file later
	return names
}

var errDisk = errors.New("input/output error")

// A sheet is a page's file on the plug's disk.
type sheet struct {
	*os.File
	plug *plug
}

func (s sheet) Sync() error { return s.plug.sync(s.File) }

func (p *plug) create(path string) (pageFile, error) {
	f, err := os.Create(path)
	return sheet{f, p}, err
}

func (p *plug) sync(f *os.File) error {
	p.moment()
	b, err := os.ReadFile(f.Name())
	name := strings.TrimPrefix(f.Name(), p.root+"/")
	n := p.seen()[name]
	if p.fails() {
		if name == "ledger.ndjson" { // the others are written from their beginning the next time
			n.clean = len(b)
		}
		return errDisk
	}
	n.write(b, n.clean, len(b))
	return err
}

func (p *plug) rewrite(f *os.File, from, to int64) error {
	p.moment()
	if p.fails() {
		return errDisk
	}
	b, err := os.ReadFile(f.Name())
	p.seen()[strings.TrimPrefix(f.Name(), p.root+"/")].write(b, int(from), int(to))
	return err
}

// write brings a piece of what is seen of a file to the disk; what is missing before it is a hole.
func (n *node) write(seen []byte, from, to int) {
	n.durable = append(n.durable, make([]byte, max(0, to-len(n.durable)))...)
	copy(n.durable[from:to], seen[from:to])
}

func (p *plug) syncDir(dir string) error {
	p.moment()
	seen, touched := p.seen(), map[*node]bool{}
	for _, names := range []map[string]*node{seen, p.disk} {
		for name, n := range names {
			if filepath.Join(p.root, filepath.Dir(name)) == filepath.Clean(dir) {
				touched[n] = true
			}
		}
	}
	maps.DeleteFunc(p.disk, func(_ string, n *node) bool { return touched[n] })
	for name, n := range seen {
		if touched[n] {
			p.disk[name] = n
		}
	}
	return nil
}

func (p *plug) tray() *Tray {
	t := on(disk{p.create, p.sync, p.syncDir, p.rewrite}, p.root, Options{})
	t.before = func(string) error {
		p.seen() // before a number that has become free stands for another file
		p.moment()
		return nil
	}
	return t
}

// off makes the directory that is found after the power went: of what was not durable, what fate says.
func (p *plug) off(t *testing.T, fate func(of int) int) string {
	t.Helper()
	root, seen := t.TempDir(), p.seen()
	done := map[*node]bool{}
	for _, names := range []map[string]*node{p.disk, seen} {
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if n := names[name]; !done[n] {
				done[n] = true
				p.found(t, root, n, seen, fate)
			}
		}
	}
	return root
}

// found puts what is found of a node into a directory: under all of its old names, or of its new ones.
func (p *plug) found(t *testing.T, root string, n *node, seen map[string]*node, fate func(of int) int) {
	t.Helper()
	names, content := p.disk, n.durable
	if fate(2) == 1 {
		names = seen
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if seen[name] == n && !n.directory {
			content = partly(n.durable, filepath.Join(p.root, name), fate)
			break
		}
	}
	for name, other := range names {
		if other != n {
			continue
		}
		if err := put(filepath.Join(root, name), n.directory, content); err != nil {
			t.Fatal(err)
		}
	}
}

// partly is what is found of a file: its end may be missing, or have no bytes yet.
func partly(durable []byte, path string, fate func(of int) int) []byte {
	now, err := os.ReadFile(path)
	if err != nil || len(now) <= len(durable) {
		return durable
	}
	fresh := now[len(durable):]
	switch kept := fate(len(fresh) + 1); fate(3) {
	case 0:
		fresh = fresh[:kept]
	case 1:
		clear(fresh[:kept])
	}
	return slices.Concat(durable, fresh)
}

func put(path string, directory bool, content []byte) error {
	if directory {
		return os.MkdirAll(path, 0o755)
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644))
}

// A word is what somebody was told by a tray: what is out, acknowledged or by the mark that an open answered with, and who it is.
type word struct {
	pages    int
	identity string
	epoch    string
}

func (w *writer) word(before word) word {
	if w.opened.Epoch == "" {
		return before
	}
	out := len(w.acked)
	if m := w.opened.Mark; m.Attempt > 0 {
		out += int(m.Attempt-1)*testPages + m.Page
	}
	return word{out, w.opened.Identity, w.opened.Epoch}
}

// Whenever the power goes, once or twice: the tray keeps its word, and a new owner brings the paper to its right end.
func TestPowerLostAnywhere(t *testing.T) {
	t.Parallel()
	every := []int{1, 40}
	if testing.Short() {
		every = every[:1]
	}
	c := newCuts(t)
	p := newPlug(t.TempDir())
	c.run(p, &writer{tray: p.tray(), token: token(1, 1)}, word{}, every...)
	t.Logf("the power went at %d moments", c.moments)
}

// A sync of an owner fails, and the power goes some time after. What the kernel still shows to the owner, who tries again, or to the next
// one, is not on the disk unless somebody writes it again.
func TestPowerLostAfterAFailedSync(t *testing.T) {
	t.Parallel()
	c := newCuts(t)
	for n, failed := 0, true; failed; n++ {
		p := newPlug(t.TempDir())
		syncs := 0
		p.fails = func() bool { syncs++; return syncs == n/2+1 }
		w := &writer{tray: p.tray(), token: token(1, 1)}
		err := w.print()
		if failed = errors.Is(err, errDisk); err != nil && !failed {
			t.Fatal(err)
		}
		p.fails = func() bool { return false }
		told := w.word(word{})
		if w = (&writer{tray: w.tray, token: w.token}); n%2 == 1 {
			w = &writer{tray: p.tray(), token: token(2, 1)}
		}
		c.run(p, w, told, 5)
	}
	t.Logf("the power went at %d moments", c.moments)
}

// An owner writes a page between the last look of its heir and the heir's claim, and the sync of it fails. The page counts, and the heir
// says so.
func TestPowerLostAfterAFailedSyncOfAnother(t *testing.T) {
	t.Parallel()
	c := newCuts(t)
	p := newPlug(t.TempDir())
	old, heir := p.tray(), p.tray()
	s := open(t, old, token(1, 1))
	step, wrote := heir.before, false
	heir.before = func(name string) error {
		if name == "append" && !wrote {
			wrote = true
			old.before = func(name string) error {
				p.fails = func() bool { return name == "append" }
				return nil
			}
			if err := old.Print(t.Context(), unit(token(1, 1), s.Epoch, 1, 1, 1, testPages)); !errors.Is(err, errDisk) {
				t.Fatal(err)
			}
			p.fails = func() bool { return false }
		}
		return step(name)
	}
	c.run(p, &writer{tray: heir, token: token(2, 1)}, word{}, 1)
}

// cuts cuts the power of trays.
type cuts struct {
	t       *testing.T
	random  *rand.Rand
	moments int
}

func newCuts(t *testing.T) *cuts { return &cuts{t: t, random: rand.New(rand.NewPCG(1, 2))} }

// run lets an owner print to the end. At each moment, or one of so many, the power goes, and the next owner comes; and so on.
func (c *cuts) run(p *plug, w *writer, told word, every ...int) {
	if l, err := Read(p.root); told.pages > 0 && (err != nil || len(l.Pages) < told.pages) {
		c.t.Fatalf("it had said that %d pages are out; found: %+v, %v", told.pages, l, err)
	}
	p.moment = func() {
		if len(every) == 0 || c.random.IntN(every[0]) > 0 {
			return
		}
		c.moments++
		for _, fate := range []func(of int) int{
			func(int) int { return 0 },         // nothing is there that was not durable
			func(of int) int { return of - 1 }, // all of it
			c.random.IntN,
		} {
			q := newPlug(p.off(c.t, fate))
			c.run(q, &writer{tray: q.tray(), token: token(w.token.Term+1, 1)}, w.word(told), every[1:]...)
		}
	}
	if err := w.print(); err != nil {
		c.t.Fatal(err)
	}
	if s := w.opened; told.epoch != "" && (s.Epoch != told.epoch || s.Identity != told.identity) {
		c.t.Fatalf("it had been %+v, and is %+v", told, s)
	}
	if v := violations(p.root, nil); v != nil {
		c.t.Fatal(strings.Join(v, "\n"))
	}
}
