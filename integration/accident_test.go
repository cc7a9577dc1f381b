package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"printq/integration/link"
)

// A partition is something that becomes of the links of one member.
type partition struct {
	name string
	// spoil spoils the links of m; one is another member.
	spoil func(n *link.Network, m, one uint64, others []uint64)
}

// both sets a fault on all links of m, in both directions.
func both(f link.Fault) func(*link.Network, uint64, uint64, []uint64) {
	return func(n *link.Network, m, _ uint64, others []uint64) {
		for _, o := range others {
			n.Link(m, o).Set(f)
			n.Link(o, m).Set(f)
		}
	}
}

// out is that what m says does not arrive; in, that what the others say does not arrive at m.
func out(f link.Fault) func(*link.Network, uint64, uint64, []uint64) {
	return func(n *link.Network, m, _ uint64, others []uint64) {
		for _, o := range others {
			n.Link(m, o).Set(f)
		}
	}
}

func in(f link.Fault) func(*link.Network, uint64, uint64, []uint64) {
	return func(n *link.Network, m, _ uint64, others []uint64) {
		for _, o := range others {
			n.Link(o, m).Set(f)
		}
	}
}

// between is that two members do not see each other, and the third sees both.
func between(f link.Fault) func(*link.Network, uint64, uint64, []uint64) {
	return func(n *link.Network, m, one uint64, _ []uint64) {
		n.Link(m, one).Set(f)
		n.Link(one, m).Set(f)
	}
}

var partitions = []partition{
	{"cut off", both(link.Fault{Kind: link.Cut})},
	{"cut off in silence", both(link.Fault{Kind: link.Hang})},
	{"not heard, later", out(link.Fault{Kind: link.Hold})},
	{"not heard, lost", out(link.Fault{Kind: link.Swallow})},
	{"deaf, later", in(link.Fault{Kind: link.Hold})},
	{"deaf, lost", in(link.Fault{Kind: link.Swallow})},
	{"two apart", between(link.Fault{Kind: link.Cut})},
	{"two apart in silence", between(link.Fault{Kind: link.Hang})},
	{"answers lost", out(link.Fault{Kind: link.Swallow, Direction: link.Back})},
	{"slow", both(link.Fault{Kind: link.Slow})},
	{"resets", both(link.Fault{Kind: link.Resets})},
	{"one link not heard", func(n *link.Network, m, one uint64, _ []uint64) {
		n.Link(m, one).Set(link.Fault{Kind: link.Hold})
	}},
}

// spoil is one partition of a member for a while. Now and then the leader is killed in the middle of it.
func (g *campaign) spoil(ctx context.Context, p partition) {
	m := g.victim(ctx)
	others := g.others(m)
	random := g.random.Perm(len(others))
	var ids []uint64
	for _, i := range random {
		ids = append(ids, uint64(others[i].id))
	}
	p.spoil(g.network, uint64(m.id), ids[0], ids)
	g.partitions[p.name]++
	lasting := 1200*time.Millisecond + rand.N(2*time.Second)
	if g.random.IntN(4) == 0 {
		breathe(ctx, lasting/2)
		dead := g.members[g.random.IntN(size)]
		g.kill(dead)
		g.killsMeanwhile++
		breathe(ctx, lasting/2)
		g.network.Heal()
		g.start(dead)
	} else {
		breathe(ctx, lasting)
		g.network.Heal()
	}
}

// killLeader kills whoever leads, and starts it again.
func (g *campaign) killLeader(ctx context.Context) {
	m := g.leader(ctx)
	g.kill(m)
	g.kills++
	breathe(ctx, rand.N(700*time.Millisecond))
	g.start(m)
}

// pause stops a member for longer than an election takes.
func (g *campaign) pause(ctx context.Context) {
	m := g.victim(ctx)
	m.process.pause(g.t)
	g.pauses++
	breathe(ctx, 1300*time.Millisecond+rand.N(1200*time.Millisecond))
	m.process.wake()
}

// victim is mostly the leader.
func (g *campaign) victim(ctx context.Context) *member {
	if g.random.IntN(3) > 0 {
		return g.leader(ctx)
	}
	return g.members[g.random.IntN(size)]
}

// An accident is one thing that happens to the cluster.
type accident struct {
	name   string
	happen func(context.Context)
}

// deck is all accidents of a campaign, in an order that the seed decides; every kind of partition comes as often as another.
func (g *campaign) deck(kills, pauses, parts int) (deck []accident) {
	for range kills {
		deck = append(deck, accident{"the leader is killed", g.killLeader})
	}
	for range pauses {
		deck = append(deck, accident{"a member is paused", g.pause})
	}
	first := g.random.IntN(len(partitions))
	for i := range parts {
		p := partitions[(first+i)%len(partitions)]
		deck = append(deck, accident{fmt.Sprintf("a member is %s", p.name), func(ctx context.Context) { g.spoil(ctx, p) }})
	}
	g.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	return deck
}
