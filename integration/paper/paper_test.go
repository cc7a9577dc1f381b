package paper

import (
	"testing"

	"printq/integration/emulator"
)

// Made-up paper: each fault is seen, and nothing else.
func TestCount(t *testing.T) {
	a, b := Document{Name: "a", Pages: 3}, Document{Name: "b", Pages: 12}
	sheets := func(d Document, numbers ...int) (pages []emulator.Page) {
		for _, n := range numbers {
			pages = append(pages, emulator.Page{Data: []byte("\x1b&k2G" + d.Page(n))})
		}
		return pages
	}
	all := sheets(b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	whole := append(sheets(a, 1, 2, 3), all...)
	cut := append(sheets(a, 1, 2), emulator.Page{Data: []byte(a.Page(3)[:20])})
	torn := append(sheets(a, 1, 2, 3), emulator.Page{Data: []byte(a.Page(3)), Torn: true})
	for name, c := range map[string]struct {
		pages []emulator.Page
		want  Tally
	}{
		"whole":    {whole, Tally{Pages: 15}},
		"nothing":  {nil, Tally{Lost: 15}},
		"doubled":  {append(whole, sheets(b, 12)...), Tally{Pages: 16, Doubled: 1}},
		"lost":     {append(sheets(a, 1, 3), all...), Tally{Pages: 14, Lost: 1}},
		"cut off":  {append(cut, all...), Tally{Pages: 15, Lost: 1, Torn: 1}},
		"torn":     {append(torn, all...), Tally{Pages: 16, Torn: 1}},
		"mixed":    {append(append(sheets(a, 1, 2), all...), sheets(a, 3)...), Tally{Pages: 15, Mixed: 1}},
		"foreign":  {append(whole, sheets(Document{Name: "c", Pages: 1}, 1)...), Tally{Pages: 16, Torn: 1}},
		"two on 1": {append(whole, emulator.Page{Data: []byte(a.Page(1)[:30] + b.Page(2))}), Tally{Pages: 16, Torn: 1}},
	} {
		if got := Count(c.pages, a, b); got != c.want {
			t.Errorf("%s: %v, not %v", name, got, c.want)
		}
	}
}

// A torn sheet is explained by one doubt about its page, and no other.
func TestUnexplained(t *testing.T) {
	a, b := Document{Name: "a", Pages: 3}, Document{Name: "b", Pages: 12}
	cut := func(d Document, n, size int) emulator.Page {
		return emulator.Page{Data: []byte("\x1b&k2G" + d.Page(n)[:size])}
	}
	whole := emulator.Page{Data: []byte(a.Page(1))}
	for name, c := range map[string]struct {
		pages  []emulator.Page
		doubts []Unit
		want   int
	}{
		"nothing torn":                   {[]emulator.Page{whole}, nil, 0},
		"said":                           {[]emulator.Page{whole, cut(a, 2, 900)}, []Unit{{0, 2}}, 0},
		"not said":                       {[]emulator.Page{whole, cut(a, 2, 900)}, nil, 1},
		"another page":                   {[]emulator.Page{cut(a, 2, 900)}, []Unit{{0, 3}}, 1},
		"another document":               {[]emulator.Page{cut(a, 2, 900)}, []Unit{{1, 2}}, 1},
		"twice, said once":               {[]emulator.Page{cut(a, 2, 900), cut(a, 2, 50)}, []Unit{{0, 2}}, 1},
		"twice, said twice":              {[]emulator.Page{cut(a, 2, 900), cut(a, 2, 50)}, []Unit{{0, 2}, {0, 2}}, 0},
		"the shorter takes what is left": {[]emulator.Page{cut(b, 1, 13), cut(b, 1, 900)}, []Unit{{1, 1}, {1, 12}}, 0},
		"blank":                          {[]emulator.Page{cut(b, 1, 0)}, []Unit{{1, 7}}, 0},
		"its end":                        {[]emulator.Page{{Data: []byte(a.Page(2)[4000:])}}, []Unit{{0, 2}}, 1},
		"torn by itself":                 {[]emulator.Page{{Data: whole.Data, Torn: true}}, []Unit{{0, 1}}, 0},
	} {
		if got := Unexplained(c.pages, []Document{a, b}, c.doubts); len(got) != c.want {
			t.Errorf("%s: %v, want %d", name, got, c.want)
		}
	}
}
