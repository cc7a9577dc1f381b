package quick

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A pipe is a stream in memory.
type pipe struct{ net.Conn }

func (pipe) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }
func (pipe) CloseWrite() error                     { return nil }

// A doorman is a listener of pipes. Before each it may have a complaint.
type doorman struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
}

func (d doorman) Accept() (net.Conn, error) {
	select {
	case err := <-d.errs:
		return nil, err
	default:
	}
	select {
	case c := <-d.conns:
		return c, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

func (d doorman) Close() error   { close(d.closed); return nil }
func (d doorman) Addr() net.Addr { return &net.TCPAddr{} }

// A world is a front whose handler echoes, before a net/http that says that it was net/http.
type world struct {
	t *testing.T
	doorman
	front  *Front
	states sync.Map
	// What the handler does instead.
	handle Handler
}

const (
	header, idling, writing = time.Second, time.Minute, 10 * time.Second
	lasting                 = 2 * time.Minute
	post                    = "POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
)

func newWorld(t *testing.T) *world {
	w := &world{t: t, doorman: doorman{make(chan net.Conn), make(chan error, 1), make(chan struct{})}}
	w.handle = func(rw http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		fmt.Fprintf(rw, "%s %v", b, err)
	}
	w.front = New(w.doorman, Options{
		Route: func(r *http.Request) Handler {
			if r.URL.Path == "/quick" {
				return w.handle
			}
			return nil
		},
		HeaderTimeout: header, IdleTimeout: idling, WriteTimeout: writing, RequestTimeout: lasting, Logger: slog.New(slog.DiscardHandler),
		ConnState: func(c net.Conn, s http.ConnState) { w.states.Store(c, s) },
	})
	slow := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		fmt.Fprintf(rw, "net/http %s %s", r.Method, b)
	})}
	done := make(chan struct{}, 2)
	go func() { w.front.Run(); done <- struct{}{} }()
	go func() { slow.Serve(w.front); done <- struct{}{} }()
	t.Cleanup(func() {
		w.doorman.Close()
		<-done
		w.front.Shutdown(t.Context())
		slow.Close()
		<-done
	})
	return w
}

// dial is a connection on which the pieces were said.
func (w *world) dial(pieces ...string) (net.Conn, *bufio.Reader) {
	ours, theirs := net.Pipe()
	w.t.Cleanup(func() { ours.Close() })
	w.conns <- pipe{theirs}
	go say(ours, pieces...)
	return ours, bufio.NewReader(ours)
}

func say(c net.Conn, pieces ...string) {
	for _, p := range pieces {
		io.WriteString(c, p)
	}
}

func (w *world) expect(r *bufio.Reader, want string) (closes bool) {
	w.t.Helper()
	a, err := http.ReadResponse(r, nil)
	if err != nil {
		w.t.Fatalf("%v, not %q", err, want)
	}
	if b, err := io.ReadAll(a.Body); err != nil || string(b) != want {
		w.t.Fatalf("%q, %v, not %q", b, err, want)
	}
	return a.Close
}

// ends waits for the other side to close.
func ends(c net.Conn) time.Duration {
	began := time.Now()
	io.Copy(io.Discard, c)
	return time.Since(began)
}

func in(t *testing.T, test func(w *world)) {
	synctest.Test(t, func(t *testing.T) { test(newWorld(t)) })
}

func TestAnswers(t *testing.T) {
	in(t, func(w *world) {
		c, r := w.dial()
		for _, pieces := range [][]string{{post + "abc"}, {post, "abc"}, {post + "a", "b", "c"}} {
			go say(c, pieces...)
			if w.expect(r, "abc <nil>") {
				t.Error("it is the last")
			}
		}
	})
}

