package node

import (
	"strings"
	"testing"
	"time"
)

func TestSkewedLeaderExpiresNothing(t *testing.T) {
	w := newWorld(t, 3)
	w.leader().must(setPrinter("p", "tray:/a"), nil)
	leader := w.leader()
	w.run(3 * dutyTicks)
	for id, m := range w.members {
		if m != leader {
			leader.core.peer(id).offset = -time.Minute
		}
	}
	leader.core.expire()
	if !leader.core.alarms.clock {
		t.Error("a leader a minute off the others does not notice")
	}
	if texts := strings.Join(leader.core.texts(), " "); !strings.Contains(texts, "clock") {
		t.Errorf("alarms: %q", texts)
	}
}

// set is the moment where somebody has set the clock.
func set(at Instant, by time.Duration) Instant {
	return Instant{Wall: at.Wall.Add(by), Steady: at.Steady}
}

// A leader whose own clock jumps does not expire by it before it has heard how the others' stand.
func TestJumpedClockExpiresNothing(t *testing.T) {
	w := newWorld(t, 3)
	leader := w.leader()
	leader.must(setPrinter("p", "tray:/a"), nil)
	w.run(3 * dutyTicks)
	if leader.core.skewed() {
		t.Fatal("members that agree are called skewed")
	}
	leader.core.Tick(set(w.now, time.Minute))
	if !leader.core.skewed() {
		t.Error("a minute's jump of the leader's own clock is not noticed at once")
	}
	w.run(3 * dutyTicks)
	if leader.core.skewed() {
		t.Error("after all clocks agree again the leader still expires nothing")
	}
}

// A leader whose clock is far off does not stamp entries with it: a job's time to live counts from its stamp.
func TestStampsByTheOthersClocks(t *testing.T) {
	for _, jump := range []time.Duration{-time.Minute, time.Minute, 3 * time.Second} {
		w := newWorld(t, 3)
		leader := w.leader()
		leader.must(setPrinter("p", "tray:/a"), nil)
		w.run(3 * dutyTicks)
		believed := jump.Abs() <= skewLimit
		check := func(when string) {
			t.Helper()
			off := time.Duration(leader.core.stamp() - w.now.Wall.UnixNano())
			if want := jump; believed && off != want || !believed && off.Abs() > time.Second {
				t.Errorf("a clock that is %v off, %s: stamps are %v off", jump, when, off)
			}
		}
		leader.core.now = set(w.now, jump)
		if !believed {
			check("before a tick has noticed it")
		}
		leader.core.Tick(set(w.now, jump))
		check("before the others are heard again")
		for _, p := range leader.core.peers {
			p.offset, p.heard = -jump, leader.core.ticks
		}
		leader.core.Tick(set(w.now, jump))
		check("when the others are heard")
		for _, p := range leader.core.peers {
			p.offset = 0
		}
		leader.core.Tick(w.now)
		leader.core.now = w.now
		jump = 0
		believed = true
		check("set right again, too early to know")
	}
}

// hearAll lets a member hear what the others' clocks showed.
func hearAll(t *testing.T, m *member, then time.Time) {
	t.Helper()
	for id := range m.core.peers {
		m.core.peer(id).connected = true
		if err := m.core.heard(id, encodeJSON(frameStatus, status{Time: then}).Bufs[0]); err != nil {
			t.Fatal(err)
		}
	}
}

// A leader that stood still has a clock that is right. What it hears at once is as old as that was long.
func TestStandingStillIsNoJump(t *testing.T) {
	w := newWorld(t, 3)
	leader := w.leader()
	leader.must(setPrinter("p", "tray:/a"), nil)
	w.run(3 * dutyTicks)
	check := func(when string) {
		t.Helper()
		if off := time.Duration(leader.core.stamp() - w.now.Wall.UnixNano()); off != 0 {
			t.Errorf("a leader stood still for a minute, %s: stamps are %v off", when, off)
		}
	}
	old := w.now.Wall
	w.now = w.now.After(time.Minute)
	leader.core.now = w.now
	check("before it ticks")
	leader.core.Tick(w.now)
	check("ticks")
	hearAll(t, leader, old)
	w.now = w.now.After(50 * time.Millisecond)
	leader.core.Tick(w.now)
	check("hears what was said then")
	if !leader.core.skewed() {
		t.Error("it expires what it may not know of")
	}
	w.run(3 * dutyTicks)
	check("has heard the others")
	if leader.core.skewed() {
		t.Error("it expires nothing any more")
	}
}

// What the loop tells the core is what the clock shows, and not how long this process lives.
func TestNowSeesThatTheClockWasSet(t *testing.T) {
	n, err := New(Options{ID: 1, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if at := n.now(); at.Wall != at.Wall.Round(0) {
		t.Errorf("%v has a reading of the steady clock, and differences of it do not show that the clock was set", at.Wall)
	}
	if a, b := n.now(), n.now(); a.Steady > b.Steady || a.Steady == 0 {
		t.Errorf("steady: %v, then %v", a.Steady, b.Steady)
	}
}

// A leader that stamps by the others' clocks, since its own is wrong, does not take what waited while it stood still for the time.
func TestStampsAfterStandingStill(t *testing.T) {
	const wrong = -38 * time.Second
	for _, still := range []time.Duration{time.Second, 3 * time.Second} {
		w := newWorld(t, 3)
		leader := w.leader()
		leader.must(setPrinter("p", "tray:/a"), nil)
		w.run(3 * dutyTicks)
		check := func(when string) {
			t.Helper()
			if off := time.Duration(leader.core.stamp() - w.now.Wall.UnixNano()); off.Abs() > staleStamp {
				t.Errorf("a leader with a wrong clock stood still for %v, %s: stamps are %v off", still, when, off)
			}
		}
		old := w.now.Wall
		w.now = w.now.After(still)
		leader.core.Tick(set(w.now, wrong)) // set meanwhile
		hearAll(t, leader, old)
		w.now = w.now.After(50 * time.Millisecond)
		leader.core.Tick(set(w.now, wrong))
		check("hears what was said then")
	}
}

// Of a member that is silent nobody knows what its clock shows now: with another one whose clock is wrong it must not outvote ours.
func TestSilentClocksAreForgotten(t *testing.T) {
	w := newWorld(t, 3)
	leader := w.leader()
	leader.must(setPrinter("p", "tray:/a"), nil)
	w.run(3 * dutyTicks)
	heard := leader.core.ticks
	leader.core.ticks += rememberedTicks + 1
	for id, p := range leader.core.peers { // one of the two others is silent since then
		if id == leader.id {
			continue
		}
		p.offset, p.heard = -20*time.Second, heard
		heard = leader.core.ticks
	}
	leader.core.noteClock(w.now)
	if off := time.Duration(leader.core.stamp() - w.now.Wall.UnixNano()); off != 0 {
		t.Errorf("stamps are %v off", off)
	}
	if !leader.core.skewed() {
		t.Error("it expires what it may not know of")
	}
}
