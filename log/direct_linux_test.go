package log

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// A file that is written in small and large batches, read and cut holds what a slice of bytes would.
func TestDirectWritesAreAsInMemory(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 3))
			d := dirWithMin(t.TempDir(), directBlock<<r.IntN(7))
			m := &modelFile{t: t, rand: r, file: create(t, d, "a")}
			for range 120 {
				m.step()
			}
			m.check(0, len(m.want))
			m.recycle(d)
			for range 60 {
				m.step()
			}
			m.check(0, len(m.want))
			if err := m.file.Close(); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(d.root, "b")); err != nil || !bytes.Equal(got, m.want) {
				t.Fatalf("the file differs: %v", err)
			}
			if m.direct == 0 {
				t.Error("nothing was written directly")
			}
		})
	}
}

func TestDirectWriteThatIsRefused(t *testing.T) {
	for name, refuse := range map[string]func(*testing.T, *osFile){
		"at open": func(t *testing.T, f *osFile) {
			if err := os.Remove(f.Name()); err != nil {
				t.Fatal(err)
			}
		},
		// A chunk that is not aligned is refused by the disk like one of a disk with larger blocks.
		"at write": func(_ *testing.T, f *osFile) {
			f.direct.io.chunks.New = func() any { return new((*alignedChunk())[1:]) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := &modelFile{t: t, rand: rand.New(rand.NewPCG(1, 1)), file: create(t, dirWithMin(t.TempDir(), directBlock), "a")}
			refuse(t, m.file)
			m.write(100, 5<<20+directBlock+100)
			if !m.file.direct.refused {
				t.Skip("this file system takes unaligned direct writes")
			}
			m.write(1, 3<<20)
			m.check(0, len(m.want))
		})
	}
}

func TestDirectWriteToMemory(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "printq-log")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	m := &modelFile{t: t, rand: rand.New(rand.NewPCG(1, 1)), file: create(t, dirWithMin(dir, directBlock), "a")}
	for range 60 {
		m.step()
	}
	m.check(0, len(m.want))
}

// modelFile is a file beside what it must hold.
type modelFile struct {
	t      *testing.T
	rand   *rand.Rand
	file   *osFile
	want   []byte
	direct int // large writes that were not refused
}

func (m *modelFile) step() {
	size := len(m.want)
	switch n := m.rand.IntN(20); {
	case n < 6: // go on where the last write ended
		m.write(size, 1+m.rand.IntN(3000))
	case n < 12:
		m.write(size, 1+m.rand.IntN(600<<10))
	case n < 13:
		m.write(size, directChunk+m.rand.IntN(3*directChunk))
	case n < 14: // blocks that end where they should
		m.write(size&^(directBlock-1), directBlock*(1+m.rand.IntN(100)))
	case n < 16:
		m.write(m.rand.IntN(size+1), 1+m.rand.IntN(300<<10))
	case n < 17:
		m.write(size+m.rand.IntN(100<<10), 1+m.rand.IntN(300<<10))
	case n < 18:
		m.truncate(size - min(size, m.rand.IntN(1<<20)))
	case n < 19:
		if err := m.file.Sync(); err != nil {
			m.t.Fatal(err)
		}
	}
	from := m.rand.IntN(len(m.want) + 1)
	m.check(from, from+m.rand.IntN(len(m.want)-from+1))
}

// write writes n bytes at offset off, in pieces, some of them empty.
func (m *modelFile) write(off, n int) {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(m.rand.Uint32())
	}
	var bufs [][]byte
	for rest := data; len(rest) > 0; {
		k := m.rand.IntN(min(len(rest), 1+m.rand.IntN(200<<10)) + 1)
		bufs, rest = append(bufs, rest[:k]), rest[k:]
	}
	before := fmt.Sprint(len(bufs), len(bufs[0]), len(bufs[len(bufs)-1]))
	if err := m.file.WriteVec(bufs, int64(off)); err != nil {
		m.t.Fatal(err)
	}
	if after := fmt.Sprint(len(bufs), len(bufs[0]), len(bufs[len(bufs)-1])); before != after {
		m.t.Fatal("the caller's buffers were changed")
	}
	if grow := off + n - len(m.want); grow > 0 {
		m.want = append(m.want, make([]byte, grow)...)
	}
	copy(m.want[off:], data)
	if m.file.direct.file != nil {
		m.direct++
	}
}

func (m *modelFile) truncate(n int) {
	if err := m.file.Truncate(int64(n)); err != nil {
		m.t.Fatal(err)
	}
	m.want = m.want[:n:n]
}

func (m *modelFile) check(from, to int) {
	m.t.Helper()
	if n, err := m.file.Size(); err != nil || n != int64(len(m.want)) {
		m.t.Fatalf("%d bytes, %v; want %d", n, err, len(m.want))
	}
	got := make([]byte, to-from)
	if _, err := m.file.ReadAt(got, int64(from)); err != nil && err != io.EOF {
		m.t.Fatal(err)
	}
	if !bytes.Equal(got, m.want[from:to]) {
		m.t.Fatalf("other bytes in %d to %d of %d", from, to, len(m.want))
	}
}

// recycle gives the file another name and begins it anew without cutting it.
func (m *modelFile) recycle(d *osDir) {
	if err := m.file.Close(); err != nil {
		m.t.Fatal(err)
	}
	if err := d.Rename("a", "b"); err != nil {
		m.t.Fatal(err)
	}
	f, err := d.Open("b")
	if err != nil {
		m.t.Fatal(err)
	}
	m.file = f.(*osFile)
	m.t.Cleanup(func() { m.file.Close() })
	for off := 0; off < len(m.want); {
		n := min(len(m.want)-off, 1+m.rand.IntN(500<<10))
		m.write(off, n)
		off += n
	}
}

func dirWithMin(path string, least int64) *osDir {
	d := OSDir(path).(*osDir)
	d.direct.min = least
	return d
}

func create(tb testing.TB, d *osDir, name string) *osFile {
	tb.Helper()
	f, err := d.Create(name)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f.(*osFile)
}
