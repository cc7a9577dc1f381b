package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

const printer = "demo"

// A traffic is everything that was submitted and acknowledged.
type traffic struct {
	client *client.Client

	mu        sync.Mutex // guards all below
	documents []Document
	acked     []time.Time
}

// submit sends a document until it is acknowledged: with its key, over all members.
func (t *traffic) submit(ctx context.Context, s *source) (*api.Job, error) {
	r := &client.Request{
		Method: http.MethodPost, Path: client.PrinterPath(printer) + "/jobs", Key: s.key, Repeatable: true,
		Query:  url.Values{"name": {s.name}, "copies": {strconv.Itoa(s.copies)}, "user": {"demo"}},
		Length: int64(len(s.data)), ContentType: "application/octet-stream",
		Body: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(s.data)), nil },
	}
	job := new(api.Job)
	if err := t.client.Call(ctx, r, nil, job); err != nil {
		return nil, fmt.Errorf("submit %q: %w", s.name, err)
	}
	d, err := s.document(job)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.documents = append(t.documents, d)
	t.acked = append(t.acked, time.Now())
	return job, nil
}

// flow submits the documents, from a few clients at a steady pace, and then labels until enough is closed.
func (t *traffic) flow(ctx context.Context, list []*source, enough <-chan struct{}) error {
	const clients, pace, most = 6, 12 * time.Millisecond, 400
	group, ctx := errgroup.WithContext(ctx)
	next := make(chan *source)
	group.Go(func() error {
		defer close(next)
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for i := 0; i < most; i++ {
			select {
			case <-enough:
				if i >= len(list) {
					return nil
				}
			default:
			}
			s := (*source)(nil)
			if i < len(list) {
				s = list[i]
			} else {
				s = label(i)
			}
			select {
			case next <- s:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range clients {
		group.Go(func() error {
			for s := range next {
				if _, err := t.submit(ctx, s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// acknowledgedSince reports whether there is one after a moment.
func (t *traffic) acknowledgedSince(when time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.acked) > 0 && t.acked[len(t.acked)-1].After(when)
}

// gap is the longest time between two acknowledgements.
func (t *traffic) gap() (longest time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slices.SortFunc(t.acked, time.Time.Compare)
	for i := 1; i < len(t.acked); i++ {
		longest = max(longest, t.acked[i].Sub(t.acked[i-1]))
	}
	return longest
}

// settle waits until every job has ended, and says of those that did not complete.
func (t *traffic) settle(ctx context.Context) (failed []string, err error) {
	for _, d := range t.documents {
		job := new(api.Job)
		if err := t.client.Get(ctx, client.JobPath(d.Job), nil, job); err != nil {
			return failed, fmt.Errorf("look at job %d: %w", d.Job, err)
		}
		if job, err = t.client.WaitJob(ctx, job, nil); err != nil {
			return failed, fmt.Errorf("job %d is %s, %d of %d out (%s %s): %w",
				job.ID, job.State, job.Printed, job.Units*job.Copies, job.Reason, job.Waits, err)
		}
		if job.State != "completed" {
			failed = append(failed, fmt.Sprintf("job %d is %s: %s", job.ID, job.State, job.Reason))
		}
	}
	return failed, nil
}
