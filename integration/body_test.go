package integration

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
)

// A body is bytes that can be read again and again: a document, or one of its pages. It need not be in memory.
type body struct {
	size int64
	open func() (io.ReadCloser, error)
}

func inMemory(b []byte) body {
	return body{int64(len(b)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }}
}

func inFile(path string, size int64) body {
	return body{size, func() (io.ReadCloser, error) { return os.Open(path) }}
}

// noise is bytes that do not compress and never repeat, after a head. The same seed gives the same.
func noise(head string, size int64, seed uint64) body {
	return body{size, func() (io.ReadCloser, error) {
		key := [32]byte{}
		copy(key[:], fmt.Sprintf("%032d", seed))
		r := io.MultiReader(strings.NewReader(head), rand.NewChaCha8(key))
		return io.NopCloser(io.LimitReader(r, size)), nil
	}}
}

func (b body) sha256() (string, error) {
	r, err := b.open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// differ says where two bodies differ, or nil.
func differ(want, got body) error {
	w, err := want.open()
	if err != nil {
		return err
	}
	defer w.Close()
	g, err := got.open()
	if err != nil {
		return err
	}
	defer g.Close()
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := 0; ; {
		n, wantErr := io.ReadFull(w, a)
		m, gotErr := io.ReadFull(g, b)
		if n != m || !bytes.Equal(a[:n], b[:m]) {
			return fmt.Errorf("byte %d differs, or one ends there", at+common(a[:n], b[:m]))
		}
		at += n
		if wantErr != nil || gotErr != nil {
			return errors.Join(unlessEnd(wantErr), unlessEnd(gotErr))
		}
	}
}

func common(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func unlessEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return err
}
