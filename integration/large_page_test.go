package integration

import (
	"testing"
	"time"

	"printq/integration/emulator"
)

// A page that is larger than what printq gives away in one piece, or than the printer's network stack ever has room for, may be torn by a
// leader that is killed while it sends it. Then it is in doubt: half a page is on the paper, and the printer has counted it.
func TestLargePagesTornAreInDoubt(t *testing.T) {
	notShort(t, "a cluster, and a kill for each of several jobs")
	for name, size := range map[string]int{"larger than the room": 60 << 10, "larger than a piece": 300 << 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := within(t, 3*time.Minute)
			c := startCluster(ctx, t)
			p, jet := jetPress(t, "counted", "", small(emulator.Options{}, 20*time.Millisecond), true)
			p.size = size
			p.make(ctx, c)
			for n := range 4 {
				torn := make(chan struct{})
				// The page after the third is on its way into the printer while the third is on its way out.
				jet.DuringPage(3, func() { close(torn) })
				p.submit(ctx, c, 6)
				select {
				case <-torn:
				case <-ctx.Done():
					t.Fatal("no page is printed")
				}
				breathe(ctx, time.Duration(n)*2*time.Millisecond)
				old := c.leader(ctx)
				c.kill(old)
				c.start(old)
				p.settle(ctx, c)
			}
			reckon(ctx, c, []*press{p})
			if p.doubts == 0 {
				t.Error("no kill met a page on its way")
			}
		})
	}
}
