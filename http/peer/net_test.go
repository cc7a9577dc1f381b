package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// A network is one of pipes, so that tests run in virtual time. A host is one process: it can be killed.
type network struct {
	mu        sync.Mutex
	listeners map[string]*pipeListener
	conns     map[string][]net.Conn // by either end's address
}

func newNetwork() *network {
	return &network{listeners: map[string]*pipeListener{}, conns: map[string][]net.Conn{}}
}

type pipeListener struct {
	n     *network
	addr  string
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

type pipeAddr string

func (a pipeAddr) Network() string { return "pipe" }
func (a pipeAddr) String() string  { return string(a) }

func (n *network) listen(addr string) *pipeListener {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &pipeListener{n: n, addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
	n.listeners[addr] = l
	return l
}

func (l *pipeListener) Addr() net.Addr { return pipeAddr(l.addr) }
func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (n *network) dialer(from string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, to string) (net.Conn, error) {
		n.mu.Lock()
		l := n.listeners[to]
		alive := n.listeners[from] != nil || from == ""
		n.mu.Unlock()
		if l == nil || !alive {
			return nil, errors.New("connection refused")
		}
		near, far := net.Pipe()
		select {
		case l.conns <- far:
		case <-l.done:
			return nil, errors.New("connection refused")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		n.conns[to] = append(n.conns[to], near, far)
		n.conns[from] = append(n.conns[from], near, far)
		return near, nil
	}
}

// kill ends a host as SIGKILL does: nothing is said, and its kernel closes what it had.
func (n *network) kill(addr string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns[addr] {
		c.Close()
	}
	n.listeners[addr].Close()
	delete(n.listeners, addr)
	delete(n.conns, addr)
}

// A recorder is a node.Handler that remembers.
type recorder struct {
	mu      sync.Mutex
	events  []string
	frames  []string
	changed chan struct{} // holds one
	hold    func(kind byte)
	unsound error // what Receive returns
	stream  func(ctx context.Context, header []byte, w io.Writer) error
	probe   func(ctx context.Context, header []byte) ([]byte, error)
}

func newRecorder() *recorder { return &recorder{changed: make(chan struct{}, 1)} }

func (r *recorder) note(list *[]string, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*list = append(*list, text)
	signal(r.changed)
}

func (r *recorder) Receive(from uint64, kind byte, body []byte) error {
	if r.hold != nil {
		r.hold(kind)
	}
	r.note(&r.frames, fmt.Sprintf("%d %c %s", from, kind, body))
	return r.unsound
}
func (r *recorder) Connected(id uint64) { r.note(&r.events, fmt.Sprintf("connected %d", id)) }
func (r *recorder) Disconnected(id uint64, reset bool) {
	r.note(&r.events, fmt.Sprintf("disconnected %d reset=%v", id, reset))
}

func (r *recorder) ServeStream(ctx context.Context, from uint64, header []byte, w io.Writer) error {
	return r.stream(ctx, header, w)
}

func (r *recorder) ServeProbe(ctx context.Context, header []byte) ([]byte, error) {
	return r.probe(ctx, header)
}

func (r *recorder) seen(list *[]string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(*list)
}

// take returns the events since the last take.
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	events := r.events
	r.events = nil
	return events
}

// A host is a transport that runs.
type host struct {
	*Transport
	*recorder
	stop func() // and waits
}

func (n *network) start(t *testing.T, id uint64, change ...func(*Options, *recorder)) *host {
	t.Helper()
	addr := fmt.Sprint("host", id)
	r := newRecorder()
	opts := Options{ID: id, Listener: n.listen(addr), Dial: n.dialer(addr), Logger: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&opts, r)
	}
	return run(t, opts, r)
}

func run(t testing.TB, opts Options, r *recorder) *host {
	t.Helper()
	tr, err := New(opts, r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tr.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		// A killed host cannot accept, and says so.
		if err := <-ended; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Run: %v", err)
		}
	})
	return &host{tr, r, stop}
}

var three = map[uint64]string{1: "host1", 2: "host2", 3: "host3"}

// pair is two members that are connected, in a bubble of virtual time that ends with them.
func pair(t *testing.T, change func(*Options, *recorder), test func(t *testing.T, n *network, a, b *host)) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		if change == nil {
			change = func(*Options, *recorder) {}
		}
		a, b := n.start(t, 1, change), n.start(t, 2, change)
		defer a.stop()
		defer b.stop()
		members := map[uint64]string{1: "host1", 2: "host2"}
		a.SetCluster("c", members)
		b.SetCluster("c", members)
		synctest.Wait()
		test(t, n, a, b)
	})
}
