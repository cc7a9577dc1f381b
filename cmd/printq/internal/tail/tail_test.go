package tail

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"printq/cmd/printq/internal/client"
)

// chain is n lines as a member writes them.
func chain(n int) []string {
	var lines []string
	prev := Start
	for seq := 1; seq <= n; seq++ {
		body := fmt.Sprintf(`{"seq":%d,"index":%d,"term":1,"type":"submit","job":%d`, seq, seq+1, seq)
		prev = fmt.Sprintf("%x", sha256.Sum256([]byte(prev+body+"}")))
		lines = append(lines, body+`,"hash":"`+prev+`"}`)
	}
	return lines
}

// A server tells its lines. It breaks each connection after so many, in the middle of the next, if that is above 0.
type server struct {
	lines      []string
	breakAfter int
	requests   atomic.Int32
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if r.URL.Path == "/v1/cluster" {
		fmt.Fprintf(w, `{"seq":%d}`, len(s.lines))
		return
	}
	from, err := strconv.Atoi(r.URL.Query().Get("from"))
	if err != nil {
		from = 1
	}
	for i, line := range s.lines[min(from-1, len(s.lines)):] {
		if s.breakAfter > 0 && i == s.breakAfter {
			fmt.Fprint(w, line[:len(line)/2])
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintln(w, line)
	}
	if r.URL.Query().Get("follow") == "" {
		fmt.Fprintf(w, "{\"bookmark\":%d}\n", len(s.lines))
		return
	}
	http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func connect(t *testing.T, servers ...*server) *client.Client {
	t.Helper()
	var addrs []string
	for _, s := range servers {
		h := httptest.NewServer(s)
		t.Cleanup(h.Close)
		addrs = append(addrs, h.URL)
	}
	c, err := client.New(strings.Join(addrs, ","), 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

func TestLinesGoOnWhereAConnectionBroke(t *testing.T) {
	s := &server{lines: chain(20), breakAfter: 6}
	var got []string
	var verified Chain
	err := Lines(t.Context(), connect(t, s), Options{}, func(l Line) error {
		got = append(got, string(l.JSON))
		return verified.Add(l)
	})
	if err != nil || !slices.Equal(got, s.lines) || verified.Count != 20 {
		t.Errorf("%d lines, %v", len(got), err)
	}
	if n := s.requests.Load(); n != 4 {
		t.Errorf("%d requests", n)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := Lines(ctx, connect(t, &server{lines: chain(3)}), Options{Follow: true}, func(Line) error {
		if n++; n == 3 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("%d lines, %v", n, err)
	}
}

func TestCompare(t *testing.T) {
	good := chain(30)
	altered := slices.Clone(good)
	altered[11] = strings.Replace(altered[11], "submit", "cancel", 1)
	gap := slices.Delete(slices.Clone(good), 11, 12)
	for _, c := range []struct {
		name    string
		servers [][]string
		from    uint64
		want    string // of the error; empty: none
		count   uint64
	}{
		{"one", [][]string{good}, 0, "", 30},
		{"three", [][]string{good, good, good}, 0, "", 30},
		{"from the middle", [][]string{good, good}, 10, "", 21},
		{"nothing yet", [][]string{nil, nil}, 0, "", 0},
		{"one is altered", [][]string{good, altered}, 0, "differ", 11},
		{"all are altered", [][]string{altered, altered}, 0, "seq 12", 11},
		{"a gap", [][]string{gap, gap}, 0, "seq 13 follows 11", 11},
		{"one is behind, and stays so", [][]string{good, good[:20]}, 0, "sends no further line", 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			var servers []*server
			for _, lines := range c.servers {
				servers = append(servers, &server{lines: lines})
			}
			given := uint64(0)
			chain, err := Compare(t.Context(), connect(t, servers...), c.from, 100*time.Millisecond, func(Line) error { given++; return nil })
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || given != c.count || chain.Count != c.count {
				t.Fatalf("%d lines, %d given, %v", chain.Count, given, err)
			}
			if err == nil && c.count > 0 && !strings.Contains(good[29], chain.Hash) {
				t.Errorf("hash %s", chain.Hash)
			}
		})
	}
}

// An answer that ends whole is all there is, unless it is followed; one that breaks off is asked for again.
func TestLinesEnd(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if asked == 1 {
			_, _ = io.WriteString(w, "{\"seq\":1}\n{\"se")
			panic(http.ErrAbortHandler)
		}
		if from := r.URL.Query().Get("from"); asked > 2 || from != "1" && from != "2" {
			t.Errorf("request %d is from %s", asked, from)
		}
		_, _ = io.WriteString(w, "{\"seq\":2}\n")
	}))
	defer s.Close()
	c, err := client.New(strings.TrimPrefix(s.URL, "http://"), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	last := uint64(0)
	if err := Lines(ctx, c, Options{From: 1}, func(l Line) error { last = l.Seq; return nil }); err != nil || last != 2 {
		t.Errorf("the last line is %d, %v", last, err)
	}
}

// A line that lost its seq is not passed over, also where it is the last and a bookmark covers it.
func TestLineWithoutSeq(t *testing.T) {
	lines := chain(3)
	body := strings.Join(lines[:2], "\n") + "\n" + strings.Replace(lines[2], `"seq":3,`, "", 1) + "\n{\"bookmark\":3}\n"
	from, seen := uint64(1), 0
	err := read(t.Context(), strings.NewReader(body), "h", Options{}, &from, func(Line) error { seen++; return nil })
	if !errors.Is(err, ErrBroken) || seen != 2 {
		t.Errorf("%d lines, %v", seen, err)
	}
}
