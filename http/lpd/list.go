package lpd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"printq/http/intake"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// maxListed is how many jobs a list has at most, and how many are removed at once.
const maxListed = 500

var live = []queue.JobState{queue.Pending, queue.Held, queue.Processing, queue.Stopped}

// state lists the printer's jobs that have not ended, in the manner of BSD's lpq.
func (n *session) state(ctx context.Context, c command) error {
	jobs, err := n.jobs(ctx)
	if err != nil {
		return err
	}
	p, err := n.options.Node.Printer(n.printer)
	if err != nil {
		return refuse("%w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s\n", n.printer, condition(p))
	jobs = slices.DeleteFunc(jobs, func(j ranked) bool { return len(c.list) > 0 && !named(c.list, j.JobStatus) })
	switch {
	case len(jobs) == 0:
		b.WriteString("no entries\n")
	case c.code == longState:
		for _, j := range jobs {
			j.long(&b)
		}
	default:
		fmt.Fprintf(&b, "%-7s%-11s%-8s%-38s%s\n", "Rank", "Owner", "Job", "Files", "Total Size")
		for _, j := range jobs {
			fmt.Fprintf(&b, "%-6s %-10.10s %-7d %-37.37s %d bytes\n", j.rank, clean(j.User), j.Id, clean(j.Name), j.Bytes)
		}
	}
	_, err = io.WriteString(n.Conn, b.String())
	return err
}

// condition says how the printer is.
func condition(p *node.PrinterStatus) string {
	switch {
	case p.Paused:
		return "paused: jobs are taken, and wait"
	case len(p.Devices) == 0:
		return "without a device: jobs are taken, and wait"
	}
	for _, d := range p.Devices {
		if !queue.Blocking(d.Reason) {
			return "ready"
		}
	}
	return "waiting: " + cmp.Or(clean(p.Devices[0].Detail), p.Devices[0].Reason)
}

// clean keeps a list's lines whole.
func clean(s string) string { return intake.Text([]byte(s)) }

// A ranked job is one with its place.
type ranked struct {
	*node.JobStatus
	rank string
}

func (j ranked) long(b *strings.Builder) {
	fmt.Fprintf(b, "\n%-40s [job %d]\n", clean(j.User)+": "+j.rank, j.Id)
	fmt.Fprintf(b, "        %-32s %d bytes, %d of %d out\n", clean(j.Name), j.Bytes, j.Printed, j.Units*j.Copies)
	if j.Waits != "" {
		fmt.Fprintf(b, "        %s\n", clean(j.Waits))
	}
}

// jobs are those that have not ended: what prints first, then as they will.
func (n *session) jobs(ctx context.Context) ([]ranked, error) {
	ctx, cancel := context.WithTimeout(ctx, n.options.CommitTimeout)
	defer cancel()
	if _, err := n.options.Node.Barrier(ctx); err != nil {
		return nil, refuse("%w: try again, or ask another member", err)
	}
	found, err := n.options.Node.Jobs(node.JobFilter{Printer: n.printer, States: live, Limit: maxListed})
	if err != nil {
		return nil, refuse("%w", err)
	}
	slices.SortFunc(found, func(a, b *node.JobStatus) int {
		return cmp.Or(cmp.Compare(turn(a), turn(b)), cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Id, b.Id))
	})
	jobs, place := make([]ranked, len(found)), 0
	for i, j := range found {
		switch turn(j) {
		case 0:
			jobs[i] = ranked{j, "active"}
		case 1:
			place++
			jobs[i] = ranked{j, ordinal(place)}
		default:
			jobs[i] = ranked{j, "held"}
		}
	}
	return jobs, nil
}

func turn(j *node.JobStatus) int {
	switch queue.JobState(j.State) {
	case queue.Processing, queue.Stopped:
		return 0
	case queue.Pending:
		return 1
	}
	return 2
}

func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return strconv.Itoa(n) + suffix
}

// named: the list has the job's number or its user.
func named(list []string, j *node.JobStatus) bool {
	return slices.Contains(list, strconv.FormatUint(j.Id, 10)) || j.User != "" && slices.Contains(list, j.User)
}

// remove cancels the jobs that are listed, or without a list the one that prints. Only root may remove those of others; who
// asks is who they say they are.
func (n *session) remove(ctx context.Context, c command) error {
	jobs, err := n.jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if len(c.list) > 0 && !named(c.list, j.JobStatus) || len(c.list) == 0 && j.rank != "active" {
			continue
		}
		said := "removed"
		if c.agent != "root" && c.agent != j.User {
			said = "not removed: permission denied"
		} else if err := n.cancel(ctx, j.Id, c.agent); err != nil {
			said = "not removed: " + err.Error()
		}
		if _, err := fmt.Fprintf(n.Conn, "job %d %s\n", j.Id, clean(said)); err != nil {
			return err
		}
	}
	return nil
}

func (n *session) cancel(ctx context.Context, id uint64, agent string) error {
	ctx, cancel := context.WithTimeout(ctx, n.options.CommitTimeout)
	defer cancel()
	cause := &queuepb.Cause{By: intake.Text([]byte(agent)), Why: "lprm from " + n.Host()}
	_, err := n.options.Node.Propose(ctx, &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: id, Cause: cause}}}, nil)
	return err
}
