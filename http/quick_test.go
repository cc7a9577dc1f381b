package http

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	nethttp "net/http"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A pair is the same member twice: one answers as Serve does, the other with net/http alone.
type pair struct {
	quick, plain string
}

func newPair(t testing.TB, member func() *fake, change ...func(*Options)) *pair {
	p := new(pair)
	one, other := newServer(t, member(), change...), newServer(t, member(), change...)
	p.quick, _ = listen(t, one)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &nethttp.Server{Handler: other.Handler()}
	served := make(chan struct{})
	go func() { defer close(served); server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-served })
	p.plain = l.Addr().String()
	return p
}

// An exchange is what came back for a request.
type exchange struct {
	status int
	header string
	body   string
	err    error
	// The connection was kept, and another request was answered on it.
	kept bool
}

// say sends a request and then, where the connection stays, another one.
func say(t testing.TB, addr, request string) (x exchange) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	b := bufio.NewReader(c)
	r, err := nethttp.ReadResponse(b, nil)
	if err != nil {
		x.err = err
		return x
	}
	body, err := io.ReadAll(r.Body)
	// What net/http refuses by itself has none.
	if _, err := nethttp.ParseTime(r.Header.Get("Date")); err != nil && r.Header.Get(api.HeaderMember) != "" {
		t.Errorf("the date is %q", r.Header.Get("Date"))
	}
	r.Header.Del("Date")
	x = exchange{status: r.StatusCode, header: fmt.Sprint(r.Proto, r.Header, r.ContentLength, r.TransferEncoding, r.Close), body: string(body), err: err}
	if !r.Close {
		io.WriteString(c, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
		again, err := nethttp.ReadResponse(b, nil)
		x.kept = err == nil && again.StatusCode == 200
	}
	return x
}

func (p *pair) compare(t testing.TB, request string) exchange {
	t.Helper()
	got, want := say(t, p.quick, request), say(t, p.plain, request)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%.300q\ngot  %+v\nwant %+v", request, got, want)
	}
	return got
}

func submitOf(target, fields, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: %d\r\n\r\n%s", target, fields, len(body), body)
}

