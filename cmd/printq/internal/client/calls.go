package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"printq/http/api"
)

// Get reads JSON.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	return c.Call(ctx, &Request{Method: http.MethodGet, Path: path, Query: query}, nil, out)
}

// Cluster is the cluster as the server sees it that answers first, without asking a quorum.
func (c *Client) Cluster(ctx context.Context) (*api.Cluster, error) {
	v := new(api.Cluster)
	return v, c.Get(ctx, "/v1/cluster", nil, v)
}

// JobPath is the path of a job.
func JobPath(id uint64) string { return "/v1/jobs/" + strconv.FormatUint(id, 10) }

// PrinterPath is the path of a printer.
func PrinterPath(name string) string { return "/v1/printers/" + url.PathEscape(name) }

// pollWait is how long a server holds back an answer to a poll; pollPause is between polls that it answers at once.
const (
	pollWait  = 20 * time.Second
	pollPause = 50 * time.Millisecond
)

// WaitJob polls until the job has ended or the context has; each change is given to seen, which may be nil. It returns the
// job as last seen, with the context's error where it has not ended.
func (c *Client) WaitJob(ctx context.Context, job *api.Job, seen func(*api.Job)) (*api.Job, error) {
	for !api.Ended(job.State) {
		next := new(api.Job)
		query := url.Values{"index": {strconv.FormatUint(job.Changed, 10)}, "wait": {pollWait.String()}}
		err := c.Call(ctx, &Request{Method: http.MethodGet, Path: JobPath(job.ID), Query: query, Wait: pollWait}, nil, next)
		if err != nil {
			return job, err
		}
		if next.Changed == job.Changed { // the server did not wait: it is stopping
			select {
			case <-time.After(pollPause):
			case <-ctx.Done():
				return next, ctx.Err()
			}
		}
		job = next
		if seen != nil {
			seen(job)
		}
	}
	return job, nil
}
