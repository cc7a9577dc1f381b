package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"printq/node"
)

func frame(kind byte, body ...string) node.Frame {
	f := node.Frame{Kind: kind, Urgent: kind == 'u'}
	for _, b := range body {
		f.Bufs = append(f.Bufs, []byte(b))
	}
	return f
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

func TestFramesArriveInOrderPerLane(t *testing.T) {
	pair(t, nil, func(t *testing.T, _ *network, a, b *host) {
		var want [2][]string
		for i := range 300 {
			body := fmt.Sprint(i, strings.Repeat("x", i*i%9000))
			for lane, kind := range []byte("ub") {
				if !a.Send(2, frame(kind, body[:1], "", body[1:])) {
					t.Fatalf("frame %d was dropped", i)
				}
				want[lane] = append(want[lane], fmt.Sprintf("1 %c %s", kind, body))
			}
		}
		if !a.Send(2, frame('b', strings.Repeat("y", 3<<20))) || !a.Send(2, frame('b')) {
			t.Fatal("a long or an empty frame was dropped")
		}
		want[1] = append(want[1], "1 b "+strings.Repeat("y", 3<<20), "1 b ")
		synctest.Wait()
		var got [2][]string
		for _, f := range b.seen(&b.frames) {
			lane := strings.IndexByte("ub", f[2])
			got[lane] = append(got[lane], f)
		}
		if !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
			t.Fatal("frames were lost, changed or reordered")
		}
	})
}

func TestSendReportsLoss(t *testing.T) {
	pair(t, nil, func(t *testing.T, n *network, a, b *host) {
		if a.Send(7, frame('u')) || a.Send(1, frame('u')) {
			t.Error("sent to a member that does not exist, or to itself")
		}
		if a.Send(2, frame('b', string(make([]byte, 81<<20)))) {
			t.Error("sent a frame over the limit")
		}
		n.kill("host2")
		synctest.Wait()
		if a.Send(2, frame('u')) {
			t.Error("sent without a connection")
		}
	})
}

func TestSlowReaderNeitherBlocksSendNorUrgentFrames(t *testing.T) {
	release := make(chan struct{})
	slow := func(o *Options, r *recorder) {
		o.BulkBytes, o.BulkFrames = 100_000, 50
		r.hold = func(kind byte) {
			if kind == 'b' {
				<-release
			}
		}
	}
	pair(t, slow, func(t *testing.T, _ *network, a, b *host) {
		release = make(chan struct{})
		defer close(release)
		count := func(size int) (n int) {
			for a.Send(2, frame('b', strings.Repeat("x", size))) {
				synctest.Wait()
				n++
			}
			return n
		}
		// The reader holds one frame, and its buffer what came with it.
		if n := count(5_000); n < 19 || n > 30 {
			t.Errorf("took %d frames of 5,000 bytes where 100,000 bytes may wait", n)
		}
		l := a.peers[2].out.lanes[1]
		l.mu.Lock()
		if l.bytes > 100_000 || l.frames > 50 {
			t.Errorf("%d bytes in %d frames wait", l.bytes, l.frames)
		}
		l.mu.Unlock()
		if !a.Send(2, frame('u', "beat")) {
			t.Error("an urgent frame was dropped")
		}
		synctest.Wait()
		expect(t, "frames", b.seen(&b.frames), "1 u beat")
		// Without any progress the connection is given up, and the memory with it.
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if s := a.Peers()[0]; s.LastError == "" {
			t.Errorf("status after 6 s without progress: %+v", s)
		}
		expect(t, "events", b.take(), "connected 1")
	})
}

func TestFrameLimit(t *testing.T) {
	pair(t, func(o *Options, r *recorder) { o.UrgentFrames = 3 }, func(t *testing.T, _ *network, a, b *host) {
		sent := 0
		for range 10 { // the writer has no chance to run before the next Wait, or little
			if a.Send(2, frame('u', "x")) {
				sent++
			}
		}
		synctest.Wait()
		if got := len(b.seen(&b.frames)); got != sent {
			t.Errorf("%d frames were taken, %d arrived", sent, got)
		}
		if !a.Send(2, frame('u', "x")) {
			t.Error("there is room again, and a frame was dropped")
		}
	})
}

func TestKillIsSeenAtOnce(t *testing.T) {
	pair(t, nil, func(t *testing.T, n *network, a, b *host) {
		expect(t, "events", a.take(), "connected 2")
		began := time.Now()
		n.kill("host2")
		synctest.Wait()
		expect(t, "events", a.take(), "disconnected 2 reset=true")
		if d := time.Since(began); d != 0 {
			t.Errorf("it took %v", d)
		}
	})
}

