package integration

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"printq/http/api"
)

// A bureau is printers, and customers who submit, cancel, hold, release, move and reprint there, through whichever member
// answers. What they were promised is kept.
type bureau struct {
	cluster  *cluster
	printers []string

	mu sync.Mutex
	// Guarded by mu: what was acknowledged, and how often each thing was asked for.
	promises []*promise
	asked    map[string]int
	// doubts is how many requests were answered, or not, in a way that leaves open what became of them.
	doubts int
}

func (s *bureau) keep(p *promise) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.promises = append(s.promises, p)
}

func (s *bureau) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked[what]++
}

// A customer is one client with its dice.
type customer struct {
	*bureau
	*client
	load *load
}

// visit is what a customer does at once: a document, and mostly nothing else.
func (s *bureau) visit(ctx context.Context, l *load, n int) error {
	k := customer{s, s.cluster.clientOf(s.cluster.members...), l}
	k.turn.Store(rand.Uint32N(size)) // each begins at another member
	defer k.leave()
	printer := s.printers[rand.IntN(len(s.printers))]
	p := promised(s.document(printer, n))
	r := p.request()
	plan := rand.IntN(100)
	if plan >= 30 && plan < 36 {
		r.query.Set("hold", "true")
		plan = 28
	}
	job, err := p.sendAs(ctx, k.client, r)
	if err != nil {
		return err
	}
	s.keep(p)
	l.note()
	breathe(ctx, rand.N(40*time.Millisecond))
	switch {
	case plan < 12:
		err = k.cancel(ctx, p)
	case plan < 28:
		err = k.hold(ctx, p)
	case plan == 28:
		err = k.release(ctx, p)
	case plan >= 40 && plan < 52:
		err = k.move(ctx, p)
	case plan >= 60 && plan < 66:
		err = k.reprint(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("job %d: %w", job.ID, err)
	}
	return nil
}

func (k *customer) leave() {
	k.http.CloseIdleConnections()
	k.bureau.mu.Lock()
	defer k.bureau.mu.Unlock()
	k.bureau.doubts += len(k.client.doubtful())
}

// document is mostly of several pages, and now and then too large for one log entry.
func (s *bureau) document(printer string, n int) *document {
	switch {
	case n%60 == 59:
		return pdfLike(printer, fmt.Sprintf("picture %d", n), 300<<10, uint64(n))
	case n%4 == 0:
		return label(printer, n, 200+n%800)
	case n%40 == 1:
		return textOf(printer, fmt.Sprintf("report %d", n), 40, 1)
	}
	return textOf(printer, fmt.Sprintf("letter %d", n), 2+n%7, 1+n%5/4)
}

// act asks for something to be done with a job. No error and no job: its state forbids it.
func (k *customer) act(ctx context.Context, p *promise, action, body, key string) (job *api.Job, sent int, err error) {
	r := &request{method: http.MethodPost, path: fmt.Sprintf("/v1/jobs/%d/%s", p.job, action), body: inMemory([]byte(body)), key: key}
	k.note(action)
	_, b, err := k.do(ctx, r)
	var refusal *api.Problem
	if errors.As(err, &refusal) && refusal.Status == http.StatusConflict {
		return nil, r.sent, nil
	}
	if err != nil {
		return nil, r.sent, err
	}
	job = new(api.Job)
	return job, r.sent, json.Unmarshal(b, job)
}

func (k *customer) cancel(ctx context.Context, p *promise) error {
	job, sent, err := k.act(ctx, p, "cancel", "", "")
	switch {
	case err != nil:
		return err
	case job == nil && sent == 1: // it had ended
	case job != nil && api.Ended(job.State):
		p.states = []string{job.State}
	default: // it is stopping, and may be all out by then; or an earlier request may have been carried out
		p.states = []string{"canceled", "completed"}
	}
	return nil
}

func (k *customer) hold(ctx context.Context, p *promise) error {
	_, sent, err := k.act(ctx, p, "hold", "", "")
	p.restarts += sent
	if err != nil {
		return err
	}
	breathe(ctx, rand.N(60*time.Millisecond))
	return k.release(ctx, p)
}

// release asks until the job is not held: while it is stopping it cannot be released.
func (k *customer) release(ctx context.Context, p *promise) error {
	for {
		job, _, err := k.act(ctx, p, "release", "", "")
		if err != nil || job != nil {
			return err
		}
		job, err = k.waitJob(ctx, p.job, func(j *api.Job) bool { return j.Stopping == "" || api.Ended(j.State) })
		if err != nil || api.Ended(job.State) {
			return err
		}
	}
}

func (k *customer) move(ctx context.Context, p *promise) error {
	to := k.printers[rand.IntN(len(k.printers))]
	p.printers = append(p.printers, to)
	_, sent, err := k.act(ctx, p, "move", fmt.Sprintf(`{"printer":%q}`, to), "")
	p.restarts += sent
	return err
}

// reprint waits for the paper, and wants it once more.
func (k *customer) reprint(ctx context.Context, p *promise) error {
	if _, err := k.waitJob(ctx, p.job, ended); err != nil {
		return err
	}
	again := *p.document
	again.key = p.key + " again"
	job, _, err := k.act(ctx, p, "reprint", "{}", again.key)
	if err != nil {
		return err
	} else if job == nil || job.Of != p.job {
		return fmt.Errorf("it cannot be printed again: %+v", job)
	}
	k.load.note()
	k.keep(promised(&again))
	return again.acknowledged(job)
}

// drain releases what is held until every job has ended, and says how many were: a request to hold that a client gave up on
// may be carried out when the job has been released.
func (s *bureau) drain(ctx context.Context) (late int) {
	c := s.cluster
	until(ctx, c.t, "every job has ended", func() bool {
		var live api.Jobs
		_, b, err := c.do(ctx, &request{method: http.MethodGet, path: "/v1/jobs", query: url.Values{"state": {"pending,held,processing,stopped"}}})
		if err = errors.Join(err, json.Unmarshal(b, &live)); err != nil {
			c.t.Fatal(err)
		}
		for _, j := range live.Jobs {
			if j.State != "held" {
				continue
			}
			late++
			if err := c.call(ctx, http.MethodPost, fmt.Sprintf("/v1/jobs/%d/release", j.ID), nil, nil); err != nil {
				c.t.Fatal(err)
			}
		}
		if len(live.Jobs) > 0 {
			breathe(ctx, 50*time.Millisecond)
		}
		return len(live.Jobs) == 0
	})
	return late
}
