package bench

import (
	"testing"
	"time"
)

func TestBaselineAgainstItself(t *testing.T) {
	c, stop, err := baseline()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	o := Options{Printer: "p", Clients: []int{1, 4}, Sizes: []int{1024}, Duration: 50 * time.Millisecond, Runs: 2, MaxBytes: 1 << 30, Baseline: true}
	results, err := Run(t.Context(), c, o)
	if err != nil || len(results) != 4 {
		t.Fatalf("%v, %v", results, err)
	}
	for _, r := range results {
		if r.Jobs == 0 || r.Errors != 0 || r.P50 <= 0 || r.P99 < r.P50 || r.JobsPerSecond <= 0 {
			t.Errorf("%+v", r)
		}
	}
	if results[0].Ratio <= 0 || results[1].Ratio != 0 {
		t.Errorf("ratios %v and %v", results[0].Ratio, results[1].Ratio)
	}
	o.MaxBytes, o.Baseline = 10*1024, false
	if results, err = Run(t.Context(), c, o); err != nil || results[0].Jobs != 20 {
		t.Errorf("with a limit of 10 documents in each of 2 runs: %+v, %v", results, err)
	}
}

func TestQuantiles(t *testing.T) {
	ms := func(n ...int) (list []time.Duration) {
		for _, v := range n {
			list = append(list, time.Duration(v)*time.Millisecond)
		}
		return list
	}
	if q := quantile(ms(1, 2, 3, 4, 100), 0.5); q != 3 {
		t.Error(q)
	}
	if q := quantile(ms(7), 0.99); q != 7 {
		t.Error(q)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Error(m)
	}
}
