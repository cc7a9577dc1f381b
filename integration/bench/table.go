package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"

	"printq/integration/bench/load"
)

// A table is markdown.
type table struct {
	out     io.Writer
	systems []*system
	failed  []string // what went wrong, for the foot
	err     error    // of the first write that failed
}

func (t *table) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(t.out, format, args...); err != nil && t.err == nil {
		t.err = err
	}
}

func (t *table) head(o options) {
	t.printf("%s; %s/%s, %d cores%s. Medians and ranges of %d runs of %v (failover: of %d), after %v of warm-up; fresh members for each run.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), machine(), o.runs, o.duration, o.trials, o.warmup)
	for _, s := range t.systems {
		t.printf("- %s: %s\n", s.name, s.version+s.missing)
	}
	t.printf("\n| work | system | median (range) | printq's ratio to it | p50, p99 ms | servers' CPU, us each | memory, MB | generator, cores | bars |\n")
	t.printf("|---|---|---|---|---|---|---|---|---|\n")
}

// machine is what Linux says of it.
func machine() (text string) {
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kB int64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d", &kB); err == nil {
			text = fmt.Sprintf(", %d GiB", int64(math.Round(float64(kB)/(1<<20))))
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		text += ", Linux " + strings.TrimSpace(string(b))
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ := strings.Cut(string(b), " ")
		text += ", load before " + load
	}
	return text
}

// row writes a line for each system.
func (t *table) row(r row, outcomes []*outcome) error {
	for i, o := range outcomes {
		title, bars := "", ""
		if i == 0 {
			title, bars = r.title, judge(r, outcomes)
		}
		if len(o.good()) == 0 {
			why := o.system.missing
			for _, err := range o.errs {
				why = "failed"
				t.failed = append(t.failed, fmt.Sprintf("%s, %s: %v", r.name, o.system.name, err))
			}
			t.printf("| %s | %s | %s | | | | | | %s |\n", title, o.system.name, why, bars)
			continue
		}
		t.line(r, title, bars, outcomes[0], o)
	}
	return t.err
}

func (t *table) line(r row, title, bars string, own, o *outcome) {
	good := o.good()
	value := pick(good, func(s sample) float64 { return s.value })
	ratio := ""
	if o != own {
		if list := ratios(own, o, func(s sample) float64 { return s.value }); len(list) > 0 {
			ratio = fmt.Sprintf("%.2f (%.2f-%.2f)", load.Median(list), slices.Min(list), slices.Max(list))
		}
	}
	lost, errors, first := "", 0, ""
	for _, s := range good {
		errors += s.errors
		first = cmp.Or(first, s.note)
	}
	if errors > 0 {
		lost = fmt.Sprintf("; %d errors", errors)
		t.failed = append(t.failed, fmt.Sprintf("%s, %s: %d errors: %s", r.name, o.system.name, errors, first))
	}
	if bad := len(o.samples) - len(good); bad > 0 {
		lost += fmt.Sprintf("; %d of %d runs failed", bad, len(o.samples))
	}
	at := func(f func(sample) float64) string { return number(load.Median(pick(good, f))) }
	t.printf("| %s | %s | %s (%s-%s) %s%s | %s | %s, %s | %s | %s | %s | %s |\n", title, o.system.name,
		number(load.Median(value)), number(slices.Min(value)), number(slices.Max(value)), r.unit, lost, ratio,
		at(func(s sample) float64 { return s.p50 }), at(func(s sample) float64 { return s.p99 }),
		at(func(s sample) float64 { return s.cpu }), number(slices.Max(pick(good, func(s sample) float64 { return s.memory }))),
		at(func(s sample) float64 { return s.cores }), bars)
}

func (t *table) foot() {
	if len(t.failed) > 0 {
		t.printf("\nWhat went wrong:\n\n")
	}
	for _, text := range t.failed {
		t.printf("- %s\n", strings.ReplaceAll(text, "\n", " "))
	}
}

// good are the samples of the runs that did not fail.
func (o *outcome) good() (list []sample) {
	for i, s := range o.samples {
		if o.errs[i] == nil {
			list = append(list, s)
		}
	}
	return list
}

func pick(samples []sample, f func(sample) float64) (list []float64) {
	for _, s := range samples {
		list = append(list, f(s))
	}
	return list
}

// ratios are a to b, run by run.
func ratios(a, b *outcome, f func(sample) float64) (list []float64) {
	for i := range min(len(a.samples), len(b.samples)) {
		if a.errs[i] == nil && b.errs[i] == nil && f(b.samples[i]) > 0 {
			list = append(list, f(a.samples[i])/f(b.samples[i]))
		}
	}
	return list
}

// number has three digits that say something; 0 says nothing.
func number(v float64) string {
	switch {
	case v == 0:
		return "-"
	case math.Abs(v) >= 100:
		text := fmt.Sprintf("%.0f", v)
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + "," + text[i:]
		}
		return text
	}
	return fmt.Sprintf("%.3g", v)
}
