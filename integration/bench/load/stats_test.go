package load

import (
	"slices"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, c := range []struct {
		values []int
		q      float64
		want   int
	}{
		{nil, 0.5, 0},
		{[]int{7}, 0.99, 7},
		{[]int{1, 2}, 0.5, 1},
		{[]int{1, 2}, 0.51, 2},
		{[]int{1, 2, 3, 4, 100}, 0.5, 3},
		{[]int{1, 2, 3, 4, 100}, 0.99, 100}, // a rank that is truncated says 4
		{hundred, 0, 1},
		{hundred, 0.07, 7}, // 0.07*100 is a hair more than 7
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 0.991, 100},
		{hundred, 1, 100},
	} {
		if got := Quantile(c.values, c.q); got != c.want {
			t.Errorf("quantile %v of %d values: %d, not %d", c.q, len(c.values), got, c.want)
		}
	}
}

func TestMedian(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	if m := Median(values); m != 2.5 {
		t.Error(m)
	}
	if m := Median([]float64{9, 1, 5}); m != 5 {
		t.Error(m)
	}
	if m := Median(nil); m != 0 {
		t.Error(m)
	}
	if !slices.Equal(values, []float64{4, 1, 3, 2}) {
		t.Errorf("the values were changed: %v", values)
	}
}

func TestLongest(t *testing.T) {
	got := longest([]time.Duration{50, 10, 11, 90, 30})
	want := []gap{{50, 40}, {30, 20}, {11, 19}, {10, 1}}
	if !slices.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	if got := longest([]time.Duration{5}); len(got) != 0 {
		t.Errorf("one moment has gaps: %v", got)
	}
}

func TestNumbers(t *testing.T) {
	for _, n := range []uint64{1, 77, 1 << 40} {
		if got := Number([]byte(Name(n) + "rest")); got != n {
			t.Errorf("%d comes back as %d", n, got)
		}
	}
	for _, text := range []string{"", "short", "not a number at all"} {
		if got := Number([]byte(text)); got != 0 {
			t.Errorf("%q is the number %d", text, got)
		}
	}
}
