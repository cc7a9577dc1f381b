package emulator

import (
	"bytes"
	"strconv"
)

// A splitter finds the pages of one document as a printer would that reads it byte by byte. It is written apart from
// printq's own (printer/pages), so that one can be wrong without the other.
type splitter interface {
	// write takes the next byte and calls page for every page that ends with it.
	write(b byte, page func([]byte))
	// rest calls page for what the document ends with.
	rest(page func([]byte))
}

// newSplitter chooses by the language that PJL named ("" or AUTO: none), and then by the document's first bytes. others is
// how many pages a document has whose pages are not looked for.
func newSplitter(language string, others int, skipBlank bool) splitter {
	switch language {
	case "PCL":
		return &textSplitter{skipBlank: skipBlank}
	case "POSTSCRIPT":
		return &wholeSplitter{pages: others, ends: 4} // control-D
	case "PDF", "PCLXL", "URF":
		return &wholeSplitter{pages: others}
	case "PWG":
		return new(pwgSplitter)
	case "ZPL":
		return new(zplSplitter)
	}
	return &sensing{others: others, skipBlank: skipBlank}
}

// sensing looks at the first bytes before it chooses.
type sensing struct {
	others    int
	skipBlank bool
	head      []byte
	chosen    splitter
}

var magics = []struct {
	begin    string
	language string
}{
	{"RaS2", "PWG"},
	{"^XA", "ZPL"},
	{"~", "ZPL"},
	{"%!", "POSTSCRIPT"},
	{"%PDF", "PDF"},
	{"UNIRAST", "URF"},
	{") HP-PCL XL", "PCLXL"},
	{"\xff\xd8\xff", "PDF"}, // JPEG and PNG: taken whole too
	{"\x89PNG", "PDF"},
}

func (s *sensing) write(b byte, page func([]byte)) {
	if s.chosen == nil {
		s.head = append(s.head, b)
		if s.undecided() {
			return
		}
		s.choose(page)
		return
	}
	s.chosen.write(b, page)
}

func (s *sensing) undecided() bool {
	for _, m := range magics {
		if len(s.head) < len(m.begin) && m.begin[:len(s.head)] == string(s.head) {
			return true
		}
	}
	return false
}

func (s *sensing) choose(page func([]byte)) {
	language := "PCL"
	for _, m := range magics {
		if bytes.HasPrefix(s.head, []byte(m.begin)) {
			language = m.language
		}
	}
	s.chosen = newSplitter(language, s.others, s.skipBlank)
	for _, b := range s.head {
		s.chosen.write(b, page)
	}
}

func (s *sensing) rest(page func([]byte)) {
	if s.chosen == nil {
		s.choose(page)
	}
	s.chosen.rest(page)
}

// textSplitter: a form feed ends a page, whatever is on it. What follows the last one is a page if it is anything at all;
// a PCL reset (ESC E) is nothing.
type textSplitter struct {
	skipBlank bool // a rest of white space moves the cursor only, and is no page
	page      []byte
}

func (t *textSplitter) write(b byte, page func([]byte)) {
	if b != '\f' {
		t.page = append(t.page, b)
		return
	}
	page(t.page)
	t.page = nil
}

func (t *textSplitter) rest(page func([]byte)) {
	marks := bytes.ReplaceAll(t.page, []byte("\x1bE"), nil)
	if t.skipBlank {
		marks = bytes.TrimSpace(marks)
	}
	if len(marks) > 0 {
		page(t.page)
	}
	t.page = nil
}

// zplSplitter: ^XA to ^XZ is a label, as often as its ^PQ says. What is outside is no label, nor what is not ended.
type zplSplitter struct {
	label []byte
	in    bool
	asked func() // a ~HS outside of a label; nil: it is nothing
}

func (z *zplSplitter) write(b byte, page func([]byte)) {
	z.label = append(z.label, b)
	if len(z.label) < 3 {
		return
	}
	switch string(bytes.ToUpper(z.label[len(z.label)-3:])) {
	case "^XA":
		z.in, z.label = true, z.label[len(z.label)-3:]
	case "^XZ":
		if z.in {
			for range z.quantity() {
				page(z.label)
			}
		}
		z.in, z.label = false, nil
	case "~HS":
		if !z.in && z.asked != nil {
			z.asked()
		}
	}
}

func (z *zplSplitter) quantity() int {
	_, after, found := bytes.Cut(bytes.ToUpper(z.label), []byte("^PQ"))
	if !found {
		return 1
	}
	digits := after[:len(after)-len(bytes.TrimLeft(after, "0123456789"))]
	n, err := strconv.Atoi(string(digits))
	if err != nil {
		return 1
	}
	return max(n, 1)
}

func (z *zplSplitter) rest(func([]byte)) {}

// wholeSplitter: nothing is printed before the document has ended, with its connection or UEL, or with a byte that its language has for that.
type wholeSplitter struct {
	pages int
	ends  byte // 0: none
	all   []byte
}

func (w *wholeSplitter) write(b byte, page func([]byte)) {
	if b == w.ends && b != 0 {
		w.rest(page)
		return
	}
	w.all = append(w.all, b)
}

func (w *wholeSplitter) rest(page func([]byte)) {
	if len(w.all) == 0 {
		return
	}
	for range max(w.pages, 1) {
		page(w.all)
	}
	w.all = nil
}
