package http

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"printq/http/api"
	"printq/node"
)

// A stream is a ResponseWriter whose body can be read while the handler writes it.
type stream struct {
	header nethttp.Header
	status int
	*io.PipeWriter
}

func (s *stream) Header() nethttp.Header { return s.header }
func (s *stream) WriteHeader(status int) { s.status = status }
func (s *stream) Flush()                 {}

// follow starts a tail and returns its lines. It ends with ctx, or when it is left.
func follow(ctx context.Context, s *Server, target string, headers ...string) (*bufio.Scanner, func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := httptest.NewRequestWithContext(ctx, "GET", target, nil)
	r.Host = "localhost"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	pr, pw := io.Pipe()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer pw.Close()
		defer func() { _ = recover() }() // ErrAbortHandler
		s.Handler().ServeHTTP(&stream{header: nethttp.Header{}, PipeWriter: pw}, r)
	})
	return bufio.NewScanner(pr), func() { cancel(); pr.Close(); wg.Wait() }
}

// seqs reads what a whole answer holds, NDJSON or SSE, and its last bookmark.
func seqs(t testing.TB, lines []string) (seqs []uint64, bookmark uint64) {
	t.Helper()
	for _, line := range lines {
		var v struct {
			Seq, Bookmark uint64
			Problem       *api.Problem
		}
		line = strings.TrimPrefix(line, "data: ")
		if !strings.HasPrefix(line, "{") {
			continue
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if v.Seq > 0 {
			seqs = append(seqs, v.Seq)
		}
		bookmark = max(bookmark, v.Bookmark)
	}
	return seqs, bookmark
}

func TestLogReplay(t *testing.T) {
	f := newFake("p")
	f.log(1200, "p", 1)
	f.log(300, "q", 2)
	f.oldest = 100
	s := newServer(t, f)
	for _, row := range []struct {
		query       string
		first, last uint64
		n           int
	}{
		{"", 100, 1500, 1401},
		{"?from=beginning", 100, 1500, 1401},
		{"?from=1000", 1000, 1500, 501},
		{"?from=1501", 0, 0, 0},
		{"?from=99999", 0, 0, 0},
		{"?printer=q", 1201, 1500, 300},
		{"?job=1&from=1100", 1100, 1200, 101},
		{"?from=1499&format=sse", 1499, 1500, 2},
	} {
		w := ask(s, "GET", "/v1/log"+row.query, "")
		got, _ := seqs(t, strings.Split(w.Body.String(), "\n"))
		if w.Code != 200 || len(got) != row.n || row.n > 0 && (got[0] != row.first || got[row.n-1] != row.last) {
			t.Errorf("%q: %d, %d lines", row.query, w.Code, len(got))
		}
		checkHeaders(t, w)
	}
	w := ask(s, "GET", "/v1/log?from=99", "")
	if p := decodeAs[api.Problem](t, w); w.Code != 410 || p.Oldest != 100 || !strings.Contains(p.Detail, "from=100") {
		t.Errorf("trimmed: %d %+v", w.Code, p)
	}
}

func TestLogLinesAreTheSameBytes(t *testing.T) {
	f := newFake("p")
	f.log(3, "p", 1)
	s := newServer(t, f)
	want := ""
	for _, line := range f.lines {
		want += string(line.JSON) + "\n"
	}
	if got := ask(s, "GET", "/v1/log", "").Body.String(); got != want {
		t.Errorf("got %s", got)
	}
	want = fmt.Sprintf("retry: 1000\n\nid: 3\ndata: %s\n\n", f.lines[2].JSON)
	if got := ask(s, "GET", "/v1/log?from=3", "", "Accept: text/event-stream").Body.String(); got != want {
		t.Errorf("got %s", got)
	}
}

// A reader that is cut at any line and comes back sees every line once, while lines are added all the time.
func TestLogResumesWithoutGapOrDuplicate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		f := newFake("p")
		s := newServer(t, f)
		f.log(rapid.IntRange(0, 1500).Draw(rt, "before"), "p", 1)
		sse := rapid.Bool().Draw(rt, "sse")
		next := uint64(1)
		for range rapid.IntRange(1, 5).Draw(rt, "connections") {
			target, header := fmt.Sprintf("/v1/log?follow&from=%d", next), "X: y"
			if sse {
				target, header = "/v1/log?follow&format=sse&from=1", fmt.Sprintf("Last-Event-ID: %d", next-1)
			}
			lines, leave := follow(t.Context(), s, target, header)
			add := rapid.IntRange(0, 600).Draw(rt, "added")
			var wg sync.WaitGroup
			wg.Go(func() {
				for range add {
					f.log(1, "p", 1)
				}
			})
			read := rapid.IntRange(0, int(uint64(len0(f))-next+1)).Draw(rt, "read")
			for read > 0 && lines.Scan() {
				if got, _ := seqs(t, []string{lines.Text()}); len(got) == 1 {
					if got[0] != next {
						rt.Fatalf("line %d, want %d", got[0], next)
					}
					next++
					read--
				}
			}
			leave()
			wg.Wait()
		}
		if s.feed.tails != 0 || s.tails.Load() != 0 {
			rt.Fatalf("%d tails are left", s.feed.tails)
		}
	})
}

