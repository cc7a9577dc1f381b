package sim

import (
	"testing"
	"time"
)

// In a storm of resets that lasts for most of a run, and while nothing else is wrong, the promise holds and leadership hardly moves: a reset
// is a hint that the leader has died, and those that were mistaken make the next ones count less.
func TestStormIsCalm(t *testing.T) {
	const lasts = 45 * time.Second
	for every := range 5 {
		for seed := uint64(1); seed <= 5; seed++ {
			p := PlanOf(seed)
			p.Members, p.Steps, p.Makes = 3, nil, nil
			pause := []int{0, 50, 150, 400, 950}[every] // and 50 ms
			p.Steps = append(p.Steps, Step{At: 2 * time.Second, For: lasts, Kind: Storm, B: pause})
			for i := range 30 {
				p.Steps = append(p.Steps, Step{At: 3*time.Second + time.Duration(i)*time.Second, Kind: Submit, A: i, B: 7 * i, C: 11 * i})
			}
			r := run(t, p, Mutant{})
			if r.Violation != nil {
				t.Errorf("a reset each %d ms, seed %d: %v", 50+pause, seed, r.Violation)
			}

			if n := r.Counts["leader elected"]; n > 8 {
				t.Errorf("a reset each %d ms, seed %d: %d leaders were elected in %v", 50+pause, seed, n, lasts)
			}
		}
	}
}
