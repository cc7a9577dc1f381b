package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"printq/queue"
	"printq/queue/queuepb"
)

// hub carries frames and streams between nodes of one process.
type hub struct {
	mu    sync.Mutex
	nodes map[uint64]*Node
	cut   map[uint64]bool
}

type hubTransport struct {
	h  *hub
	id uint64
}

func addr(id uint64) string { return fmt.Sprintf("host%d:1", id) }

func (h *hub) node(from, to uint64) *Node {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cut[from] || h.cut[to] {
		return nil
	}
	return h.nodes[to]
}

func (h *hub) cutAll(cut bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id := range h.nodes {
		h.cut[id] = cut
	}
}

func (h *hub) set(id uint64, n *Node) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nodes[id] = n
}

func (t hubTransport) Send(to uint64, f Frame) bool {
	n := t.h.node(t.id, to)
	if n == nil {
		return false
	}
	body := bytes.Join(f.Bufs, nil)
	go n.Receive(t.id, f.Kind, body)
	return true
}

func (t hubTransport) Stream(ctx context.Context, to uint64, header []byte) (io.ReadCloser, error) {
	n := t.h.node(t.id, to)
	if n == nil {
		return nil, errors.New("cut off")
	}
	r, w := io.Pipe()
	go func() {
		err := n.ServeStream(ctx, t.id, header, w)
		if err == nil {
			err = io.EOF
		}
		w.CloseWithError(err)
	}()
	return r, nil
}

func (t hubTransport) Probe(ctx context.Context, to string, header []byte) ([]byte, error) {
	for id := range uint64(4) {
		if addr(id) == to {
			if n := t.h.node(t.id, id); n != nil {
				return n.ServeProbe(ctx, header)
			}
		}
	}
	return nil, errors.New("nobody there")
}

// SetCluster connects the member with those that are up.
func (t hubTransport) SetCluster(string, map[uint64]string) {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	for id, n := range t.h.nodes {
		if n != nil && id != t.id {
			go n.Connected(t.id)
			go t.h.nodes[t.id].Connected(id)
		}
	}
}

// quietDriver prints nothing.
type quietDriver struct{}

func (quietDriver) Lead(context.Context, uint64, []queue.Drive) {}
func (quietDriver) Changed([]queue.Drive)                       {}
func (quietDriver) Finish(context.Context) error                { return nil }

// A cluster is three nodes on disk, in virtual time.
type cluster struct {
	t    *testing.T
	h    *hub
	dir  string
	stop map[uint64]func() error
	list map[uint64]string
	opts func(*Options)
}

func newCluster(t *testing.T) *cluster {
	return &cluster{
		t: t, h: &hub{nodes: map[uint64]*Node{}, cut: map[uint64]bool{}}, dir: t.TempDir(), stop: map[uint64]func() error{},
		list: map[uint64]string{1: addr(1), 2: addr(2), 3: addr(3)},
	}
}

func (c *cluster) data(id uint64) string { return filepath.Join(c.dir, fmt.Sprint(id)) }

func (c *cluster) start(id uint64) *Node {
	c.t.Helper()
	o := Options{ID: id, Dir: c.data(id), Members: maps.Clone(c.list), HTTP: "h", Peer: addr(id), LowDisk: 1, SegmentBytes: 1 << 20}
	if c.opts != nil {
		c.opts(&o)
	}
	n, err := New(o)
	if err != nil {
		c.t.Fatal(err)
	}
	c.h.set(id, n)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx, hubTransport{c.h, id}, quietDriver{}) }()
	c.stop[id] = func() error {
		cancel()
		err := <-ended
		c.h.set(id, nil)
		delete(c.stop, id)
		return err
	}
	return n
}

func (c *cluster) all() {
	for id := range c.list {
		c.start(id)
	}
	c.ready()
}

func (c *cluster) restart() {
	c.t.Helper()
	c.end()
	c.all()
}

func (c *cluster) ready() {
	c.t.Helper()
	for _, n := range c.h.nodes {
		for i := 0; n != nil && n.Ready() != nil; i++ {
			if i == 1000 {
				c.t.Fatalf("member %d is never ready: %v", n.cfg.ID, n.Ready())
			}
			time.Sleep(100 * time.Millisecond) // virtual
		}
	}
}

func (c *cluster) end() {
	c.t.Helper()
	for _, id := range []uint64{1, 2, 3} {
		if stop := c.stop[id]; stop != nil {
			if err := stop(); err != nil {
				c.t.Errorf("member %d: %v", id, err)
			}
		}
	}
}

func (c *cluster) print(n *Node, printer string, doc []byte) uint64 {
	c.t.Helper()
	a, err := n.Propose(c.t.Context(), submit(printer, "", doc), doc)
	if err != nil {
		c.t.Fatal(err)
	}
	return a.Job
}

