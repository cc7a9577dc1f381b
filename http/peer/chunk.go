package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"printq/log/crc32c"
)

// After the hello of a stream or probe, chunks come back. The last one says how it ended, so that a connection that breaks is
// never taken for an end.
//
//	0  1  1: data, 2: the end, the stream is whole, 3: the end, the rest is an error's text
//	1  4  length of the rest
//	5  4  CRC-32C of the first byte and the rest
//	9
const (
	chunkHead = 9
	chunkSize = 256 << 10 // what a writer gathers
	maxChunk  = 1 << 20   // what a reader takes

	chunkData  = 1
	chunkWhole = 2
	chunkError = 3
)

// errChunk: what came is not a chunk.
var errChunk = errors.New("damaged stream")

// errText is the error that the other side ended the stream with.
type errText string

func (e errText) Error() string { return string(e) }

// A chunkWriter gathers what is written into chunks. Each must get out within idle. It sends what it holds when it is full, and
// with a Write that comes more than a second after the last sending, so that a slow writer is no idle one.
type chunkWriter struct {
	conn net.Conn
	idle time.Duration
	buf  []byte // begins with room for the head
	sent time.Time
	err  error
}

func newChunkWriter(conn net.Conn, idle time.Duration) *chunkWriter {
	return &chunkWriter{conn: conn, idle: idle, buf: make([]byte, chunkHead, chunkSize), sent: time.Now()}
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) && w.err == nil {
		n := min(len(p)-done, cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[done:done+n]...)
		done += n
		if len(w.buf) == cap(w.buf) {
			w.send(chunkData)
		}
	}
	if time.Since(w.sent) > time.Second {
		w.Flush()
	}
	return done, w.err
}

// Flush sends what is gathered.
func (w *chunkWriter) Flush() error {
	if len(w.buf) > chunkHead {
		w.send(chunkData)
	}
	return w.err
}

// end says how the stream ended: whole, or with an error.
func (w *chunkWriter) end(err error) error {
	w.Flush()
	if err == nil {
		w.send(chunkWhole)
		return w.err
	}
	w.buf = append(w.buf, err.Error()[:min(len(err.Error()), maxRefusal)]...)
	w.send(chunkError)
	return w.err
}

func (w *chunkWriter) send(kind byte) {
	if w.err != nil {
		return
	}
	rest := w.buf[chunkHead:]
	w.buf[0] = kind
	binary.BigEndian.PutUint32(w.buf[1:], uint32(len(rest)))
	binary.BigEndian.PutUint32(w.buf[5:], chunkSum(kind, rest))
	w.sent = time.Now()
	w.conn.SetWriteDeadline(w.sent.Add(w.idle))
	_, w.err = w.conn.Write(w.buf)
	w.buf = w.buf[:chunkHead]
}

func chunkSum(kind byte, rest []byte) uint32 {
	return crc32c.Update(crc32c.Sum([]byte{kind}), rest)
}

// A chunkReader gives the data of chunks. Its errors: io.EOF where the other side said that the stream is whole; errText where
// it said why not; errChunk; io.ErrUnexpectedEOF where it said nothing.
type chunkReader struct {
	r    io.Reader
	buf  []byte // allocated once, to the longest chunk
	rest []byte
	err  error
	// Called before each chunk is waited for; nil: nothing.
	before func()
}

func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 && c.err == nil && len(p) > 0 {
		c.rest, c.err = c.next()
	}
	if len(c.rest) == 0 {
		return 0, c.err
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *chunkReader) next() ([]byte, error) {
	if c.before != nil {
		c.before()
	}
	var head [chunkHead]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return nil, noEOF(err)
	}
	n := binary.BigEndian.Uint32(head[1:])
	if head[0] < chunkData || head[0] > chunkError || n > maxChunk {
		return nil, fmt.Errorf("%w: kind %d of %d bytes", errChunk, head[0], n)
	}
	if int(n) > len(c.buf) {
		c.buf = make([]byte, n)
	}
	rest := c.buf[:n]
	if _, err := io.ReadFull(c.r, rest); err != nil {
		return nil, noEOF(err)
	}
	if chunkSum(head[0], rest) != binary.BigEndian.Uint32(head[5:]) {
		return nil, fmt.Errorf("%w: checksum of %d bytes does not match", errChunk, n)
	}
	switch {
	case head[0] == chunkError:
		return nil, errText(rest)
	case head[0] == chunkWhole && n == 0:
		return nil, io.EOF
	case head[0] == chunkWhole:
		return nil, fmt.Errorf("%w: an end with %d bytes", errChunk, n)
	}
	return rest, nil
}
