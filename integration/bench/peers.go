package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// newEtcd is three members of etcd with its defaults, but for a quota that the larger documents need.
func newEtcd(ctx context.Context, program, generator string) *system {
	s := &system{name: "etcd", generator: []string{generator, "etcd"}, ports: 2}
	if !s.find(ctx, &program, "etcd", "--version") {
		return s
	}
	s.command = func(c *cluster, i int) []string {
		var all []string
		for k, a := range c.addrs {
			all = append(all, fmt.Sprintf("n%d=http://%s", k+1, a[1]))
		}
		name := fmt.Sprintf("n%d", i+1)
		client, peer := "http://"+c.addrs[i][0], "http://"+c.addrs[i][1]
		return []string{
			program, "--name", name, "--data-dir", filepath.Join(c.dir, name), "--initial-cluster", strings.Join(all, ","),
			"--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer,
			"--initial-advertise-peer-urls", peer, "--quota-backend-bytes", strconv.Itoa(8 << 30), "--log-level", "error",
		}
	}
	s.ready = func(ctx context.Context, c *cluster) error {
		for _, addr := range c.endpoints() {
			if err := healthy(ctx, "http://"+addr+"/health", "true"); err != nil {
				return err
			}
		}
		return nil
	}
	return s
}

// newJetStream is three NATS servers with a stream of three replicas in files. sync says when they sync, as their
// configuration spells it: always is what printq and etcd do.
func newJetStream(ctx context.Context, program, generator, sync string) *system {
	s := &system{name: "JetStream", generator: []string{generator, "nats"}, ports: 3}
	if !s.find(ctx, &program, "nats-server", "--version") {
		return s
	}
	s.prepare = func(c *cluster) error {
		var routes []string
		for _, a := range c.addrs {
			routes = append(routes, "nats://"+a[2])
		}
		for i, a := range c.addrs {
			text := fmt.Sprintf("server_name: n%d\nlisten: %s\nhttp: %s\n"+
				"jetstream { store_dir: %q, max_file_store: 20GB, max_memory_store: 1GB, sync_interval: %s }\n"+
				"cluster { name: C, listen: %s, routes: [%s] }\n",
				i+1, a[0], a[1], filepath.Join(c.dir, strconv.Itoa(i+1)), sync, a[2], strings.Join(routes, ", "))
			if err := os.WriteFile(c.natsConfig(i), []byte(text), 0o600); err != nil {
				return err
			}
		}
		return nil
	}
	s.command = func(c *cluster, i int) []string { return []string{program, "-c", c.natsConfig(i)} }
	s.ready = func(ctx context.Context, c *cluster) error {
		for _, a := range c.addrs {
			if err := healthy(ctx, "http://"+a[1]+"/healthz", `"ok"`); err != nil {
				return err
			}
		}
		return nil
	}
	return s
}

func (c *cluster) natsConfig(i int) string { return filepath.Join(c.dir, fmt.Sprintf("%d.conf", i+1)) }

// find looks for a server's program and asks its version. It reports whether the system can be measured.
func (s *system) find(ctx context.Context, program *string, name, flag string) bool {
	if s.generator[0] == "" {
		s.missing = "its load generator is not built: see -peers"
		return false
	}
	if *program == "" {
		*program = name
	}
	path, err := exec.LookPath(*program)
	if err != nil {
		s.missing = "not installed"
		return false
	}
	out, err := exec.CommandContext(ctx, path, flag).CombinedOutput()
	if err != nil {
		s.missing = fmt.Sprintf("%s %s: %v", path, flag, err)
		return false
	}
	s.version, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	*program = path
	return true
}
