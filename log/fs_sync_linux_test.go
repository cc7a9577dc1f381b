package log

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
)

// What WriteSync wrote is there, with nothing but zeros behind it, whatever else is written by turns with it.
func TestWriteSyncIsAsInMemory(t *testing.T) {
	for name, refuse := range map[string]func(*testing.T, *osFile){
		"asynchronous": func(*testing.T, *osFile) {},
		"no requests to be had": func(_ *testing.T, f *osFile) {
			f.direct.io.rings.Refuse()
		},
		"no direct file": func(_ *testing.T, f *osFile) {
			f.direct.refused = true
		},
		"refused at open": func(t *testing.T, f *osFile) {
			if err := os.Remove(f.Name()); err != nil {
				t.Fatal(err)
			}
		},
		"refused at the write": func(_ *testing.T, f *osFile) {
			f.direct.io.chunks.New = func() any {
				b := make([]byte, directChunk+1)[1:]
				return &b
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			m := &modelFile{t: t, rand: r, file: create(t, dirWithMin(t.TempDir(), directBlock), "a")}
			refuse(t, m.file)
			for range 40 {
				m.stepSync()
				m.checkLonger()
			}
		})
	}
}

func TestWriteSyncToMemory(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "printq-log")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	m := &modelFile{t: t, rand: rand.New(rand.NewPCG(1, 1)), file: create(t, dirWithMin(dir, directBlock), "a")}
	for range 60 {
		m.stepSync()
		m.checkLonger()
	}
}

func (m *modelFile) stepSync() {
	size := len(m.want)
	switch n := m.rand.IntN(20); {
	case n < 8:
		m.writeSync(1 + m.rand.IntN(3000))
	case n < 14:
		m.writeSync(1 + m.rand.IntN(300<<10))
	case n < 15:
		m.writeSync(directChunk + m.rand.IntN(2*directChunk))
	case n < 16: // up to a block's end
		m.writeSync(directBlock*(1+m.rand.IntN(100)) - size%directBlock)
	case n < 17:
		m.write(size, 1+m.rand.IntN(300<<10))
	case n < 18:
		m.write(m.rand.IntN(size+1), 1+m.rand.IntN(3000))
	case n < 19:
		m.truncate(size - min(size, m.rand.IntN(100<<10)))
	}
	if m.rand.IntN(100) == 0 {
		m.writeSync(maxSyncWrite + 1)
	}
}

func (m *modelFile) writeSync(n int) {
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(m.rand.Uint32())
	}
	k := m.rand.IntN(n + 1)
	if err := m.file.WriteSync([][]byte{data[:k], nil, data[k:]}, int64(len(m.want))); err != nil {
		m.t.Fatal(err)
	}
	m.want = append(m.want, data...)
}

// checkLonger is check where the file may be longer.
func (m *modelFile) checkLonger() {
	m.t.Helper()
	got, err := io.ReadAll(io.NewSectionReader(m.file, 0, 1<<40))
	if err != nil {
		m.t.Fatal(err)
	}
	if !bytes.HasPrefix(got, m.want) {
		m.t.Fatalf("other bytes, %d of %d", len(got), len(m.want))
	}
	if rest := got[len(m.want):]; !bytes.Equal(rest, make([]byte, len(rest))) {
		m.t.Fatal("something else than zeros behind what was written")
	}
}
