package client

import (
	"net"
	"strconv"

	"printq/http/api"
	"printq/integration/bench/load"
)

// A request submits documents to a printer.
type request struct {
	printer   string
	number    uint64
	key       string // empty: none
	documents [][]byte
	wait      bool // until the job has ended
}

const (
	boundary = "printq-bench"
	before   = "--" + boundary + "\r\nContent-Type: text/plain\r\n\r\n"
	after    = "\r\n"
	end      = "--" + boundary + "--\r\n"
)

// gather is up to how many bytes are sent in one piece. More is given to the kernel as it lies.
const gather = 16 << 10

// write sends a request in one system call. It returns room for the next one.
func (r *request) write(c net.Conn, room []byte) ([]byte, error) {
	if len(r.documents) > 1 {
		room = r.batch(room[:0])
		_, err := c.Write(room)
		return room, err
	}
	document := r.documents[0]
	room = r.head(room[:0], "/jobs", "text/plain", len(document))
	if len(document) <= gather {
		room = append(room, document...)
		_, err := c.Write(room)
		return room, err
	}
	pieces := net.Buffers{room, document}
	_, err := pieces.WriteTo(c)
	return room, err
}

func (r *request) head(b []byte, action, contentType string, length int) []byte {
	b = append(b, "POST /v1/printers/"...)
	b = append(b, r.printer...)
	b = append(b, action...)
	b = append(b, "?name="...)
	b = append(b, load.Name(r.number)...)
	if r.wait {
		b = append(b, "&wait=10s"...)
	}
	b = append(b, " HTTP/1.1\r\nHost: localhost\r\nContent-Type: "...)
	b = append(b, contentType...)
	if r.key != "" {
		b = append(b, "\r\n"+api.HeaderKey+": "...)
		b = append(b, r.key...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(length), 10)
	return append(b, "\r\n\r\n"...)
}

// batch is the documents as the parts of one body.
func (r *request) batch(b []byte) []byte {
	length := len(end)
	for _, d := range r.documents {
		length += len(before) + len(d) + len(after)
	}
	b = r.head(b, "/jobs:batch", "multipart/mixed; boundary="+boundary, length)
	for _, d := range r.documents {
		b = append(b, before...)
		b = append(b, d...)
		b = append(b, after...)
	}
	return append(b, end...)
}
