package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

// A status is what printq status shows.
type status struct {
	Cluster *api.Cluster `json:"cluster"`
	// Jobs that do not print now, and why; those in doubt are in both lists.
	Waiting []api.Job `json:"waiting"`
	InDoubt []api.Job `json:"in_doubt"`
	// What the other servers named say of themselves.
	Alarms []string `json:"alarms"`
}

func (a *app) newStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the cluster, its members and alarms, the jobs that wait and why, and what is in doubt",
		Example: "  printq status --server a:8631,b:8631,c:8631", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			s, err := readStatus(c.Context(), cl)
			if err != nil {
				return err
			}
			if a.flags.output != "table" {
				return showOne(a, s, nil)
			}
			return a.showStatus(s)
		},
	}
}

// readStatus asks without a quorum: it is needed most when there is none.
func readStatus(ctx context.Context, c *client.Client) (*status, error) {
	s := &status{Waiting: []api.Job{}, InDoubt: []api.Job{}, Alarms: []string{}}
	var err error
	if s.Cluster, err = c.Cluster(ctx); err != nil {
		return nil, err
	}
	q := url.Values{"state": {"pending,held,stopped"}, "consistency": {"stale"}}
	const most = 1000
	if s.Waiting, err = listJobs(ctx, c, q, most); err != nil {
		return nil, err
	}
	for _, j := range s.Waiting {
		if j.InDoubt != nil {
			s.InDoubt = append(s.InDoubt, j)
		}
	}
	for _, server := range c.Servers() {
		s.Alarms = append(s.Alarms, alarms(ctx, c.Only(server), server)...)
	}
	return s, nil
}

func alarms(ctx context.Context, c *client.Client, server string) (list []string) {
	v, err := c.Cluster(ctx)
	if err != nil {
		return []string{fmt.Sprintf("%s: %s", server, client.OneLine(err))}
	}
	for _, text := range v.Alarms {
		list = append(list, fmt.Sprintf("member %d: %s", v.ID, text))
	}
	return list
}

func (a *app) showStatus(s *status) error {
	v := s.Cluster
	err := showOne(a, v, func(w io.Writer) {
		fact(w, "cluster", dash(v.Cluster))
		fact(w, "leader", leader(v))
		fact(w, "log", fmt.Sprintf("term %d, applied %d of %d, line %d", v.Term, v.Applied, v.Commit, v.Seq))
		fact(w, "hash", v.Chain)
		for _, text := range s.Alarms {
			fact(w, "ALARM", text)
		}
	})
	fmt.Fprintln(a.stdout)
	err = errors.Join(err, show(a, v.Members, "MEMBER ROLE CONNECTED LAG HTTP PEER", func(m *api.Member) []any { return memberRow(v, m) }))
	if len(s.Waiting) > 0 {
		fmt.Fprintln(a.stdout)
		err = errors.Join(err, showJobs(a, s.Waiting))
	}
	if len(s.InDoubt) > 0 {
		fmt.Fprintf(a.stdout, "\n%d in doubt:\n", len(s.InDoubt))
		for _, j := range s.InDoubt {
			fmt.Fprintf(a.stdout, "job %d on %s: %s\n", j.ID, j.Printer, doubtful(&j, j.InDoubt))
		}
	}
	return err
}

func leader(v *api.Cluster) string {
	if v.Leader == 0 {
		return fmt.Sprintf("none known to member %d", v.ID)
	}
	return fmt.Sprintf("member %d (says member %d)", v.Leader, v.ID)
}

func memberRow(v *api.Cluster, m *api.Member) []any {
	role, lag, connected := "voter", fmt.Sprint(m.Lag), "no"
	if !m.Voter {
		role = "learner"
	}
	if m.ID == v.Leader {
		role = "leader"
	}
	if m.Lag < 0 {
		lag = "?"
	}
	if m.Connected || m.ID == v.ID {
		connected = "yes"
	}
	return []any{m.ID, role, connected, lag, dash(m.HTTP), dash(m.Peer)}
}

func (a *app) newLeaderCmd() *cobra.Command {
	var to uint64
	c := &cobra.Command{Use: "leader", Short: "Who leads"}
	transfer := &cobra.Command{
		Use: "transfer", Short: "Hand leadership to another member, after the page that is on its way",
		Example: "  printq leader transfer --to 2", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			v := new(api.Cluster)
			r := &client.Request{Method: http.MethodPost, Path: "/v1/leader/transfer", Repeatable: to != 0}
			if err := cl.Call(c.Context(), r, api.Transfer{To: to}, v); err != nil {
				return err
			}
			return showOne(a, v, func(w io.Writer) { fact(w, "leader", leader(v)) })
		},
	}
	transfer.Flags().Uint64Var(&to, "to", 0, "the member; the default is whoever is most up to date")
	c.AddCommand(transfer)
	return c
}
