package load

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Quantile is the smallest of the values that at least the q-th part of them does not exceed (nearest rank); sorted is. 0: there are none.
func Quantile[T cmp.Ordered](sorted []T, q float64) (v T) {
	if len(sorted) == 0 {
		return v
	}
	// The product may be a hair more than the whole number that it stands for.
	rank := int(math.Ceil(q*float64(len(sorted)) - 1e-9))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

// Median is the value in the middle, or between the two in the middle. 0: there are none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

type gap struct{ began, length time.Duration }

// longest are the longest times between two of the moments, longest first: some of them.
func longest(moments []time.Duration) (gaps []gap) {
	const keep = 200
	slices.Sort(moments)
	for i := 1; i < len(moments); i++ {
		gaps = append(gaps, gap{moments[i-1], moments[i] - moments[i-1]})
	}
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(b.length, a.length) })
	return slices.Clone(gaps[:min(keep, len(gaps))])
}
