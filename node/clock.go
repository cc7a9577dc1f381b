package node

import (
	"slices"
	"time"
)

// skewLimit is how far a leader's clock may be off the members' median before it expires nothing.
const skewLimit = 10 * time.Second

// clock is what this member knows of the time.
type clock struct {
	// When the last tick came, by our own clock.
	ticked time.Time
	// What is to be added to our own clock to stamp entries. It is not zero while our clock is known to be far off.
	correction time.Duration
}

// medians are the two in the middle of what all members' clocks are ahead of ours, ours among them; not ok: a majority has not
// been heard since our clock last jumped.
func (c *Core) medians() (lower, upper time.Duration, ok bool) {
	offsets := []time.Duration{0}
	for _, id := range c.members() {
		if p := c.peers[id]; id != c.id && p != nil && p.connected && p.heard > 0 {
			offsets = append(offsets, p.offset)
		}
	}
	if len(offsets) <= len(c.conf.GetVoters())/2 {
		return 0, 0, false
	}
	slices.Sort(offsets)
	return offsets[(len(offsets)-1)/2], offsets[len(offsets)/2], true
}

// skewed reports whether our clock is far off the median; also while that is not known.
func (c *Core) skewed() bool {
	lower, upper, ok := c.medians()
	return !ok || max(lower.Abs(), upper.Abs()) > skewLimit
}

// noteClock forgets how the other clocks stood to ours when ours has jumped, or stood still with us. Until they are heard
// again, entries are stamped as if it had not.
func (c *Core) noteClock(now time.Time) {
	if jump := c.clock.since(now); jump.Abs() > skewLimit/2 {
		for _, p := range c.peers {
			p.heard = 0
		}
		c.clock.correction -= jump
	}
	c.clock.ticked = now
	switch lower, upper, ok := c.medians(); {
	case !ok || upper-lower > skewLimit: // nobody knows who is right
	case max(lower.Abs(), upper.Abs()) <= skewLimit:
		c.clock.correction = 0
	default:
		c.clock.correction = lower
	}
}

// since is the time from the last tick; 0: there was none.
func (k *clock) since(now time.Time) time.Duration {
	if k.ticked.IsZero() {
		return 0
	}
	return now.Sub(k.ticked)
}

// stamp is the time for an entry, in Unix nanoseconds: by our own clock, unless that is known to be far off. A job's time to
// live counts from its stamp, so a wrong one would end the job early, or late, once the clocks agree again.
func (c *Core) stamp() int64 {
	now := c.now
	if c.clock.since(now).Abs() > skewLimit/2 { // a jump that no tick has noticed yet
		now = c.clock.ticked
	}
	return now.Add(c.clock.correction).UnixNano()
}