func TestGoodbye(t *testing.T) {
	pair(t, nil, func(t *testing.T, n *network, a, b *host) {
		a.take()
		b.Send(1, frame('u', "last"))
		b.stop()
		synctest.Wait()
		expect(t, "events", a.take(), "disconnected 2 reset=false")
		expect(t, "frames", a.seen(&a.frames), "2 u last")
	})
}

func TestGoodbyeIsBounded(t *testing.T) {
	var release chan struct{}
	stuck := func(o *Options, r *recorder) { r.hold = func(byte) { <-release } }
	pair(t, stuck, func(t *testing.T, n *network, a, b *host) {
		release = make(chan struct{})
		for range 100 {
			b.Send(1, frame('b', strings.Repeat("x", 50_000)))
		}
		synctest.Wait()
		began := time.Now()
		b.stop()
		if d := time.Since(began); d != time.Second {
			t.Errorf("stopping took %v", d)
		}
		close(release)
	})
}

func TestRestartedMemberIsReachedSoon(t *testing.T) {
	pair(t, nil, func(t *testing.T, n *network, a, b *host) {
		n.kill("host2")
		b.stop()
		time.Sleep(time.Minute)
		if s := a.Peers()[0]; s.Connected || s.LastError == "" {
			t.Errorf("status of a dead member: %+v", s)
		}
		a.take()
		b2 := n.start(t, 2)
		defer b2.stop()
		b2.SetCluster("c", three)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if !a.Send(2, frame('u', "again")) || !b2.Send(1, frame('b', "here")) {
			t.Fatal("not connected a millisecond after the restart")
		}
		synctest.Wait()
		expect(t, "frames", b2.seen(&b2.frames), "1 u again")
		expect(t, "events", a.take(), "connected 2")
		if s := a.Peers()[0]; !s.Connected || s.LastError != "" {
			t.Errorf("status: %+v", s)
		}
	})
}

// A member whose host lost power: nobody closed its connections.
func TestConnectionToAnEarlierRunIsGivenUp(t *testing.T) {
	pair(t, nil, func(t *testing.T, n *network, a, b *host) {
		n.mu.Lock()
		delete(n.listeners, "host2")
		n.conns["host2"] = nil
		n.mu.Unlock()
		b2 := n.start(t, 2)
		defer b2.stop()
		b2.SetCluster("c", three)
		time.Sleep(time.Second)
		synctest.Wait()
		a.Send(2, frame('u', "to the new one"))
		synctest.Wait()
		expect(t, "frames", b2.seen(&b2.frames), "1 u to the new one")
		expect(t, "events", a.take(), "connected 2")
	})
}

func TestNewerConnectionReplacesWithoutHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.start(t, 1)
		defer a.stop()
		a.SetCluster("c", three)
		connect := func(run uint64) net.Conn {
			c, err := n.dialer("")(t.Context(), "host1")
			if err != nil {
				t.Fatal(err)
			}
			bytes, _ := hello{purpose: urgent, from: 2, to: 1, cluster: "c", run: run, advertise: "host2"}.encode()
			c.Write(bytes)
			if r, err := readReply(c); err != nil || r.refusal != "" {
				t.Fatal(r, err)
			}
			return c
		}
		older := connect(1)
		newer := connect(2)
		if _, err := older.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the older connection: %v", err)
		}
		synctest.Wait()
		expect(t, "events", a.take(), "connected 2")
		newer.Close()
		synctest.Wait()
		expect(t, "events", a.take(), "disconnected 2 reset=true")
	})
}

func TestAddressesChange(t *testing.T) {
	pair(t, nil, func(t *testing.T, n *network, a, b *host) {
		b3 := n.start(t, 3, func(o *Options, _ *recorder) { o.ID = 2 })
		defer b3.stop()
		b3.SetCluster("c", three)
		b.stop()
		a.SetCluster("c", map[uint64]string{1: "host1", 2: "host3"})
		time.Sleep(5 * time.Second) // longer than any backoff
		a.Send(2, frame('u', "moved"))
		synctest.Wait()
		expect(t, "frames", b3.seen(&b3.frames), "1 u moved")
		a.take()
		a.SetCluster("c", map[uint64]string{1: "host1"})
		synctest.Wait()
		// It is ours to end, and no hint; as a stranger that knows the cluster it may come back.
		if e := a.take(); e[0] != "disconnected 2 reset=false" {
			t.Errorf("events %q", e)
		}
	})
}

func TestStrangerOfTheClusterIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a, d := n.start(t, 1), n.start(t, 4)
		defer a.stop()
		a.SetCluster("c", three)
		d.SetCluster("c", three)
		time.Sleep(time.Second)
		d.Send(1, frame('u', "new here"))
		synctest.Wait()
		expect(t, "frames", a.seen(&a.frames), "4 u new here")
		if !a.Send(4, frame('u', "welcome")) {
			t.Error("cannot answer")
		}
		d.stop()
		synctest.Wait()
		if len(a.Peers()) != 2 {
			t.Errorf("still known: %+v", a.Peers())
		}
	})
}

func TestRefusals(t *testing.T) {
	good := hello{purpose: urgent, from: 2, to: 1, cluster: "c", advertise: "host2"}
	for _, c := range []struct {
		name   string
		change func(*hello)
		raw    func([]byte) []byte
		want   string
	}{
		{"wrong cluster", func(h *hello) { h.cluster = "d" }, nil, `cluster "c", not "d"`},
		{"no cluster", func(h *hello) { h.cluster = "" }, nil, `cluster "c", not ""`},
		{"wrong member", func(h *hello) { h.to = 3 }, nil, "this is member 1, not 3"},
		{"self", func(h *hello) { h.from = 1 }, nil, "member 1 itself"},
		{"nobody", func(h *hello) { h.from = 0 }, nil, "only members"},
		{"purpose", func(h *hello) { h.purpose = 9 }, nil, "purpose 9 is not known"},
		{"probe of another", func(h *hello) { h.purpose, h.to = probe, 3 }, nil, "not 3"},
		{"version", nil, func(b []byte) []byte { b[5] = 3; return b }, "version 3"},
		{"too long", nil, func(b []byte) []byte { b[34] = 1; return b }, "too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pair(t, nil, func(t *testing.T, n *network, a, b *host) {
				h := good
				if c.change != nil {
					c.change(&h)
				}
				bytes, _ := h.encode()
				if c.raw != nil {
					bytes = c.raw(bytes)
				}
				conn, _ := n.dialer("")(t.Context(), "host1")
				defer conn.Close()
				go conn.Write(bytes)
				r, err := readReply(conn)
				if err != nil || !strings.Contains(r.refusal, c.want) || r.id != 1 {
					t.Fatalf("reply %+v, %v; want %q", r, err, c.want)
				}
			})
		})
	}
}

func TestRefusalIsLoggedOnceAndShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		var logged bytes.Buffer
		a := n.start(t, 1, func(o *Options, _ *recorder) { o.Logger = slog.New(slog.NewTextHandler(&logged, nil)) })
		b := n.start(t, 2)
		defer b.stop()
		a.SetCluster("c", map[uint64]string{2: "host2"})
		time.Sleep(time.Minute)
		s := a.Peers()[0]
		if s.Connected || !strings.Contains(s.LastError, "not part of a cluster yet") || time.Since(s.Since) < 50*time.Second {
			t.Errorf("status %+v", s)
		}
		b.SetCluster("c", three)
		time.Sleep(2 * time.Second)
		if s := a.Peers()[0]; !s.Connected {
			t.Errorf("status %+v", s)
		}
		a.stop()
		if n := strings.Count(logged.String(), "not part of a cluster yet"); n != 1 {
			t.Errorf("logged %d times:\n%s", n, logged.String())
		}
	})
}

func TestSilentConnectionsAreLimited(t *testing.T) {
	pair(t, func(o *Options, _ *recorder) { o.MaxConns = 4 }, func(t *testing.T, n *network, a, b *host) {
		dial := n.dialer("")
		var conns []net.Conn
		for range 5 { // 2 are taken
			c, err := dial(t.Context(), "host1")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			conns = append(conns, c)
		}
		began := time.Now()
		conns[4].Read(make([]byte, 1))
		if d := time.Since(began); d != 0 {
			t.Errorf("one too many was closed after %v", d)
		}
		conns[0].Read(make([]byte, 1))
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("a connection without a hello was closed after %v", d)
		}
	})
}

