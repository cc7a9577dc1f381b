package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A heap is what a sorted list would be, whoever leaves.
func TestHeapIsASortedList(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	h := jobHeap{key: byTurn, slot: turnSlot}
	var list []*job
	for id := range uint64(3000) {
		j := &job{id: id, priority: uint8(r.IntN(3))}
		if r.IntN(4) == 0 { // somebody moved it; two may have one place
			j.seldom().place = uint64(r.IntN(3000)) << placeBits
		}
		h.push(j)
		list = append(list, j)
		if r.IntN(2) == 0 {
			slices.SortFunc(list, func(a, b *job) int {
				if h.before(a, b) {
					return -1
				}
				return 1
			})
			gone := r.IntN(len(list)) * r.IntN(2) // the first of them, or anyone
			if h.first() != list[0] {
				t.Fatalf("job %d is the first of %d, not job %d", h.first().id, len(list), list[0].id)
			}
			h.remove(list[gone])
			h.remove(list[gone]) // is not here
			list = slices.Delete(list, gone, gone+1)
		}
		if id%100 == 0 {
			checkHeap(t, &h, list)
		}
	}
	for _, j := range list {
		h.remove(j)
	}
	if h.first() != nil {
		t.Errorf("job %d is left", h.first().id)
	}
}

func checkHeap(t *testing.T, h *jobHeap, list []*job) {
	t.Helper()
	for i, x := range h.list {
		if i > 0 && x.before(h.list[(i-1)/heapChildren]) || h.list[x.job.turnSlot-1].job != x.job {
			t.Fatalf("job %d does not belong to slot %d", x.id, i)
		}
	}
	var walked []*job
	h.walk(len(list), func(j *job) bool { return j.priority == 2 }, func(j *job) { walked = append(walked, j) })
	most := 0
	for _, j := range list {
		if j.priority == 2 {
			most++
		}
	}
	if len(h.list) != len(list) || len(walked) != most {
		t.Fatalf("%d of %d jobs are here, of %d with priority 2 %d are found", len(h.list), len(list), most, len(walked))
	}
}
