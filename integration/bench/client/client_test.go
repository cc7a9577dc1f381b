package client

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"printq/http/api"
	"printq/integration/bench/load"
)

// A member is a server that takes documents as printq does; it says what it was sent.
type member struct {
	*httptest.Server
	mu       sync.Mutex // guards what follows
	requests []string
}

func newMember(t *testing.T, answer func(w http.ResponseWriter, r *http.Request)) *member {
	m := new(member)
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		m.mu.Lock()
		m.requests = append(m.requests, fmt.Sprintf("%s %s %d %q", r.Method, r.URL, len(body), r.Header.Get(api.HeaderKey)))
		m.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(m.Close)
	return m
}

func (m *member) addr() string { return m.Listener.Addr().String() }

// sent is what it was sent.
func (m *member) sent() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

func created(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintln(w, `{"id":1}`)
}

func open(t *testing.T, w load.Work) *Client {
	t.Helper()
	c, err := Open(w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestPut(t *testing.T) {
	m := newMember(t, created)
	c := open(t, load.Work{Endpoints: []string{m.addr()}, Printers: []string{"p", "q"}, Clients: 1, Wait: true})
	for n, size := range []int{10, 1 << 10, gather, gather + 1, 1 << 20} {
		if err := c.Put(t.Context(), 0, uint64(n), [][]byte{make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("POST /v1/printers/%c/jobs?name=%s&wait=10s %d %q", "pq"[n%2], load.Name(uint64(n)), size, "")
		if got := m.sent()[n]; got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

func TestPutKeepsItsConnection(t *testing.T) {
	seen := map[string]bool{}
	m := newMember(t, func(w http.ResponseWriter, r *http.Request) {
		seen[r.RemoteAddr] = true
		if len(seen) == 2 {
			w.Header().Set("Connection", "close")
		}
		created(w, r)
	})
	c := open(t, load.Work{Endpoints: []string{m.addr()}, Printers: []string{"p"}, Clients: 1})
	put := func() {
		if err := c.Put(t.Context(), 0, 1, [][]byte{[]byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	put()
	put()
	if len(seen) != 1 {
		t.Errorf("%d connections for two requests", len(seen))
	}
	c.lanes[0].conn.Close()
	if c.Put(t.Context(), 0, 1, [][]byte{[]byte("x")}) == nil {
		t.Error("a request over a broken connection")
	}
	put() // on a new one, whose answer ends it
	put()
	if len(seen) != 3 {
		t.Errorf("%d connections", len(seen))
	}
}

func TestBatch(t *testing.T) {
	parts := 0
	answer := `[{"status":201},{"status":201},{"status":201}]`
	m := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		parts = 0
		reader, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		for {
			p, err := reader.NextPart()
			if err == io.EOF {
				break
			}
			if text, _ := io.ReadAll(p); err != nil || len(text) != 100 {
				t.Errorf("part %d: %d bytes, %v", parts, len(text), err)
				return
			}
			parts++
		}
		fmt.Fprintln(w, answer)
	}))
	defer m.Close()
	c := open(t, load.Work{Endpoints: []string{m.Listener.Addr().String()}, Printers: []string{"p"}, Clients: 1})
	documents := [][]byte{make([]byte, 100), make([]byte, 100), make([]byte, 100)}
	if err := c.Put(t.Context(), 0, 1, documents); err != nil || parts != 3 {
		t.Errorf("%v, %d parts", err, parts)
	}
	answer = `[{"status":201},{"status":503,"problem":{"title":"full"}},{"status":201}]`
	if err := c.Put(t.Context(), 0, 1, documents); err == nil || !strings.Contains(err.Error(), "full") {
		t.Errorf("one of three was refused: %v", err)
	}
}

// A client that fails over sends the same request with the same key until one member has taken it.
func TestFailover(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	broken := newMember(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	full := newMember(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	well := newMember(t, created)
	c := open(t, load.Work{
		Endpoints: []string{gone.Addr().String(), broken.addr(), full.addr(), well.addr()}, Printers: []string{"p"}, Clients: 1, Failover: true,
	})
	if err := c.Put(t.Context(), 0, 7, [][]byte{[]byte("x")}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Repeats()); got != "map[answered 503:1 cut:1 not reached:1]" {
		t.Error(got)
	}
	if broken.sent()[0] != well.sent()[0] || !strings.HasSuffix(well.sent()[0], `-7"`) {
		t.Errorf("%s, and then %s", broken.sent()[0], well.sent()[0])
	}
	// It stays where it was answered.
	if err := c.Put(t.Context(), 0, 8, [][]byte{[]byte("x")}); err != nil || len(well.sent()) != 2 || len(full.sent()) != 1 {
		t.Errorf("%v: %d requests", err, len(well.sent()))
	}
}

func TestRefusedForGood(t *testing.T) {
	m := newMember(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) })
	c := open(t, load.Work{Endpoints: []string{m.addr()}, Printers: []string{"p"}, Clients: 1, Failover: true})
	if err := c.Put(t.Context(), 0, 1, [][]byte{[]byte("x")}); err == nil || len(m.sent()) != 1 {
		t.Errorf("%v after %d requests", err, len(m.sent()))
	}
}

func TestTail(t *testing.T) {
	m := newMember(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `{"seq":1,"type":"printer-set","printer":"p"}`)
		fmt.Fprintf(w, `{"seq":2,"type":"submit","job":1,"name":"%s"}`+"\n", load.Name(77))
		fmt.Fprintln(w, `{"bookmark":2}`)
		fmt.Fprintln(w, `{"seq":3,"type":"submit","job":2,"name":"somebody else's"}`)
	})
	c := open(t, load.Work{Endpoints: []string{m.addr()}, Printers: []string{"p"}})
	var numbers []uint64
	err := c.Tail(t.Context(), true, func() {}, func(n uint64) bool { numbers = append(numbers, n); return true })
	if err != io.EOF || fmt.Sprint(numbers) != "[77 0]" || !strings.Contains(m.sent()[0], "follow=true&from=beginning") {
		t.Errorf("%v: %v, %v", m.sent(), numbers, err)
	}
	if err := c.Tail(t.Context(), false, func() {}, func(uint64) bool { return false }); err != nil {
		t.Error(err)
	}
}
