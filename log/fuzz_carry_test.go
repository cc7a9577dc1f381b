package log_test

import (
	"bytes"
	"testing"

	"printq/log"
	"printq/log/logtest"
)

// FuzzCarry changes the file that keeps the documents of entries which raft no longer needs. Open refuses it or takes it; what is read
// of it then is what was written, or an error.
func FuzzCarry(f *testing.F) {
	opts := log.Options{SegmentBytes: 1024, WriteAheadBytes: -1}
	base := log.Base{Index: 8, Term: 1}
	d := logtest.New()
	l := open(f, d, base, opts)
	w, err := l.NewCarry()
	if err != nil {
		f.Fatal(err)
	}
	want := map[uint64][]byte{}
	for i := uint64(3); i <= 6; i++ {
		e := entryOf(i, 1, "the document of a job that is not printed yet")
		want[i] = e.GetData()
		if err := w.Add(e); err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		f.Fatal(err)
	}
	l.Close()
	files := d.Files()
	name := ""
	for n := range files {
		if bytes.HasSuffix([]byte(n), []byte(".carry")) {
			name = n
		}
	}
	if name == "" {
		f.Fatal("no carry was made")
	}
	for _, at := range []uint16{0, 9, 40, 100, 300} {
		f.Add(files[name], at, byte(0x10))
		f.Add(files[name][:min(int(at)+20, len(files[name]))], at, byte(0))
	}
	f.Fuzz(func(t *testing.T, carry []byte, at uint16, flip byte) {
		if carry = bytes.Clone(carry); len(carry) > 0 {
			carry[int(at)%len(carry)] ^= flip
		}
		d := logtest.New()
		for n, b := range files {
			d.SetFile(n, b)
		}
		d.SetFile(name, carry)
		l, err := log.Open(d.FS(), base, opts)
		if err != nil {
			return
		}
		defer l.Close()
		for i, data := range want {
			l.Retain(i, 1)
			e, err := l.ReadEntry(i)
			changed := differ(carry, files[name])
			if err == nil && !bytes.Equal(e.GetData(), data) && changed <= 1 {
				t.Errorf("with %d bytes changed, entry %d is %q", changed, i, e.GetData())
			}
			if err != nil && changed == 0 {
				t.Errorf("entry %d: %v", i, err)
			}
		}
	})
}

// differ is the number of bytes in which two files differ.
func differ(a, b []byte) (n int) {
	if len(a) != len(b) {
		return max(len(a), len(b))
	}
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
