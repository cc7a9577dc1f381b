//go:build unix

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/integration/paper"
)

// A target is a printer of printq's, and what was sent to it.
type target struct {
	name      string
	blind     bool
	jet       *emulator.JetDirect
	documents []paper.Document
	jobs      []uint64
}

// A Result is what came of an experiment with one printer.
type Result struct {
	// Before anybody looked at the paper.
	Before paper.Tally
	// Afterwards.
	paper.Tally
	// Units that were in doubt, and what was said of them.
	InDoubt []paper.Unit
	Why     []string
	Wrong   []string
}

// inPrintq does an experiment with three members and two printers at once, without and with read-back.
func inPrintq(ctx context.Context, printq string, e experiment, s Scale) (blind, counted Result, err error) {
	dir, err := os.MkdirTemp("", "printq-experiment-*")
	if err != nil {
		return blind, counted, err
	}
	defer os.RemoveAll(dir)
	c, err := startCluster(ctx, printq, dir)
	if err != nil {
		return blind, counted, err
	}
	defer c.end()
	targets := []*target{{name: "blind", blind: true}, {name: "counted"}}
	for _, t := range targets {
		if err := t.open(ctx, c, s); err != nil {
			return blind, counted, err
		}
		defer t.jet.Close()
		if err := t.submit(ctx, c, e); err != nil {
			return blind, counted, err
		}
	}
	if !e.paused {
		for _, t := range targets {
			if _, err := t.jet.Wait(ctx, func(p []emulator.Page) bool { return len(p) >= e.pages/2 }); err != nil {
				return blind, counted, fmt.Errorf("%s: half of the job: %w", t.name, err)
			}
		}
	}
	if err := e.toPrintq(ctx, c); err != nil {
		return blind, counted, err
	}
	results := []*Result{&blind, &counted}
	for i, t := range targets {
		if *results[i], err = t.finish(ctx, c, e); err != nil {
			return blind, counted, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return blind, counted, nil
}

func (t *target) open(ctx context.Context, c *cluster, s Scale) error {
	t.jet = emulator.NewJetDirect(emulator.Options{PageTime: s.Page, Buffer: 4 << 10, SocketBuffer: 8 << 10})
	options := ""
	if t.blind {
		t.jet, options = emulator.NewJetDirect(emulator.Options{PageTime: s.Page, Buffer: 4 << 10, SocketBuffer: 8 << 10, PJL: emulator.PJLSkipped}), "?pjl=off"
	}
	addr, err := t.jet.Start()
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPut, "/v1/printers/"+t.name, api.PrinterSettings{Device: "socket://" + addr + options}, nil)
}

func (t *target) submit(ctx context.Context, c *cluster, e experiment) error {
	if e.paused {
		if err := c.call(ctx, http.MethodPost, "/v1/printers/"+t.name+"/pause", api.Cause{}, nil); err != nil {
			return err
		}
	}
	for n := range e.jobs {
		d := paper.Document{Name: fmt.Sprintf("%s job %d", t.name, n+1), Pages: e.pages}
		id, err := c.submit(ctx, t.name, d.Name, d.Text())
		if err != nil {
			return err
		}
		t.documents, t.jobs = append(t.documents, d), append(t.jobs, id)
	}
	return nil
}

// finish waits until every job has ended or is for a person, looks at the paper, and says what is there.
func (t *target) finish(ctx context.Context, c *cluster, e experiment) (r Result, err error) {
	if e.paused {
		if err := c.call(ctx, http.MethodPost, "/v1/printers/"+t.name+"/resume", api.Cause{}, nil); err != nil {
			return r, err
		}
	}
	open, err := t.settle(ctx, c)
	if err != nil {
		return r, err
	}
	if err := t.rest(ctx, c); err != nil {
		return r, err
	}
	r.Before = paper.Count(t.jet.Pages(), t.documents...)
	for len(open) > 0 {
		for _, j := range open {
			r.look(t, j)
			printed := t.outOf(j.ID)
			if err := c.call(ctx, http.MethodPost, fmt.Sprintf("/v1/jobs/%d/resolve", j.ID), api.Resolve{Printed: &printed}, nil); err != nil {
				return r, err
			}
		}
		if open, err = t.settle(ctx, c); err != nil {
			return r, err
		}
		if err := t.rest(ctx, c); err != nil {
			return r, err
		}
	}
	sheets := t.jet.Pages()
	r.Tally = paper.Count(sheets, t.documents...)
	for _, at := range paper.Unexplained(sheets, t.documents, r.InDoubt) {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%s: sheet %d is torn, and was not in doubt: %.40q", t.name, at+1, sheets[at].Data))
	}
	r.judge(e)
	return r, nil
}

// settle waits until every job is completed or held, and returns those that are in doubt.
func (t *target) settle(ctx context.Context, c *cluster) (open []api.Job, err error) {
	for _, id := range t.jobs {
		var j api.Job
		err := c.wait(ctx, fmt.Sprintf("job %d ends", id), func() bool {
			var err error
			j, err = c.job(ctx, id)
			return err == nil && (api.Ended(j.State) || j.State == "held")
		})
		if err != nil {
			return nil, fmt.Errorf("%w: it is %s (%s): %s", err, j.State, j.Reason, j.Waits)
		}
		if j.State == "held" {
			open = append(open, j)
		} else if j.State != "completed" {
			return nil, fmt.Errorf("job %d is %s (%s)", id, j.State, j.Reason)
		}
	}
	return open, nil
}

// rest waits until the printer has nothing left to print.
func (t *target) rest(ctx context.Context, c *cluster) error {
	return c.wait(ctx, "the printer is at rest", func() bool {
		return !t.jet.Connected() && t.jet.Buffered() == 0 && t.jet.Status().Display == "00 READY"
	})
}

// outOf is how many pages of a job lie on the paper, as a person counts them.
func (t *target) outOf(id uint64) uint32 {
	d := t.documents[slices.Index(t.jobs, id)]
	places := d.Out(t.jet.Pages())
	n := slices.IndexFunc(places, func(p []int) bool { return len(p) == 0 })
	if n < 0 {
		n = d.Pages
	}
	return uint32(n)
}

// look compares what is said of a job in doubt with the paper: what is called printed is out, and what is out beyond that is called in doubt.
func (r *Result) look(t *target, j api.Job) {
	out := t.outOf(j.ID)
	switch {
	case j.Reason != "in-doubt" || j.InDoubt == nil:
		r.Wrong = append(r.Wrong, fmt.Sprintf("job %d is held for %q, and says nothing of doubt", j.ID, j.Reason))
	case out < j.Printed, out > j.InDoubt.To, j.InDoubt.From != j.Printed+1:
		r.Wrong = append(r.Wrong, fmt.Sprintf("job %d: %d pages are out; %d are called printed, %d to %d in doubt", j.ID, out, j.Printed, j.InDoubt.From, j.InDoubt.To))
	default:
		for n := j.InDoubt.From; n <= j.InDoubt.To; n++ {
			r.InDoubt = append(r.InDoubt, paper.Unit{Document: slices.Index(t.jobs, j.ID), Page: int(n)})
		}
		r.Why = append(r.Why, fmt.Sprintf("%s: page %d: %s", t.name, j.InDoubt.From, j.InDoubt.Why))
	}
}

// judge holds the result against what is promised. A page that goes through at once is never torn where the system says what the printer
// has room for, which is on Linux.
func (r *Result) judge(e experiment) {
	if r.Lost+r.Doubled+r.Mixed > 0 || r.Torn > 0 && runtime.GOOS == "linux" || r.Pages != e.jobs*e.pages+r.Torn {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%v", r.Tally))
	}
	if r.Before.Doubled+r.Before.Mixed > 0 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("before anybody looked: %v", r.Before))
	}
	if len(r.InDoubt) > 1 {
		r.Wrong = append(r.Wrong, fmt.Sprintf("%d units in doubt, at most one", len(r.InDoubt)))
	}
}
