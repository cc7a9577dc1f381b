package lpd

import (
	"bufio"
	"bytes"
	"context"
	"log/slog"
	"net"
	"testing"
	"time"
	"unicode/utf8"

	"printq/http/intake"
	"printq/http/intake/intaketest"
	"printq/queue"
)

// FuzzControl: any control file is refused, or says what to print within limits.
func FuzzControl(f *testing.F) {
	for _, s := range []string{"", "Hhost\nPada\nJlabel\nldfA001host\nUdfA001host\nNa label\n", "fdf\r\nfdf\r\n", "l\n", "\n\n\x00", "J\xff\nodf"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseControl("cf", text)
		if err != nil {
			return
		}
		total := 0
		for _, p := range c.prints {
			title := c.title(p, "host")
			if p.file == "" || p.copies < 1 || p.copies > queue.MaxCopies || title == "" || len(title) > queue.MaxText || !utf8.ValidString(title) {
				t.Errorf("%+v of %q", p, text)
			}
			total += int(p.copies)
		}
		if len(c.prints) > maxFiles || total > bytes.Count(text, []byte("\n"))+1 || !utf8.ValidString(c.user) {
			t.Errorf("%+v of %q", c, text)
		}
	})
}

// FuzzCommands: any bytes on a connection are taken or refused, and what makes a job was sent whole.
func FuzzCommands(f *testing.F) {
	const job = "\x02labels\n\x025 cf\nodf\n\n\x00\x031 df\nx\x00"
	for _, s := range []string{"", "\x01labels\n", job, job + job[8:], job[:20], "\x03labels x 1\n", "\x04labels\n", "\x05labels root 1\n", "\x02labels\n\x030 df\n", "\x02labels\n\x01\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		if c, err := parseFile(bytes.TrimSuffix(said, []byte("\n"))); err == nil && c.code != subAbort && (c.size < 0 || c.name == "") {
			t.Errorf("%+v", c)
		}
		n := intaketest.New("labels")
		s, err := New(Options{Node: n, IdleTimeout: 5 * time.Second, MaxDocument: 1 << 20, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		serveBytes(s, said)
		if s.waiting.Load() != 0 {
			t.Errorf("%d bytes still wait", s.waiting.Load())
		}
		if n.Count() > 0 && !bytes.HasPrefix(said, []byte("\x02")) {
			t.Errorf("%d jobs of %q", n.Count(), said)
		}
	})
}

// serveBytes is a connection that brings these bytes and ends.
func serveBytes(s *Server, said []byte) {
	c := &intake.Conn{Conn: memory{Reader: bytes.NewReader(said)}}
	n := &session{Server: s, Conn: c, r: bufio.NewReader(c)}
	_ = n.serveCommand(context.Background())
}

// A memory is a connection whose answers are thrown away.
type memory struct {
	net.Conn // nil
	*bytes.Reader
}

func (m memory) Read(p []byte) (int, error)       { return m.Reader.Read(p) }
func (m memory) Write(p []byte) (int, error)      { return len(p), nil }
func (m memory) SetReadDeadline(time.Time) error  { return nil }
func (m memory) SetWriteDeadline(time.Time) error { return nil }
func (m memory) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 721} }
