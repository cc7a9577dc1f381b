package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"printq/integration/bench/load"
)

// runs are the outcomes of printq and a peer whose values are given, in the same order.
func runs(own, peer []float64) []*outcome {
	a, b := &outcome{system: &system{name: printq}}, &outcome{system: &system{name: etcd}}
	for i := range own {
		a.samples, a.errs = append(a.samples, sample{value: own[i], p99: own[i] / 10}), append(a.errs, nil)
	}
	for i := range peer {
		b.samples, b.errs = append(b.samples, sample{value: peer[i], p99: peer[i] / 10}), append(b.errs, nil)
	}
	return []*outcome{a, b}
}

func TestBars(t *testing.T) {
	for _, c := range []struct {
		name      string
		row       row
		own, peer []float64
		want      string
	}{
		{"absolute", row{unit: "jobs/s", bars: []bar{{limit: 100}}}, []float64{90, 100, 200}, nil, ">= 100 jobs/s: met"},
		{"absolute, missed", row{unit: "jobs/s", bars: []bar{{limit: 101}}}, []float64{90, 100, 200}, nil, ">= 101 jobs/s: **missed (100)**"},
		{"the worst counts", row{unit: "ms", fewer: true, bars: []bar{{limit: 500, worst: true}}}, []float64{1, 501}, nil, "worst <= 500 ms: **missed (501)**"},
		{"fewer is better", row{unit: "ms", fewer: true, bars: []bar{{limit: 50}}}, []float64{10, 50, 500}, nil, "<= 50 ms: met"},
		// Of the medians, 20 is to 10 as 2 to 1. Run by run it is not.
		{"run by run", row{unit: "jobs/s", bars: []bar{{peer: etcd, limit: 2}}}, []float64{10, 20, 30}, []float64{10, 11, 5}, ">= 2x etcd: **missed (1.82)**"},
		{"p99 is a time", row{unit: "jobs/s", bars: []bar{{peer: etcd, limit: 1, p99: true}}}, []float64{10}, []float64{20}, "p99 <= 1x etcd: met"},
		{"no such peer", row{unit: "jobs/s", bars: []bar{{peer: jetStream, limit: 1}}}, []float64{10}, []float64{20}, ">= 1x JetStream: not measured"},
		{"the peer failed", row{unit: "jobs/s", bars: []bar{{peer: etcd, limit: 1}}}, []float64{10}, nil, ">= 1x etcd: not measured"},
	} {
		if got := judge(c.row, runs(c.own, c.peer)); got != c.want {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	var out bytes.Buffer
	outcomes := runs([]float64{3000, 1000, 2000}, []float64{1500, 1000, 2000})
	outcomes[0].samples[1].errors, outcomes[0].samples[0].note = 2, "a reason"
	outcomes[1].errs[2] = errors.New("it fell over")
	outcomes = append(outcomes, &outcome{system: &system{name: jetStream, missing: "not installed"}})
	tab := table{out: &out}
	if err := tab.row(row{name: "r", title: "work", unit: "jobs/s"}, outcomes); err != nil {
		t.Fatal(err)
	}
	tab.foot()
	for _, want := range []string{
		"| work | printq | 2,000 (1,000-3,000) jobs/s; 2 errors |  | -, 200 |",
		"|  | etcd | 1,250 (1,000-1,500) jobs/s; 1 of 3 runs failed | 1.50 (1.00-2.00) |",
		"|  | JetStream | not installed |",
		"- r, printq: 2 errors",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestGaps(t *testing.T) {
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	gaps := []load.Gap{{Began: at(1), MS: 900}, {Began: at(4.9), MS: 300}, {Began: at(7), MS: 100}}
	for _, c := range []struct{ from, want float64 }{
		{0, 900},
		{1.8, 900}, // it was under way
		{2, 300},
		{5, 300},
		{6, 100},
		{9, 100}, // what came then was shorter than the shortest known
	} {
		if got := gapAfter(gaps, at(c.from)); got.MS != c.want {
			t.Errorf("from %v s on: %v, not %v", c.from, got.MS, c.want)
		}
	}
	if got := gapAfter(nil, start); got.MS != 0 {
		t.Error(got)
	}
	if got := gapBefore(gaps, at(6)); got.MS != 900 {
		t.Error(got)
	}
	if got := gapBefore(gaps, at(1.5)); got.MS != 0 {
		t.Error(got)
	}
}

func TestChoose(t *testing.T) {
	all := []row{{name: "1KiB-1"}, {name: "1KiB-16"}, {name: "kill"}}
	for _, c := range []struct {
		names []string
		want  int
	}{{nil, 3}, {[]string{"kill"}, 1}, {[]string{"1KiB-*"}, 2}, {[]string{"1KiB-1", "kill"}, 2}} {
		if got, err := choose(all, c.names); err != nil || len(got) != c.want {
			t.Errorf("%v: %d rows, %v", c.names, len(got), err)
		}
	}
	if _, err := choose(all, []string{"1KiB"}); err == nil {
		t.Error("a name that no row has")
	}
}

func TestMemoryIsABar(t *testing.T) {
	outcomes := runs([]float64{1, 1}, nil)
	outcomes[0].samples[1].memory = 511
	if got := judge(row{}, outcomes); got != "" {
		t.Error(got)
	}
	outcomes[0].samples[1].memory = 513
	if got := judge(row{}, outcomes); got != "memory <= 512 MB: **missed (513)**" {
		t.Error(got)
	}
}

// Every row has a name of its own, and its bars name systems that it measures.
func TestRows(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		if seen[r.name] || r.title == "" || r.unit == "" || r.measure == nil {
			t.Errorf("%+v", r)
		}
		seen[r.name] = true
		for _, b := range r.bars {
			if b.peer != "" && len(r.only) > 0 {
				t.Errorf("row %s compares with %s, which it does not measure", r.name, b.peer)
			}
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "-", 0.0123: "0.0123", 12.345: "12.3", 123.6: "124", 1234: "1,234", 1234567: "1,234,567"} {
		if got := number(v); got != want {
			t.Errorf("%v: %q, not %q", v, got, want)
		}
	}
}
