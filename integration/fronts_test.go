package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/http/api"
)

// TestLabelsOverRawAndLPD sends labels as old software does, through all members, while the leader is killed twice. What was
// acknowledged comes out once: LPD's clients send a job again until it is, raw TCP's go on to another label where it is not.
func TestLabelsOverRawAndLPD(t *testing.T) {
	notShort(t, "two elections, and four hundred labels")
	const each, clients = 200, 3
	ctx := within(t, 90*time.Second)
	c := newCluster(t)
	f := newFrontLoad(t, c)
	c.start(c.members...)
	c.ready(ctx, c.members...)
	c.printer(ctx, "labels", "?delay=1ms")
	group, sending := errgroup.WithContext(ctx)
	for i := range clients {
		group.Go(func() error { return f.send(sending, "raw", i, each/clients+1, f.raw) })
		group.Go(func() error { return f.send(sending, "lpd", i, each/clients+1, f.lpd) })
	}
	for _, at := range []int{each / 4, each} {
		until(ctx, t, fmt.Sprintf("%d labels are acknowledged", at), func() bool { return f.count() >= at })
		leader := c.leader(ctx)
		c.kill(leader)
		breathe(ctx, 300*time.Millisecond)
		c.start(leader)
		c.ready(ctx, leader)
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	c.ready(ctx, c.members...)
	c.quiet(ctx)
	f.check()
	c.compareLogs(ctx)
}

// TestKilledMemberAcknowledgesNothing kills a member that has a label and cannot commit it. Its system ends its connections: that
// must not look like the end that acknowledges.
func TestKilledMemberAcknowledgesNothing(t *testing.T) {
	notShort(t, "a cluster loses its majority")
	t.Parallel()
	ctx := within(t, 30*time.Second)
	c := newCluster(t)
	f := newFrontLoad(t, c)
	c.start(c.members...)
	c.ready(ctx, c.members...)
	c.printer(ctx, "labels", "")
	last := c.members[0]
	c.kill(c.others(last)...)
	ends := map[string]chan error{"raw": make(chan error, 1), "lpd": make(chan error, 1)}
	go func() { ends["raw"] <- f.raw(ctx, 0, 0, "a label") }()
	go func() { ends["lpd"] <- f.tryLPD(ctx, f.lpdAddr[0], 1, "a label", false) }()
	breathe(ctx, 500*time.Millisecond) // they wait for the commit now
	c.kill(last)
	for kind, end := range ends {
		if err := <-end; !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: the client sees %v", kind, err)
		}
	}
}

// TestLargeOverRawAndLPD sends what does not fit into one entry, in flat memory.
func TestLargeOverRawAndLPD(t *testing.T) {
	notShort(t, "it writes large files several times")
	const bytes = 64 << 20
	ctx := within(t, 60*time.Second)
	c := newCluster(t)
	f := newFrontLoad(t, c)
	c.start(c.members...)
	c.ready(ctx, c.members...)
	c.printer(ctx, "labels", "")
	m := c.others(c.leader(ctx))[0].id - 1
	sent := []body{noise("%PDF-1.7\n", bytes, 1), noise("%PDF-1.7\n", bytes, 2)}
	over := func(addr string, send func(net.Conn) error) {
		t.Helper()
		l, err := connect(ctx, addr)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if err := send(l); err != nil {
			t.Fatal(err)
		}
		if err := l.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(l); err != nil || slices.ContainsFunc(rest, func(octet byte) bool { return octet != 0 }) {
			t.Fatalf("the server ends with %q, %v", rest, err)
		}
	}
	over(f.rawAddr[m], func(l net.Conn) error { return copyTo(l, sent[0]) })
	over(f.lpdAddr[m], func(l net.Conn) error {
		const control = "ldfA001host\n"
		fmt.Fprintf(l, "\x02labels\n\x02%d cfA001host\n%s\x00\x03%d dfA001host\n", len(control), control, bytes)
		if err := copyTo(l, sent[1]); err != nil {
			return err
		}
		_, err := l.Write([]byte{0})
		return err
	})
	c.quiet(ctx)
	paper := c.papers()["labels"]
	if len(paper) != len(sent) {
		t.Fatalf("%d sheets", len(paper))
	}
	for i, s := range paper {
		if err := differ(sent[i], s.data); err != nil {
			t.Error(err)
		}
	}
	c.checkMemory(c.members...)
}

// A frontLoad is what clients of the old protocols sent, by the text of the label.
type frontLoad struct {
	cluster *cluster
	rawAddr []string
	lpdAddr []string

	mu sync.Mutex
	// acked says of each label that was sent whether it was acknowledged; again counts what LPD's clients sent again. Guarded by mu.
	acked map[string]bool
	again int
}

