package lpd_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"printq/http/intake/intaketest"
	"printq/http/lpd"
)

// serve runs a server; stop ends it and waits.
func serve(t *testing.T, n *intaketest.Node, change func(*lpd.Options)) (addr string, stop func()) {
	t.Helper()
	o := lpd.Options{Node: n, DrainTimeout: time.Second, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err := lpd.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return intaketest.Serve(t, s.Serve)
}

// A client speaks LPD.
type client struct {
	t *testing.T
	*net.TCPConn
}

func dial(t *testing.T, addr string) *client {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &client{t, c.(*net.TCPConn)}
}

func (c *client) send(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, format, args...); err != nil {
		c.t.Fatal(err)
	}
}

// octet is the next acknowledgement; -1 and an error: there is none.
func (c *client) octet() (int, error) {
	var b [1]byte
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return -1, err
	}
	return int(b[0]), nil
}

func (c *client) wantOctet(want int, of string) {
	c.t.Helper()
	if got, err := c.octet(); got != want || err != nil {
		rest, _ := io.ReadAll(c)
		c.t.Fatalf("%s: octet %d, %v, want %d: %s", of, got, err, want, rest)
	}
}

// begin is the command Receive a printer job.
func (c *client) begin(printer string) {
	c.t.Helper()
	c.send("\x02%s\n", printer)
	c.wantOctet(0, "the command")
}

// file sends one, and returns what its end is answered with.
func (c *client) file(code byte, name, text string) int {
	c.t.Helper()
	c.send("%c%d %s\n", code, len(text), name)
	c.wantOctet(0, name)
	c.send("%s\x00", text)
	octet, err := c.octet()
	if err != nil {
		c.t.Fatalf("%s: %v", name, err)
	}
	return octet
}

func (c *client) wantFile(code byte, name, text string) {
	c.t.Helper()
	if octet := c.file(code, name, text); octet != 0 {
		rest, _ := io.ReadAll(c)
		c.t.Fatalf("the end of %s: octet %d: %s", name, octet, rest)
	}
}

// end ends in good order, and waits until the server has, too.
func (c *client) end() {
	c.t.Helper()
	c.CloseWrite()
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		c.t.Errorf("at the end: %q, %v", rest, err)
	}
	c.Close()
}

// vanish breaks the connection.
func (c *client) vanish() {
	c.SetLinger(0)
	c.Close()
}

// labelControl is a control file as CUPS writes it.
func labelControl(number int) string {
	return fmt.Sprintf("Hhost\nPada\nJlabel\nldfA%03[1]dhost\nUdfA%03[1]dhost\nNa label\n", number)
}

// label sends a job of one file, up to its last octet.
func (c *client) label(number int, text string) int {
	c.t.Helper()
	c.begin("labels")
	c.wantFile(2, fmt.Sprintf("cfA%03dhost", number), labelControl(number))
	return c.file(3, fmt.Sprintf("dfA%03dhost", number), text)
}

// ask sends a command that is answered with text.
func ask(t *testing.T, addr, command string) string {
	t.Helper()
	c := dial(t, addr)
	c.send("%s\n", command)
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return strings.Join(lines, "\n")
}
