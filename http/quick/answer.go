package quick

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	// Room for the whole answer, and for the names of its fields.
	text  []byte
	names []string
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

// write gives the answer to the system.
func (a *answer) write() error {
	a.WriteHeader(http.StatusOK)
	a.last = a.last || a.header.Get("Connection") == "close"
	now := time.Now()
	b := append(a.text[:0], "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(a.status), 10)
	b = append(append(append(b, ' '), http.StatusText(a.status)...), "\r\n"...)
	b = a.fields(b)
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(a.body)), 10)
	b = now.UTC().AppendFormat(append(b, "\r\nDate: "...), http.TimeFormat)
	if a.last {
		b = append(b, "\r\nConnection: close"...)
	}
	b = append(append(b, "\r\n\r\n"...), a.body...)
	if a.text = b; cap(a.body) > maxKept {
		a.text, a.body = nil, nil
	}
	return a.send(now, b)
}

// fields appends the handler's, in order. What would break out of one becomes a space, as in net/http.
func (a *answer) fields(b []byte) []byte {
	a.names = a.names[:0]
	for name := range a.header {
		if name != "Connection" && name != "Content-Length" && name != "Date" { // these are write's
			a.names = append(a.names, name)
		}
	}
	slices.Sort(a.names)
	for _, name := range a.names {
		for _, value := range a.header[name] {
			if strings.ContainsAny(value, "\r\n") {
				value = breaks.Replace(value)
			}
			b = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
		}
	}
	return b
}

var breaks = strings.NewReplacer("\r", " ", "\n", " ")

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
