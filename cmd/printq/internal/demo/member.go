package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

// A cluster is three members, each a process of its own.
type cluster struct {
	exe, dir string
	members  []*member
	client   *client.Client // of all of them
	starts   chan func()
}

// A member is one child process, or the next one of the same data.
type member struct {
	id         int
	http, peer string
	client     *client.Client
	stderr     string // a file
	cmd        *exec.Cmd
	stdin      io.Closer
	ended      chan error // gets one
}

const size = 3

func newCluster(exe, dir string) (*cluster, error) {
	addrs, err := freeAddrs(2 * size)
	if err != nil {
		return nil, err
	}
	c := &cluster{exe: exe, dir: dir, starts: make(chan func())}
	var all []string
	for i := range size {
		m := &member{id: i + 1, http: addrs[2*i], peer: addrs[2*i+1], stderr: filepath.Join(dir, fmt.Sprintf("%d.log", i+1))}
		if m.client, err = client.New(m.http, 2*time.Second); err != nil {
			return nil, err
		}
		c.members = append(c.members, m)
		all = append(all, m.http)
	}
	if c.client, err = client.New(strings.Join(all, ","), 15*time.Second); err != nil {
		return nil, err
	}
	go c.starter()
	return c, nil
}

// starter starts the children from a thread that lives as long as they: a child that is to die with its parent dies with the
// thread that made it. It ends with stop.
func (c *cluster) starter() {
	runtime.LockOSThread()
	for start := range c.starts {
		start()
	}
}

// freeAddrs finds free ports on loopback below those that outgoing connections use, so that none is taken while its member is
// down.
func freeAddrs(n int) ([]string, error) {
	const low, high, tries = 20_000, 32_000, 200
	var addrs []string
	for range tries {
		if len(addrs) == n {
			break
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(high-low))))
		if err != nil {
			continue
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	if len(addrs) < n {
		return nil, fmt.Errorf("found only %d of %d free ports on 127.0.0.1 from %d to %d", len(addrs), n, low, high)
	}
	return addrs, nil
}

// start starts a member; it does not wait until it is ready.
func (c *cluster) start(m *member) error {
	var peers []string
	for _, p := range c.members {
		peers = append(peers, fmt.Sprintf("%d=%s", p.id, p.peer))
	}
	log, err := os.OpenFile(m.stderr, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(c.exe, "serve", "--id", strconv.Itoa(m.id), "--data", filepath.Join(c.dir, strconv.Itoa(m.id)),
		"--http", m.http, "--peer", m.peer, "--cluster", strings.Join(peers, ","), "--low-disk", lowDisk, "--exit-with-stdin")
	cmd.Stdout, cmd.Stderr = log, log
	tie(cmd)
	if m.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	started := make(chan error)
	c.starts <- func() { started <- cmd.Start() }
	if err := <-started; err != nil {
		return fmt.Errorf("start member %d: %w", m.id, err)
	}
	m.cmd, m.ended = cmd, make(chan error, 1)
	go func() { m.ended <- cmd.Wait() }()
	return nil
}

// ready waits until the member serves.
func (m *member) ready(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		resp, err := m.ask(ctx)
		if err == nil && resp == http.StatusOK {
			return nil
		}
		select {
		case err := <-m.ended:
			m.ended <- err
			return fmt.Errorf("member %d ended (%v): %s", m.id, err, m.tail())
		case <-ctx.Done():
			return fmt.Errorf("member %d is not ready after %v (status %d, %v): %s", m.id, limit, resp, err, m.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (m *member) ask(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+m.http+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

// tail is the end of what the member said.
func (m *member) tail() string {
	const most = 2000
	text, err := os.ReadFile(m.stderr)
	if err != nil {
		return err.Error()
	}
	return "it said: " + strings.TrimSpace(string(text[max(0, len(text)-most):]))
}

// kill is SIGKILL, and waits.
func (m *member) kill() {
	if m.cmd == nil {
		return
	}
	m.cmd.Process.Kill()
	<-m.ended
	m.stdin.Close()
	m.cmd = nil
}

// stop lets the members end in an orderly way, and kills those that do not.
func (c *cluster) stop() error {
	var failed []error
	for _, m := range c.members {
		if m.cmd != nil {
			m.stdin.Close()
		}
	}
	patience := time.After(5 * time.Second)
	for _, m := range c.members {
		if m.cmd == nil {
			continue
		}
		select {
		case <-m.ended:
		case <-patience:
			failed = append(failed, fmt.Errorf("member %d did not end: %s", m.id, m.tail()))
			m.cmd.Process.Kill()
			<-m.ended
		}
	}
	close(c.starts)
	c.client.CloseIdle()
	return errors.Join(failed...)
}

// leader asks who leads.
func (c *cluster) leader(ctx context.Context) (*member, error) {
	for ctx.Err() == nil {
		var v *api.Cluster
		v, err := c.client.Cluster(ctx)
		if err == nil && v.Leader > 0 && v.Leader <= size {
			return c.members[v.Leader-1], nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil, fmt.Errorf("find the leader: %w", ctx.Err())
}

// lowDisk is little: the demo needs a few megabytes, and should run where there is not much more.
const lowDisk = "67108864"