// TestPipelined: requests that come together are answered in order, here or by net/http.
func TestPipelined(t *testing.T) {
	in(t, func(w *world) {
		_, r := w.dial(post + "abc" + post + "def" + "GET / HTTP/1.1\r\nHost: a\r\n\r\n" + post + "ghi")
		w.expect(r, "abc <nil>")
		w.expect(r, "def <nil>")
		w.expect(r, "net/http GET ")
		w.expect(r, "net/http POST ghi") // it has the connection now
	})
}

// TestHandsOn: what is not a head in one piece, of a path that is served here, is net/http's from its first byte.
func TestHandsOn(t *testing.T) {
	for name, pieces := range map[string][]string{
		"another path":     {"POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"},
		"chunks":           {"POST /quick HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"},
		"half a head":      {post[:20], post[20:] + "abc"},
		"half a line end":  {post[:len(post)-1], post[len(post)-1:] + "abc"},
		"byte by byte":     strings.Split(post+"abc", ""),
		"a head too large": {"POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nX: " + strings.Repeat("x", maxHead) + "\r\n\r\nabc"},
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(w *world) {
				_, r := w.dial(pieces...)
				w.expect(r, "net/http POST abc")
			})
		})
	}
}

func TestSilence(t *testing.T) {
	in(t, func(w *world) {
		c, _ := w.dial()
		if d := ends(c); d != header {
			t.Errorf("a connection that brings nothing is closed after %v", d)
		}
		c, r := w.dial(post + "abc")
		w.expect(r, "abc <nil>")
		if d := ends(c); d < idling-idling/8 || d > idling {
			t.Errorf("an idle connection is closed after %v", d)
		}
		c, r = w.dial(post + "abc")
		for range 20 {
			w.expect(r, "abc <nil>")
			time.Sleep(idling - idling/4)
			io.WriteString(c, post+"abc") // not an error: the time is counted anew
		}
		w.expect(r, "abc <nil>")
	})
}

// TestReadDeadline: a body that does not come ends with the deadline that the handler gave it; the answer is the last.
func TestReadDeadline(t *testing.T) {
	in(t, func(w *world) {
		echo := w.handle
		w.handle = func(rw http.ResponseWriter, r *http.Request) {
			if http.NewResponseController(rw).SetReadDeadline(time.Now().Add(5*time.Second)) != nil {
				t.Error("no deadlines")
			}
			echo(rw, r)
		}
		began := time.Now()
		c, r := w.dial(post + "a")
		if !w.expect(r, "a read pipe: i/o timeout") || time.Since(began) != 5*time.Second {
			t.Errorf("after %v", time.Since(began))
		}
		ends(c)
		// It was for the body only.
		_, r = w.dial(post + "abc")
		w.expect(r, "abc <nil>")
	})
}

// TestContext: each request has time left, though requests share a context; and it ends.
func TestContext(t *testing.T) {
	in(t, func(w *world) {
		echo := w.handle
		w.handle = func(rw http.ResponseWriter, r *http.Request) {
			at, ok := r.Context().Deadline()
			if left := time.Until(at); !ok || left > lasting || left < lasting-lasting/8 || r.Context().Err() != nil {
				w.t.Errorf("%v left", left)
			}
			echo(rw, r)
		}
		c, r := w.dial()
		for range 20 {
			go say(c, post+"abc")
			w.expect(r, "abc <nil>")
			time.Sleep(idling / 2)
		}
		w.handle = func(rw http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			fmt.Fprint(rw, context.Cause(r.Context()))
		}
		go say(c, post+"abc")
		w.expect(r, "context deadline exceeded")
		w.handle = echo
		go say(c, post+"abc")
		w.expect(r, "abc <nil>")
	})
}

func TestClientLeavesInItsBody(t *testing.T) {
	in(t, func(w *world) {
		got := make(chan error, 1)
		w.handle = func(rw http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			got <- err
		}
		c, _ := w.dial(post + "a")
		synctest.Wait() // it has been read
		c.Close()
		if err := <-got; err != io.ErrUnexpectedEOF {
			t.Error(err)
		}
	})
}

