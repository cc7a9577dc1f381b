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
	for _, c := range []struct {
		sorted []time.Duration
		q      float64
		want   float64
	}{
		{ms(7), 0.99, 7},
		{ms(1, 2), 0.5, 1},
		{ms(1, 2, 3, 4, 100), 0.5, 3},
		{ms(1, 2, 3, 4, 100), 0.99, 100}, // one in five is slow: that is more than 1 %
		{ms(1, 2, 3, 4, 100), 1, 100},
		{ms(1, 2, 3, 4, 100), 0, 1},
	} {
		if got := quantile(c.sorted, c.q); got != c.want {
			t.Errorf("quantile %v of %v: %v, not %v", c.q, c.sorted, got, c.want)
		}
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Error(m)
	}
}
