// Package load drives a system with clients and says how it did: the part of the benchmark that is the same for every system, so that their
// figures can stand side by side.
//
// A generator is a process of its own. It reads one [Work] as JSON from its standard input and writes one [Result] as JSON to its
// standard output.
package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// A Work is what one generator is to do.
type Work struct {
	// Of the members, as their system writes them.
	Endpoints []string `json:"endpoints"`
	Do        Task     `json:"do"`
	Clients   int      `json:"clients,omitempty"`
	// Bytes of a document.
	Size int `json:"size,omitempty"`
	// Documents in one operation. 0: one.
	Batch int `json:"batch,omitempty"`
	// Operations a second of all clients together; a latency then counts from when the operation was due. 0: each client sends
	// the next one when the last was acknowledged.
	Rate float64 `json:"rate,omitempty"`
	// What is sent before the measuring, and how long that takes. No operation begins after both are over.
	Warmup   time.Duration `json:"warmup,omitempty"`
	Duration time.Duration `json:"duration,omitempty"`
	// Documents after which a put or a replay ends, and how many tails are open. 0: no limit; one.
	Count int `json:"count,omitempty"`
	Tails int `json:"tails,omitempty"`
	// Clients go on at another member when theirs does not answer, and the load ends early, with standard input.
	Failover bool `json:"failover,omitempty"`
	// Of the servers: their CPU time is a part of the result.
	PIDs []int `json:"pids,omitempty"`
	// For printq: the printers, which the clients take in turn, and whether a job is acknowledged only when it has ended.
	Printers []string `json:"printers,omitempty"`
	Wait     bool     `json:"wait,omitempty"`
}

// Patience is how long a client waits for an answer. One that fails over asks elsewhere then.
func (w Work) Patience() time.Duration {
	if w.Failover {
		return time.Second
	}
	return 20 * time.Second
}

// A Task is one kind of work.
type Task string

const (
	// Put stores documents as fast as they are acknowledged, or at a rate.
	Put Task = "put"
	// Tail stores documents at a rate, while others follow the log.
	Tail Task = "tail"
	// Replay reads the log from its beginning.
	Replay Task = "replay"
	// Leader says which member leads.
	Leader Task = "leader"
)

// A Result is what a generator found. Times are in ms where the name says so.
type Result struct {
	// Documents that were acknowledged, or lines that were read.
	Documents int     `json:"documents"`
	Seconds   float64 `json:"seconds"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
	// Operations that failed for good, and what the first one said.
	Errors     int    `json:"errors,omitempty"`
	FirstError string `json:"first_error,omitempty"`
	// Attempts that were repeated at another member, by their kind.
	Repeats map[string]int `json:"repeats,omitempty"`
	// The longest times without an acknowledgement, longest first.
	Gaps []Gap `json:"gaps,omitempty"`
	// CPU time of all servers and of the generator while it was measured.
	ServerCPU    float64 `json:"server_cpu_s"`
	GeneratorCPU float64 `json:"generator_cpu_s"`
	// The index of the member that leads.
	Leader int `json:"leader,omitempty"`
}

// A Gap is a time without an acknowledgement.
type Gap struct {
	Began time.Time `json:"began"`
	MS    float64   `json:"ms"`
}

// Ended is when the next acknowledgement came.
func (g Gap) Ended() time.Time { return g.Began.Add(time.Duration(g.MS * float64(time.Millisecond))) }

// A Target is one system. Its methods may be called by several goroutines, Put only by one for each client.
type Target interface {
	// Put stores documents, all of them durably before it returns. n is the number of the first one; every number is used once.
	Put(ctx context.Context, client int, n uint64, documents [][]byte) error
	// Tail follows the log, from its beginning or from now, until ctx ends or line returns false. It calls ready when nothing
	// that is stored from then on will be missed, and line with each document's number (what Put was told), or 0 where it does not know.
	Tail(ctx context.Context, fromStart bool, ready func(), line func(n uint64) bool) error
	// Leader is the index of the member that leads, among the work's endpoints.
	Leader(ctx context.Context) (int, error)
	// Repeats are the attempts that were repeated so far.
	Repeats() map[string]int
	Close()
}

// Main is a generator: it does the work that it reads, with the target that open makes.
func Main(ctx context.Context, in io.Reader, out io.Writer, open func(Work) (Target, error)) error {
	var w Work
	if err := json.NewDecoder(in).Decode(&w); err != nil {
		return fmt.Errorf("read the work: %w", err)
	}
	t, err := open(w)
	if err != nil {
		return err
	}
	defer t.Close()
	if w.Failover {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go func() { _, _ = io.Copy(io.Discard, in); cancel() }()
	}
	r, err := do(ctx, t, w)
	if err != nil {
		return err
	}
	r.Repeats = t.Repeats()
	return json.NewEncoder(out).Encode(r)
}

func do(ctx context.Context, t Target, w Work) (r Result, err error) {
	switch w.Do {
	case Put:
		return put(ctx, t, w)
	case Tail:
		return tail(ctx, t, w)
	case Replay:
		return replay(ctx, t, w)
	case Leader:
		r.Leader, err = t.Leader(ctx)
		return r, err
	}
	return r, fmt.Errorf("the work is %q: it must be put, tail, replay or leader", w.Do)
}
