package main

import (
	"fmt"
	"slices"
	"strings"

	"printq/integration/bench/load"
)

// maxMemory is what a member may have resident in any row, in MB.
const maxMemory = 512

// judge says of each bar of a row whether printq, the first of the outcomes, reached it.
func judge(r row, outcomes []*outcome) string {
	var said []string
	for _, b := range r.bars {
		said = append(said, b.judge(r, outcomes))
	}
	most := 0.0
	for _, s := range outcomes[0].good() {
		most = max(most, s.memory)
	}
	if most > maxMemory && !r.crowded {
		said = append(said, fmt.Sprintf("memory <= %d MB: **missed (%s)**", maxMemory, number(most)))
	}
	return strings.Join(said, "; ")
}

func (b bar) judge(r row, outcomes []*outcome) string {
	value, what, unit, fewer := func(s sample) float64 { return s.value }, "", r.unit, r.fewer
	if b.p99 {
		value, what, unit, fewer = func(s sample) float64 { return s.p99 }, "p99 ", "ms", true
	}
	sign := ">="
	if fewer {
		sign = "<="
	}
	text := fmt.Sprintf("%s%s %s %s", what, sign, number(b.limit), unit)
	values := pick(outcomes[0].good(), value)
	if b.peer != "" {
		text = fmt.Sprintf("%s%s %gx %s", what, sign, b.limit, b.peer)
		values = nil
		if i := slices.IndexFunc(outcomes, func(o *outcome) bool { return o.system.name == b.peer }); i >= 0 {
			values = ratios(outcomes[0], outcomes[i], value)
		}
	}
	if b.worst {
		text = "worst " + text
	}
	if len(values) == 0 {
		return text + ": not measured"
	}
	reached := load.Median(values)
	switch {
	case b.worst && fewer:
		reached = slices.Max(values)
	case b.worst:
		reached = slices.Min(values)
	}
	if fewer == (reached <= b.limit) || reached == b.limit {
		return text + ": met"
	}
	return fmt.Sprintf("%s: **missed (%s)**", text, number(reached))
}