// Real sockets: what a kernel says when a process dies, and how soon it is known.
func TestDeathOverTCP(t *testing.T) {
	r := newRecorder()
	a := run(t, Options{ID: 1, ListenAddr: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)}, r)
	defer a.stop()
	a.SetCluster("c", nil)
	for _, linger := range []int{-1, 0} { // FIN, RST
		conn, err := net.Dial("tcp", a.Addr())
		if err != nil {
			t.Fatal(err)
		}
		bytes, _ := hello{purpose: urgent, from: 2, to: 1, cluster: "c"}.encode()
		conn.Write(bytes)
		if _, err := readReply(conn); err != nil {
			t.Fatal(err)
		}
		conn.(*net.TCPConn).SetLinger(linger)
		began := time.Now()
		conn.Close()
		for seen := []string{}; len(seen) < 2; {
			<-r.changed
			if seen = r.seen(&r.events); len(seen) == 2 {
				expect(t, "events", r.take(), "connected 2", "disconnected 2 reset=true")
			}
		}
		t.Logf("linger %d: known after %v", linger, time.Since(began))
	}
}

func TestDamagedFrameIsNoHint(t *testing.T) {
	for name, damage := range map[string]func([]byte){
		"checksum": func(b []byte) { b[len(b)-1] ^= 1 },
		"kind":     func(b []byte) { b[8] ^= 1 },
		"covered":  func(b []byte) { b[12] ^= 1 },
		"length":   func(b []byte) { binary.BigEndian.PutUint32(b, 1<<31) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				a := n.start(t, 1)
				defer a.stop()
				a.SetCluster("c", three)
				conn, _ := n.dialer("")(t.Context(), "host1")
				defer conn.Close()
				b, _ := hello{purpose: urgent, from: 2, to: 1, cluster: "c", advertise: "host2"}.encode()
				conn.Write(b)
				readReply(conn)
				bad := append(appendFrameHead(nil, frame('u', "body")), "body"...)
				damage(bad)
				go conn.Write(bad)
				synctest.Wait()
				expect(t, "frames", a.seen(&a.frames))
				expect(t, "events", a.take(), "connected 2", "disconnected 2 reset=false")
			})
		})
	}
}

// What the transport's checksum leaves out is for the node to verify.
func TestFrameThatTheNodeFindsDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		a := n.start(t, 1)
		defer a.stop()
		a.SetCluster("c", three)
		conn, _ := n.dialer("")(t.Context(), "host1")
		defer conn.Close()
		b, _ := hello{purpose: urgent, from: 2, to: 1, cluster: "c", advertise: "host2"}.encode()
		conn.Write(b)
		readReply(conn)
		f := node.Frame{Kind: 'u', Bufs: [][]byte{[]byte("sums "), []byte("and "), []byte("summed")}, Summed: 2}
		bytes := slices.Concat(appendFrameHead(nil, f), f.Bufs[0], f.Bufs[1], f.Bufs[2])
		bytes[len(bytes)-1] ^= 1
		go conn.Write(bytes)
		synctest.Wait()
		expect(t, "frames", a.seen(&a.frames), "2 u sums and summee")
		a.unsound = errors.New("not what was sent")
		go conn.Write(bytes)
		synctest.Wait()
		expect(t, "events", a.take(), "connected 2", "disconnected 2 reset=false")
	})
}

func BenchmarkFrames(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"256KiB", 256 << 10}, {"1KiB", 1 << 10}} {
		b.Run(c.name, func(b *testing.B) { benchmark(b, c.size) })
	}
}

func benchmark(b *testing.B, size int) {
	quiet := slog.New(slog.DiscardHandler)
	got := make(chan struct{}, 1<<20)
	from := run(b, Options{ID: 1, ListenAddr: "127.0.0.1:0", Logger: quiet}, newRecorder())
	to, err := New(Options{ID: 2, ListenAddr: "127.0.0.1:0", Logger: quiet}, counter{newRecorder(), got})
	if err != nil {
		b.Fatal(err)
	}
	defer from.stop()
	go to.Run(b.Context())
	members := map[uint64]string{1: from.Addr(), 2: to.Addr()}
	to.SetCluster("c", members)
	from.SetCluster("c", members)
	body := make([]byte, size)
	for !from.Send(2, node.Frame{Kind: 'b', Bufs: [][]byte{body}}) {
		time.Sleep(time.Millisecond)
	}
	<-got
	b.SetBytes(int64(size))
	b.ReportAllocs()
	b.ResetTimer()
	arrived := 0
	for sent := 0; sent < b.N; {
		if sent-arrived < 64 && from.Send(2, node.Frame{Kind: 'b', Bufs: [][]byte{body}}) {
			sent++
			continue
		}
		<-got
		arrived++
	}
	for ; arrived < b.N; arrived++ {
		<-got
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}

type counter struct {
	*recorder
	got chan struct{}
}

func (c counter) Receive(uint64, byte, []byte) error {
	c.got <- struct{}{}
	return nil
}

var _ io.ReadCloser = (*streamReader)(nil)
