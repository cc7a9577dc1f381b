package http

import (
	"bufio"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"runtime"
	"testing"
	"time"
)

// What proves that an answer was read, and what does not.
func TestWhenSeen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the kernel's word on what was acknowledged")
	}
	for name, c := range map[string]struct {
		do   func(t *testing.T, c *net.TCPConn)
		want bool
	}{
		"another request": {func(t *testing.T, c *net.TCPConn) {
			request(t, c)
			answer(t, c)
			request(t, c)
			answer(t, c)
		}, true},
		"an orderly end": {func(t *testing.T, c *net.TCPConn) {
			request(t, c)
			answer(t, c)
			c.Close()
		}, true},
		"the last request": {func(t *testing.T, c *net.TCPConn) {
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
			answer(t, c)
			c.Close()
		}, true},
		"the last request, and nobody reads": {func(t *testing.T, c *net.TCPConn) {
			io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			c.Close()
		}, false},
		"gone before the answer": {func(t *testing.T, c *net.TCPConn) {
			request(t, c)
			c.Close()
		}, false},
		"gone without a word": {func(t *testing.T, c *net.TCPConn) {
			request(t, c)
			answer(t, c)
			c.SetLinger(0)
			c.Close()
		}, false},
		"closed with the answer unread": {func(t *testing.T, c *net.TCPConn) {
			request(t, c)
			one := make([]byte, 1)
			if _, err := io.ReadFull(c, one); err != nil { // it has come, most of it is not read
				t.Fatal(err)
			}
			c.Close()
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			seen, ended := make(chan int, 8), make(chan struct{})
			slow := make(chan struct{})
			n := 0
			server := &nethttp.Server{
				Handler: nethttp.HandlerFunc(func(rw nethttp.ResponseWriter, r *nethttp.Request) {
					found, _ := r.Context().Value(clientKey{}).(*client)
					n++
					if n == 1 {
						(&response{client: found}).WhenSeen(func() { seen <- n })
					}
					if name == "gone before the answer" {
						<-slow
					}
					fmt.Fprint(rw, "answer")
				}),
				ConnContext: withClient,
				ConnState: func(c net.Conn, state nethttp.ConnState) {
					clientOf(c).note(state)
					if state == nethttp.StateClosed {
						close(ended)
					}
				},
			}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() { defer close(served); server.Serve(clients{Listener: l}) }()
			defer func() { server.Close(); <-served }()
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			c.do(t, conn.(*net.TCPConn))
			if name == "gone before the answer" {
				close(slow)
			}
			conn.Close()
			<-ended
			select {
			case <-seen:
				if !c.want {
					t.Error("it is taken for seen")
				}
			default:
				if c.want {
					t.Error("it is not seen")
				}
			}
		})
	}
}

func request(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"); err != nil {
		t.Fatal(err)
	}
}

func answer(t *testing.T, c net.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	r, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, r.Body)
	r.Body.Close()
}
