package queue

import (
	"math/rand/v2"
	"testing"
)

// A table is a map, and holds no more pages than it needs.
func TestJobTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var x jobTable
	model := map[uint64]*job{}
	next := uint64(1)
	for n := range 100_000 {
		switch id := next - random.Uint64N(min(next, 1000)); random.IntN(5) {
		case 0, 1:
			model[next] = &job{id: next}
			x.put(model[next])
			next++
		case 2, 3:
			x.remove(id)
			delete(model, id)
		default:
			j := &job{id: id}
			x.put(j)
			model[id] = j
		}
		id := next - random.Uint64N(min(next, 2000))
		if x.get(id) != model[id] || x.get(next+1_000_000) != nil {
			t.Fatalf("after %d steps job %d is %v, want %v", n, id, x.get(id), model[id])
		}
	}
	count := 0
	for j := range x.all() {
		if count++; model[j.id] != j {
			t.Fatalf("job %d is not there", j.id)
		}
	}
	if count != len(model) {
		t.Errorf("%d jobs, want %d", count, len(model))
	}
	for id := range model {
		x.remove(id)
	}
	if len(x.pages) > 1 {
		t.Errorf("%d pages of no jobs", len(x.pages))
	}
}
