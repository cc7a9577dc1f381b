package sim

import (
	"errors"
	"fmt"
	"time"

	"printq/log/logtest"
	"printq/node"
)

// A member whose disk is empty goes through node's bootstrap: production decides, and the answers to its probes go over the
// simulated network. Its nonce, and what it knows of its birth, are on its disk.

// addresses is the list that all members are given.
func (w *World) addresses() map[uint64]string {
	list := map[uint64]string{}
	for _, m := range w.members {
		list[m.id] = fmt.Sprint("m", m.id)
	}
	return list
}

// newborn is what a process does on an empty disk, until it is born or refused.
func (m *member) newborn() {
	if m.asking == nil {
		m.asking = node.NewNewborn(m.id, m.w.addresses(), fmt.Sprintf("nonce-%d-%d", m.id, m.wipes))
	}
	born, waiting, err := m.asking.Decide(m.probe())
	switch {
	case errors.Is(err, node.ErrWiped) && m.wipes > 0:
		m.lost = true
		m.w.counts.add("wiped member refused")
		m.w.trace.say(m.w.now, "m%d is refused: %v", m.id, err)
	case err != nil:
		m.w.violated(0, "member %d is not born: %v", m.id, err)
	case born == nil:
		m.w.trace.say(m.w.now, "m%d is not born: %s", m.id, waiting)
		if m.wipes > 0 {
			m.w.counts.add("wiped member waits")
		}
		m.wake(m.w.between(50*time.Millisecond, 150*time.Millisecond))
	case m.wipes > 0:
		m.w.violated(0, "member %d, whose disk was wiped, comes back", m.id)
	default:
		m.asking, m.born = nil, born
		m.start()
	}
}

// probe asks all members what they know. Who is down, paused or cut off does not answer.
func (m *member) probe() map[uint64][]byte {
	answers := map[uint64][]byte{}
	for _, other := range m.w.members {
		switch {
		case other == m || other.paused || other.lost || m.w.net.cuts(m, other):
		case other.up:
			answers[other.id] = other.born
		case other.asking != nil:
			answers[other.id] = other.asking.Probe()
		}
	}
	return answers
}

// wipe takes a member's disk away, and starts it again with an empty one. Production refuses it, once it reaches another member.
func (m *member) wipe() bool {
	if !m.w.spare() {
		return false
	}
	m.end(true)
	m.disk, m.store = logtest.New(), newStore(firstBatch(len(m.w.members)))
	if !m.w.mutant.WipedReturns {
		m.wipes++
		m.born = nil
	}
	m.wake(m.w.between(50*time.Millisecond, 2*second))
	return true
}
