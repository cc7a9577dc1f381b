package quick

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

const (
	// maxKept is how much room for answers a connection keeps.
	maxKept = 8 << 10
	// piece is how much a client takes in one WriteTimeout at least.
	piece = 64 << 10
)

// An answer is the http.ResponseWriter of a connection.
type answer struct {
	c      *conn
	header http.Header
	status int
	body   []byte
	head   bytes.Buffer
	// There is no further request on the connection.
	last bool
}

func (a *answer) reset() {
	clear(a.header)
	a.status, a.last = 0, false
	a.body = a.body[:0]
	a.c.body.until = time.Time{}
}

// Header makes an answer an http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader makes an answer an http.ResponseWriter. Its status is a final one.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write makes an answer an http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body = append(a.body, p...)
	return len(p), nil
}

// SetReadDeadline makes an answer what http.ResponseController asks for.
func (a *answer) SetReadDeadline(t time.Time) error {
	a.c.body.until = t
	return nil
}

// SetWriteDeadline makes an answer what http.ResponseController asks for: write has its own.
func (a *answer) SetWriteDeadline(time.Time) error { return nil }

var ours = map[string]bool{"Connection": true, "Content-Length": true, "Date": true}

// write gives the answer to the system.
func (a *answer) write() error {
	a.WriteHeader(http.StatusOK)
	a.last = a.last || a.header.Get("Connection") == "close"
	now := time.Now()
	b := &a.head
	b.Reset()
	line := append(b.AvailableBuffer(), "HTTP/1.1 "...)
	line = strconv.AppendInt(line, int64(a.status), 10)
	line = append(append(append(line, ' '), http.StatusText(a.status)...), "\r\n"...)
	b.Write(line)
	_ = a.header.WriteSubset(b, ours) // a bytes.Buffer takes everything
	line = append(b.AvailableBuffer(), "Content-Length: "...)
	line = strconv.AppendInt(line, int64(len(a.body)), 10)
	line = now.UTC().AppendFormat(append(line, "\r\nDate: "...), http.TimeFormat)
	if a.last {
		line = append(line, "\r\nConnection: close"...)
	}
	b.Write(append(line, "\r\n\r\n"...))
	b.Write(a.body)
	if cap(a.body) > maxKept {
		a.body = nil
	}
	err := a.send(now, b.Bytes())
	if b.Cap() > 2*maxKept {
		*b = bytes.Buffer{}
	}
	return err
}

func (a *answer) send(now time.Time, p []byte) error {
	for len(p) > 0 {
		a.c.writeBy(now, a.c.front.WriteTimeout)
		n, err := a.c.stream.Write(p[:min(len(p), piece)])
		if err != nil {
			return err
		}
		if p = p[n:]; len(p) > 0 {
			now = time.Now()
		}
	}
	return nil
}

func (c *conn) writeBy(now time.Time, patience time.Duration) {
	if left := c.writeUntil.Sub(now); left > patience || left < patience-patience/8 {
		c.writeUntil = now.Add(patience)
		_ = c.stream.SetWriteDeadline(c.writeUntil) // an error shows in Write
	}
}
