package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"printq/printer/device"
)

// A pauseRound is one job in the middle of which the leader is stopped.
type pauseRound struct {
	// Of the tray: with a delay the leader is mostly stopped while it waits to begin a page, without one while it works at it.
	options string
	pages   int
	at      uint32
	// The leader goes on as soon as there is another one, not once that has printed the rest.
	early bool
}

// TestLeaderPaused stops the leader in the middle of a job, at whatever instruction it is, until another one leads; then it
// goes on as if nothing had happened.
func TestLeaderPaused(t *testing.T) {
	notShort(t, "elections that time out")
	t.Parallel()
	ctx := within(t, 90*time.Second)
	c := startCluster(ctx, t)
	for _, r := range []pauseRound{
		{options: "?delay=80ms", pages: 50, at: 20},
		{options: "", pages: 250, at: 70},
		{options: "?delay=20ms", pages: 150, at: 50, early: true},
		{options: "", pages: 300, at: 30, early: true},
	} {
		c.printer(ctx, "office", r.options)
		c.pauseLeader(ctx, r)
	}
	c.audit(ctx)
}

func (c *cluster) pauseLeader(ctx context.Context, r pauseRound) {
	t := c.t
	t.Helper()
	d := textOf("office", "report", r.pages, 1)
	c.mustSubmit(ctx, c.client, d)
	if _, err := c.out(ctx, d.job, r.at); err != nil {
		t.Fatal(err)
	}
	old := c.leader(ctx)
	term := old.status(ctx).Term
	refusedBefore := old.refused(ctx, t)
	old.process.pause(t)
	paused := time.Now()

	others := c.others(old)
	next := c.leaderAmong(ctx, others...)
	t.Logf("member %d was paused with %d of %d pages out; member %d led after %v", old.id, r.at, r.pages, next.id, since(paused))
	if !r.early {
		if _, err := c.clientOf(others...).waitJob(ctx, d.job, ended); err != nil {
			t.Fatal(err)
		}
		t.Logf("the job ended after %v", since(paused))
	}
	old.process.wake()
	until(ctx, t, "the woken member follows", func() bool { v := old.status(ctx); return v != nil && v.Term > term })
	c.mustSubmit(ctx, old.client, label("office", int(r.at), 300))
	refused, ignored := int(old.refused(ctx, t)-refusedBefore), c.ignoredIn(term)
	switch {
	case refused > 0 || len(ignored) > 0:
		t.Logf("the woken member tried, and the tray refused it: %d requests; lines that do not count: %q", refused, ignored)
	default:
		t.Log("the woken member asked nothing of the tray: it saw first that it no longer led")
	}
}

// refused is how many of the member's requests a device has refused.
func (m *member) refused(ctx context.Context, t *testing.T) float64 {
	t.Helper()
	n, err := m.metric(ctx, "printq_device_refused_total")
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// ignoredIn are the lines of a term in the trays' ledgers that do not count because a newer token stands before them.
func (c *cluster) ignoredIn(term uint64) (lines []string) {
	for _, dir := range c.trays {
		for _, ignored := range c.ledger(dir).Ignored {
			if errors.Is(ignored.Err, device.ErrStale) && ignored.Token.Term == term {
				lines = append(lines, strings.TrimSpace(ignored.Text))
			}
		}
	}
	return lines
}
