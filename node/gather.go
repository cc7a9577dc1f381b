package node

import "time"

// A gatherer decides how long a leader waits for its clients to ask again before it begins a sync: as long as they come, with no more
// than an eighth of what a sync takes lately between two of them, and half of it in all. The time in which the loop itself
// answers them does not count. Where syncs are fast it never waits: an idle process wakes no sooner than in a millisecond.
type gatherer struct {
	timer *time.Timer
	// The timer runs, and the core holds its proposals: at the longest until then.
	waits bool
	until time.Time
	sync  time.Duration
}

const slowSync = time.Millisecond

func newGatherer() *gatherer {
	g := &gatherer{timer: time.NewTimer(time.Hour)}
	g.timer.Stop()
	return g
}

// hold lets the core's proposals wait, or lets them go. It is called before the core works, when something has come, or when nothing
// has, since the timer has fired: over.
func (g *gatherer) hold(c *Core, sync time.Duration, over bool) {
	more := !over && sync >= slowSync && c.Gathering()
	switch {
	case more && !g.waits:
		g.waits, g.sync, g.until = true, sync, time.Now().Add(sync/2)
		c.Hold()
		g.timer.Reset(sync / 8)
	case more && time.Now().Before(g.until):
		g.answered()
	case g.waits:
		g.timer.Stop()
		g.waits = false
		c.Release()
	}
}

// answered begins the wait for the next one anew: clients have just been answered, or one has come.
func (g *gatherer) answered() {
	if g.waits {
		g.timer.Reset(min(g.sync/8, time.Until(g.until)))
	}
}
