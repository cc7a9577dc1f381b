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
	// moment is called whenever the power may go.
	moment func()
}

// A node is a file, or a directory, whatever its name.
type node struct {
	directory bool
	durable   []byte
}

func newPlug(root string) *plug {
	p := &plug{root: root, live: map[uint64]*node{}, disk: map[string]*node{}, moment: func() {}}
	for name, n := range p.seen() { // what was there before has been there for long
		n.durable, _ = os.ReadFile(filepath.Join(root, name))
		p.disk[name] = n
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

func (p *plug) sync(f *os.File) error {
	p.moment()
	b, err := os.ReadFile(f.Name())
	p.seen()[strings.TrimPrefix(f.Name(), p.root+"/")].durable = b
	return err
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
	t := on(disk{p.sync, p.syncDir}, p.root, Options{})
	t.before = func(string) error { p.moment(); return nil }
	return t
}

// off makes the directory that is found after the power went: of what was not durable, what fate says.
func (p *plug) off(t *testing.T, fate func(of int) int) string {
	t.Helper()
	root, seen := t.TempDir(), p.seen()
	nodes := map[*node][]string{}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		nodes[seen[name]] = nil
	}
	for _, n := range p.disk {
		nodes[n] = nil
	}
	for n := range nodes {
		from := p.disk
		if fate(2) == 1 {
			from = seen
		}
		content := n.durable
		for _, name := range slices.Sorted(maps.Keys(seen)) {
			if seen[name] == n && !n.directory {
				content = partly(n.durable, name, p.root, fate)
			}
		}
		for name, other := range from {
			if other == n {
				if err := put(filepath.Join(root, name), n.directory, content); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	return root
}

// partly is what is found of a file: its end may be missing, or have no bytes yet.
func partly(durable []byte, name, root string, fate func(of int) int) []byte {
	now, err := os.ReadFile(filepath.Join(root, name))
	if err != nil || len(now) <= len(durable) {
		return durable
	}
	fresh := now[len(durable):]
	switch kept := fate(len(fresh) + 1); fate(3) {
	case 0:
		return now[:len(durable)+kept]
	case 1:
		clear(fresh[:kept])
	}
	return now
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
	random := rand.New(rand.NewPCG(1, 2))
	fates := []func(int) int{
		func(int) int { return 0 },         // nothing is there that was not durable
		func(of int) int { return of - 1 }, // all of it
		random.IntN, random.IntN,
	}
	moments := 0
	// run lets an owner print to the end. At each moment, or one of so many, the power goes, and the next owner comes; and so on.
	var run func(dir string, term uint64, told word, every ...int)
	run = func(dir string, term uint64, told word, every ...int) {
		p := newPlug(dir)
		w := &writer{tray: p.tray(), token: token(term, 1)}
		if l, err := Read(dir); told.pages > 0 && (err != nil || len(l.Pages) < told.pages) {
			t.Fatalf("it had said that %d pages are out; found: %+v, %v", told.pages, l, err)
		}
		p.moment = func() {
			if len(every) == 0 || random.IntN(every[0]) > 0 {
				return
			}
			moments++
			for _, fate := range fates {
				run(p.off(t, fate), term+1, w.word(told), every[1:]...)
			}
		}
		if err := w.print(); err != nil {
			t.Fatal(err)
		}
		if s := w.opened; told.epoch != "" && (s.Epoch != told.epoch || s.Identity != told.identity) {
			t.Fatalf("it had been %+v, and is %+v", told, s)
		}
		if v := violations(dir, nil); v != nil {
			t.Fatal(strings.Join(v, "\n"))
		}
	}
	run(t.TempDir(), 1, word{}, 1, 30)
	t.Logf("the power went at %d moments", moments)
}
