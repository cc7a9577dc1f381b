package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"printq/integration/bench/load"
)

const members = 3

// A system is something to measure: printq, or a peer.
type system struct {
	name string
	// missing says why it is not measured; empty: it is.
	missing string
	version string
	// generator is the command that drives it.
	generator []string
	// command is how member i is started, after prepare has been called once.
	command func(c *cluster, i int) []string
	prepare func(c *cluster) error
	// ready returns nil when the members, all of them, take documents.
	ready func(ctx context.Context, c *cluster) error
	// ports is how many a member needs; the first is the one for clients.
	ports int
}

// A cluster is three fresh members of a system.
type cluster struct {
	*system
	nursery nursery
	dir     string
	said    string
	addrs   [][]string // by member, and port
	members []*process // nil: it does not run
	// The printers of its work, where it has any.
	printers []string
}

// start starts members with new data in a folder that does not exist yet, and waits until they are ready. What they say goes to
// files in another one.
func (s *system) start(ctx context.Context, n nursery, dir, said string) (*cluster, error) {
	c := &cluster{system: s, nursery: n, dir: dir, said: said, members: make([]*process, members)}
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(said, 0o700)); err != nil {
		return nil, err
	}
	addrs, err := freeAddrs(members * s.ports)
	if err != nil {
		return nil, err
	}
	for i := range members {
		c.addrs = append(c.addrs, addrs[i*s.ports:(i+1)*s.ports])
	}
	if s.prepare != nil {
		err = s.prepare(c)
	}
	for i := range members {
		if err == nil {
			err = c.begin(i)
		}
	}
	if err == nil {
		err = c.await(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.end())
	}
	return c, nil
}

// begin starts a member, fresh or once more.
func (c *cluster) begin(i int) (err error) {
	args := c.command(c, i)
	c.members[i], err = c.nursery.start(filepath.Join(c.said, fmt.Sprintf("%d.log", i+1)), args[0], args[1:]...)
	return err
}

func (c *cluster) await(ctx context.Context) error {
	return await(ctx, c.name+" is ready", 30*time.Second, func() error {
		for i, m := range c.members {
			if m != nil && !m.running() {
				return fmt.Errorf("member %d has ended (%w): it said: %s", i+1, m.err, m.said())
			}
		}
		return c.ready(ctx, c)
	})
}

// end kills what runs.
func (c *cluster) end() error {
	var failed error
	for _, m := range c.members {
		if m != nil {
			failed = errors.Join(failed, m.stop(os.Kill, 10*time.Second))
		}
	}
	return failed
}

func (c *cluster) pids() (pids []int) {
	for _, m := range c.members {
		pids = append(pids, m.pid())
	}
	return pids
}

// peak is the most memory that a member had resident, in MB.
func (c *cluster) peak() (mb float64) {
	for _, m := range c.members {
		mb = max(mb, float64(load.Peak(m.pid()))/1e6)
	}
	return mb
}

// endpoints are what clients are told.
func (c *cluster) endpoints() (list []string) {
	for _, a := range c.addrs {
		list = append(list, a[0])
	}
	return list
}

// drive has a generator do the work.
func (c *cluster) drive(ctx context.Context, w load.Work) (r load.Result, err error) {
	return c.driveUntil(ctx, w, func() error { return nil })
}

// driveUntil has a generator do the work while something else is done. One that fails over ends after that; others do as
// their work says.
func (c *cluster) driveUntil(ctx context.Context, w load.Work, meanwhile func() error) (r load.Result, err error) {
	w.Endpoints, w.PIDs, w.Printers = c.endpoints(), c.pids(), c.printers
	// What it may take beside the load: the wait for late answers, and for lines.
	ctx, cancel := context.WithTimeout(ctx, w.Warmup+w.Duration+time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.generator[0], c.generator[1:]...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return r, err
	}
	if err := cmd.Start(); err != nil {
		return r, err
	}
	err = json.NewEncoder(in).Encode(w)
	if err == nil {
		err = meanwhile()
	}
	_ = in.Close()
	if failed := cmd.Wait(); failed != nil {
		return r, errors.Join(err, fmt.Errorf("drive %s: %w: %s", c.name, failed, said.String()))
	}
	return r, errors.Join(err, json.Unmarshal(out.Bytes(), &r))
}

// leader is the index of the member that leads.
func (c *cluster) leader(ctx context.Context) (int, error) {
	r, err := c.drive(ctx, load.Work{Do: load.Leader})
	return r.Leader, err
}
