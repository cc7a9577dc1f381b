package integration

import (
	"fmt"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"printq/integration/emulator"
	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// A printer on a serial line that can be read from, and that answers PJL, is counted as one on a network is.
func TestFileReadBack(t *testing.T) {
	line, path := serialLine(t)
	j := &jet{JetDirect: emulator.NewJetDirect(emulator.Options{}), t: t, stop: make(chan struct{}), wait: make(chan string, 100)}
	j.text = func(n int) string { return fmt.Sprintf("page %d\r\n\f", n) }
	ln := &oneLine{conn: make(chan net.Conn, 1), closed: make(chan struct{})}
	ln.conn <- line
	ended := make(chan error)
	go func() { ended <- j.Serve(ln) }()
	defer func() {
		j.JetDirect.Close()
		<-ended
	}()
	d, err := printer.Open("file:" + path + "?pjl=on")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Release() }()
	j.device = d.(device.Stream)
	j.open()
	if j.state.Class != queue.Counted || j.state.Window != 8 {
		t.Fatalf("%+v", j.state)
	}
	if sent, err := j.print(t.Context(), textJob(1, 20)); err != nil || sent.Out != 20 {
		t.Fatalf("%+v, %v", sent, err)
	}
	j.papers(20)
}

// serialLine is the printer's end of a line, and the path of the other.
func serialLine(t *testing.T) (*serial, string) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("left out: no terminal can be made: %v", err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/dev/pts/%d", number)
	held, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0) // so that the line does not end with each who uses it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	raw := &unix.Termios{Cflag: unix.CS8 | unix.CREAD | unix.B38400}
	raw.Cc[unix.VMIN] = 1
	if err := unix.IoctlSetTermios(int(held.Fd()), unix.TCSETS, raw); err != nil {
		t.Fatal(err)
	}
	return &serial{os.NewFile(uintptr(fd), path)}, path
}

// A serial is a line as a connection.
type serial struct{ *os.File }

func (*serial) LocalAddr() net.Addr  { return nil }
func (*serial) RemoteAddr() net.Addr { return nil }

// A oneLine is a listener of one connection.
type oneLine struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (l *oneLine) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *oneLine) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (*oneLine) Addr() net.Addr { return nil }
