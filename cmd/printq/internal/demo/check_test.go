package demo

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A sheet is written as JOB.COPY.PAGE=BYTES.
func sheet(job uint64, copy, page int, data string) Page {
	return Page{Job: job, Copy: copy, Page: page, Data: []byte(data)}
}

// What was sent: job 1 has pages a, b, c; job 2 is d, twice; job 3 is e.
func sent() []Document {
	return []Document{
		{Job: 1, Name: "abc", Copies: 1, Pages: [][]byte{[]byte("a"), []byte("b"), []byte("c")}},
		{Job: 2, Name: "d", Copies: 2, Pages: [][]byte{[]byte("d")}},
		{Job: 3, Name: "e", Copies: 1, Pages: [][]byte{[]byte("e")}},
	}
}

func good() []Page {
	return []Page{
		sheet(1, 1, 1, "a"), sheet(1, 1, 2, "b"), sheet(1, 1, 3, "c"),
		sheet(2, 1, 1, "d"), sheet(2, 2, 1, "d"), sheet(3, 1, 1, "e"),
	}
}

func TestCheckFinds(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func([]Page) []Page
		printed int
		// Counts of lost, doubled, mixed, altered, reordered, strange.
		want [6]int
		says string
	}{
		{"nothing", func(p []Page) []Page { return p }, 3, [6]int{}, ""},
		{"another order of jobs", func(p []Page) []Page { return slices.Concat(p[5:], p[:5]) }, 3, [6]int{}, ""},
		{"a lost page", func(p []Page) []Page { return slices.Delete(p, 1, 2) }, 2, [6]int{0: 1}, "job 1 (abc) copy 1 page 2 did not come out"},
		{"a lost copy", func(p []Page) []Page { return slices.Delete(p, 4, 5) }, 2, [6]int{0: 1}, "copy 2"},
		{"a lost job", func(p []Page) []Page { return p[:5] }, 2, [6]int{0: 1}, "job 3"},
		{"no paper", func([]Page) []Page { return nil }, 0, [6]int{0: 6}, ""},
		{"a doubled page", func(p []Page) []Page { return slices.Insert(p, 2, p[1]) }, 3, [6]int{1: 1}, "page 2 came out again, as sheet 3"},
		{"a doubled job", func(p []Page) []Page { return append(p, p[5]) }, 3, [6]int{1: 1}, "job 3"},
		{"a job printed from page 1 again", func(p []Page) []Page { return slices.Insert(p, 2, p[0], p[1]) }, 3, [6]int{1: 2}, "job 1"},
		{"a page more", func(p []Page) []Page { return append(p, sheet(3, 1, 2, "f")) }, 2, [6]int{3: 1}, "does not exist"},
		{"a copy more", func(p []Page) []Page { return append(p, sheet(3, 2, 1, "e")) }, 2, [6]int{3: 1}, "does not exist"},
		{"page nought", func(p []Page) []Page { return append(p, sheet(3, 1, 0, "e")) }, 2, [6]int{3: 1}, "does not exist"},
		{"a page of another job in between", func(p []Page) []Page { return slices.Concat(p[:1], p[5:], p[1:5]) }, 3, [6]int{2: 1}, "sheet 2, of job 3, lies among those of job 1"},
		{"two jobs interleaved", func(p []Page) []Page { p[2], p[3] = p[3], p[2]; return p }, 3, [6]int{2: 2}, ""},
		{"reordered pages", func(p []Page) []Page { p[0], p[1] = p[1], p[0]; return p }, 3, [6]int{4: 1}, "page 1 came out late"},
		{"uncollated copies", func(p []Page) []Page { p[3], p[4] = p[4], p[3]; return p }, 3, [6]int{4: 1}, "copy 1 page 1 came out late"},
		{"an altered byte", func(p []Page) []Page { p[1].Data = []byte("B"); return p }, 2, [6]int{3: 1}, "is not what was sent"},
		{"a cut page", func(p []Page) []Page { p[1].Data = nil; return p }, 2, [6]int{3: 1}, "0 bytes for 1"},
		{"two pages swapped in content", func(p []Page) []Page { p[0].Data, p[1].Data = p[1].Data, p[0].Data; return p }, 2, [6]int{3: 2}, ""},
		{"a page that cannot be read", func(p []Page) []Page { p[5].Err = errors.New("gone"); return p }, 2, [6]int{3: 1}, "cannot be read: gone"},
		{"a job of nobody", func(p []Page) []Page { return append(p, sheet(9, 1, 1, "a")) }, 3, [6]int{5: 1}, "nobody was told of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Check(c.change(good()), sent())
			got := [6]int{len(r.Lost), len(r.Doubled), len(r.Mixed), len(r.Altered), len(r.Reordered), len(r.Strange)}
			if got != c.want || r.Printed != c.printed || r.Acknowledged != 3 {
				t.Errorf("%v, found %v %q, want %v and %d printed", r, got, r.Violations(), c.want, c.printed)
			}
			if r.OK() != (c.want == [6]int{}) {
				t.Errorf("OK is %v", r.OK())
			}
			if all := strings.Join(r.Violations(), "\n"); !strings.Contains(all, c.says) {
				t.Errorf("says %q, want %q", all, c.says)
			}
		})
	}
}

func quoteAll(list []string) string { return fmt.Sprintf("%q", list) }

func TestSplit(t *testing.T) {
	for text, want := range map[string]string{
		"":           `[""]`,
		"a":          `["a"]`,
		"a\f":        `["a\f"]`,
		"a\fb":       `["a\f" "b"]`,
		"a\f\fb\f":   `["a\f" "\f" "b\f"]`,
		"\f":         `["\f"]`,
		"one\ntwo\n": `["one\ntwo\n"]`,
	} {
		var got []string
		for _, p := range splitText([]byte(text)) {
			got = append(got, string(p))
		}
		if s := quoteAll(got); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
	}
}
