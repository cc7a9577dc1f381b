package http

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	nethttp "net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"printq/printer/selfsigned"
)

// TestServeTLS: over an encrypted connection another request proves that the answer was read, and so does an orderly end; that the client
// stops speaking does not.
func TestServeTLS(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs the kernel's word on what was acknowledged")
	}
	certificate, err := selfsigned.Load(filepath.Join(t.TempDir(), "key.pem"), "printq", "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		then func(t *testing.T, c *tls.Conn)
		want bool
	}{
		"another request": {func(t *testing.T, c *tls.Conn) {
			ippRequest(t, c)
			answer(t, c)
		}, true},
		"an orderly end": {func(t *testing.T, c *tls.Conn) { c.Close() }, true},
		"a last word": {func(t *testing.T, c *tls.Conn) {
			c.CloseWrite()
			io.Copy(io.Discard, c.NetConn())
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			seen, first := make(chan bool, 8), true
			s := newServer(t, newFake("p"), func(o *Options) {
				o.IPP = nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
					if r.TLS == nil {
						t.Error("the handler is not told that it is encrypted")
					}
					if first {
						w.(*response).WhenSeen(func() { seen <- true })
						first = false
					}
					io.WriteString(w, "answer")
				})
			})
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- s.ServeTLS(ctx, l, &tls.Config{Certificates: []tls.Certificate{certificate}}) }()
			conn, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				t.Fatal(err)
			}
			ippRequest(t, conn)
			answer(t, conn)
			c.then(t, conn)
			if c.want {
				<-seen
			}
			conn.Close()
			stop()
			if err := <-done; err != nil {
				t.Error(err)
			}
			select {
			case <-seen:
				t.Error("it is taken for seen, or twice")
			default:
			}
		})
	}
}

func ippRequest(t *testing.T, c net.Conn) {
	t.Helper()
	_, err := io.WriteString(c, strings.ReplaceAll("POST / HTTP/1.1|Host: 127.0.0.1|Content-Type: application/ipp|Content-Length: 2||hi", "|", "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
}
