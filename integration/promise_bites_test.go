package integration

import (
	"slices"
	"testing"
)

// desk is a printer's promises and its good paper: job 1 of 3 pages; job 2 of 2 pages, which was held after the first and came
// out anew; job 3 of 2 pages, canceled after the first. By sheet, from 0: 1.1 1.2 1.3 2.1 3.1 2.1 2.2.
func desk() (papers map[string][]slip, promises []*promise, states map[uint64]string) {
	var docs []*document
	for i, pages := range []int{3, 2, 2} {
		d := textOf("a", "desk", pages, 1)
		d.job = uint64(i + 1)
		docs = append(docs, d)
		promises = append(promises, promised(d))
	}
	promises[1].restarts = 1
	promises[2].states = []string{"canceled", "completed"}
	page := func(job, page int, attempt uint64) slip {
		return slip{sheet{uint64(job), 1, page, docs[job-1].pages[page-1]}, attempt}
	}
	papers = map[string][]slip{"a": {page(1, 1, 10), page(1, 2, 10), page(1, 3, 10), page(2, 1, 20), page(3, 1, 30), page(2, 1, 40), page(2, 2, 40)}}
	return papers, promises, map[uint64]string{1: "completed", 2: "completed", 3: "canceled"}
}

// TestPromisesBite shows that the check notices what can be wrong where jobs begin anew.
func TestPromisesBite(t *testing.T) {
	type stage struct {
		paper    []slip
		promises []*promise
		states   map[uint64]string
	}
	for _, c := range []struct {
		name  string
		spoil func(s *stage)
		want  [6]int // lost, doubled, mixed, altered, broken, strange
	}{
		{"nothing", func(*stage) {}, [6]int{}},
		{"a page is lost", func(s *stage) { s.paper = slices.Delete(s.paper, 1, 2) }, [6]int{0: 1}},
		{"a last page is lost", func(s *stage) { s.paper = s.paper[:6] }, [6]int{0: 1}},
		{"a job is lost", func(s *stage) { s.paper = s.paper[3:] }, [6]int{0: 1}},
		{"a page comes twice", func(s *stage) { s.paper = slices.Insert(s.paper, 1, s.paper[1]) }, [6]int{1: 1}},
		{"a job comes twice", func(s *stage) {
			s.paper = append(s.paper, anew(s.paper[:3], 50)...)
		}, [6]int{1: 1}},
		{"a job begins anew unasked", func(s *stage) { s.promises[1].restarts = 0 }, [6]int{1: 1}},
		{"pages follow a job that was all out", func(s *stage) {
			s.promises[0].restarts = 1
			s.paper = append(s.paper, anew(s.paper[:1], 50)...)
		}, [6]int{1: 1}},
		{"two attempts mix", func(s *stage) { s.paper[4], s.paper[5] = s.paper[5], s.paper[4] }, [6]int{2: 1}},
		{"another's page comes between", func(s *stage) { s.paper[2], s.paper[3] = s.paper[3], s.paper[2] }, [6]int{2: 1}},
		{"other bytes", func(s *stage) { s.paper[0].data = s.paper[1].data }, [6]int{3: 1}},
		{"a page that does not exist", func(s *stage) { s.paper[6].page = 3 }, [6]int{0: 1, 3: 1}},
		{"nobody's page", func(s *stage) { s.paper[4].job = 9 }, [6]int{5: 1}},
		{"another printer's", func(s *stage) { s.promises[0].printers = []string{"b"} }, [6]int{5: 1}},
		{"canceled and not asked to", func(s *stage) { s.states[1] = "canceled" }, [6]int{4: 1}},
		{"canceled and all out", func(s *stage) { s.states[1], s.promises[0].states = "canceled", []string{"canceled"} }, [6]int{4: 1}},
		{"not ended", func(s *stage) { delete(s.states, 2) }, [6]int{4: 1}},
		{"two became one", func(s *stage) { s.promises = append(s.promises, s.promises[0]) }, [6]int{5: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			papers, promises, states := desk()
			s := &stage{papers["a"], promises, states}
			c.spoil(s)
			v := checkPromises(map[string][]slip{"a": s.paper}, s.promises, s.states)
			got := [6]int{len(v.lost), len(v.doubled), len(v.mixed), len(v.altered), len(v.broken), len(v.strange)}
			if got != c.want {
				t.Errorf("%v, want %v: %q", got, c.want, v.violations())
			}
		})
	}
}

// anew is pages of another attempt.
func anew(paper []slip, attempt uint64) []slip {
	paper = slices.Clone(paper)
	for i := range paper {
		paper[i].attempt = attempt
	}
	return paper
}
