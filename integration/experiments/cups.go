//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"printq/integration/cups"
	"printq/integration/emulator"
	"printq/integration/paper"
)

// inCUPS does an experiment with CUPS. What came out is what lies there when nothing more comes for as long as 30 pages take, or 10 s.
func inCUPS(ctx context.Context, program string, e experiment, s Scale) (r paper.Tally, err error) {
	jet := emulator.NewJetDirect(emulator.Options{PageTime: s.Page, Buffer: 4 << 10, SocketBuffer: 8 << 10, PJL: emulator.PJLSkipped})
	defer jet.Close()
	addr, err := jet.Start()
	if err != nil {
		return r, err
	}
	c, err := cups.New(ctx, program)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.End()) }()
	if _, err := c.Tool(ctx, "lpadmin", "-p", "q", "-E", "-v", "socket://"+addr, "-o", "printer-error-policy=retry-job"); err != nil {
		return r, err
	}
	if e.paused {
		if _, err := c.Tool(ctx, "cupsdisable", "q"); err != nil {
			return r, err
		}
	} else {
		jet.Offline()
	}
	var documents []paper.Document
	for n := range e.jobs {
		d := paper.Document{Name: fmt.Sprintf("cups job %d", n+1), Pages: e.pages}
		documents = append(documents, d)
		file := filepath.Join(c.Dir, fmt.Sprintf("document-%d", n+1))
		if err := os.WriteFile(file, d.Text(), 0o644); err != nil {
			return r, err
		}
		if _, err := c.Tool(ctx, "lp", "-d", "q", "-o", "raw", file); err != nil {
			return r, err
		}
	}
	if !e.paused {
		// What is lost within the first half minute is the first experiment's. Here the scheduler has saved its job.
		if err := c.Saved(ctx); err != nil {
			return r, err
		}
		jet.Online()
		if _, err := jet.Wait(ctx, func(p []emulator.Page) bool { return len(p) >= e.pages/2 }); err != nil {
			return r, fmt.Errorf("half of the job: %w", err)
		}
	}
	if err := e.toCUPS(ctx, c); err != nil {
		return r, err
	}
	if e.paused {
		if _, err := c.Tool(ctx, "cupsenable", "q"); err != nil {
			fmt.Fprintf(os.Stderr, "CUPS has lost the printer with its jobs: %v\n", err)
		}
	}
	return paper.Count(quiet(ctx, jet, max(10*time.Second, 30*s.Page)), documents...), nil
}

// quiet is the paper once nothing more has come for so long.
func quiet(ctx context.Context, jet *emulator.JetDirect, long time.Duration) []emulator.Page {
	for {
		pages := jet.Pages()
		wait, stop := context.WithTimeout(ctx, long)
		_, err := jet.Wait(wait, func(p []emulator.Page) bool { return len(p) > len(pages) })
		stop()
		if err != nil {
			return pages
		}
	}
}
