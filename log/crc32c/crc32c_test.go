package crc32c_test

import (
	"testing"

	"printq/log/crc32c"
)

// The checksum of RFC 3720, B.4, of the bytes 0 to 31.
func TestSum(t *testing.T) {
	b := make([]byte, 32)
	for i := range b {
		b[i] = byte(i)
	}
	if got := crc32c.Sum(b); got != 0x46dd794e {
		t.Fatalf("%#x", got)
	}
	if got := crc32c.Update(crc32c.Sum(b[:7]), b[7:]); got != 0x46dd794e {
		t.Fatalf("in two parts: %#x", got)
	}
}

func FuzzJoin(f *testing.F) {
	f.Add([]byte("first"), []byte("second"))
	f.Add([]byte(nil), make([]byte, 70_000))
	f.Add([]byte("x"), []byte(nil))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		want := crc32c.Sum(append(first[:len(first):len(first)], second...))
		if got := crc32c.Join(crc32c.Sum(first), crc32c.Sum(second), len(second)); got != want {
			t.Fatalf("%#x, want %#x", got, want)
		}
	})
}

func BenchmarkJoin(b *testing.B) {
	for b.Loop() {
		crc32c.Join(1, 2, 64<<10+77)
	}
}

func BenchmarkSum(b *testing.B) {
	data := make([]byte, 64<<10)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		crc32c.Sum(data)
	}
}
