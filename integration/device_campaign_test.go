package integration

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"printq/integration/emulator"
)

// TestDeviceCampaign is the promise for every class of device: leaders, print heads and printers fail, again and again, in the middle of
// jobs. What came out is what the log says, or the job says of which units nobody can know; and once somebody has looked at the
// paper of those, every page is out.
func TestDeviceCampaign(t *testing.T) {
	notShort(t, "accidents take their time")
	t.Parallel()
	rounds := 8
	if long() {
		rounds = 200
	}
	ctx := within(t, 150*time.Second)
	head := newHead(t, t.TempDir())
	c := startCluster(ctx, t, "--device-secrets", head.file)
	page := 10 * time.Millisecond
	presses := []*press{
		trayPress(c, page),
		filePress(c),
		socketPress(t, "counted", "", small(emulator.Options{}, page), true),
		socketPress(t, "blind", "?pjl=off", small(emulator.Options{PJL: emulator.PJLSkipped}, page), false),
		labelPress(t, page),
		ippPress(t, "ipp", emulator.IPPOptions{PageTime: page}, true),
		ippPress(t, "ipp-blind", emulator.IPPOptions{PageTime: page, NoCreateJob: true}, false),
		head.press(c, socketPress(t, "", "", small(emulator.Options{}, page), true)),
	}
	for _, p := range presses {
		p.make(ctx, c)
	}
	began := time.Now()
	happened := misfortune(ctx, c, presses, rounds)
	c.ready(ctx, c.members...)
	t.Logf("%d accidents in %v: %s", rounds, since(began), counts(happened))
	reckon(ctx, c, presses)
}

// misfortune submits a job to each printer in each round, and does a random thing to somebody while they print.
func misfortune(ctx context.Context, c *cluster, presses []*press, rounds int) map[string]int {
	c.t.Helper()
	seed := uint64(time.Now().UnixNano())
	c.t.Logf("seed %d", seed)
	random, happened := rand.New(rand.NewPCG(seed, 0)), map[string]int{}
	pause := func() { breathe(ctx, time.Duration(random.IntN(300))*time.Millisecond) }
	for n := range rounds {
		for _, p := range presses {
			p.submit(ctx, c, 4+random.IntN(16))
		}
		pause()
		victim := presses[random.IntN(len(presses))]
		names := slices.Sorted(maps.Keys(victim.accidents))
		if random.IntN(2) == 0 || len(names) == 0 || n == 0 {
			leader := c.leader(ctx)
			c.kill(leader)
			pause()
			c.start(leader)
			happened["leader killed"]++
		} else {
			name := names[random.IntN(len(names))]
			victim.accidents[name](pause)
			happened[fmt.Sprintf("%s of %s", name, victim.name)]++
		}
		if n%10 == 9 { // so that no queue grows beyond what can be waited for
			for _, p := range presses {
				p.settle(ctx, c)
			}
		}
	}
	return happened
}

// reckon looks at the paper of what is in doubt, has the rest printed, and compares everything.
func reckon(ctx context.Context, c *cluster, presses []*press) {
	c.t.Helper()
	for _, p := range presses {
		whys := map[string]int{}
		for held := p.settle(ctx, c); len(held) > 0; held = p.settle(ctx, c) {
			p.noteDoubts(held, whys)
			if !p.resolve(ctx, c, held) {
				break
			}
		}
		tally, wrong := p.verdict(p.pages())
		c.t.Logf("%-10s %3d jobs: %v; in doubt were %d jobs, %d units", p.name, len(p.jobs), tally, p.doubts, p.inDoubt)
		for _, why := range slices.Sorted(maps.Keys(whys)) {
			c.t.Logf("%-10s %3d units: %s", "", whys[why], why)
		}
		for _, w := range wrong {
			c.t.Error(w)
		}
	}
	for _, p := range presses {
		if (p.name == "tray") && p.doubts > 0 {
			c.t.Errorf("%s: %d jobs were in doubt on a fenced device", p.name, p.doubts)
		}
	}
	c.compareLogs(ctx)
}
