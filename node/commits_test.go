package node

import (
	"testing"

	"printq/queue/queuepb"
)

// quietWorld is one in which the others were told that nobody waits anywhere.
func quietWorld(t *testing.T) (w *world, leader *member, followers []*member) {
	w = newWorld(t, 3)
	leader = w.leader()
	leader.must(setPrinter("p", "tray:/a"), nil)
	leader.must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}}, nil)
	w.run(2 * dutyTicks)
	for _, id := range leader.core.others() {
		followers = append(followers, w.members[id])
	}
	return w, leader, followers
}

func (m *member) applied() uint64 { return m.core.batch.applied.Index }

// now makes a request, and lets no time pass.
func (m *member) now(doc string) *call {
	m.w.t.Helper()
	c := m.propose(submit("p", "", []byte(doc)), []byte(doc))
	m.w.work()
	if !c.ended || c.err != nil {
		m.w.t.Fatalf("not answered at once: %v", c.err)
	}
	return c
}

// Where nobody waits, a follower hears with the next entries what is committed, or with the next tick.
func TestCommitsWaitWhereNobodyDoes(t *testing.T) {
	w, leader, followers := quietWorld(t)
	var sent int
	w.seen = func(packet) { sent++ }
	first := leader.now("one")
	if sent != 4 { // entries to each, and that they are saved
		t.Errorf("%d frames for an entry, want 4", sent)
	}
	for _, m := range followers {
		if m.applied() >= first.answer.Index {
			t.Errorf("member %d was told of a commit that nobody there waits for", m.id)
		}
	}
	leader.now("two")
	for _, m := range followers {
		if m.applied() != first.answer.Index {
			t.Errorf("member %d has applied %d: the next entries say that %d is committed", m.id, m.applied(), first.answer.Index)
		}
	}
	w.run(1)
	for _, m := range followers {
		if m.applied() != leader.applied() {
			t.Errorf("member %d has applied %d of %d after a tick", m.id, m.applied(), leader.applied())
		}
	}
}

// Whoever waits at a follower hears at once: for its own request, for a read, and for a change that others make.
func TestCommitsHurryToWhoWaits(t *testing.T) {
	w, leader, followers := quietWorld(t)
	m, other := followers[0], followers[1]
	mine := m.now("mine")
	if other.applied() >= mine.answer.Index {
		t.Errorf("member %d was told, too", other.id)
	}

	w.cut = func(from, _ uint64) bool { return from == m.id } // what it says that it saved is lost
	theirs := leader.now("theirs")
	w.cut = func(_, _ uint64) bool { return false }
	read := false
	m.core.Barrier(func(at Position, err error) { read = err == nil && at.Index >= theirs.answer.Index })
	w.work()
	if !read {
		t.Error("a read waits for the tick")
	}

	theirs = leader.now("theirs, again")
	watch := m.core.Watch(theirs.answer.Job, 0)
	w.work()
	select {
	case <-watch.ready:
	default:
		t.Error("who waits for a job is not told that it is there already")
	}
	m.core.Watch(theirs.answer.Job, theirs.answer.Index)
	theirs = leader.now("more")
	if m.applied() != theirs.answer.Index {
		t.Errorf("member %d has applied %d of %d, though somebody waits there", m.id, m.applied(), theirs.answer.Index)
	}
	if other.applied() == theirs.answer.Index {
		t.Errorf("member %d was told, too", other.id)
	}
}
