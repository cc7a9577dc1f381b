package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// compare takes all rows and prints the table.
func compare(ctx context.Context, o options, chosen []row, out, progress io.Writer) (err error) {
	dir, err := os.MkdirTemp(o.dir, "printq-bench-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	systems, err := find(ctx, o, dir, progress)
	if err != nil {
		return err
	}
	n := newNursery()
	defer n.end()
	t := table{out: out, systems: systems}
	t.head(o)
	for _, r := range chosen {
		if err := t.row(r, measure(ctx, o, r, systems, n, dir, progress)); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	t.foot()
	return nil
}

// find is the systems, printq first.
func find(ctx context.Context, o options, dir string, progress io.Writer) ([]*system, error) {
	own, err := newPrintq(ctx, o.printq, dir)
	if err != nil {
		return nil, err
	}
	if o.peers == "off" {
		return []*system{own}, nil
	}
	etcdProgram, natsProgram := os.Getenv("ETCD"), os.Getenv("NATS")
	generator, what := filepath.Join(dir, "peers"), []string{"."}
	if o.peers == "build" {
		etcdProgram, natsProgram = filepath.Join(dir, "server"), filepath.Join(dir, "nats-server")
		what = []string{".", "go.etcd.io/etcd/server/v3", "github.com/nats-io/nats-server/v2"}
	}
	fmt.Fprintln(progress, "building the peers' generator")
	if err := buildPeers(ctx, dir, what...); err != nil {
		if o.peers == "build" {
			return nil, err
		}
		fmt.Fprintln(progress, err)
		generator = ""
	}
	return []*system{own, newEtcd(ctx, etcdProgram, generator), newJetStream(ctx, natsProgram, generator, "always")}, nil
}

// buildPeers builds what stands in a module of its own, so that its requirements are not printq's.
func buildPeers(ctx context.Context, dir string, what ...string) error {
	root, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "printq/integration/bench").Output()
	if err != nil {
		return fmt.Errorf("find the module printq: run this inside of it: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", dir + string(filepath.Separator)}, what...)...)
	cmd.Dir = filepath.Join(strings.TrimSpace(string(root)), "peers")
	if text, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the peers' generator (it needs Go's module proxy, once): %w: %s", err, text)
	}
	return nil
}

// A outcome is all runs of one system; samples and errs are by run.
type outcome struct {
	system  *system
	samples []sample
	errs    []error
}

// measure takes the systems in turn, run by run, so that what else the machine does meets all of them.
func measure(ctx context.Context, o options, r row, systems []*system, n nursery, dir string, progress io.Writer) []*outcome {
	var outcomes []*outcome
	for _, s := range systems {
		if len(r.only) == 0 || slices.Contains(r.only, s.name) {
			outcomes = append(outcomes, &outcome{system: s})
		}
	}
	runs := o.runs
	if r.trials {
		runs = o.trials
	}
	for i := range runs {
		for _, oc := range outcomes {
			if oc.system.missing != "" || ctx.Err() != nil {
				continue
			}
			said := ""
			if o.keep != "" {
				said = filepath.Join(o.keep, fmt.Sprintf("%s-%s-%d", r.name, oc.system.name, i+1))
			}
			s, err := once(ctx, o, r, oc.system, n, filepath.Join(dir, fmt.Sprintf("%s-%s-%d", r.name, oc.system.name, i+1)), said)
			oc.samples, oc.errs = append(oc.samples, s), append(oc.errs, err)
			fmt.Fprintf(progress, "%s, run %d of %d, %s: ", r.name, i+1, runs, oc.system.name)
			if err != nil {
				fmt.Fprintln(progress, err)
				continue
			}
			fmt.Fprintf(progress, "%.4g %s, p50/p99 %.3g/%.3g ms, %.0f us/op, %.0f MB, generator %.2f cores, %d errors %s\n",
				s.value, r.unit, s.p50, s.p99, s.cpu, s.memory, s.cores, s.errors, s.note)
		}
	}
	return outcomes
}

// once is one run with fresh members, whose data are in dir and whose output goes to said (empty: to dir, too).
func once(ctx context.Context, o options, r row, s *system, n nursery, dir, said string) (result sample, err error) {
	c, err := s.start(ctx, n, dir, cmp.Or(said, dir))
	if err != nil {
		return result, err
	}
	defer func() {
		err = errors.Join(err, c.end())
		if !r.leaves {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	return r.measure(ctx, c, o)
}
