package log

import (
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"printq/log/aio"
)

// WriteSync is one request to the disk where WriteVec and Sync are two, each with a wait: the bytes go past the page
// cache, and are durable when they are written (RWF_DSYNC). They are whole blocks. The first one begins with what the file
// holds before off, which is written again, unchanged; the last one ends in zeros.
func (f *osFile) WriteSync(bufs [][]byte, off int64) error {
	done, err := f.direct.writeSync(f, bufs, off)
	if done || err != nil {
		return err
	}
	if err := f.WriteVec(bufs, off); err != nil {
		return err
	}
	return f.Sync()
}

// maxSyncWrite is what WriteSync gathers in memory. What is larger is written chunk by chunk.
const maxSyncWrite = aio.MaxBufs * directChunk

// tail is what the file's last block holds, from its beginning, so that it need not be read to be continued.
type tail struct {
	at    int64
	bytes []byte
}

// forget is called where the file's contents or length changed in another way.
func (d *directFile) forget() { d.tail, d.length = tail{}, 0 }

// writeSync reports false where all is to be written another way: it is too much, or the file system refuses.
func (d *directFile) writeSync(f *osFile, bufs [][]byte, off int64) (bool, error) {
	end := off + sizeOf(bufs)
	from, to := off&^(directBlock-1), (end+directBlock-1)&^(directBlock-1)
	if d.refused || to-from > maxSyncWrite || !d.open(f.Name()) {
		return false, nil
	}
	before, err := d.before(f, off)
	if err != nil {
		return false, err
	}
	d.lengthen(f, from, to)
	chunks := d.io.gathered(append([][]byte{before}, bufs...), end-from)
	defer d.io.giveBack(chunks)
	n, err := d.dsync(chunks, from)
	switch {
	case refusal(err):
		d.refused = true
		return false, d.close()
	case err != nil:
		return false, fmt.Errorf("write and sync %s: %w", f.Name(), err)
	case int64(n) < to-from:
		return false, nil // the disk may be full: the other way says so
	}
	last := chunks[len(chunks)-1]
	d.tail.at = end &^ (directBlock - 1)
	d.tail.bytes = append(d.tail.bytes[:0], last[len(last)-int(to-d.tail.at):][:end-d.tail.at]...)
	return true, nil
}

// lengthen gives a file that grows by large writes some length ahead of them: a write that changes a file's length is one that the
// kernel waits for. Where it cannot, the write itself says why.
func (d *directFile) lengthen(f *osFile, from, to int64) {
	const least, ahead = 32 << 10, 8 << 20
	if to-from < least {
		return
	}
	if d.length == 0 {
		d.length, _ = f.Size()
	}
	if to > d.length && unix.Fallocate(int(f.Fd()), 0, d.length, to-d.length+ahead) == nil {
		d.length = to + ahead
	}
}

// before returns what the file holds from the beginning of off's block up to off.
func (d *directFile) before(f *osFile, off int64) ([]byte, error) {
	from := off &^ (directBlock - 1)
	n := int(off - from)
	if n == 0 || d.tail.at == from && len(d.tail.bytes) >= n {
		return d.tail.bytes[:n], nil
	}
	b := make([]byte, n)
	if _, err := f.ReadAt(b, from); err != nil && err != io.EOF {
		return nil, err
	}
	return b, nil
}

// gathered copies size bytes into chunks, and zeros up to a block's end.
func (d *directIO) gathered(bufs [][]byte, size int64) (chunks [][]byte) {
	for size > 0 {
		n := min(size, directChunk)
		chunk := (*d.chunks.Get().(*[]byte))[:(n+directBlock-1)&^(directBlock-1)]
		bufs = gather(chunk[:n], bufs)
		clear(chunk[n:])
		chunks = append(chunks, chunk)
		size -= n
	}
	return chunks
}

func (d *directIO) giveBack(chunks [][]byte) {
	for _, c := range chunks {
		c = c[:directChunk]
		d.chunks.Put(&c)
	}
}

func (d *directFile) dsync(chunks [][]byte, off int64) (n int, err error) {
	err = d.io.rings.Do(func(ring *aio.Ring) (err error) {
		n, err = ring.WriteSync(d.file.Fd(), chunks, off)
		return err
	})
	if !errors.Is(err, aio.ErrRefused) {
		return n, err
	}
	return retry(func() (int, error) { return unix.Pwritev2(int(d.file.Fd()), chunks, off, unix.RWF_DSYNC) })
}

// refusal: nothing was written, and another way may be open.
func refusal(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EAGAIN)
}
