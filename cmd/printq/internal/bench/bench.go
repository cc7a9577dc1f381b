// Package bench measures how fast printq servers acknowledge jobs: a closed loop of clients, each of which submits the next
// job when the last one is acknowledged.
package bench

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

// Options of a bench.
type Options struct {
	Printer  string
	Hold     bool
	Clients  []int
	Sizes    []int // bytes
	Duration time.Duration
	Runs     int
	// MaxBytes ends a run that has sent so much: the servers keep it all.
	MaxBytes int64
	// Baseline measures a bare HTTP server in this process too, in turn with the others.
	Baseline bool
}

// A Result is the medians over the runs of one kind.
type Result struct {
	Target        string  `json:"target"`
	Clients       int     `json:"clients"`
	Size          int     `json:"size"`
	Runs          int     `json:"runs"`
	Jobs          int     `json:"jobs"` // over all runs
	Errors        int     `json:"errors"`
	JobsPerSecond float64 `json:"jobs_per_second"`
	MBPerSecond   float64 `json:"mb_per_second"` // 10^6 bytes
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	// Of the baseline's jobs per second; 0: there is none.
	Ratio float64 `json:"ratio,omitempty"`
}

// A target is what is measured.
type target struct {
	name   string
	client *client.Client
}

// Run measures every size with every number of clients. It stops at the first run without a single success.
func Run(ctx context.Context, c *client.Client, o Options) ([]Result, error) {
	targets := []target{{"printq", c}}
	if o.Baseline {
		base, stop, err := baseline()
		if err != nil {
			return nil, err
		}
		defer stop()
		targets = append(targets, target{"bare http", base})
	}
	var results []Result
	for _, size := range o.Sizes {
		for _, clients := range o.Clients {
			group, err := compare(ctx, targets, o, size, clients)
			results = append(results, group...)
			if err != nil {
				return results, err
			}
		}
	}
	return results, nil
}

// compare takes the targets in turn, so that what else the machine does meets all of them.
func compare(ctx context.Context, targets []target, o Options, size, clients int) ([]Result, error) {
	runs := make([][]run, len(targets))
	for range o.Runs {
		for i, t := range targets {
			r := measure(ctx, t.client, o, size, clients)
			if len(r.took) == 0 {
				return nil, fmt.Errorf("bench %s: no job was acknowledged in %v: %w", t.name, o.Duration, cmp.Or(r.err, errors.New("--max-bytes is less than one document")))
			}
			runs[i] = append(runs[i], r)
		}
	}
	var results []Result
	for i, t := range targets {
		r := summarize(runs[i], size)
		r.Target, r.Clients, r.Size = t.name, clients, size
		results = append(results, r)
	}
	if len(results) > 1 {
		results[0].Ratio = results[0].JobsPerSecond / results[1].JobsPerSecond
	}
	return results, nil
}

// A run is one loop.
type run struct {
	took    []time.Duration // of each that was acknowledged, sorted
	elapsed time.Duration
	errors  int
	err     error // the first
}

// measure is the loop itself.
func measure(ctx context.Context, c *client.Client, o Options, size, clients int) run {
	ctx, cancel := context.WithTimeout(ctx, o.Duration)
	defer cancel()
	body := document(size)
	var sent atomic.Int64
	perClient := make([]run, clients)
	var group errgroup.Group
	began := time.Now()
	for i := range clients {
		group.Go(func() error {
			r := &perClient[i]
			for ctx.Err() == nil && sent.Add(int64(size)) <= o.MaxBytes {
				start := time.Now()
				err := submit(ctx, c, o, body)
				if err == nil {
					r.took = append(r.took, time.Since(start))
					continue
				}
				r.err = err
				if ctx.Err() == nil { // else the run's end interrupted it
					r.errors++
				}
			}
			return nil
		})
	}
	group.Wait()
	all := run{elapsed: time.Since(began)}
	for _, r := range perClient {
		all.took = append(all.took, r.took...)
		all.errors += r.errors
		if all.err == nil {
			all.err = r.err
		}
	}
	slices.Sort(all.took)
	return all
}

// document is one page of text.
func document(size int) []byte {
	b := make([]byte, size)
	rand.Read(b)
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return b
}

func submit(ctx context.Context, c *client.Client, o Options, body []byte) error {
	q := url.Values{"name": {"bench"}, "format": {"text/plain"}}
	if o.Hold {
		q.Set("hold", "true")
	}
	var job api.Job
	return c.Call(ctx, &client.Request{
		Method: http.MethodPost, Path: client.PrinterPath(o.Printer) + "/jobs", Query: q, Key: rand.Text(), Repeatable: true,
		Length: int64(len(body)), ContentType: "text/plain",
		Body: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}, nil, &job)
}

func summarize(runs []run, size int) Result {
	var rate, p50, p99 []float64
	r := Result{Runs: len(runs)}
	for _, x := range runs {
		r.Jobs += len(x.took)
		r.Errors += x.errors
		rate = append(rate, float64(len(x.took))/x.elapsed.Seconds())
		p50 = append(p50, quantile(x.took, 0.50))
		p99 = append(p99, quantile(x.took, 0.99))
	}
	r.JobsPerSecond, r.P50, r.P99 = median(rate), median(p50), median(p99)
	r.MBPerSecond = r.JobsPerSecond * float64(size) / 1e6
	return r
}

// quantile is the smallest that at least the q-th part does not exceed (nearest rank), in ms; sorted is, and not empty.
func quantile(sorted []time.Duration, q float64) float64 {
	// The product may be a hair more than the whole number that it stands for.
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[max(rank, 1)-1].Seconds() * 1000
}

func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// baseline is what HTTP alone costs: it reads the body and answers as much as printq does.
func baseline() (*client.Client, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	answer := []byte(`{"id":1,"printer":"bench","state":"pending","name":"bench","attempts":[],"sha256":"` + strconv.Itoa(0) + `"}` + "\n")
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		w.Write(answer)
	}), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() { defer close(ended); s.Serve(l) }()
	stop := func() { s.Close(); <-ended }
	c, err := client.New(l.Addr().String(), 10*time.Second)
	if err != nil {
		stop()
		return nil, nil, err
	}
	return c, stop, nil
}