// TestBothPathsAnswerAlike: what is served before net/http is answered as net/http with the same handlers answers it.
func TestBothPathsAnswerAlike(t *testing.T) {
	const jobs, batch = "/v1/printers/p/jobs", "/v1/printers/p/jobs:batch"
	documents, header := form(t, part{name: "user", body: "eve"}, part{name: "file", file: "1", body: "a\fb"}, part{name: "file", file: "2"})
	header += "\r\n"
	p := newPair(t, func() *fake { return newFake("p", "p.q-r_s~t:u") }, func(o *Options) { o.MaxDocument = 200 << 10 })
	for _, row := range []struct {
		name, request string
		status        int
	}{
		{"plain", submitOf(jobs, "", "a\fb"), 201},
		{"typed", submitOf(jobs, "Content-Type: image/png\r\n", "x"), 201},
		{"all said", submitOf(jobs+"?name=a%20b+c&user=eve&copies=3&priority=99&hold&ttl=90s&sides=two-sided-long-edge", "", "x"), 201},
		{"another name", submitOf("/v1/printers/p.q-r_s~t:u/jobs", "", "x"), 201},
		{"an escaped name", submitOf("/v1/printers/%70/jobs", "", "x"), 201},
		{"a key", submitOf(jobs, "Idempotency-Key: k\r\n", "x"), 201},
		{"the key again", submitOf(jobs, "idempotency-key: k\r\n", "x"), 201},
		{"the key for something else", submitOf(jobs, "IDEMPOTENCY-KEY: k\r\n", "y"), 422},
		{"a long key", submitOf(jobs, "Idempotency-Key: "+strings.Repeat("k", 256)+"\r\n", "y"), 400},
		{"as curl sends it", submitOf(jobs, "User-Agent: curl/8\r\nAccept: */*\r\nContent-Type: application/x-www-form-urlencoded\r\n", "a=b"), 201},
		{"as net/http sends it", submitOf(jobs, "User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n", "x"), 201},
		{"kept alive", submitOf(jobs, "Connection: keep-alive\r\n", "x"), 201},
		{"the last", submitOf(jobs, "Connection: close\r\n", "x"), 201},
		{"large", submitOf(jobs, "", strings.Repeat("page\f", 40_000)), 201},
		{"too large", submitOf(jobs, "", strings.Repeat("x", 201<<10)), 413},
		{"empty", submitOf(jobs, "", ""), 422},
		{"a form", submitOf(jobs, header, documents), 400},
		{"a batch", submitOf(batch, header, documents), 200},
		{"a batch that is none", submitOf(batch, "", "x"), 415},
		{"a batch that waits", submitOf(batch+"?wait=1s", header, documents), 400},
		{"misspelt", submitOf(jobs+"?copy=1", "", "x"), 400},
		{"badly escaped", submitOf(jobs+"?name=%zz", "", "x"), 400},
		{"twice", submitOf(jobs+"?copies=1&copies=2", "", "x"), 400},
		{"no printer", submitOf("/v1/printers/q/jobs", "", "x"), 404},
		{"no such path", submitOf("/v1/printers/p/jobs/", "", "x"), 404},
		{"a path with dots", submitOf("/v1/printers/../jobs", "", "x"), 404},
		{"a foreign host", strings.Replace(submitOf(jobs, "", "x"), "localhost", "evil.example", 1), 403},
		{"this host by number", strings.Replace(submitOf(jobs, "", "x"), "localhost", "127.0.0.1:99", 1), 201},
		{"a foreign page", submitOf(jobs, "Origin: http://evil.example\r\n", "x"), 403},
		{"a page of ours", submitOf(jobs, "Origin: http://localhost\r\n", "x"), 201},
		{"chunks", "POST " + jobs + " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 201},
		{"two lengths", submitOf(jobs, "Content-Length: 2\r\n", "x"), 400},
		{"chunks and a length", submitOf(jobs, "Transfer-Encoding: gzip\r\n", "x"), 501},
		{"put", strings.Replace(submitOf(jobs, "", "x"), "POST", "PUT", 1), 201},
		{"no host", "POST " + jobs + " HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 400},
		{"ipp, which here is a document", submitOf(jobs, "Content-Type: application/ipp\r\n", "x"), 201},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := p.compare(t, row.request)
			if x.status != row.status || x.err != nil {
				t.Errorf("%+v", x)
			}
		})
	}
}

// TestBothPathsFailAlike: errors of the node's are answered the same, too.
func TestBothPathsFailAlike(t *testing.T) {
	for _, failure := range []error{node.ErrNoQuorum, node.ErrUnknown, node.ErrFull, node.ErrStopping, node.ErrDiskFull, node.ErrFormat, queue.ErrInvalid, io.ErrClosedPipe} {
		p := newPair(t, func() *fake { return newFake("p").failing("Propose", failure) })
		p.compare(t, submitOf("/v1/printers/p/jobs", "", "x"))
	}
}

// FuzzBothPaths: whatever is asked, both paths answer the same.
func FuzzBothPaths(f *testing.F) {
	f.Add("/v1/printers/p/jobs?copies=2", "Content-Type: text/plain", "a\fb")
	f.Add("/v1/printers/p/jobs", "Idempotency-Key: k\r\nOrigin: http://a", "x")
	f.Add("/v1/printers/p/jobs:batch", "Content-Type: multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n--b--\r\n")
	p := newPair(f, func() *fake { return newFake("p") })
	f.Fuzz(func(t *testing.T, target, fields, body string) {
		if fields != "" {
			fields += "\r\n"
		}
		request := submitOf(target, fields, body)
		// Both would wait for more of one that is not whole; and which of two wrong parameters is named is left to chance.
		whole, err := nethttp.ReadRequest(bufio.NewReader(strings.NewReader(request)))
		if err != nil || strings.ContainsAny(whole.URL.RawQuery, "&%") || strings.Contains(whole.URL.RawQuery, "wait") {
			return
		}
		if _, err := io.Copy(io.Discard, whole.Body); err != nil || whole.ContentLength != int64(len(body)) || whole.Header.Get("Expect") != "" {
			return
		}
		p.compare(t, request)
	})
}

