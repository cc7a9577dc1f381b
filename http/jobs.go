package http

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	nethttp "net/http"
	"strconv"
	"strings"

	"github.com/gorilla/mux"

	"printq/http/api"
	"printq/node"
	"printq/queue"
)

const (
	defaultList = 100
	maxList     = 1000
)

// read makes what is applied here at least as new as the request, unless it asks for less.
func (s *Server) read(w *response, r *nethttp.Request, q *query) error {
	if q.err != nil {
		return q.err
	}
	switch q.values.Get("consistency") {
	case "", "linearizable":
		at, err := s.barrier(r.Context())
		w.at = at
		return err
	case "stale":
		w.at = s.node.Applied()
		return nil
	}
	return invalid("consistency is %q: it must be linearizable or stale", q.values.Get("consistency"))
}

func (s *Server) barrier(ctx context.Context) (node.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.ReadTimeout)
	defer cancel()
	at, err := s.node.Barrier(ctx)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: no majority answered: retry, or ask with ?consistency=stale: %w", node.ErrNoQuorum, err)
	}
	return at, err
}

// jobID is the id in the path.
func jobID(r *nethttp.Request) (uint64, error) {
	text := mux.Vars(r)["id"]
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || id == 0 {
		return 0, invalid("%q is not a job's id: ids are numbers from 1", text)
	}
	return id, nil
}

// findJob is the start of every handler about one job.
func (s *Server) findJob(w *response, r *nethttp.Request, q *query) (*node.JobStatus, error) {
	id, err := jobID(r)
	if err != nil {
		return nil, err
	}
	if err := s.read(w, r, q); err != nil {
		return nil, err
	}
	job, err := s.node.Job(id)
	if err != nil {
		return nil, &jobError{id, err}
	}
	return job, nil
}

// job answers with a job; with wait, once an entry after index has changed it. Without index: any after the request.
func (s *Server) job(w *response, r *nethttp.Request) error {
	q := parseQuery(r, "consistency", "index", "wait")
	index, wait := q.number("index", 0, 1<<63, 0), q.duration("wait", maxWait)
	job, err := s.findJob(w, r, q)
	if err != nil {
		return err
	}
	if wait > 0 {
		if !q.has("index") {
			index = w.at.Index
		}
		ctx, cancel := s.waiting(r.Context(), wait)
		defer cancel()
		if _, err = s.node.WaitJob(ctx, job.Id, index); err != nil {
			return &jobError{job.Id, err}
		}
		// In this order, so that the next poll from this index misses nothing.
		w.at = s.node.Applied()
		if job, err = s.node.Job(job.Id); err != nil {
			return err
		}
	}
	return w.job(nethttp.StatusOK, job)
}

// job answers with a job.
func (w *response) job(status int, job *node.JobStatus) error {
	j := jobOf(job)
	body, err := j.AppendJSON(make([]byte, 0, 768))
	if err != nil {
		return err
	}
	w.body(status, typeJSON, append(body, '\n'))
	return nil
}

func (s *Server) jobs(w *response, r *nethttp.Request) error {
	q := parseQuery(r, "consistency", "printer", "state", "user", "limit", "cursor")
	filter := node.JobFilter{
		Printer: q.text("printer"), User: q.text("user"), States: q.states("state"), Before: q.cursor("cursor"),
		Limit: int(q.number("limit", 1, maxList, defaultList)),
	}
	if err := s.read(w, r, q); err != nil {
		return err
	}
	jobs, err := s.node.Jobs(filter)
	if err != nil {
		return err
	}
	list := api.Jobs{Jobs: make([]api.Job, len(jobs))}
	for i, job := range jobs {
		list.Jobs[i] = jobOf(job)
	}
	if len(jobs) == filter.Limit {
		list.Cursor = cursorOf(jobs[len(jobs)-1].Id)
	}
	return w.json(nethttp.StatusOK, list)
}

// states is a list of job states, separated by commas.
func (q *query) states(name string) (states []queue.JobState) {
	if !q.has(name) {
		return nil
	}
	for _, word := range strings.Split(q.values.Get(name), ",") {
		state := queue.Pending
		for state <= queue.Completed && state.String() != word {
			state++
		}
		if state > queue.Completed {
			q.fail("state is %q: it must be of pending, held, processing, stopped, completed, canceled, aborted", word)
		}
		states = append(states, state)
	}
	return states
}

// A cursor is opaque, so that what stands in it may change.
func cursorOf(before uint64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("b" + strconv.FormatUint(before, 10)))
}

func (q *query) cursor(name string) uint64 {
	if !q.has(name) {
		return 0
	}
	text, err := base64.RawURLEncoding.DecodeString(q.values.Get(name))
	digits, ok := strings.CutPrefix(string(text), "b")
	before, numberErr := strconv.ParseUint(digits, 10, 64)
	if err != nil || !ok || numberErr != nil || before == 0 {
		q.fail("the cursor is not one that was given here: start again without it")
	}
	return before
}
