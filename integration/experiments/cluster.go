//go:build unix

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"printq/http/api"
)

const size = 3

// A cluster is three members, each a process of its own, and a client of all of them.
type cluster struct {
	printq, dir string
	http, peer  []string
	members     []*exec.Cmd // nil: it does not run
	ropes       []io.Closer // each one's standard input: it ends with this program, however that ends
	client      http.Client
}

// startCluster starts the members. dir must be empty.
func startCluster(ctx context.Context, printq, dir string) (*cluster, error) {
	c := &cluster{printq: printq, dir: dir, members: make([]*exec.Cmd, size), ropes: make([]io.Closer, size)}
	c.client.Timeout = 5 * time.Second
	addrs, err := freeAddrs(2 * size)
	if err != nil {
		return nil, err
	}
	c.http, c.peer = addrs[:size], addrs[size:]
	for i := range c.members {
		if err := c.start(i); err != nil {
			return nil, errors.Join(err, c.end())
		}
	}
	return c, c.wait(ctx, "all members are ready", c.ready)
}

// freeAddrs finds free ports of loopback.
func freeAddrs(n int) (addrs []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // when all are found
		addrs = append(addrs, l.Addr().String())
	}
	return addrs, nil
}

func (c *cluster) start(i int) error {
	var peers []string
	for p := range size {
		peers = append(peers, fmt.Sprintf("%d=%s", p+1, c.peer[p]))
	}
	name := filepath.Join(c.dir, fmt.Sprintf("member-%d", i+1))
	output, err := os.OpenFile(name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer output.Close()
	m := exec.Command(c.printq, "serve", "--id", fmt.Sprint(i+1), "--data", name, "--http", c.http[i], "--peer", c.peer[i],
		"--cluster", strings.Join(peers, ","), "--exit-with-stdin")
	m.Stdout, m.Stderr = output, output
	if c.ropes[i], err = m.StdinPipe(); err != nil {
		return err
	}
	if err := m.Start(); err != nil {
		return err
	}
	c.members[i] = m
	return nil
}

func (c *cluster) ready() bool {
	for _, addr := range c.http {
		resp, err := c.client.Get("http://" + addr + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return false
		}
	}
	return true
}

// stop ends members by a signal, all at once, and returns when they have ended.
func (c *cluster) stop(s os.Signal, members ...int) error {
	var failed error
	for _, i := range members {
		if err := c.members[i].Process.Signal(s); err != nil {
			failed = errors.Join(failed, fmt.Errorf("member %d has ended by itself: %w", i+1, err))
		}
	}
	for _, i := range members {
		err := c.members[i].Wait()
		if s == syscall.SIGTERM && err != nil {
			failed = errors.Join(failed, fmt.Errorf("member %d: %w", i+1, err))
		}
		_ = c.ropes[i].Close()
		c.members[i] = nil
	}
	return failed
}

// restart starts members that were stopped, and waits until all are ready.
func (c *cluster) restart(ctx context.Context, members ...int) error {
	for _, i := range members {
		if err := c.start(i); err != nil {
			return err
		}
	}
	return c.wait(ctx, "all members are ready", c.ready)
}

// end ends what still runs.
func (c *cluster) end() error {
	var running []int
	for i, m := range c.members {
		if m != nil {
			running = append(running, i)
		}
	}
	return c.stop(os.Kill, running...)
}

// leader is the index of the member that leads.
func (c *cluster) leader(ctx context.Context) (leader int, err error) {
	err = c.wait(ctx, "a member leads", func() bool {
		var v api.Cluster
		if c.call(ctx, http.MethodGet, "/v1/cluster", nil, &v) != nil || v.Leader == 0 {
			return false
		}
		leader = int(v.Leader) - 1
		return c.members[leader] != nil
	})
	return leader, err
}

// wait asks every few milliseconds until it is so.
func (c *cluster) wait(ctx context.Context, what string, is func() bool) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, context.Cause(ctx))
		}
	}
	return nil
}

// call sends a request to one member after the other until it is carried out or refused. Every request here may be sent twice.
func (c *cluster) call(ctx context.Context, method, path string, in, out any) error {
	body, kind := []byte(nil), "application/json"
	switch v := in.(type) {
	case nil:
	case []byte:
		body, kind = v, "text/plain"
	default:
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	key := rand.Text()
	for {
		var last error
		for i, addr := range c.http {
			if c.members[i] == nil {
				continue
			}
			done, err := c.try(ctx, method, "http://"+addr+path, key, kind, body, out)
			if done {
				return err
			}
			last = err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return cmp.Or(last, context.Cause(ctx))
		}
	}
}

// try reports whether there is no use in asking another member.
func (c *cluster) try(ctx context.Context, method, url, key, kind string, body []byte, out any) (done bool, err error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set(api.HeaderKey, key)
	resp, err := c.client.Do(r)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return false, err
	case resp.StatusCode >= 300:
		return resp.StatusCode < 500, fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, answer)
	case out == nil:
		return true, nil
	}
	return true, json.Unmarshal(answer, out)
}

func (c *cluster) job(ctx context.Context, id uint64) (j api.Job, err error) {
	return j, c.call(ctx, http.MethodGet, fmt.Sprintf("/v1/jobs/%d", id), nil, &j)
}

func (c *cluster) submit(ctx context.Context, printer, name string, document []byte) (uint64, error) {
	var j api.Job
	err := c.call(ctx, http.MethodPost, "/v1/printers/"+printer+"/jobs?"+url.Values{"name": {name}}.Encode(), document, &j)
	return j.ID, err
}