func len0(f *fake) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.lines)
}

func TestFollowBeginsWithTheNextLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.log(5, "p", 1)
		lines, leave := follow(t.Context(), newServer(t, f), "/v1/log?follow=true")
		defer leave()
		synctest.Wait()
		f.log(1, "p", 1)
		lines.Scan()
		if got, _ := seqs(t, []string{lines.Text()}); len(got) != 1 || got[0] != 6 {
			t.Errorf("got %q", lines.Text())
		}
	})
}

// A member that is behind the one that the reader came from: nothing is sent before the line that was asked for.
func TestFollowFromTheFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.log(5, "p", 1)
		lines, leave := follow(t.Context(), newServer(t, f), "/v1/log?follow=true&from=8")
		defer leave()
		for range 4 {
			synctest.Wait()
			f.log(1, "p", 1)
		}
		lines.Scan()
		if got, _ := seqs(t, []string{lines.Text()}); len(got) != 1 || got[0] != 8 {
			t.Errorf("got %q", lines.Text())
		}
	})
}

func TestBookmarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.log(5, "p", 1)
		s := newServer(t, f)
		lines, leave := follow(t.Context(), s, "/v1/log?follow=true&printer=q&from=1")
		defer leave()
		start := time.Now()
		// Lines of another printer keep coming: the filter is quiet all the same.
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 40 {
				<-ticker.C
				f.log(1, "p", 1)
			}
		})
		for n := 1; n <= 2; n++ {
			lines.Scan()
			_, bookmark := seqs(t, []string{lines.Text()})
			if since := time.Since(start); since != time.Duration(n)*15*time.Second || bookmark < uint64(n*14) {
				t.Errorf("after %v: %q", since, lines.Text())
			}
		}
		wg.Wait()
		synctest.Wait()
		go s.stop()
		last := ""
		for lines.Scan() {
			last = lines.Text()
		}
		if last != `{"bookmark":45}` {
			t.Errorf("at the end: %q", last)
		}
	})
}

func TestBookmarkOfAnEventStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.log(5, "p", 1)
		s := newServer(t, f)
		lines, leave := follow(t.Context(), s, "/v1/log?follow=true&format=sse")
		defer leave()
		var got []string
		for len(got) < 5 && lines.Scan() {
			got = append(got, lines.Text())
		}
		if want := "retry: 1000||: bookmark|id: 5|"; strings.Join(got, "|") != want {
			t.Errorf("got %q", got)
		}
	})
}

func TestTailEndsWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake("p")
		f.log(1, "p", 1)
		s := newServer(t, f)
		lines, leave := follow(t.Context(), s, "/v1/log?follow=true&from=1")
		defer leave()
		lines.Scan()
		synctest.Wait()
		f.mu.Lock()
		f.errs["WaitLines"] = fmt.Errorf("%w: ask another member", node.ErrStopping)
		f.notify()
		f.mu.Unlock()
		lines.Scan()
		var end api.TailEnd
		if err := json.Unmarshal(lines.Bytes(), &end); err != nil || end.Problem.Type != api.ProblemStopping ||
			!strings.Contains(end.Problem.Detail, "would have been 2") {
			t.Errorf("got %q (%v)", lines.Text(), err)
		}
		if lines.Scan() {
			t.Errorf("after the end: %q", lines.Text())
		}
	})
}

func TestManyTailsShareOneWait(t *testing.T) {
	const tails, n = 1000, 50
	f := newFake("p")
	s := newServer(t, f)
	var wg sync.WaitGroup
	errs := make(chan error, tails)
	for range tails {
		lines, leave := follow(t.Context(), s, "/v1/log?follow=true&from=1")
		wg.Go(func() {
			defer leave()
			for want := uint64(1); want <= n; want++ {
				if !lines.Scan() || !strings.HasPrefix(lines.Text(), fmt.Sprintf(`{"seq":%d,`, want)) {
					errs <- errors.New("got " + lines.Text())
					return
				}
			}
		})
	}
	for range n {
		f.log(1, "p", 1)
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Fatal(err)
	}
}

func BenchmarkReplay(b *testing.B) {
	f := newFake("p")
	f.log(100_000, "p", 1)
	s := newServer(b, f)
	for b.Loop() {
		if w := ask(s, "GET", "/v1/log?from=1", ""); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
	b.ReportMetric(float64(b.N)*100_000/b.Elapsed().Seconds(), "lines/s")
}
