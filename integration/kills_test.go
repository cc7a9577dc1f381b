package integration

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"
)

// TestKillsUnderLoad does to one member after another what the world does to servers, while clients work.
func TestKillsUnderLoad(t *testing.T) {
	notShort(t, "ten seconds of accidents")
	t.Parallel()
	lasting := 10 * time.Second
	if long() {
		lasting = 5 * time.Minute
	}
	ctx := within(t, lasting+60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "?delay=1ms")
	l := c.load(ctx, 8, 40*time.Millisecond, assorted("office"))
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	kills, pauses := 0, 0
	for end := time.Now().Add(lasting); time.Now().Before(end); {
		m := c.members[random.IntN(size)]
		if random.IntN(2) == 0 && m != c.leader(ctx) { // half of the accidents are the leader's, at least
			m = c.leader(ctx)
		}
		if random.IntN(2) == 0 {
			kills++
			c.kill(m)
			breathe(ctx, time.Duration(random.IntN(800))*time.Millisecond)
			c.start(m)
		} else {
			pauses++
			m.process.pause(t)
			breathe(ctx, time.Duration(random.IntN(2500))*time.Millisecond)
			m.process.wake()
		}
		c.recovered(ctx, l, m)
	}
	l.stop()
	t.Logf("seed %d: %d kills, %d pauses; the longest time between two acknowledgements: %v", seed, kills, pauses, l.gap())
	c.audit(ctx)
}

// recovered waits until the member serves again, and some documents were acknowledged: accidents come to one member at a
// time.
func (c *cluster) recovered(ctx context.Context, l *load, m *member) {
	c.t.Helper()
	c.ready(ctx, m)
	l.acked(ctx, 10)
}
