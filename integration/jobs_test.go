package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"printq/http/api"
)

// send sends a document until it is acknowledged, and checks what the acknowledgement says of it.
func (d *document) send(ctx context.Context, c *client) (*api.Job, error) {
	return d.sendAs(ctx, c, d.request())
}

// sendAs is send with a request of another form. Only one goroutine may send a document.
func (d *document) sendAs(ctx context.Context, c *client, r *request) (*api.Job, error) {
	_, b, err := c.do(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("submit %q: %w", d.name, err)
	}
	job := new(api.Job)
	if err := json.Unmarshal(b, job); err != nil {
		return nil, fmt.Errorf("submit %q: %w", d.name, err)
	}
	return job, d.acknowledged(job)
}

func (d *document) acknowledged(job *api.Job) error {
	sum, err := d.data.sha256()
	if err != nil {
		return err
	}
	if job.ID == 0 || job.SHA256 != sum || job.Bytes != uint64(d.data.size) || int(job.Units) != len(d.pages) || int(job.Copies) != d.copies {
		return fmt.Errorf("%q was acknowledged as something else: %+v", d.name, job)
	}
	d.job, d.acked = job.ID, time.Now()
	return nil
}

// waitJob long-polls the job until it is as wanted.
func (c *client) waitJob(ctx context.Context, id uint64, wanted func(*api.Job) bool) (*api.Job, error) {
	r := &request{method: http.MethodGet, path: fmt.Sprintf("/v1/jobs/%d", id)}
	for {
		header, b, err := c.do(ctx, r)
		if err != nil {
			return nil, err
		}
		job := new(api.Job)
		if err := json.Unmarshal(b, job); err != nil {
			return nil, err
		}
		if wanted(job) {
			return job, nil
		}
		if api.Ended(job.State) {
			return job, fmt.Errorf("job %d has ended too soon: it is %s (%s), %d out", id, job.State, job.Reason, job.Printed)
		}
		r.query = url.Values{"index": {header.Get(api.HeaderIndex)}, "wait": {"3s"}}
	}
}

// out waits until so many units of the job are out.
func (c *client) out(ctx context.Context, id uint64, units uint32) (*api.Job, error) {
	return c.waitJob(ctx, id, func(j *api.Job) bool { return j.Printed >= units })
}

func ended(j *api.Job) bool { return api.Ended(j.State) }

// metric sums the samples of a metric at the member that the client talks to.
func (c *client) metric(ctx context.Context, name string) (float64, error) {
	_, b, err := c.do(ctx, &request{method: http.MethodGet, path: "/metrics"})
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for line := range strings.Lines(string(b)) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if base, _, _ := strings.Cut(series, "{"); base != name {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("metric %q: %w", line, err)
		}
		sum += v
	}
	return sum, nil
}
