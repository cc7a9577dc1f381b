package integration

import (
	"fmt"
	"slices"
	"testing"
)

// shop is two printers' documents and their good paper: job 1 of 3 pages, job 2 of 2 pages in 2 copies, job 3 of one page at
// another printer, job 4 of one page.
func shop() (papers map[string][]sheet, documents []*document) {
	papers = map[string][]sheet{}
	for i, d := range []*document{textOf("a", "one", 3, 1), textOf("a", "two", 2, 2), textOf("b", "three", 1, 1), textOf("a", "four", 1, 1)} {
		d.job = uint64(i + 1)
		documents = append(documents, d)
		for n := range d.copies {
			for page, data := range d.pages {
				papers[d.printer] = append(papers[d.printer], sheet{d.job, n + 1, page + 1, data})
			}
		}
	}
	return papers, documents
}

func swap(paper []sheet, i, j int) { paper[i], paper[j] = paper[j], paper[i] }

// TestCheckBites shows that the audit's check notices whatever can be wrong, and names it. The sheets of printer a, from 0:
// 1.1 1.2 1.3 2.1 2.2 2.1' 2.2' 4.1.
func TestCheckBites(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(papers map[string][]sheet, documents *[]*document)
		want  report
	}{
		{"nothing", func(map[string][]sheet, *[]*document) {}, report{printed: 4}},
		{"no paper at all", func(p map[string][]sheet, _ *[]*document) { clear(p) }, report{lost: make([]string, 9)}},
		{"a page is lost", func(p map[string][]sheet, _ *[]*document) { p["a"] = slices.Delete(p["a"], 1, 2) }, report{printed: 3, lost: make([]string, 1)}},
		{"a last page is lost", func(p map[string][]sheet, _ *[]*document) { p["a"] = p["a"][:7] }, report{printed: 3, lost: make([]string, 1)}},
		{"a whole job is lost", func(p map[string][]sheet, _ *[]*document) { delete(p, "b") }, report{printed: 3, lost: make([]string, 1)}},
		{"a copy is lost", func(p map[string][]sheet, _ *[]*document) { p["a"] = slices.Delete(p["a"], 5, 7) }, report{printed: 3, lost: make([]string, 2)}},
		{"a page comes twice", func(p map[string][]sheet, _ *[]*document) { p["a"] = slices.Insert(p["a"], 1, p["a"][1]) }, report{printed: 3, doubled: make([]string, 1)}},
		{"a job comes twice", func(p map[string][]sheet, _ *[]*document) { p["b"] = append(p["b"], p["b"]...) }, report{printed: 3, doubled: make([]string, 1)}},
		{"a job begins anew", func(p map[string][]sheet, _ *[]*document) {
			p["a"] = slices.Insert(p["a"], 2, p["a"][:2]...)
		}, report{printed: 3, doubled: make([]string, 2)}},
		{"a page of the next job comes among them", func(p map[string][]sheet, _ *[]*document) { swap(p["a"], 2, 3) }, report{printed: 4, mixed: make([]string, 1)}},
		{"a later job's page comes in the middle", func(p map[string][]sheet, _ *[]*document) {
			p["a"] = slices.Insert(p["a"][:7], 4, p["a"][7])
		}, report{printed: 4, mixed: make([]string, 1)}},
		{"pages change places", func(p map[string][]sheet, _ *[]*document) { swap(p["a"], 0, 1) }, report{printed: 3, reordered: make([]string, 1)}},
		{"copies are not collated", func(p map[string][]sheet, _ *[]*document) { swap(p["a"], 4, 5) }, report{printed: 3, reordered: make([]string, 1)}},
		{"jobs change places", func(p map[string][]sheet, _ *[]*document) {
			p["a"] = slices.Concat(p["a"][3:7], p["a"][:3], p["a"][7:])
		}, report{printed: 4, overtaken: make([]string, 1)}},
		{"a page has other bytes", func(p map[string][]sheet, _ *[]*document) { p["a"][1].data = p["a"][2].data }, report{printed: 3, altered: make([]string, 1)}},
		{"a page is cut short", func(p map[string][]sheet, d *[]*document) {
			p["b"][0].data = noise("", 3, 1)
		}, report{printed: 3, altered: make([]string, 1)}},
		{"a page that does not exist", func(p map[string][]sheet, _ *[]*document) { p["b"][0].page = 2 }, report{printed: 3, altered: make([]string, 1), lost: make([]string, 1)}},
		{"a job that nobody knows", func(p map[string][]sheet, _ *[]*document) { p["b"] = append(p["b"], sheet{9, 1, 1, p["b"][0].data}) }, report{printed: 4, strange: make([]string, 1)}},
		{"a job at another printer", func(p map[string][]sheet, _ *[]*document) {
			p["c"] = p["b"]
			delete(p, "b")
		}, report{printed: 3, strange: make([]string, 1), lost: make([]string, 1)}},
		{"two documents are one job", func(p map[string][]sheet, d *[]*document) {
			(*d)[3].job = 1
			p["a"] = p["a"][:7]
		}, report{printed: 2, strange: make([]string, 1), altered: make([]string, 3)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			papers, documents := shop()
			c.spoil(papers, &documents)
			got := check(papers, documents)
			c.want.acknowledged = 4
			if got.String() != c.want.String() {
				t.Errorf("found %v\nwant  %v\n%q", got, &c.want, got.violations())
			}
		})
	}
}

func TestDiffer(t *testing.T) {
	text := func(s string) body { return inMemory([]byte(s)) }
	big := func(seed uint64) body { return noise("head", 200<<10, seed) }
	for i, c := range []struct {
		a, b body
		same bool
	}{
		{text("abc"), text("abc"), true},
		{text(""), text(""), true},
		{text("abc"), text("abd"), false},
		{text("abc"), text("ab"), false},
		{text(""), text("a"), false},
		{big(1), big(1), true},
		{big(1), big(2), false},
		{big(1), noise("head", 200<<10+1, 1), false},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			for _, err := range []error{differ(c.a, c.b), differ(c.b, c.a)} {
				if (err == nil) != c.same {
					t.Errorf("same is %v, and differ says %v", c.same, err)
				}
			}
		})
	}
}
