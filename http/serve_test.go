package http

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"
)

// listen serves on a port of loopback; stop ends it and returns what Serve said.
func listen(t testing.TB, s *Server) (addr string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { stop() })
	return l.Addr().String(), stop
}

func TestServe(t *testing.T) {
	f := newFake("p")
	addr, stop := listen(t, newServer(t, f))
	for _, size := range []int{1 << 10, 1 << 20} {
		body := bytes.Repeat([]byte("page one\n"), size/9)
		r, err := nethttp.Post("http://"+addr+"/v1/printers/p/jobs", "application/x-www-form-urlencoded", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.StatusCode != 201 {
			t.Errorf("%d %s", r.StatusCode, answer)
		}
		r, err = nethttp.Get("http://" + addr + r.Header.Get("Location") + "/document")
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(r.Body); !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back of %d", len(got), len(body))
		}
		r.Body.Close()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestServeRefusesAnOpenListener(t *testing.T) {
	for _, insecure := range []bool{false, true} {
		l, err := net.Listen("tcp", "0.0.0.0:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err = newServer(t, newFake(), func(o *Options) { o.Insecure = insecure }).Serve(ctx, l)
		if insecure != (err == nil) || err != nil && !strings.Contains(err.Error(), "--insecure") {
			t.Errorf("insecure %v: %v", insecure, err)
		}
	}
}

func TestShutdownEndsTailsWithABookmark(t *testing.T) {
	f := newFake("p")
	f.log(3, "p", 1)
	s := newServer(t, f)
	addr, stop := listen(t, s)
	r, err := nethttp.Get("http://" + addr + "/v1/log?follow&from=2")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	lines := bufio.NewScanner(r.Body)
	lines.Scan()
	if err := stop(); err != nil {
		t.Error(err)
	}
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	if lines.Err() != nil || last != `{"bookmark":3}` {
		t.Errorf("%q, %v", last, lines.Err())
	}
	if s.tails.Load() != 0 || s.feed.tails != 0 {
		t.Error("a tail outlived Serve")
	}
}

// A connection over which the test speaks HTTP itself.
func dial(t *testing.T, addr, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprint(c, text)
	return c
}

func TestStalledBodyIsCut(t *testing.T) {
	addr, _ := listen(t, newServer(t, newFake("p"), func(o *Options) { o.BodyTimeout = 50 * time.Millisecond }))
	for _, row := range []struct {
		line   string
		length int
		status int
	}{
		{"POST /v1/printers/p/jobs", 10, 408},
		{"POST /v1/printers/p/jobs", 1 << 20, 408},
		{"POST /v1/printers/p/pause", 10, 408},
		{"POST /v1/printers/p/jobs?copy=1", 10, 400},
		{"GET /livez", 10, 200},
	} {
		c := dial(t, addr, fmt.Sprintf("%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\nabc", row.line, row.length))
		r, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || r.StatusCode != row.status {
			t.Errorf("%s, %d bytes: %v %v", row.line, row.length, r, err)
		}
	}
}

// The deadline is of the body only: a request that waits for longer than it is not cut.
func TestBodyTimeoutEndsWithTheBody(t *testing.T) {
	f := newFake("p")
	addr, _ := listen(t, newServer(t, f, func(o *Options) { o.BodyTimeout, o.WriteTimeout = 20*time.Millisecond, 20*time.Millisecond }))
	c := dial(t, addr, "POST /v1/printers/p/jobs?wait=200ms HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")
	start := time.Now()
	r, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != 201 || time.Since(start) < 200*time.Millisecond {
		t.Errorf("%v %v after %v", r, err, time.Since(start))
	}
}

func TestSlowReaderIsLetGo(t *testing.T) {
	f := newFake("p")
	f.log(80_000, "p", 1)
	s := newServer(t, f, func(o *Options) { o.WriteTimeout = 50 * time.Millisecond })
	addr, _ := listen(t, s)
	c := dial(t, addr, "GET /v1/log?follow&from=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
	// It reads nothing until the server has given up; then what it gets is cut, and does not look whole.
	for s.tails.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for s.tails.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
	r, err := nethttp.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, r.Body); err == nil {
		t.Errorf("the answer looks whole after %d bytes", n)
	}
}

func TestShutdownDoesNotWaitForUnusedConnections(t *testing.T) {
	addr, stop := listen(t, newServer(t, newFake("p")))
	dial(t, addr, "")
	used := dial(t, addr, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if _, err := nethttp.ReadResponse(bufio.NewReader(used), nil); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := stop(); err != nil || time.Since(start) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// A client that keeps its connection, and sends its next request when the server has begun to stop, is answered, and told that
// this was the last answer. New connections are refused from the beginning, and nothing waits for longer than it must.
func TestStoppingServerAnswersOnOpenConnections(t *testing.T) {
	s := newServer(t, newFake("p"), func(o *Options) { o.GraceTimeout = time.Minute })
	addr, stop := listen(t, s)
	const request = "POST /v1/printers/p/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc"
	c := dial(t, addr, request)
	r := bufio.NewReader(c)
	if answer, err := nethttp.ReadResponse(r, nil); err != nil || answer.StatusCode != 201 || answer.Close {
		t.Fatalf("%v, %v", answer, err)
	} else if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error)
	go func() { stopped <- stop() }()
	<-s.stopping.Done()
	if late, err := net.Dial("tcp", addr); err == nil {
		late.Close()
		t.Error("a new connection was made")
	}
	fmt.Fprint(c, request)
	answer, err := nethttp.ReadResponse(r, nil)
	if err != nil || answer.StatusCode != 201 || !answer.Close {
		t.Errorf("%v, %v", answer, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestHeadersAreLimited(t *testing.T) {
	addr, _ := listen(t, newServer(t, newFake("p")))
	c := dial(t, addr, "GET /livez HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 100<<10)+"\r\n\r\n")
	if r, err := nethttp.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != 431 {
		t.Errorf("%v %v", r, err)
	}
}

// The round trip with a client in the same process: compare the two, and not with other machines.
func BenchmarkServe(b *testing.B) {
	body := strings.Repeat("0123456789abcde\n", 64)
	for _, row := range []struct{ name, method, path, body string }{
		{"livez", "GET", "/livez", ""}, {"submit", "POST", "/v1/printers/p/jobs", body},
	} {
		b.Run(row.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			s := newServer(b, newFake("p"))
			ctx, cancel := context.WithCancel(b.Context())
			done := make(chan error)
			go func() { done <- s.Serve(ctx, l) }()
			client := &nethttp.Client{Transport: &nethttp.Transport{MaxIdleConnsPerHost: 64}}
			b.ReportAllocs()
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, _ := nethttp.NewRequest(row.method, "http://"+l.Addr().String()+row.path, strings.NewReader(row.body))
					answer, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			})
			b.StopTimer()
			client.CloseIdleConnections()
			cancel()
			<-done
		})
	}
}
