package http

import (
	"net"
	nethttp "net/http"
	"sync"
	"time"
)

// connections are the open ones of a listener. Those that are fresh have not brought anything yet, as browsers open them ahead:
// Shutdown would wait 5 s for each.
type connections struct {
	mu    sync.Mutex        // guards what follows
	open  map[net.Conn]bool // true: fresh
	ended *sync.Cond        // one of them has ended
}

func newConnections() *connections {
	c := &connections{open: make(map[net.Conn]bool)}
	c.ended = sync.NewCond(&c.mu)
	return c
}

// note is the server's ConnState.
func (c *connections) note(conn net.Conn, state nethttp.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case nethttp.StateNew, nethttp.StateActive:
		c.open[conn] = state == nethttp.StateNew
	case nethttp.StateClosed, nethttp.StateHijacked:
		delete(c.open, conn)
		c.ended.Broadcast()
	}
}

// await returns when none is open, or the time is over.
func (c *connections) await(limit time.Duration) {
	late := false
	timer := time.AfterFunc(limit, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		late = true
		c.ended.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.open) > 0 && !late {
		c.ended.Wait()
	}
}

func (c *connections) closeFresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, fresh := range c.open {
		if fresh {
			conn.Close()
		}
	}
}
