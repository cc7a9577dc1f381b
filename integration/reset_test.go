package integration

import (
	"testing"
	"time"

	"printq/integration/emulator"
)

// A printer that breaks a connection loses what it has acknowledged and not read yet, and ejects the half page that it has. Its counter
// then shows a page that is none: it is said to be in doubt, and no page is lost.
func TestResetLosesNothing(t *testing.T) {
	notShort(t, "a cluster, and accidents that take their time")
	ctx := within(t, 2*time.Minute)
	c := startCluster(ctx, t)
	p, jet := jetPress(t, "counted", "", small(emulator.Options{}, 5*time.Millisecond), true)
	p.make(ctx, c)
	for range 3 {
		p.submit(ctx, c, 16)
		jet.DuringPage(4, jet.Reset)
		jet.DuringPage(10, jet.Reset)
		p.settle(ctx, c)
	}
	reckon(ctx, c, []*press{p})
}