func newFrontLoad(t *testing.T, c *cluster) *frontLoad {
	f := &frontLoad{cluster: c, acked: map[string]bool{}}
	addrs := freeAddrs(t, 2*size)
	f.rawAddr, f.lpdAddr = addrs[:size], addrs[size:]
	for i, m := range c.members {
		m.args = []string{"--raw", f.rawAddr[i] + "=labels", "--lpd", f.lpdAddr[i]}
	}
	return f
}

func (f *frontLoad) note(label string, acked bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acked[label] = f.acked[label] || acked
}

func (f *frontLoad) count() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, acked := range f.acked {
		if acked {
			n++
		}
	}
	return n
}

// send is a client that gets so many labels acknowledged.
func (f *frontLoad) send(ctx context.Context, kind string, client, labels int, one func(ctx context.Context, client, n int, label string) error) error {
	for n := 0; labels > 0; n++ {
		label := fmt.Sprintf("^XA^FD%s client %d label %d^FS^XZ", kind, client, n)
		f.note(label, false)
		if err := one(ctx, client, n, label); err == nil {
			f.note(label, true)
			labels--
		} else if ctx.Err() != nil {
			return err
		} else {
			breathe(ctx, 20*time.Millisecond)
		}
	}
	return nil
}

// raw sends a label once: the end of the server's side acknowledges it, and whatever else comes does not.
func (f *frontLoad) raw(ctx context.Context, client, n int, label string) error {
	c, err := connect(ctx, f.rawAddr[(client+n)%size])
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := io.WriteString(c, label); err != nil {
		return err
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, c)
	return err
}

// lpd sends a label until it is acknowledged, through one member after the other. The clients' job numbers are their own.
func (f *frontLoad) lpd(ctx context.Context, client, n int, label string) error {
	var err error
	for try := 0; ctx.Err() == nil; try++ {
		lose := try == 0 && n%10 == 5
		if err = f.tryLPD(ctx, f.lpdAddr[(client+n+try)%size], client*100+n%100, label, lose); err == nil {
			return nil
		}
		f.mu.Lock()
		f.again++
		f.mu.Unlock()
		breathe(ctx, 20*time.Millisecond)
	}
	return errors.Join(ctx.Err(), err)
}

// tryLPD sends a label, and with lose its connection breaks when the acknowledgement is under way.
func (f *frontLoad) tryLPD(ctx context.Context, addr string, number int, label string, lose bool) error {
	c, err := connect(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	control := fmt.Sprintf("Hhost\nPada\nldfA%03[1]dhost\nUdfA%03[1]dhost\nNlabel\n", number)
	for _, said := range []string{
		"\x02labels\n",
		fmt.Sprintf("\x02%d cfA%03dhost\n", len(control), number), control + "\x00",
		fmt.Sprintf("\x03%d dfA%03dhost\n", len(label), number), label + "\x00",
	} {
		if _, err := io.WriteString(c, said); err != nil {
			return err
		}
		var octet [1]byte
		if _, err := io.ReadFull(c, octet[:]); err != nil {
			return err
		}
		if octet[0] != 0 {
			why, _ := io.ReadAll(c)
			return fmt.Errorf("octet %d: %s", octet[0], why)
		}
	}
	if lose {
		return errors.Join(errors.New("the acknowledgement was lost"), c.SetLinger(0))
	}
	return nil
}

func connect(ctx context.Context, addr string) (*net.TCPConn, error) {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), c.SetDeadline(time.Now().Add(40 * time.Second))
}

// quiet waits until no job is left that has not ended.
func (c *cluster) quiet(ctx context.Context) {
	c.t.Helper()
	until(ctx, c.t, "all jobs have ended", func() bool {
		q := url.Values{"state": {"pending,held,processing,stopped"}, "limit": {"1"}}
		_, b, err := c.do(ctx, &request{method: http.MethodGet, path: "/v1/jobs", query: q})
		var list api.Jobs
		if err == nil {
			err = json.Unmarshal(b, &list)
		}
		if err != nil {
			c.t.Fatal(err)
		}
		return len(list.Jobs) == 0
	})
}

// check compares the paper with what was sent.
func (f *frontLoad) check() {
	t := f.cluster.t
	t.Helper()
	out := map[string]int{}
	for _, s := range f.cluster.papers()["labels"] {
		out[readBody(t, s.data)]++
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	acked, unasked := 0, 0
	for _, label := range slices.Sorted(maps.Keys(f.acked)) {
		switch n := out[label]; {
		case n > 1:
			t.Errorf("%s came out %d times", label, n)
		case f.acked[label] && n == 0:
			t.Errorf("%s was acknowledged and did not come out", label)
		case f.acked[label]:
			acked++
		default:
			unasked += n
		}
		delete(out, label)
	}
	for label := range out {
		t.Errorf("%.200q came out, which nobody sent", label)
	}
	t.Logf("%d acknowledged labels came out once; of %d that raw TCP did not acknowledge, %d; LPD sent %d again",
		acked, len(f.acked)-acked, unasked, f.again)
}

func readBody(t *testing.T, b body) string {
	t.Helper()
	r, err := b.open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	return string(all)
}