// TestSubmitsAreServedBeforeNetHTTP: the requests that the quick path was made for do go by it, and are counted as the others are.
func TestSubmitsAreServedBeforeNetHTTP(t *testing.T) {
	s := newServer(t, newFake("p"))
	front := s.front(nil, nil)
	for target, want := range map[string]bool{
		"/v1/printers/p/jobs": true, "/v1/printers/p/jobs?name=waits&copies=2": true, "/v1/printers/p/jobs:batch": true,
		"/v1/printers/p/jobs?wait=1s": false, "/v1/printers/p/jobs?%77ait=1s": false, "/v1/printers//jobs": false,
		"/v1/printers/p/pause": false, "/v1/printers/p/jobs/": false, "/v1/jobs/1/cancel": false, "/": false,
	} {
		r, err := nethttp.NewRequest("POST", target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if front.Route(r) != nil != want {
			t.Errorf("%s: %v", target, !want)
		}
		r.Header.Set("Content-Type", "Multipart/form-data; boundary=b")
		if front.Route(r) != nil != (want && strings.HasSuffix(target, "batch")) {
			t.Errorf("%s: a form", target)
		}
	}
	addr, _ := listen(t, s)
	if x := say(t, addr, submitOf("/v1/printers/p/jobs", "", "x")); x.status != 201 || !strings.Contains(x.header, api.HeaderIndex) {
		t.Errorf("%+v", x)
	}
	w := ask(s, "GET", "/metrics", "")
	if !strings.Contains(w.Body.String(), `printq_http_requests_total{code="201",route="/v1/printers/{printer}/jobs"} 1`) {
		t.Error("it is not counted")
	}
}

// TestShutdownCutsSubmits: what has not ended when the server may wait no longer ends then, with its handler.
func TestShutdownCutsSubmits(t *testing.T) {
	f := newFake("p")
	f.hang = true
	s := newServer(t, f, func(o *Options) { o.GraceTimeout, o.DrainTimeout = 1, time.Millisecond })
	addr, stop := listen(t, s)
	dial(t, addr, submitOf("/v1/printers/p/jobs", "", "x"))
	for s.requests.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := stop(); err != nil || s.requests.Load() != 0 {
		t.Errorf("%v, and %d requests are under way", err, s.requests.Load())
	}
}

// A loop is a connection over which the same request comes so many times, each time when the one before was answered.
type loop struct {
	net.TCPConn // only for its methods' names
	request     []byte
	left        int
}

func (l *loop) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	l.left--
	return copy(p, l.request), nil
}

func (*loop) Write(p []byte) (int, error)      { return len(p), nil }
func (*loop) Close() error                     { return nil }
func (*loop) CloseWrite() error                { return nil }
func (*loop) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }
func (l *loop) RemoteAddr() net.Addr           { return l.LocalAddr() }
func (*loop) SetReadDeadline(time.Time) error  { return nil }
func (*loop) SetWriteDeadline(time.Time) error { return nil }

// An once is a listener of one connection.
type once struct {
	net.Listener
	c net.Conn
}

func (o *once) Accept() (net.Conn, error) {
	if o.c == nil {
		return nil, net.ErrClosed
	}
	c := o.c
	o.c = nil
	return c, nil
}

// A still is a member that takes every job, and keeps none.
type still struct {
	*fake
	answer node.Answer
}

func (s *still) Propose(context.Context, *queuepb.Command, []byte) (node.Answer, error) {
	return s.answer, nil
}

// BenchmarkQuickSubmit is what a submit costs without the network and the node.
func BenchmarkQuickSubmit(b *testing.B) {
	f := newFake("p")
	f.submit2("p")
	f.jobs[0].Attempts = nil
	s, err := New(Options{Node: &still{f, node.Answer{Position: f.at, Job: 1, Status: &node.JobStatus{Job: f.jobs[0]}}}, Member: 1})
	if err != nil {
		b.Fatal(err)
	}
	c := &loop{request: []byte(submitOf("/v1/printers/p/jobs?name=0123456789", "Content-Type: text/plain\r\n", strings.Repeat("x", 1024))), left: b.N}
	ended := make(chan bool)
	front := s.front(&once{c: c}, func(_ net.Conn, state nethttp.ConnState) {
		if state == nethttp.StateClosed {
			close(ended)
		}
	})
	b.ReportAllocs()
	front.Run()
	<-ended
	if err := front.Shutdown(b.Context()); err != nil || c.left > 0 {
		b.Error(err, c.left)
	}
}
