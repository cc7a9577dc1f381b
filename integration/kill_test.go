package integration

import (
	"fmt"
	"testing"
	"time"
)

// TestLeaderKilledMidJob kills the leader early, in the middle, and late in a job of 200 pages.
func TestLeaderKilledMidJob(t *testing.T) {
	notShort(t, "three jobs of 200 pages on a slow tray")
	t.Parallel()
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "?delay=3ms")
	for _, at := range []uint32{5, 100, 190} {
		d := textOf("office", fmt.Sprintf("report to be cut at %d", at), 200, 1)
		c.mustSubmit(ctx, c.client, d)
		if _, err := c.out(ctx, d.job, at); err != nil {
			t.Fatal(err)
		}
		leader := c.leader(ctx)
		term := leader.status(ctx).Term
		killed := time.Now()
		c.kill(leader)
		c.mustSubmit(ctx, c.clientOf(c.others(leader)...), label("office", int(at), 500))
		again := since(killed)
		if _, err := c.waitJob(ctx, d.job, ended); err != nil {
			t.Fatal(err)
		}
		if next := c.leaderAmong(ctx, c.others(leader)...).status(ctx); next.Term <= term {
			t.Errorf("member %d did not lead: term %d went on", leader.id, term)
		}
		t.Logf("member %d led and was killed with %d of 200 pages out: acknowledged again after %v, the job ended after %v", leader.id, at, again, since(killed))
		c.start(leader)
		c.ready(ctx, leader)
	}
	c.audit(ctx)
}

// TestAllKilledAtOnce is a power failure: nobody has the time to say anything.
func TestAllKilledAtOnce(t *testing.T) {
	notShort(t, "a cluster goes down and up several times")
	t.Parallel()
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	l := c.load(ctx, 8, 5*time.Millisecond, assorted("office"))
	for range 3 {
		l.acked(ctx, 150)
		c.kill(c.members...)
		began := time.Now()
		c.start(c.members...)
		first := l.firstAfter(ctx, began)
		c.ready(ctx, c.members...)
		t.Logf("all were killed and started again: acknowledged after %v, all ready after %v", first, since(began))
	}
	l.acked(ctx, 50)
	l.stop()
	c.audit(ctx)
}
