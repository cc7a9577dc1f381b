// Command bench lays printq beside etcd and NATS JetStream: the same work, the same loop of clients, the same machine, one after
// the other and again.
//
//	go run ./integration/bench                     all rows: most of an hour
//	go run ./integration/bench -list               what rows there are
//	go run ./integration/bench -rows 1KiB-16 -runs 5
//	go run ./integration/bench -peers build        with the peers built from their sources, through Go's module proxy
//
// Each system is three processes on loopback with data in a temporary folder, fresh for each run. The peers have their defaults, but that
// JetStream syncs before it acknowledges, as the others do, and etcd may store more than 2 GiB. They are those that are
// installed (ETCD= and NATS= name their programs); where one is not, the table says so. The generator is a process of its own. All share the machine's cores,
// as their users' small servers would, so that what a generator takes is missing from the servers: the table shows it.
//
// The table is markdown, on standard output; what is going on is told on standard error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"printq/integration/bench/client"
	"printq/integration/bench/load"
)

// generate, as the only argument, makes this program a load generator.
const generate = "generate"

type options struct {
	rows             []string
	runs, trials     int
	warmup, duration time.Duration
	printq, peers    string
	dir, keep        string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out, progress io.Writer) error {
	if slices.Equal(args, []string{generate}) {
		return load.Main(ctx, in, out, func(w load.Work) (load.Target, error) { return client.Open(w) })
	}
	o, list, err := parse(args, progress)
	if err != nil {
		return err
	}
	chosen, err := choose(rows(), o.rows)
	if err != nil {
		return err
	}
	if list {
		for _, r := range chosen {
			fmt.Fprintf(out, "%-12s %s\n", r.name, r.title)
		}
		return nil
	}
	return compare(ctx, o, chosen, out, progress)
}

func parse(args []string, progress io.Writer) (o options, list bool, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(progress)
	names := f.String("rows", "", "rows to take, separated by commas; a name's beginning with * takes all that begin so (default: all)")
	f.BoolVar(&list, "list", false, "say what rows there are")
	f.IntVar(&o.runs, "runs", 3, "runs of each row and system")
	f.IntVar(&o.trials, "trials", 20, "runs of each row about failover")
	f.DurationVar(&o.warmup, "warmup", time.Second, "load before what is measured")
	f.DurationVar(&o.duration, "duration", 5*time.Second, "how long is measured")
	f.StringVar(&o.printq, "printq", "", "the program (default: built from this module)")
	f.StringVar(&o.peers, "peers", "auto", "auto: those that are installed; build: built from their sources; off")
	f.StringVar(&o.dir, "dir", "", "folder for what is written meanwhile: gigabytes (default: a temporary one)")
	f.StringVar(&o.keep, "keep", "", "folder for what the servers said, each run's in a folder of its own (default: nowhere)")
	if err := f.Parse(args); err != nil {
		return o, false, err
	}
	if *names != "" {
		o.rows = strings.Split(*names, ",")
	}
	switch {
	case f.NArg() > 0:
		err = fmt.Errorf("%q is no flag: rows are chosen with -rows", f.Arg(0))
	case o.runs < 1 || o.trials < 1 || o.duration < time.Second || o.warmup < 0:
		err = errors.New("-runs and -trials must be at least 1, -duration at least 1s")
	case !slices.Contains([]string{"auto", "build", "off"}, o.peers):
		err = fmt.Errorf("-peers is %q: it must be auto, build or off", o.peers)
	}
	return o, list, err
}

// choose takes rows by their names.
func choose(all []row, names []string) (chosen []row, err error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, name := range names {
		before := len(chosen)
		for _, r := range all {
			beginning, open := strings.CutSuffix(name, "*")
			if r.name == name || open && strings.HasPrefix(r.name, beginning) {
				chosen = append(chosen, r)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("there is no row %q: see -list", name)
		}
	}
	return chosen, nil
}
