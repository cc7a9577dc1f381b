package integration

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"printq/http/api"
	"printq/integration/link"
)

// A cluster is three members, each a process of its own, and what was acknowledged by them.
type cluster struct {
	t       *testing.T
	dir     string
	args    []string // of serve, beside those that say who a member is
	members []*member
	nursery nursery
	*client // of all members
	trays   []string
	// network is between the members, for a test that spoils it; nil: they reach each other without.
	network *link.Network

	mu sync.Mutex
	// documents that were acknowledged; guarded by mu.
	documents []*document
}

const size = 3

// newCluster is one that was never started.
func newCluster(t *testing.T, args ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), args: args}
	said := t.ArtifactDir()
	addrs := freeAddrs(t, 2*size)
	c.nursery = newNursery(t)
	for i := range size {
		id := i + 1
		c.members = append(c.members, &member{
			id: id, addr: addrs[2*i], peer: addrs[2*i+1], client: newClient(addrs[2*i]),
			dir: filepath.Join(c.dir, fmt.Sprintf("member-%d", id)), output: filepath.Join(said, fmt.Sprintf("member-%d.log", id)),
		})
	}
	c.client = c.clientOf(c.members...)
	t.Cleanup(c.end)
	return c
}

// startLinkedCluster is one whose members reach each other only through links that a test can spoil. All name each other
// by the same addresses, the proxies', and each listens at another. Its data and its paper, too, are kept with -artifacts.
func startLinkedCluster(ctx context.Context, t *testing.T, args ...string) *cluster {
	t.Helper()
	c := newCluster(t, args...)
	c.dir = t.ArtifactDir()
	var places []link.Place
	for i, front := range freeAddrs(t, size) {
		m := c.members[i]
		m.front, m.dir = front, filepath.Join(c.dir, filepath.Base(m.dir))
		places = append(places, link.Place{ID: uint64(m.id), Front: front, Peer: m.peer})
	}
	var err error
	if c.network, err = link.New(places...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.network.Close() })
	c.start(c.members...)
	c.ready(ctx, c.members...)
	return c
}

// startCluster is one whose members are all ready.
func startCluster(ctx context.Context, t *testing.T, args ...string) *cluster {
	t.Helper()
	c := newCluster(t, args...)
	c.start(c.members...)
	c.ready(ctx, c.members...)
	return c
}

func (c *cluster) clientOf(members ...*member) *client {
	var addrs []string
	for _, m := range members {
		addrs = append(addrs, m.addr)
	}
	return newClient(addrs...)
}

// others are the members without m.
func (c *cluster) others(m *member) []*member {
	return slices.DeleteFunc(slices.Clone(c.members), func(o *member) bool { return o == m })
}

func (c *cluster) serveArgs(m *member) []string {
	var peers []string
	for _, p := range c.members {
		peers = append(peers, fmt.Sprintf("%d=%s", p.id, p.reached()))
	}
	return slices.Concat([]string{
		"serve", "--id", fmt.Sprint(m.id), "--data", m.dir, "--http", m.addr, "--peer", m.peer, "--advertise-peer", m.reached(),
		"--cluster", strings.Join(peers, ","), "--exit-with-stdin",
	}, c.args, m.args)
}

// start starts processes for members; it does not wait until they are ready.
func (c *cluster) start(members ...*member) {
	c.t.Helper()
	for _, m := range members {
		p, err := c.nursery.start(m.output, c.serveArgs(m)...)
		if err != nil {
			c.t.Fatalf("start member %d: %v", m.id, err)
		}
		m.process, m.told = p, false
	}
}

// ready waits until the members serve.
func (c *cluster) ready(ctx context.Context, members ...*member) {
	c.t.Helper()
	for _, m := range members {
		until(ctx, c.t, fmt.Sprintf("member %d is ready", m.id), func() bool {
			if !m.process.running() {
				c.t.Fatalf("member %d has ended: %v", m.id, m.process.err)
			}
			return m.health(ctx) == http.StatusOK
		})
	}
}

// kill is SIGKILL to all of them at once.
func (c *cluster) kill(members ...*member) {
	for _, m := range members {
		m.told = true
		m.process.signal(os.Kill)
	}
	for _, m := range members {
		m.process.kill()
	}
}

// leader is the member that leads, as those say that answer.
func (c *cluster) leader(ctx context.Context) *member {
	c.t.Helper()
	return c.leaderAmong(ctx, c.members...)
}

// leaderAmong waits until one of the members says of itself that it leads, in the highest term that any of them knows.
func (c *cluster) leaderAmong(ctx context.Context, members ...*member) (leader *member) {
	c.t.Helper()
	until(ctx, c.t, "one of the members leads", func() bool {
		leader = nil
		term := uint64(0)
		for _, m := range members {
			if v := m.status(ctx); v != nil && v.Term >= term && v.Leader != 0 {
				term, leader = v.Term, c.members[v.Leader-1]
			}
		}
		return leader != nil && slices.Contains(members, leader)
	})
	return leader
}

// printer makes a printer with a tray of its own, or changes its options, such as "?delay=5ms".
func (c *cluster) printer(ctx context.Context, name, options string) {
	c.t.Helper()
	tray := filepath.Join(c.dir, "tray-"+name)
	if !slices.Contains(c.trays, tray) {
		c.trays = append(c.trays, tray)
	}
	settings := api.PrinterSettings{Device: "tray:" + filepath.ToSlash(tray) + options}
	if err := c.call(ctx, http.MethodPut, "/v1/printers/"+name, settings, nil); err != nil {
		c.t.Fatalf("make printer %s: %v", name, err)
	}
}

// submit sends a document through the client, and remembers that it was acknowledged.
func (c *cluster) submit(ctx context.Context, via *client, d *document) error {
	_, err := d.send(ctx, via)
	if err == nil {
		c.remember(d)
	}
	return err
}

// mustSubmit is submit in the test's own goroutine.
func (c *cluster) mustSubmit(ctx context.Context, via *client, d *document) {
	c.t.Helper()
	if err := c.submit(ctx, via, d); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) remember(documents ...*document) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.documents = append(c.documents, documents...)
}

func (c *cluster) acknowledged() []*document {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.documents)
}

// end ends what still runs, and shows what was said where the test failed. A member that has ended without being told to is
// a failure by itself.
func (c *cluster) end() {
	for _, m := range c.members {
		if m.process != nil && !m.process.running() && !m.told {
			c.t.Errorf("member %d has ended by itself: %v", m.id, m.process.err)
		}
	}
	for _, m := range c.members {
		if m.process != nil {
			m.process.kill()
		}
		if c.t.Failed() {
			c.t.Logf("member %d said at last:\n%s", m.id, tailOf(m.output, 40))
		}
	}
	c.client.http.CloseIdleConnections()
}
