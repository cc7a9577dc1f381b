package sim

import (
	"maps"
	"slices"

	"printq/log"
	"printq/log/logtest"
	"printq/queue"
)

// stage does what node's stream of a snapshot does, between two members in memory: the leader's store as it was copied, and
// the entries that hold its live documents. It reports false where the leader cannot read one.
func (m *member) stage(leader *member, store *memoryStore) bool {
	head := store.Head()
	head.Base = log.Base{Index: head.Applied.Index, Term: head.Applied.Term}
	store.head = head
	state, err := queue.Load(store.Each)
	if err != nil {
		m.w.violated(1, "the state that member %d sends does not load: %v", leader.id, err)
	}
	disk := logtest.New()
	lg, err := log.Open(disk.FS(), head.Base, logOptions)
	if err == nil {
		err = carry(leader, lg, indexes(m.w.mutant.documents(state)))
	}
	if err != nil {
		if !leader.flipped {
			m.w.violated(12, "member %d cannot send a snapshot: %v", leader.id, err)
		}
		return false
	}
	m.staged, m.fresh = store, disk
	return true
}

func indexes(extents []queue.Extent) []uint64 {
	set := map[uint64]bool{}
	for _, e := range extents {
		set[e.Index] = true
	}
	return slices.Sorted(maps.Keys(set))
}

func carry(from *member, to *log.Log, indexes []uint64) error {
	w, err := to.NewCarry()
	if err != nil {
		return err
	}
	for _, i := range indexes {
		e, err := from.log.ReadEntry(i)
		if err != nil {
			return err
		}
		if err := w.Add(e); err != nil {
			return err
		}
	}
	return w.Commit()
}
