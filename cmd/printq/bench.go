package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/bench"
)

func (a *app) newBenchCmd() *cobra.Command {
	var clients, sizes, maxBytes string
	o := bench.Options{}
	c := &cobra.Command{
		Use: "bench -p PRINTER", Short: "Measure how fast jobs are acknowledged",
		Long: `Bench submits jobs in a closed loop: each client sends the next when the last is acknowledged. It shows the medians of
the runs. The jobs are real and stay: use a cluster and a printer that are there for it. With --hold nothing prints.`,
		Example: `  printq bench -p scratch --clients 1,16,64 --size 1KiB,1MiB --duration 5s --baseline
  printq bench -p scratch --hold -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if o.Clients, err = numbers("--clients", clients, strconv.Atoi); err != nil {
				return err
			}
			if o.Sizes, err = numbers("--size", sizes, parseSize); err != nil {
				return err
			}
			most, err := parseSize(maxBytes)
			if err != nil {
				return usage("--max-bytes: %v", err)
			}
			o.MaxBytes = int64(most)
			return a.bench(c.Context(), o)
		},
	}
	p := c.Flags()
	p.StringVarP(&o.Printer, "printer", "p", a.getenv("PRINTQ_PRINTER"), "the printer; it must exist")
	p.BoolVar(&o.Hold, "hold", false, "submit held jobs")
	p.StringVar(&clients, "clients", "1,16,64", "clients at once, one number per measurement")
	p.StringVar(&sizes, "size", "1KiB,1MiB", "sizes of the documents")
	p.DurationVar(&o.Duration, "duration", 5*time.Second, "of each run")
	p.IntVar(&o.Runs, "runs", 3, "runs of each measurement")
	p.StringVar(&maxBytes, "max-bytes", "1GiB", "the most that one run sends")
	p.BoolVar(&o.Baseline, "baseline", false, "measure a bare HTTP server in this process too")
	return c
}

func (a *app) bench(ctx context.Context, o bench.Options) error {
	if o.Printer == "" {
		return usage("no printer is named: use -p PRINTER; printq printer set makes one")
	}
	if o.Runs < 1 || o.Runs > 100 || o.Duration <= 0 || o.Duration > time.Hour {
		return usage("--runs must be from 1 to 100, --duration at most 1h")
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	results, err := bench.Run(ctx, c, o)
	if len(results) == 0 && err != nil {
		return err
	}
	shown := show(a, results, "TARGET SIZE CLIENTS JOBS/S MB/S P50ms P99ms ERRORS RATIO", func(r *bench.Result) []any {
		ratio := "-"
		if r.Ratio > 0 {
			ratio = fmt.Sprintf("%.3f", r.Ratio)
		}
		return []any{
			r.Target, r.Size, r.Clients, fmt.Sprintf("%.0f", r.JobsPerSecond), fmt.Sprintf("%.1f", r.MBPerSecond),
			fmt.Sprintf("%.2f", r.P50), fmt.Sprintf("%.2f", r.P99), r.Errors, ratio,
		}
	})
	if err != nil {
		return err
	}
	return shown
}

// numbers reads a list.
func numbers(flag, list string, parse func(string) (int, error)) ([]int, error) {
	const most = 1 << 30
	var values []int
	for _, text := range strings.Split(list, ",") {
		n, err := parse(strings.TrimSpace(text))
		if err != nil || n < 1 || n > most {
			return nil, usage("%s: %q is not a number from 1 up", flag, text)
		}
		values = append(values, n)
	}
	return values, nil
}

// parseSize reads bytes: 100, 1KiB, 1MiB, 1GiB.
func parseSize(text string) (int, error) {
	shift := 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			text, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1<<30 {
		return 0, fmt.Errorf("%q is not a size such as 100, 1KiB or 1MiB", text)
	}
	return n << shift, nil
}
