package http

import (
	"net"
	nethttp "net/http"
	"sync"
)

// unused holds the connections over which nothing was ever sent, as browsers open them ahead. Shutdown would wait 5 s for
// each; they are closed instead.
type unused struct {
	mu    sync.Mutex // guards conns
	conns map[net.Conn]bool
}

// note is the server's ConnState.
func (u *unused) note(c net.Conn, state nethttp.ConnState) {
	switch state {
	case nethttp.StateNew:
		u.mu.Lock()
		u.conns[c] = true
		u.mu.Unlock()
	case nethttp.StateActive, nethttp.StateClosed:
		u.mu.Lock()
		delete(u.conns, c)
		u.mu.Unlock()
	}
}

func (u *unused) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		c.Close()
	}
}