// TestUnreadBody: what a handler did not read is skipped, or the connection ends.
func TestUnreadBody(t *testing.T) {
	in(t, func(w *world) {
		w.handle = func(rw http.ResponseWriter, r *http.Request) { io.WriteString(rw, "no") }
		c, r := w.dial(post+"a", "bc"+post+"abc")
		w.expect(r, "no")
		if w.expect(r, "no") {
			t.Error("the connection ends though all came")
		}
		go io.WriteString(c, post+"a")
		time.Sleep(time.Second)
		if !w.expect(r, "no") {
			t.Error("the connection goes on in the middle of a body")
		}
	})
}

func TestSlowReader(t *testing.T) {
	in(t, func(w *world) {
		w.handle = func(rw http.ResponseWriter, r *http.Request) {
			for range 100 {
				io.WriteString(rw, strings.Repeat("x", 10<<10))
			}
		}
		_, r := w.dial(post + "abc")
		for range 1000 << 10 / piece {
			time.Sleep(writing / 2)
			if _, err := io.ReadFull(r, make([]byte, piece)); err != nil {
				t.Fatalf("a client that takes its answer slowly: %v", err)
			}
		}
		_, r = w.dial(post + "abc")
		time.Sleep(writing + time.Second)
		if n, err := io.Copy(io.Discard, r); n > 4096 || err != nil {
			t.Errorf("%d bytes after nothing was taken, %v", n, err)
		}
	})
}

func TestPanic(t *testing.T) {
	in(t, func(w *world) {
		for _, why := range []any{http.ErrAbortHandler, "a fault"} {
			w.handle = func(http.ResponseWriter, *http.Request) { panic(why) }
			c, _ := w.dial(post + "abc")
			if b, err := io.ReadAll(c); len(b) > 0 || err != nil {
				t.Errorf("%q, %v", b, err)
			}
		}
	})
}

// A passing is an error of Accept's after which it goes on.
type passing struct{}

func (passing) Error() string   { return "too many open files" }
func (passing) Temporary() bool { return true }

func TestAcceptGoesOn(t *testing.T) {
	in(t, func(w *world) {
		w.errs <- passing{}
		w.dial() // what waits in Accept already
		w.errs <- passing{}
		w.dial()
		_, r := w.dial(post + "abc")
		w.expect(r, "abc <nil>")
	})
}

func TestShutdown(t *testing.T) {
	in(t, func(w *world) {
		wait, ctxs := make(chan struct{}), make(chan context.Context, 1)
		echo := w.handle
		fresh, _ := w.dial()
		idle, r := w.dial(post + "abc")
		w.expect(r, "abc <nil>")
		w.handle = func(rw http.ResponseWriter, r *http.Request) {
			ctxs <- r.Context()
			<-wait
			rw.Header().Set("Connection", "close")
			echo(rw, r)
		}
		_, r = w.dial(post + "abc")
		ctx := <-ctxs
		stopped := make(chan error)
		go func() { stopped <- w.front.Shutdown(w.t.Context()) }()
		if a, b := ends(fresh), ends(idle); a != 0 || b != 0 {
			t.Errorf("idle connections stay: %v, %v", a, b)
		}
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("a request was cut")
		}
		close(wait)
		if !w.expect(r, "abc <nil>") {
			t.Error("it is not the last")
		}
		if err := <-stopped; err != nil {
			t.Error(err)
		}
		w.states.Range(func(c, s any) bool {
			if s != http.StateClosed {
				t.Errorf("a connection is left, %v", s)
			}
			return true
		})
	})
}

func TestShutdownCuts(t *testing.T) {
	in(t, func(w *world) {
		entered := make(chan struct{})
		w.handle = func(rw http.ResponseWriter, r *http.Request) { close(entered); <-r.Context().Done() }
		w.dial(post + "abc")
		<-entered
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := w.front.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
