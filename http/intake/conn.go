package intake

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// ErrStopping ends a read on a connection that has nothing under way when the member stops.
var ErrStopping = errors.New("member is stopping")

// A Conn is a connection whose every read and write has Gate.Idle to move something. One goroutine uses it.
type Conn struct {
	net.Conn
	idle time.Duration
	// What reading ended with. A socket tells of a reset once, and of an end after that; a bufio.Reader forgets what Peek met.
	broken error

	mu sync.Mutex
	// Guarded by mu: something is under way that a stop lets end; the member stops.
	busy, stopping bool
}

func (c *Conn) Read(p []byte) (int, error) {
	if c.broken != nil {
		return 0, c.broken
	}
	n, err := c.read(p)
	c.broken = err
	return n, err
}

func (c *Conn) read(p []byte) (int, error) {
	if err := c.patient(c.SetReadDeadline); err != nil {
		return 0, err
	}
	n, err := c.Conn.Read(p)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && c.stopped() {
		err = ErrStopping
	}
	return n, err
}

func (c *Conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// patient sets a deadline, unless stop has: it must not be put off.
func (c *Conn) patient(set func(time.Time) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping && !c.busy {
		return ErrStopping
	}
	return set(time.Now().Add(c.idle))
}

// Busy says whether something is under way that should end before the member does.
func (c *Conn) Busy(busy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = busy
}

func (c *Conn) stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopping && !c.busy
}

// stop wakes a read that waits for something new.
func (c *Conn) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping = true; !c.busy {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// armed makes whatever closes the connection reset it, a kill of this process too (SO_LINGER 0): its end would say that all is
// well.
func (c *Conn) armed(yes bool) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		seconds := -1
		if yes {
			seconds = 0
		}
		_ = tcp.SetLinger(seconds)
	}
}

// Reset closes the connection so that the other side sees an error and not an end.
func (c *Conn) Reset() {
	c.armed(true)
	_ = c.Close()
}

// End closes the connection in good order. Nothing else does.
func (c *Conn) End() {
	c.armed(false)
	_ = c.Close()
}

// Host is the other side's address, without port.
func (c *Conn) Host() string {
	addr, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return c.RemoteAddr().String()
	}
	return addr.Addr().Unmap().WithZone("").String()
}
