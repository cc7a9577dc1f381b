package log

import (
	"errors"
	"os"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"printq/log/aio"
)

// What is synced at once goes past the page cache with WriteSync; see there. So do large batches: to fill fresh pages of it costs
// more time of the processor than all else that a large Save does, and the disk can fetch the bytes itself. What is given up: these
// bytes are not in the page cache when they are read back. The newest entries are in the log's own.
//
// WriteVec sends only whole blocks that way. The parts of blocks at a batch's two ends go through the page cache, as small batches do. So
// no byte outside the batch is written that a buffered write would not write too, the file's length is never other than
// asked for, and a small batch that follows finds the block that it continues in the cache. That the page cache
// writes earlier, synced bytes of a block again, unchanged, is so with and without this: the first block of every batch
// that begins within one. It is safe where a sector is written wholly or not at all.
//
// Before and after the disk has taken the bytes, the kernel drops the cached pages they replace, so that readers see
// them. The sync is as before: a direct write alone reaches neither the file's metadata nor what lies behind the
// disk's own cache.
const (
	// directBlock is what O_DIRECT asks addresses, offsets and lengths to be multiples of, on every disk and file system
	// that we know.
	directBlock = 4096
	// directMin is how large the whole blocks of a batch must be together. Measured with BenchmarkWriteVec: at 128 KiB, going to
	// the disk here and again in the sync costs what it saves; a document of 256 KiB pays, wherever in a block it begins.
	directMin = 192 << 10
	// directChunk is what is gathered and written at a time.
	directChunk = 1 << 20
)

// directIO is what the files of a directory share.
type directIO struct {
	min    int64     // directMin, except in tests
	chunks sync.Pool // of *[]byte, directChunk long
	rings  aio.Rings
}

func newDirectIO() *directIO {
	return &directIO{min: directMin, chunks: sync.Pool{New: func() any { return alignedChunk() }}}
}

func alignedChunk() *[]byte {
	b := make([]byte, directChunk+directBlock)
	skip := -uintptr(unsafe.Pointer(&b[0])) % directBlock
	b = b[skip : skip+directChunk]
	return &b
}

// directFile is a file's second descriptor, opened for its first large batch.
type directFile struct {
	io      *directIO
	file    *os.File
	refused bool // by the file system, for good
	tail    tail
	length  int64 // as far as it was lengthened ahead; 0: not known
}

// span returns the whole blocks of [from, to) if they are to be written directly, else an empty range.
func (d *directFile) span(from, to int64) (int64, int64) {
	from, to = (from+directBlock-1)&^(directBlock-1), to&^(directBlock-1)
	if d.refused || to-from < d.io.min {
		return from, from
	}
	return from, to
}

// write writes [from, to) from bufs and returns how much of it. Less without an error means that the file system
// refuses: the rest is to go through the page cache.
func (d *directFile) write(name string, bufs [][]byte, from, to int64) (int64, error) {
	if !d.open(name) {
		return 0, nil
	}
	chunk := d.io.chunks.Get().(*[]byte)
	defer d.io.chunks.Put(chunk)
	bufs = append([][]byte(nil), bufs...)
	for at := from; at < to; {
		p := (*chunk)[:min(to-at, directChunk)]
		bufs = gather(p, bufs)
		n, err := d.file.WriteAt(p, at)
		at += int64(n)
		if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) {
			d.refused = true
			return at - from, d.close()
		}
		if err != nil {
			return at - from, err
		}
	}
	return to - from, nil
}

// open reports whether there is a descriptor. Why there is none does not matter: the other one serves too.
func (d *directFile) open(name string) bool {
	if d.file != nil {
		return true
	}
	f, err := os.OpenFile(name, os.O_WRONLY|unix.O_DIRECT, 0)
	if err != nil {
		d.refused = true
		return false
	}
	d.file = f
	return true
}

func (d *directFile) close() error {
	f := d.file
	if f == nil {
		return nil
	}
	d.file = nil
	return f.Close()
}

// gather fills p from bufs and returns what is left of them.
func gather(p []byte, bufs [][]byte) [][]byte {
	for len(p) > 0 {
		n := copy(p, bufs[0])
		p = p[n:]
		bufs = skip(bufs, n)
	}
	return bufs
}

// split returns the first n bytes, and the rest.
func split(bufs [][]byte, n int64) (first, rest [][]byte) {
	for n > 0 && int64(len(bufs[0])) <= n {
		n -= int64(len(bufs[0]))
		first, bufs = append(first, bufs[0]), bufs[1:]
	}
	if n > 0 {
		first = append(first, bufs[0][:n])
		bufs = skip(bufs, int(n))
	}
	return first, bufs
}

func sizeOf(bufs [][]byte) (n int64) {
	for _, b := range bufs {
		n += int64(len(b))
	}
	return n
}
