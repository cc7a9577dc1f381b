package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"printq/log/crc32c"
	"printq/node"
)

// After the hello of an urgent or bulk connection come frames, and nothing goes back.
//
//	0  4  length of the body + 1; 0: goodbye, the last frame, which is these four bytes
//	4  4  CRC-32C of what follows, up to the end of so many bytes of the body as:
//	8  1  kind
//	9  4  bytes of the body that it covers; the others have checksums in these, which the node verifies
//	13    body
const frameHead = 13

// errFrame: what came is not a frame. The connection is of no use any more; the member may be well.
var errFrame = errors.New("damaged frame")

// errGoodbye: the other side ended the connection in an orderly way.
var errGoodbye = errors.New("goodbye")

var goodbye = []byte{0, 0, 0, 0}

func frameSize(f node.Frame) int {
	n := frameHead
	for _, b := range f.Bufs {
		n += len(b)
	}
	return n
}

func appendFrameHead(dst []byte, f node.Frame) []byte {
	n, covered := 1, 0
	for i, b := range f.Bufs {
		n += len(b)
		if i < len(f.Bufs)-f.Summed {
			covered += len(b)
		}
	}
	var rest [5]byte
	rest[0] = f.Kind
	binary.BigEndian.PutUint32(rest[1:], uint32(covered))
	sum := crc32c.Sum(rest[:])
	for _, b := range f.Bufs[:len(f.Bufs)-f.Summed] {
		sum = crc32c.Update(sum, b)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(n))
	dst = binary.BigEndian.AppendUint32(dst, sum)
	return append(dst, rest[:]...)
}

// Small bodies are cut from one buffer that is allocated for many of them; it lives while one of them does.
const (
	slabSize  = 32 << 10
	slabFrame = 4 << 10 // the longest body that is cut from it
	growFrom  = 2 << 20 // a longer body gets its memory only as its bytes arrive; an append of raft is shorter
)

// A frameReader reads frames. What it returned is never written to again.
type frameReader struct {
	r        io.Reader
	maxFrame int
	slab     []byte // read and not yet returned: slab[from:to]
	from, to int
	cut      bool // a body that was returned lies in the slab
}

func newFrameReader(r io.Reader, maxFrame int) *frameReader {
	return &frameReader{r: r, maxFrame: maxFrame, slab: make([]byte, slabSize)}
}

// next returns errGoodbye, errFrame, or the error of the connection: io.EOF where it ended between two frames.
func (f *frameReader) next() (kind byte, body []byte, err error) {
	if err := f.fill(4); err != nil {
		return 0, nil, err
	}
	n := int64(binary.BigEndian.Uint32(f.slab[f.from:]))
	if n == 0 {
		return 0, nil, errGoodbye
	}
	if n+frameHead-1 > int64(f.maxFrame) {
		return 0, nil, fmt.Errorf("%w: %d bytes are more than the limit of %d", errFrame, n, f.maxFrame)
	}
	if err := f.fill(frameHead); err != nil {
		return 0, nil, noEOF(err)
	}
	want, kind := binary.BigEndian.Uint32(f.slab[f.from+4:]), f.slab[f.from+8]
	covered := int64(binary.BigEndian.Uint32(f.slab[f.from+9:]))
	sum := crc32c.Sum(f.slab[f.from+8 : f.from+frameHead])
	f.from += frameHead
	if body, err = f.body(int(n) - 1); err != nil {
		return 0, nil, noEOF(err)
	}
	if covered > int64(len(body)) || crc32c.Update(sum, body[:covered]) != want {
		return 0, nil, fmt.Errorf("%w: checksum of %d bytes does not match", errFrame, n)
	}
	return kind, body, nil
}

func (f *frameReader) body(n int) ([]byte, error) {
	if n <= slabFrame {
		if err := f.fill(n); err != nil {
			return nil, err
		}
		body := f.slab[f.from : f.from+n : f.from+n]
		f.from += n
		f.cut = true
		return body, nil
	}
	body := make([]byte, min(n, growFrom))
	have := copy(body, f.slab[f.from:f.to])
	f.from += have
	for {
		if _, err := io.ReadFull(f.r, body[have:]); err != nil {
			return nil, err
		}
		if len(body) == n {
			return body, nil
		}
		have = len(body)
		longer := make([]byte, min(n, 2*have))
		copy(longer, body)
		body = longer
	}
}

// fill reads until n bytes are there, n at most slabFrame. Where the slab's end is near it starts a new one, if some of the old
// one belongs to others.
func (f *frameReader) fill(n int) error {
	if f.to-f.from >= n {
		return nil
	}
	if f.from+slabFrame+frameHead > len(f.slab) {
		slab := f.slab
		if f.cut {
			slab = make([]byte, slabSize)
		}
		f.to = copy(slab, f.slab[f.from:f.to])
		f.slab, f.from, f.cut = slab, 0, false
	}
	m, err := io.ReadAtLeast(f.r, f.slab[f.to:], n-(f.to-f.from))
	f.to += m
	if err == io.EOF && f.to > f.from {
		return io.ErrUnexpectedEOF
	}
	return err
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
