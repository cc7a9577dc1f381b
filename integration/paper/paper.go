// Package paper compares what came out of an emulated printer with what was to come out.
//
// Every page of a [Document] is unlike any other page of any other document, and says at its beginning and its end which it is. So the paper
// itself tells which page of what a sheet is, and whether it is whole, without a word from the program under test.
package paper

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"printq/integration/emulator"
)

const (
	pageSize = 6 << 10
	mark     = "=== " // begins a page, and is nowhere else in it
)

// A Document is text of so many pages, each ended by a form feed. Its name must be its own.
type Document struct {
	Name  string
	Pages int
	// Size of a page in bytes, about; 0: 6 KiB.
	Size int
}

// Page is the text of a page, from 1, without its form feed. It is large enough for a printer with small buffers to hold up who sends it.
func (d Document) Page(n int) string {
	word := fmt.Sprintf("%s %d ", d.Name, n)
	filler := strings.Repeat(word, cmp.Or(d.Size, pageSize)/len(word)+n%7)
	return fmt.Sprintf(mark+"%s, page %d ===\n%s\n--- end of %s, page %d ---\n", d.Name, n, filler, d.Name, n)
}

// Text is the whole document.
func (d Document) Text() []byte {
	var b bytes.Buffer
	for n := range d.Pages {
		b.WriteString(d.Page(n + 1))
		b.WriteByte('\f')
	}
	return b.Bytes()
}

// Out says how often each page of the document came out whole, and in which order: the places on the paper of page n are
// places[n-1].
func (d Document) Out(pages []emulator.Page) (places [][]int) {
	places = make([][]int, d.Pages)
	for at, p := range pages {
		if n := d.number(p); n > 0 {
			places[n-1] = append(places[n-1], at)
		}
	}
	return places
}

// number is which page of the document a sheet is; 0: none, or not a whole one. What a printer was told before the text, such as a line's
// end, is no part of it.
func (d Document) number(p emulator.Page) int {
	var n int
	before, after, found := bytes.Cut(p.Data, []byte(mark+d.Name+", page "))
	if !found || p.Torn || bytes.Contains(before, []byte(mark)) { // the beginning of another page stands on it
		return 0
	}
	if _, err := fmt.Sscanf(string(after[:min(len(after), 20)]), "%d", &n); err != nil || n < 1 || n > d.Pages {
		return 0
	}
	if !bytes.HasSuffix(bytes.TrimRight(p.Data, "\r\f"), []byte(d.Page(n))) {
		return 0
	}
	return n
}

// A Unit is a page of a document: its place in a list of them, from 0, and its number.
type Unit struct{ Document, Page int }

// Unexplained are the places of the torn sheets that nobody spoke of: a sheet that is no whole page is explained by a page that was said to be in
// doubt, of which it may be the beginning. Each explains one sheet; a page that was in doubt twice is there twice.
func Unexplained(pages []emulator.Page, documents []Document, doubts []Unit) (places []int) {
	torn := torn(pages, documents)
	slices.SortStableFunc(torn, func(a, b int) int { return len(pages[b].Data) - len(pages[a].Data) }) // the longer, the fewer it may be of
	doubts = slices.Clone(doubts)
	for _, at := range torn {
		i := slices.IndexFunc(doubts, func(u Unit) bool { return documents[u.Document].begins(pages[at], u.Page) })
		if i < 0 {
			places = append(places, at)
			continue
		}
		doubts = slices.Delete(doubts, i, i+1)
	}
	slices.Sort(places)
	return places
}

// torn are the places of sheets that are no whole page.
func torn(pages []emulator.Page, documents []Document) (places []int) {
	whole := make([]bool, len(pages))
	for _, d := range documents {
		for _, of := range d.Out(pages) {
			for _, at := range of {
				whole[at] = true
			}
		}
	}
	for at := range pages {
		if !whole[at] {
			places = append(places, at)
		}
	}
	return places
}

// begins: the sheet may be the beginning of that page.
func (d Document) begins(p emulator.Page, n int) bool {
	at := bytes.Index(p.Data, []byte(mark))
	if at < 0 {
		return len(p.Data) < len("\x1b&k2G"+mark) // cut before it says what it is
	}
	return strings.HasPrefix(d.Page(n), string(bytes.TrimRight(p.Data[at:], "\r\f")))
}

// A Tally is how the paper differs from what was to come out.
type Tally struct {
	// Pages that came out, torn ones included.
	Pages int
	// Lost pages never came out whole; Doubled ones are whole sheets too many. Torn sheets are no whole page of any document.
	Lost, Doubled, Torn int
	// Mixed are the places where one document's pages were interrupted by another's.
	Mixed int
}

// Perfect: nothing lost, doubled, torn or mixed.
func (t Tally) Perfect() bool { return t.Lost+t.Doubled+t.Torn+t.Mixed == 0 }

func (t Tally) String() string {
	return fmt.Sprintf("%d pages, %d lost, %d doubled, %d torn, %d mixed", t.Pages, t.Lost, t.Doubled, t.Torn, t.Mixed)
}

// Count compares the paper with documents that were to come out once each.
func Count(pages []emulator.Page, documents ...Document) Tally {
	t := Tally{Pages: len(pages), Torn: len(pages)}
	of := make([]int, len(pages)) // the document of each sheet, from 1
	for i, d := range documents {
		for _, places := range d.Out(pages) {
			switch {
			case len(places) == 0:
				t.Lost++
			default:
				t.Doubled += len(places) - 1
			}
			t.Torn -= len(places)
			for _, at := range places {
				of[at] = i + 1
			}
		}
	}
	t.Mixed = interrupted(of)
	return t
}

// interrupted counts the sheets that continue a document after another's; 0 in the list is no document.
func interrupted(of []int) (n int) {
	seen, last := map[int]bool{}, 0
	for _, d := range of {
		if d == 0 {
			continue
		}
		if d != last && seen[d] {
			n++
		}
		seen[d], last = true, d
	}
	return n
}
