package integration

import (
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestOrderlyStop ends each leader in turn as an operator does, under load, and starts it again: a rolling restart.
// Clients that go on to the next member must not see anything but that a member is not there.
func TestOrderlyStop(t *testing.T) {
	notShort(t, "three leaders end in good order")
	t.Parallel()
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	l := c.load(ctx, 8, 5*time.Millisecond, assorted("office"))
	signals := []os.Signal{syscall.SIGTERM, os.Interrupt, syscall.SIGHUP}
	if signal.Ignored(syscall.SIGHUP) { // nohup: so will members
		signals[2] = syscall.SIGTERM
	}
	for i := range size {
		l.acked(ctx, 100)
		leader := c.leader(ctx)
		began := time.Now()
		leader.terminate(signals[i])
		select {
		case <-leader.process.ended:
		case <-ctx.Done():
			t.Fatalf("member %d does not end", leader.id)
		}
		if leader.process.err != nil {
			t.Errorf("member %d, told to end, ended with %v", leader.id, leader.process.err)
		}
		if said := tailOf(leader.output, 40); strings.Contains(said, "ends without waiting") {
			t.Errorf("member %d ended at its limit, not when it was done:\n%s", leader.id, said)
		}
		t.Logf("member %d led and ended after %v; the next acknowledgement came %v after that", leader.id, since(began), l.firstAfter(ctx, time.Now()))
		c.start(leader)
		c.ready(ctx, leader)
	}
	l.acked(ctx, 50)
	l.stop()
	t.Logf("the longest time between two acknowledgements: %v", l.gap())
	if doubts := l.client.doubtful(); len(doubts) > 0 {
		t.Errorf("%d requests were answered in a way that leaves their outcome open: %q", len(doubts), doubts[:min(5, len(doubts))])
	}
	c.audit(ctx)
}
