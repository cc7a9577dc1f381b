package integration

import (
	"context"
	"net/http"
	"testing"
	"time"

	"printq/http/api"
)

// TestSnapshotUnderLoad keeps a member away until the others have forgotten the entries that it lacks. It comes back through
// a snapshot, while the others work, and then leads: documents that it has never seen by the log are printed from what
// the snapshot brought.
func TestSnapshotUnderLoad(t *testing.T) {
	notShort(t, "well over a thousand entries")
	t.Parallel()
	ctx := within(t, 90*time.Second)
	retain, entries := []string{"--log-retain", "500"}, uint64(1500)
	if long() {
		retain, entries = nil, 50_000
	}
	c := startCluster(ctx, t, retain...)
	c.printer(ctx, "office", "")
	c.printer(ctx, "later", "")
	c.pausePrinter(ctx, "later", true)
	c.submitWaiting(ctx, "before")

	away := c.others(c.leader(ctx))[0]
	c.kill(away)
	c.submitWaiting(ctx, "while one is away")
	l := c.load(ctx, 4, 20*time.Millisecond, assorted("office"))
	from := c.applied(ctx, away)
	until(ctx, t, "the log has grown", func() bool { return c.applied(ctx, away) > from+entries })
	grown := c.applied(ctx, away) - from
	c.start(away)
	began := time.Now()
	c.ready(ctx, away)
	until(ctx, t, "a snapshot is installed", func() bool {
		n, err := away.metric(ctx, "printq_snapshots_installed_total")
		return err == nil && n > 0
	})
	t.Logf("member %d was away for %d entries, and had its snapshot after %v", away.id, grown, since(began))
	l.acked(ctx, 100)

	c.transfer(ctx, away)
	l.acked(ctx, 20)
	l.stop()
	c.pausePrinter(ctx, "later", false)
	c.settle(ctx, c.acknowledged())
	if leader := c.leader(ctx); leader != away {
		t.Errorf("member %d leads, and member %d was to print what it had by the snapshot", leader.id, away.id)
	}
	c.audit(ctx)
}

// submitWaiting submits to the paused printer: within one entry, and across several.
func (c *cluster) submitWaiting(ctx context.Context, name string) {
	c.t.Helper()
	for range 5 {
		c.mustSubmit(ctx, c.client, textOf("later", name, 3, 1))
	}
	c.mustSubmit(ctx, c.client, pdfLike("later", name, 2<<20, uint64(len(name))))
}

func (c *cluster) pausePrinter(ctx context.Context, name string, pause bool) {
	c.t.Helper()
	action := "/resume"
	if pause {
		action = "/pause"
	}
	if err := c.call(ctx, http.MethodPost, "/v1/printers/"+name+action, nil, nil); err != nil {
		c.t.Fatal(err)
	}
}

// applied is the highest index that any member but one has applied.
func (c *cluster) applied(ctx context.Context, but *member) (index uint64) {
	for _, m := range c.others(but) {
		if v := m.status(ctx); v != nil {
			index = max(index, v.Applied)
		}
	}
	return index
}

// transfer makes a member the leader.
func (c *cluster) transfer(ctx context.Context, to *member) {
	c.t.Helper()
	until(ctx, c.t, "leadership is transferred", func() bool {
		if c.leader(ctx) == to {
			return true
		}
		if err := c.call(ctx, http.MethodPost, "/v1/leader/transfer", api.Transfer{To: uint64(to.id)}, nil); err != nil {
			c.t.Fatal(err)
		}
		return false
	})
}