func (c *cluster) read(n *Node, job uint64) []byte {
	c.t.Helper()
	s, err := n.Job(job)
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := n.OpenDocument(c.t.Context(), s.Job)
	if err != nil {
		c.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

func TestBirthRestartAndLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		if _, err := c.h.nodes[2].Propose(t.Context(), setPrinter("p", "tray:/a"), nil); err != nil {
			t.Fatal(err)
		}
		doc := []byte("a page")
		job := c.print(c.h.nodes[3], "p", doc)
		c.end()

		c.all() // the list counts no more, but does no harm
		defer c.end()
		for id, n := range c.h.nodes {
			if _, err := n.Barrier(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := c.read(n, job); !bytes.Equal(got, doc) {
				t.Errorf("member %d has %q after the restart", id, got)
			}
		}
		leader := c.h.nodes[c.h.nodes[1].Cluster().Leader]
		term := leader.Cluster().Term
		if err := c.stop[leader.cfg.ID](); err != nil {
			t.Fatal(err)
		}
		// An orderly stop hands leadership over: nobody has to wait for an election time-out.
		c.ready()
		for _, n := range c.h.nodes {
			if n != nil {
				if now := n.Cluster(); now.Leader == leader.cfg.ID || now.Term != term+1 {
					t.Errorf("after the leader left: %+v", now)
				}
			}
		}
	})
}

func TestWipedMemberIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		defer c.end()
		if err := c.stop[2](); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(c.data(2)); err != nil {
			t.Fatal(err)
		}
		n, err := New(Options{ID: 2, Dir: c.data(2), Members: c.list})
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Run(t.Context(), hubTransport{c.h, 2}, quietDriver{}); !errors.Is(err, ErrWiped) {
			t.Errorf("a wiped member: %v, want ErrWiped", err)
		}
	})
}

func TestMembersWithDifferentListsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.start(1)
		c.start(2)
		c.list = map[uint64]string{2: addr(2), 3: addr(3)}
		c.start(3)
		time.Sleep(time.Minute) // virtual
		if err := c.h.nodes[1].Ready(); err == nil || !strings.Contains(err.Error(), "another --cluster list") {
			t.Errorf("ready: %v", err)
		}
		c.end()
		if empty, err := (&dir{path: c.data(1)}).empty(); err != nil || !empty {
			t.Errorf("a cluster was formed by members that disagree: %v", err)
		}
	})
}

func TestDirectoryOfAnotherMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		c.end()
		n, err := New(Options{ID: 3, Dir: c.data(2)})
		if err != nil {
			t.Fatal(err)
		}
		err = n.Run(t.Context(), hubTransport{c.h, 3}, quietDriver{})
		if err == nil || !strings.Contains(err.Error(), "belongs to member 2") {
			t.Errorf("the directory of member 2 given to 3: %v", err)
		}
	})
}

func TestSnapshotOverTheShell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.opts = func(o *Options) { o.RetainEntries = 10 }
		c.all()
		defer c.end()
		n := c.h.nodes[1]
		for _, p := range []string{"p", "q"} {
			if _, err := n.Propose(t.Context(), setPrinter(p, "tray:/"+p), nil); err != nil {
				t.Fatal(err)
			}
		}
		leader := n.Cluster().Leader
		behind := leader%3 + 1
		if err := c.stop[behind](); err != nil {
			t.Fatal(err)
		}
		doc := bytes.Repeat([]byte("needed"), 1000)
		job := c.print(c.h.nodes[leader], "p", doc)
		for i := range 200 {
			c.print(c.h.nodes[leader], "q", []byte(fmt.Sprint(i)))
			if i%20 == 0 {
				time.Sleep(time.Second) // virtual: batches are written, the base moves
			}
		}
		back := c.start(behind)
		c.ready()
		at := c.h.nodes[leader].Applied()
		for back.Applied().Index < at.Index {
			time.Sleep(time.Second) // virtual
		}
		if back.Stats().SnapshotsInstalled == 0 {
			t.Fatal("it caught up without a snapshot: the test tests nothing")
		}
		if got := c.read(back, job); !bytes.Equal(got, doc) {
			t.Error("the document that was needed did not come with the snapshot")
		}
		if got, want := back.Cluster().Chain, c.h.nodes[leader].Cluster().Chain; got != want {
			t.Errorf("chain %s, the leader's is %s", got, want)
		}
		// What was installed is what a restart finds.
		if err := c.stop[behind](); err != nil {
			t.Fatal(err)
		}
		back = c.start(behind)
		c.ready()
		if got := c.read(back, job); !bytes.Equal(got, doc) {
			t.Error("the document is gone after a restart")
		}
	})
}

func TestDamagedDocumentComesFromAnotherMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		defer c.end()
		n := c.h.nodes[1]
		if _, err := n.Propose(t.Context(), setPrinter("p", "tray:/a"), nil); err != nil {
			t.Fatal(err)
		}
		doc := bytes.Repeat([]byte("document "), 5000)
		job := c.print(n, "p", doc)
		s, err := n.Job(job)
		if err != nil {
			t.Fatal(err)
		}
		c.restart() // or it is read from memory
		n = c.h.nodes[1]
		damage(t, c.data(1), []byte("document document document"))
		e := s.GetDocument()[0]
		work := &queue.Work{
			Job: job, Bytes: int64(len(doc)), SHA256: sha(doc),
			Document: []queue.Extent{{Index: e.GetIndex(), Offset: e.GetOffset(), Length: e.GetLength()}},
		}
		d, err := n.Document(t.Context(), work)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(doc))
		if _, err := d.ReadAt(got, 0); err != nil || !bytes.Equal(got, doc) {
			t.Errorf("another member's copy: %v", err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if n.Stats().DocumentsRepaired != 1 || len(n.Cluster().Alarms) == 0 {
			t.Errorf("the damage is not reported: %+v", n.Cluster().Alarms)
		}
		for id := range uint64(3) {
			damage(t, c.data(id+1), []byte("document document document"))
		}
		if _, err := n.Document(t.Context(), work); !errors.Is(err, ErrDamaged) {
			t.Errorf("when nobody has it: %v, want ErrDamaged", err)
		}
	})
}

// damage changes a byte of what is found in a member's log files.
func damage(t *testing.T, data string, what []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "log-*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(b, what); i >= 0 {
			f, err := os.OpenFile(name, os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.WriteAt([]byte{'X'}, int64(i)); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		defer c.end()
		if _, err := c.h.nodes[1].Propose(t.Context(), setPrinter("p", "tray:/a"), nil); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, queue.MaxInline - 1, queue.MaxInline, queue.MaxInline + 1, 3<<20 + 17} {
			doc := make([]byte, size)
			for i := range doc {
				doc[i] = byte(i * 7)
			}
			for id, n := range c.h.nodes {
				d, err := n.Upload(t.Context(), bytes.NewReader(doc), 1<<30)
				if err != nil {
					t.Fatal(err)
				}
				cmd := submit("p", "", doc)
				s := cmd.GetSubmit()
				s.Upload, s.Chunks = d.Upload, d.Chunks
				a, err := n.Propose(t.Context(), cmd, d.Inline)
				if err != nil {
					t.Fatalf("%d bytes through member %d: %v", size, id, err)
				}
				if got := c.read(n, a.Job); !bytes.Equal(got, doc) {
					t.Errorf("%d bytes through member %d came back otherwise", size, id)
				}
			}
		}
		n := c.h.nodes[1]
		if _, err := n.Upload(t.Context(), bytes.NewReader(nil), 1); !errors.Is(err, ErrEmpty) {
			t.Errorf("nothing: %v", err)
		}
		if _, err := n.Upload(t.Context(), bytes.NewReader(make([]byte, 11)), 10); !errors.Is(err, ErrTooLarge) {
			t.Errorf("too much: %v", err)
		}
		broken := io.MultiReader(bytes.NewReader(make([]byte, 300<<10)), brokenReader{})
		if _, err := n.Upload(t.Context(), broken, 1<<30); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a client that broke off: %v", err)
		}
	})
}

// brokenReader is the body of a client that broke off.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestCutOffMemberSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.opts = func(o *Options) { o.RequestTimeout = 5 * time.Second }
		c.all()
		defer c.end()
		c.h.cutAll(true)
		n := c.h.nodes[1]
		for n.Ready() == nil {
			time.Sleep(time.Second) // virtual
		}
		_, err := n.Propose(t.Context(), &queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}}, nil)
		if !errors.Is(err, ErrNoQuorum) {
			t.Errorf("a proposal: %v, want ErrNoQuorum", err)
		}
		if _, err := n.Barrier(t.Context()); !errors.Is(err, ErrNoQuorum) {
			t.Errorf("a barrier: %v, want ErrNoQuorum", err)
		}
		c.h.cutAll(false)
		c.ready()
	})
}

func TestOldLinesGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		defer c.end()
		n := c.h.nodes[1]
		if _, err := n.Propose(t.Context(), setPrinter("p", "tray:/a"), nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // virtual
		young := time.Now()
		c.print(n, "p", []byte("young"))
		seq, err := n.tail.firstSince(young)
		if err != nil || seq < 2 {
			t.Fatalf("the first line of the last minute is %d, %v", seq, err)
		}
		n.post(func(c *Core) { c.TrimLines(seq) })
		c.print(n, "p", []byte("more"))
		time.Sleep(time.Second) // virtual: a batch is written
		n.tail.mu.Lock()
		n.tail.lines = nil // what is left is in the store
		n.tail.mu.Unlock()
		if _, err := n.Lines(1, 1); !errors.Is(err, ErrTrimmed) {
			t.Errorf("a line from before: %v, want ErrTrimmed", err)
		}
		if s := n.Stats(); s.OldestLine != seq {
			t.Errorf("the oldest line is %d, want %d", s.OldestLine, seq)
		}
	})
}
