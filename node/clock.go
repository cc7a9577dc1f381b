package node

import (
	"slices"
	"time"
)

// skewLimit is how far a leader's clock may be off the members' median before it expires nothing.
const skewLimit = 10 * time.Second

// staleStamp is how old the others' clocks may be for entries to be stamped by them.
const staleStamp = time.Second / 2

// rememberedTicks is for how long what a member said of its clock counts: it may have been set since.
const rememberedTicks = 5 * dutyTicks

// An Instant is a moment as a process reads it off two clocks: the wall's, which somebody may set, and one that only goes on,
// from anywhere. One clock alone cannot tell that it was set from that the process stood still.
type Instant struct {
	Wall   time.Time
	Steady time.Duration
}

// After is the moment when that long has passed.
func (i Instant) After(d time.Duration) Instant { return Instant{i.Wall.Add(d), i.Steady + d} }

// clock is what this member knows of the time.
type clock struct {
	// When the last tick came.
	ticked Instant
	// What is to be added to our own clock to stamp entries. It is not zero while our clock is known to be far off.
	correction time.Duration
	// The tick up to which what was heard of the others' clocks does not count any more.
	deaf uint64
}

// medians are the two in the middle of what all members' clocks are ahead of ours, ours among them; not ok: a majority has not
// been heard of late, and since our clock was last set, or stood still with us.
func (c *Core) medians() (lower, upper time.Duration, ok bool) {
	offsets := []time.Duration{0}
	for _, id := range c.members() {
		if p := c.peers[id]; id != c.id && p != nil && p.connected && p.heard > c.clock.deaf && c.ticks-p.heard <= rememberedTicks {
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

// noteClock forgets how the other clocks stood to ours when ours has been set. Until they are heard again, entries are stamped as
// if it had not. Where the whole process stood still its clock is as right as before; but what comes now may have waited for as
// long, and says nothing of the others' clocks: by so much would stamps be wrong that follow them. (A host that slept counts as one whose
// clock was set.)
func (c *Core) noteClock(now Instant) {
	stood, jump := c.clock.since(now)
	if jump.Abs() > skewLimit/2 {
		c.clock.correction -= jump
		c.clock.deaf = c.ticks
	}
	if stood > skewLimit/2 || stood > staleStamp && c.clock.correction != 0 {
		c.clock.deaf = c.ticks + dutyTicks
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

// since is how much time has passed from the last tick, and by how much more than that our clock went on; 0: there was none.
func (k *clock) since(now Instant) (passed, jump time.Duration) {
	if k.ticked.Wall.IsZero() {
		return 0, 0
	}
	passed = now.Steady - k.ticked.Steady
	return passed, now.Wall.Sub(k.ticked.Wall) - passed
}

// stamp is the time for an entry, in Unix nanoseconds: by our own clock, unless that is known to be far off. A job's time to
// live counts from its stamp, so a wrong one would end the job early, or late, once the clocks agree again.
func (c *Core) stamp() int64 {
	now := c.now.Wall
	if _, jump := c.clock.since(c.now); jump.Abs() > skewLimit/2 { // no tick has noticed it yet
		now = now.Add(-jump)
	}
	return now.Add(c.clock.correction).UnixNano()
}
