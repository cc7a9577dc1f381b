package main

import (
	"bufio"
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
	"printq/cmd/printq/internal/tail"
)

// logFlags are those of printq log.
type logFlags struct {
	from, printer string
	job           uint64
	follow        bool
	verify        bool
}

func (a *app) newLogCmd() *cobra.Command {
	var f logFlags
	c := &cobra.Command{
		Use:   "log",
		Short: "Print the committed job log",
		Long: `Log prints the lines of the committed job log, one JSON object each, byte for byte as every member has them.

With --verify it recomputes the chain of hashes, and compares the servers in --server with each other, up to the newest line
that any of them has. The count of lines and the last hash go to standard error. It exits with 1 at the first difference.`,
		Example: `  printq log --from 1200
  printq log --follow --printer office
  printq log --verify --server a:8631,b:8631,c:8631 > audit.ndjson`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.log(c.Context(), f) },
	}
	p := c.Flags()
	p.StringVar(&f.from, "from", "", "first seq, or beginning; the default is the beginning, with --follow the end")
	p.BoolVarP(&f.follow, "follow", "f", false, "go on with what comes")
	p.BoolVar(&f.verify, "verify", false, "check the chain of hashes, and that the servers agree")
	p.StringVarP(&f.printer, "printer", "p", "", "only about this printer")
	p.Uint64Var(&f.job, "job", 0, "only about this job")
	return c
}

func (a *app) log(ctx context.Context, f logFlags) error {
	if f.verify && (f.printer != "" || f.job != 0) {
		return usage("--verify needs every line: leave out --printer and --job")
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	from, err := f.start(ctx, c)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(a.stdout)
	defer out.Flush()
	write := func(l tail.Line) error {
		out.Write(l.JSON)
		if err := out.WriteByte('\n'); err != nil {
			return err
		}
		if f.follow {
			return out.Flush()
		}
		return nil
	}
	if f.verify && !f.follow {
		chain, err := tail.Compare(ctx, c, from, a.flags.timeout, write)
		if err == nil {
			a.reportChain(chain, len(c.Servers()))
		}
		return err
	}
	var chain tail.Chain
	err = tail.Lines(ctx, c, tail.Options{From: from, Follow: f.follow, Printer: f.printer, Job: f.job}, func(l tail.Line) error {
		if f.verify {
			if err := chain.Add(l); err != nil {
				return err
			}
		}
		return write(l)
	})
	if f.follow && ctx.Err() != nil {
		err = nil // that is how following ends
	}
	if f.verify && err == nil {
		a.reportChain(chain, 1)
	}
	return err
}

func (a *app) reportChain(chain tail.Chain, servers int) {
	if chain.Count == 0 {
		fmt.Fprintln(a.stderr, "0 lines")
		return
	}
	fmt.Fprintf(a.stderr, "%d lines verified on %d servers, seq %d to %d, hash %s\n", chain.Count, servers, chain.First, chain.Seq, chain.Hash)
	if chain.First != 1 {
		fmt.Fprintf(a.stderr, "what stands before seq %d was not read: compare its hash with one that you kept\n", chain.First)
	}
}

// start is the first seq; 0: the oldest kept.
func (f *logFlags) start(ctx context.Context, c *client.Client) (uint64, error) {
	switch {
	case f.from == "beginning", f.from == "" && !f.follow:
		return 0, nil
	case f.from == "":
		v, err := c.Cluster(ctx)
		return v.Seq + 1, err
	}
	seq, err := strconv.ParseUint(f.from, 10, 63)
	if err != nil || seq == 0 {
		return 0, usage("--from is %q: it must be a seq from 1, or beginning", f.from)
	}
	return seq, nil
}
