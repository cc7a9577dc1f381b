package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"printq/printer/device"
)

// A campaign is a cluster at work to which things happen, and what has happened.
type campaign struct {
	*cluster
	*bureau
	random *rand.Rand
	load   *load

	kills, pauses, killsMeanwhile int
	partitions                    map[string]int
	// The longest time from the end of an accident until all members were ready and documents were acknowledged, and after
	// which accident.
	recovery time.Duration
	after    string
}

// TestFaultCampaign is the promise as a whole: leaders killed, members stopped for longer than an election, and links cut,
// hung, slow, and deaf in one direction, under customers who submit, cancel, hold, release, move and reprint. In the end
// every page is compared with what was sent, and every job with what its customer was told.
//
// With PRINTQ_LONG=1 it is 100 kills, 50 pauses and 50 partitions: a quarter of an hour.
func TestFaultCampaign(t *testing.T) {
	notShort(t, "half a minute of accidents")
	t.Parallel()
	kills, pauses, parts := 3, 2, 4
	limit := 100 * time.Second
	if long() {
		kills, pauses, parts, limit = 100, 50, 50, 4*time.Minute // ten times as long
	}
	ctx := within(t, limit)
	seed := rand.Uint64()
	g := &campaign{cluster: startLinkedCluster(ctx, t), random: rand.New(rand.NewPCG(seed, 0)), partitions: map[string]int{}}
	g.bureau = &bureau{cluster: g.cluster, asked: map[string]int{}}
	for _, name := range []string{"office", "ward", "store", "till"} {
		g.printer(ctx, name, "?delay=2ms")
		g.printers = append(g.printers, name)
	}
	tails, before := g.follow(ctx), g.term(ctx)
	began := time.Now()
	g.load = g.visits(ctx, 8, 60*time.Millisecond, g.visit)
	for i, a := range g.deck(kills, pauses, parts) {
		a.happen(ctx)
		g.recover(ctx, i, a.name)
	}
	g.load.stop()
	late := g.drain(ctx)
	worked := since(began)

	lines := g.judge(ctx)
	g.checkTails(ctx, tails, lines)
	g.verifyByCommand(ctx, len(lines))
	t.Logf("seed %d: %d leaders killed, %d pauses, %d partitions (%s), %d kills during those; worked for %v",
		seed, g.kills, g.pauses, parts, counts(g.partitions), g.killsMeanwhile, worked)
	t.Logf("%d terms began; the trays refused %d lines of leaders whose time was over", g.term(ctx)-before, g.stale())
	t.Logf("%d jobs acknowledged; asked: %s; %d requests whose outcome was not known, and that were repeated; %d held again by such a one, and released",
		len(g.promises), counts(g.asked), g.bureau.doubts, late)
	t.Logf("the longest time between two acknowledgements: %v; until all was well after an accident: %v (%s); between two lines of the log: %v",
		g.load.gap(), g.recovery, g.after, quiet(lines))
}

// recover waits until the members serve again and documents were acknowledged, so that accidents come one after the other.
func (g *campaign) recover(ctx context.Context, i int, after string) {
	began := time.Now()
	g.recovered(ctx, g.load, g.members[0])
	g.ready(ctx, g.members...)
	took := since(began)
	if took > g.recovery {
		g.recovery, g.after = took, after
	}
	if long() {
		g.t.Logf("%s accident %d, %s: well after %v", began.UTC().Format("15:04:05"), i+1, after, took)
	}
}

// judge compares the paper and the log with the promises.
func (g *campaign) judge(ctx context.Context) [][]byte {
	g.t.Helper()
	var documents []*document
	for _, p := range g.promises {
		documents = append(documents, p.document)
	}
	v := checkPromises(g.slips(), g.promises, g.settle(ctx, documents))
	g.t.Log(v)
	const most = 20
	wrong := v.violations()
	for _, w := range wrong[:min(most, len(wrong))] {
		g.t.Error(w)
	}
	if len(wrong) > most {
		g.t.Errorf("and %d more", len(wrong)-most)
	}
	lines := g.compareLogs(ctx)
	for _, line := range lines {
		if bytes.Contains(line, []byte(`"doubt":`)) { // no device forgot, and nobody forced a move
			g.t.Errorf("in doubt on a tray: %s", line)
		}
	}
	return lines
}

func (g *campaign) term(ctx context.Context) uint64 { return g.leader(ctx).status(ctx).Term }

// stale is how many lines of the trays do not count because a newer token stands before them.
func (g *campaign) stale() (n int) {
	for _, dir := range g.trays {
		for _, ignored := range g.ledger(dir).Ignored {
			if errors.Is(ignored.Err, device.ErrStale) {
				n++
			}
		}
	}
	return n
}

// verifyByCommand lets the program itself say that the logs are one.
func (g *campaign) verifyByCommand(ctx context.Context, lines int) {
	g.t.Helper()
	var servers []string
	for _, m := range g.members {
		servers = append(servers, m.addr)
	}
	out := commandUntil(ctx, g.t, "log", "--verify", "--server", strings.Join(servers, ","))
	if got := strings.Count(out.stdout, "\n"); out.code != 0 || got < lines {
		g.t.Errorf("printq log --verify: exit code %d, %d of %d lines: %s", out.code, got, lines, out.stderr)
	}
	g.t.Logf("printq log --verify: %s", strings.TrimSpace(out.stderr))
}

func counts(m map[string]int) string {
	var items []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		items = append(items, fmt.Sprintf("%s %d", k, m[k]))
	}
	return strings.Join(items, ", ")
}

// quiet is the longest time between two lines, by their own times.
func quiet(lines [][]byte) (longest time.Duration) {
	var last time.Time
	for _, line := range lines {
		var l struct{ Time time.Time }
		if json.Unmarshal(line, &l) != nil {
			continue
		}
		if !last.IsZero() {
			longest = max(longest, l.Time.Sub(last))
		}
		last = l.Time
	}
	return longest.Round(time.Millisecond)
}
