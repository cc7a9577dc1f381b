//go:build unix

// Command experiments does to CUPS and to printq what happens to print servers, and counts the paper.
//
//	go run ./integration/experiments
//
// The printer is emulated: it takes one connection, and needs its time for a page. It stands behind a private cupsd, and behind three
// members of printq, once as a printer that can be asked how many pages it printed, and once as one that cannot. With printq, a person
// then looks at the paper of each job that is in doubt, and says how many pages are out (job resolve).
//
// The printer has room for little more than a page, so that a kill meets a page that is half sent if half of one is ever sent. Such a
// printer then ejects half a page, whoever sent it. The exit code is 1 where printq loses, doubles or tears a page, mixes two jobs, or has more than
// one unit in doubt.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"text/tabwriter"
	"time"

	"printq/integration/cups"
	"printq/integration/paper"
)

func main() {
	page := flag.Duration("page", 300*time.Millisecond, "how long the printer takes for a page")
	short, long := flag.Int("short", 20, "pages of the shorter job"), flag.Int("long", 100, "pages of the longer jobs")
	withCUPS := flag.String("cups", "auto", "auto: where it is installed; off; required")
	printq := flag.String("printq", "", "the program (default: built from this module)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, os.Stdout, Scale{*page, *short, *long}, *withCUPS, *printq)
	if err != nil {
		fmt.Fprintln(os.Stderr, "experiments:", err)
	}
	if err != nil || !ok {
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, w io.Writer, s Scale, withCUPS, printq string) (ok bool, err error) {
	program, err := "", error(nil)
	if withCUPS != "off" {
		if program, err = cups.Find(); err != nil && withCUPS == "required" {
			return false, err
		}
		if err != nil {
			fmt.Fprintf(w, "without CUPS: %v\n", err)
		}
	}
	if printq == "" {
		dir, err := os.MkdirTemp("", "printq-*")
		if err != nil {
			return false, err
		}
		defer os.RemoveAll(dir)
		printq = filepath.Join(dir, "printq")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", printq, "printq/cmd/printq").CombinedOutput(); err != nil {
			return false, fmt.Errorf("build printq: %w: %s", err, out)
		}
	}
	return conduct(ctx, w, s, program, printq)
}

// conduct does all experiments and prints a row for each. It reports whether printq kept its promises.
func conduct(ctx context.Context, w io.Writer, s Scale, cupsd, printq string) (ok bool, err error) {
	ok = true
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "experiment\tpages wanted\tCUPS\tprintq, without read-back\tprintq, with read-back")
	var notes []string
	for i, e := range experiments(s) {
		limit := 60*time.Second + 6*time.Duration(e.jobs*e.pages)*s.Page
		ctx, stop := context.WithTimeout(ctx, limit)
		behind := "-"
		if cupsd != "" {
			t, err := inCUPS(ctx, cupsd, e, s)
			if err != nil {
				stop()
				return false, fmt.Errorf("%s: CUPS: %w", e.name, err)
			}
			behind = describe(t)
		}
		blind, counted, err := inPrintq(ctx, printq, e, s)
		stop()
		if err != nil {
			return false, fmt.Errorf("%s: printq: %w", e.name, err)
		}
		fmt.Fprintf(table, "%d. %s\t%d\t%s\t%v\t%v\n", i+1, e.name, e.jobs*e.pages, behind, blind, counted)
		notes = append(notes, fmt.Sprintf("%d. printq: %s", i+1, e.note))
		for _, why := range append(blind.Why, counted.Why...) {
			notes = append(notes, "   in doubt: "+why)
		}
		for _, wrong := range append(blind.Wrong, counted.Wrong...) {
			ok = false
			notes = append(notes, "   WRONG: "+wrong)
		}
	}
	if err := table.Flush(); err != nil {
		return false, err
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
	return ok, nil
}

func describe(t paper.Tally) string {
	return fmt.Sprintf("%d pages: %d lost, %d doubled, %d torn", t.Pages, t.Lost, t.Doubled, t.Torn)
}

func (r Result) String() string {
	if len(r.InDoubt) == 0 {
		return describe(r.Tally) + ", 0 in doubt"
	}
	return fmt.Sprintf("%d in doubt and held; resolved: %s", len(r.InDoubt), describe(r.Tally))
}
