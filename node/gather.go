package node

import "time"

// A gatherer decides how long a leader waits for its clients to ask again before it begins a sync: an eighth of what a sync takes
// lately. Where syncs are fast it never waits: an idle process wakes no sooner than in a millisecond.
type gatherer struct {
	timer *time.Timer
	// The timer runs, and the core holds its proposals.
	waits bool
}

const slowSync = time.Millisecond

func newGatherer() *gatherer {
	g := &gatherer{timer: time.NewTimer(time.Hour)}
	g.timer.Stop()
	return g
}

// hold lets the core's proposals wait, or lets them go. It is called before the core works; over: the timer has fired.
func (g *gatherer) hold(c *Core, sync time.Duration, over bool) {
	switch more := !over && sync >= slowSync && c.Gathering(); {
	case more && !g.waits:
		g.timer.Reset(sync / 8)
		c.Hold()
	case !more && g.waits:
		g.timer.Stop()
		c.Release()
	default:
		return
	}
	g.waits = !g.waits
}
