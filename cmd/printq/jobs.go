package main

import (
	"cmp"
	"context"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

func (a *app) newJobsCmd() *cobra.Command {
	var printer, state, user string
	var limit int
	var stale bool
	c := &cobra.Command{
		Use: "jobs", Short: "List jobs, newest first",
		Example: `  printq jobs -p office --state pending,held,processing,stopped
  printq jobs --user ada -o ndjson`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if limit < 1 {
				return usage("--limit must be at least 1")
			}
			q := url.Values{}
			for name, value := range map[string]string{"printer": printer, "state": state, "user": user} {
				if value != "" {
					q.Set(name, value)
				}
			}
			if stale {
				q.Set("consistency", "stale")
			}
			cl, err := a.client()
			if err != nil {
				return err
			}
			jobs, err := listJobs(c.Context(), cl, q, limit)
			if err != nil {
				return err
			}
			return showJobs(a, jobs)
		},
	}
	p := c.Flags()
	p.StringVarP(&printer, "printer", "p", "", "only of this printer")
	p.StringVar(&state, "state", "", "only in these states: pending, held, processing, stopped, completed, canceled, aborted")
	p.StringVar(&user, "user", "", "only of this user")
	p.IntVar(&limit, "limit", 100, "at most so many")
	p.BoolVar(&stale, "stale", false, "what one server knows, also without a quorum")
	return c
}

// listJobs follows the cursor.
func listJobs(ctx context.Context, c *client.Client, q url.Values, limit int) ([]api.Job, error) {
	const page = 1000
	var jobs []api.Job
	for len(jobs) < limit {
		q.Set("limit", strconv.Itoa(min(limit-len(jobs), page)))
		var list api.Jobs
		if err := c.Get(ctx, "/v1/jobs", q, &list); err != nil {
			return nil, err
		}
		jobs = append(jobs, list.Jobs...)
		if list.Cursor == "" {
			break
		}
		q.Set("cursor", list.Cursor)
	}
	return jobs, nil
}

// jobID reads an argument.
func jobID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || id == 0 {
		return 0, usage("%q is not a job's id: ids are numbers from 1; printq jobs lists them", text)
	}
	return id, nil
}

// causeFlags are who asks and why, for the log.
func (a *app) causeFlags(c *cobra.Command, cause *api.Cause) {
	c.Flags().StringVar(&cause.By, "by", cmp.Or(a.getenv("USER"), ""), "who asks, for the log")
	c.Flags().StringVar(&cause.Why, "why", "", "why, for the log")
}
