package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// The scripts in testdata are command lines and what comes of them. Rewrite with
//
//	go test ./cmd/printq -run TestScripts -rewrite
//
// and read the difference before you accept it.
//
//	answer [server=a|b] [method=GET] path=P [status=200] [retry-after=N] [instead]
//	BODY                                           what the server answers; several in turn, the last one stays; instead: of all
//	                                               before. Status 0 breaks the connection
//	down [server=b]                                the server does not listen
//	file name=N [repeat=N]
//	TEXT                                           a file in the working directory
//	printq [terminal] [stdin=TEXT]
//	ARGUMENTS                                      the requests that came, what was printed, and the exit code
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		path, err := filepath.Abs(path)
		if err != nil {
			t.Fatal(err)
		}
		datadriven.RunTest(t, path, newScript(t).do)
	})
}

type script struct {
	t       *testing.T
	servers map[string]*fakeServer
	addrs   string
	mask    *strings.Replacer
}

func newScript(t *testing.T) *script {
	t.Chdir(t.TempDir())
	s := &script{t: t, servers: map[string]*fakeServer{}}
	var pairs, addrs []string
	for _, name := range []string{"a", "b"} {
		f := newFakeServer(name)
		t.Cleanup(f.http.Close)
		s.servers[name] = f
		addr := f.http.Listener.Addr().String()
		addrs = append(addrs, addr)
		pairs = append(pairs, addr, strings.ToUpper(name))
	}
	s.addrs, s.mask = strings.Join(addrs, ","), strings.NewReplacer(pairs...)
	return s
}

func (s *script) do(t *testing.T, d *datadriven.TestData) string {
	option := func(name, value string) string {
		d.MaybeScanArgs(t, name, &value)
		return value
	}
	f := s.servers[option("server", "a")]
	switch d.Cmd {
	case "answer":
		status, err := strconv.Atoi(option("status", "200"))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		route := option("method", "GET") + " " + option("path", "")
		if d.HasArg("instead") {
			f.forget(route)
		}
		f.answer(route, fakeAnswer{status, option("retry-after", ""), d.Input})
	case "down":
		f.http.Close()
	case "file":
		n, err := strconv.Atoi(option("repeat", "1"))
		if err == nil {
			err = os.WriteFile(filepath.Base(option("name", "")), []byte(strings.Repeat(d.Input, n)), 0o600)
		}
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
	case "printq":
		return s.printq(d.Input, option("stdin", ""), d.HasArg("terminal"))
	default:
		d.Fatalf(t, "no directive %q", d.Cmd)
	}
	return ""
}

var keys = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)

func (s *script) printq(line, stdin string, terminal bool) string {
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, hints: terminal, getenv: func(name string) string {
		return map[string]string{"PRINTQ_SERVER": s.addrs, "USER": "ada"}[name]
	}}
	code := a.run(context.Background(), split(line))
	var text strings.Builder
	for _, name := range []string{"a", "b"} {
		for _, r := range s.servers[name].take() {
			fmt.Fprintf(&text, "%s < %s\n", strings.ToUpper(name), r)
		}
	}
	for _, part := range []struct {
		name string
		text []byte
	}{{"out", out.Bytes()}, {"err", errs.Bytes()}} {
		for line := range strings.Lines(string(part.text)) {
			fmt.Fprintf(&text, "%s | %s\n", part.name, strings.TrimRight(line, "\n "))
		}
	}
	fmt.Fprintf(&text, "exit %d", code)
	return keys.ReplaceAllString(s.mask.Replace(text.String()), "KEY")
}

// split takes words, and what stands between single quotes as one.
func split(line string) (words []string) {
	for i, part := range strings.Split(strings.ReplaceAll(line, "\n", " "), "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}

// A fakeServer answers what it was told to.
type fakeServer struct {
	name string
	http *httptest.Server

	mu      sync.Mutex // guards all below
	answers map[string][]fakeAnswer
	seen    []string
}

type fakeAnswer struct {
	status     int
	retryAfter string
	body       string
}

func newFakeServer(name string) *fakeServer {
	f := &fakeServer{name: name, answers: map[string][]fakeAnswer{}}
	f.http = httptest.NewServer(f)
	return f
}

func (f *fakeServer) answer(route string, a fakeAnswer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[route] = append(f.answers[route], a)
}

func (f *fakeServer) forget(route string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.answers, route)
}

func (f *fakeServer) take() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen
	f.seen = nil
	return seen
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	seen := r.Method + " " + r.URL.RequestURI()
	if key := r.Header.Get("Idempotency-Key"); key != "" {
		seen += " key=" + key
	}
	if len(body) > 100 {
		seen += fmt.Sprintf(" (%d bytes)", len(body))
	} else if len(body) > 0 {
		seen += fmt.Sprintf(" %s", body)
	}
	f.seen = append(f.seen, seen)
	route := r.Method + " " + r.URL.EscapedPath()
	list := f.answers[route]
	a := fakeAnswer{404, "", `{"type":"urn:printq:problem:no-route","title":"No such path","detail":"nobody told the fake of ` + route + `"}`}
	if len(list) > 0 {
		a = list[0]
	}
	if len(list) > 1 {
		f.answers[route] = list[1:]
	}
	f.mu.Unlock()
	if a.retryAfter != "" {
		w.Header().Set("Retry-After", a.retryAfter)
	}
	if a.status == 0 { // a connection that breaks
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body+"\n")
}

// A server that accepts and says nothing must not hold a client back from the others.
func TestSilentServerIsLeft(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	f := newFakeServer("b")
	defer f.http.Close()
	f.answer("GET /v1/printers", fakeAnswer{200, "", `{"printers":[]}`})
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	began := time.Now()
	code := a.run(t.Context(), []string{"printers", "--timeout", "2s", "--server", silent.Addr().String() + "," + f.http.Listener.Addr().String()})
	if code != 0 || time.Since(began) > 2*time.Second {
		t.Errorf("exit %d after %v: %s", code, time.Since(began), &errs)
	}
}

func TestWaitTimesOut(t *testing.T) {
	f := newFakeServer("a")
	defer f.http.Close()
	job := `{"id":7,"state":"processing","units":2,"copies":1,"printed":1,"changed":4,"waits":"the printer is out of paper"}`
	f.answer("POST /v1/printers/office/jobs", fakeAnswer{201, "", job})
	f.answer("GET /v1/jobs/7", fakeAnswer{200, "", job})
	var out, errs bytes.Buffer
	a := &app{stdin: strings.NewReader("x"), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	code := a.run(t.Context(), []string{"submit", "-", "-p", "office", "--wait=200ms", "--server", f.http.Listener.Addr().String()})
	if code != exitWait || !strings.Contains(errs.String(), "out of paper") || !strings.Contains(out.String(), "processing") {
		t.Errorf("exit %d, %s%s", code, &out, &errs)
	}
	if n := len(f.take()); n > 10 {
		t.Errorf("%d requests in 200 ms", n)
	}
}
