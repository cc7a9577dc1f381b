package pages

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const (
	psHead = "%!PS-Adobe-3.0\n%%Title: (a)\n%%Pages: (atend)\n%%EndComments\n/p {showpage} def\n%%EndProlog\n%%BeginSetup\n%%EndSetup\n"
	psTail = "%%Trailer\n%%Pages: 2\n%%EOF\n"
	psOne  = "%%Page: (i) 1\n(1) p\n"
	psTwo  = "%%Page: 2 2\n%%BeginPageSetup\n%%EndPageSetup\n(2) p\n"
)

// ps is a document of two pages that conforms, with something changed.
func ps(changes ...string) string {
	document := psHead + psOne + psTwo + psTail
	changed := strings.NewReplacer(changes...).Replace(document)
	if len(changes) > 0 && changed == document {
		panic(fmt.Sprintf("%q changes nothing", changes))
	}
	return changed
}

// A document is cut only where it is plainly what the conventions say.
func TestPostScriptPages(t *testing.T) {
	cut := func(page string) string { return psHead + page + psTail }
	for name, c := range map[string]struct {
		document string
		units    []string // nil: whole
	}{
		"conforming":         {ps(), []string{cut(psOne), cut(psTwo)}},
		"no line end":        {strings.TrimSuffix(ps(), "\n"), []string{strings.TrimSuffix(cut(psOne), "\n"), strings.TrimSuffix(cut(psTwo), "\n")}},
		"a job's end":        {ps() + "\x04", []string{cut(psOne) + "\x04", cut(psTwo) + "\x04"}},
		"descending":         {ps("%%EndComments", "%%PageOrder: Descend\n%%EndComments"), []string{"1", "2"}},
		"order at the end":   {ps("%%EndComments", "%%PageOrder: (atend)\n%%EndComments", "%%EOF", "%%PageOrder: Ascend\n%%EOF"), []string{"1", "2"}},
		"one side":           {ps("%%EndSetup", "%%BeginFeature: *Duplex None\n<< /Duplex false >>setpagedevice\n%%EndFeature\n%%EndSetup"), []string{"1", "2"}},
		"a document in it":   {ps("(1)", "%%BeginDocument: x\n%!PS-Adobe-3.0\n%%Page: 1 1\n%%Trailer\n%%EOF\n%%EndDocument\n(1)"), []string{"1", "2"}},
		"two deep":           {ps("(1)", "%%BeginDocument: x\n%%BeginDocument: y\n%%EndDocument\n%%Page: 9 9\n%%EndDocument\n(1)"), []string{"1", "2"}},
		"data":               {ps("(1)", "%%BeginData: 12 Hex Bytes\r\n%%Page: 3 3\n%%EndData\n(1)"), []string{"1", "2"}},
		"lines of data":      {ps("(1)", "%%BeginData: 2 ASCII Lines\n%%Page: 3 3\n%%Trailer\n%%EndData\n(1)"), []string{"1", "2"}},
		"binary":             {ps("(1)", "%%BeginBinary: 10\n\n%%Trailer%%EndBinary\n(1)"), []string{"1", "2"}},
		"the count in front": {ps("%%Pages: (atend)", "%%Pages: 2"), []string{"1", "2"}},
		"first of two":       {ps("%%Pages: (atend)", "%%Pages: 2\n%%Pages: 9"), []string{"1", "2"}},

		"version 2":               {ps("%!PS-Adobe-3.0", "%!PS-Adobe-2.0"), nil},
		"encapsulated":            {ps("%!PS-Adobe-3.0", "%!PS-Adobe-3.0 EPSF-3.0"), nil},
		"ExitServer":              {ps("%!PS-Adobe-3.0", "%!PS-Adobe-3.0 ExitServer"), nil},
		"no end of prolog":        {ps("%%EndProlog\n", ""), nil},
		"no trailer":              {ps("%%Trailer\n", ""), nil},
		"a trailer without end":   {psHead + psOne + psTwo + "%%Trailer", nil},
		"two trailers":            {ps("%%EOF", "%%Trailer\n%%EOF"), nil},
		"other pages than said":   {ps("%%Pages: 2", "%%Pages: 3"), nil},
		"no count":                {ps("%%Pages: (atend)\n", ""), nil},
		"a page out of place":     {ps("%%Page: 2 2", "%%Page: 3 3"), nil},
		"a page without place":    {ps("%%Page: 2 2", "%%Page: ?"), nil},
		"a page in the trailer":   {ps("%%EOF", "%%Page: 3 3\n%%EOF"), nil},
		"special order":           {ps("%%EndComments", "%%PageOrder: Special\n%%EndComments"), nil},
		"special at the end":      {ps("%%EndComments", "%%PageOrder: (atend)\n%%EndComments", "%%EOF", "%%PageOrder: Special\n%%EOF"), nil},
		"order never said":        {ps("%%EndComments", "%%PageOrder: (atend)\n%%EndComments"), nil},
		"two sides":               {ps("%%EndSetup", "<</Duplex true>> setpagedevice\n%%EndSetup"), nil},
		"copies":                  {ps("%%EndSetup", "/#copies 3 def\n%%EndSetup"), nil},
		"requirements":            {ps("%%EndComments", "%%Requirements: duplex(tumble)\n%%EndComments"), nil},
		"a long line in front":    {ps("/p {", "/p {"+strings.Repeat(" ", 250)), nil},
		"a document that stays":   {ps("(2)", "%%BeginDocument: x\n(2)"), nil},
		"an end of no document":   {ps("(2)", "%%EndDocument\n(2)"), nil},
		"data without a number":   {ps("(2)", "%%BeginData: many\n(2)"), nil},
		"data beyond the end":     {ps("(2)", "%%BeginData: 99999\n(2)"), nil},
		"data in the trailer":     {ps("%%EOF", "%%BeginData: 1\n%%EOF"), nil},
		"a document behind it":    {ps() + ps(), nil},
		"another, in its trailer": {ps("%%EOF", "%%BeginDocument: x\n%%EndDocument\n%%EOF"), nil},
		"a long prolog":           {ps("%%EndProlog", strings.Repeat("% x\n", dscHead/4)+"%%EndProlog"), nil},
		"a long trailer":          {ps("%%EOF", strings.Repeat("% x\n", dscTail/4)+"%%EOF"), nil},
		"one in PJL":              {"\x1b%-12345X@PJL\n" + ps(), nil},
	} {
		count := NewCounter(PostScript)
		_, _ = io.WriteString(count, c.document)
		units := split(t, PostScript, count.Units(), c.document)
		switch {
		case c.units == nil && (len(units) != 1 || units[0] != c.document):
			t.Errorf("%s: cut into %d", name, len(units))
		case c.units != nil && len(units) != len(c.units):
			t.Errorf("%s: %d units", name, len(units))
		case c.units != nil && len(c.units[0]) > 1 && strings.Join(units, "|") != strings.Join(c.units, "|"):
			t.Errorf("%s: %q", name, units)
		}
		for chunk := range 40 {
			agree(t, PostScript, c.document, chunk)
		}
	}
}

// In a row they are one document with one prolog and one trailer; alone, each ends as a job does.
func TestJoinPostScript(t *testing.T) {
	document := strings.NewReader(ps())
	spans := spansOf(t, PostScript, ps())
	size, r, err := Join(PostScript, []Span{spans[1], spans[0]}, document)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); string(got) != psHead+psTwo+psOne+psTail+"\x04" || size != int64(len(got)) {
		t.Errorf("%q of %d bytes", got, size)
	}
	size, r, err = Ended(PostScript, spans[0], document)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); string(got) != psHead+psOne+psTail+"\x04" || size != int64(len(got)) {
		t.Errorf("%q of %d bytes", got, size)
	}
}

var psLines = regexp.MustCompile(`[^\r\n]*(\r\n|\r|\n|$)`)

// naivePS cuts a document that is known to be cut: it knows no state but how deep it is in documents and data.
func naivePS(document string) (head string, units []string, tail string) {
	depth, skip, lines, at := 0, 0, 0, 0
	for _, line := range psLines.FindAllString(document, -1) {
		begin := at
		at += len(line)
		for _, unit := range []*int{&lines} {
			if *unit > 0 {
				*unit--
				line = ""
			}
		}
		if begin < skip {
			continue
		}
		words := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "%%BeginDocument"):
			depth++
		case strings.HasPrefix(line, "%%EndDocument"):
			depth--
		case strings.HasPrefix(line, "%%BeginData:"), strings.HasPrefix(line, "%%BeginBinary:"):
			n, _ := strconv.Atoi(words[1])
			if strings.HasSuffix(strings.TrimSpace(line), "Lines") {
				lines = n
			} else {
				skip = at + n
			}
		case depth > 0:
		case strings.HasPrefix(line, "%%Page:"):
			units = append(units, "")
		case strings.HasPrefix(line, "%%Trailer"):
			return head, units, document[begin:]
		}
		if len(units) == 0 {
			head = document[:at]
		}
	}
	return head, units, ""
}

// What is cut is what a simpler reader would cut, whatever a document is made of.
func TestPostScriptAgainstNaive(t *testing.T) {
	pieces := []string{
		"(x) p\n", "%%PageTrailer\r\n", "%%BeginDocument: a\n%%Page: 7 7\n%%EndDocument\n", "%%BeginData: 8 Hex Bytes\n%%Page:1%%EndData\n",
		"%%BeginBinary: 3\r\n\r\n\n\n", "%%BeginData: 1 ASCII Lines\n%%Trailer\n", "\r", " %%Page: 9 9\n", "%%Trailers\x20", "\f", "% %%EOF\n",
	}
	cuts := 0
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "pages")
		var b strings.Builder
		fmt.Fprintf(&b, "%%!PS-Adobe-3.0\n%%%%Pages: %d\n%%%%EndComments\n%%%%EndProlog\r\n", n)
		for i := range n {
			fmt.Fprintf(&b, "%%%%Page: %d %d\n%s\n", i+1, i+1, strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), ""))
		}
		document := b.String() + "%%Trailer\nend\n%%EOF\n"
		count := NewCounter(PostScript)
		_, _ = io.WriteString(count, document)
		agree(t, PostScript, document, rapid.IntRange(1, 50).Draw(t, "chunk"))
		head, pages, tail := naivePS(document)
		units := split(t, PostScript, count.Units(), document)
		if len(units) == 1 {
			return // a piece made it doubtful
		}
		cuts++
		if len(units) != len(pages) {
			t.Fatalf("%d units, the naive reader has %d: %q", len(units), len(pages), document)
		}
		for _, u := range units {
			if !strings.HasPrefix(u, head+"%%Page:") || !strings.HasSuffix(u, tail) {
				t.Fatalf("%q of %q", u, document)
			}
		}
	})
	if cuts == 0 {
		t.Error("nothing was ever cut")
	}
}

// wholePages: the units of a cut document are its pages in a row, each with what is before and after all of them.
func wholePages(t interface{ Fatalf(string, ...any) }, units int, document string) {
	s := Split(PostScript, units, strings.NewReader(document), int64(len(document)))
	at := int64(-1)
	for range units {
		u, err := s.Next()
		if err != nil || u.Tail.Off+u.Tail.Len != int64(len(document)) {
			t.Fatalf("%+v, %v of %q", u, err, document)
		}
		if at < 0 {
			at = u.Head
		}
		if u.Off != at || u.Head > at || u.Off+u.Len > u.Tail.Off {
			t.Fatalf("%+v after %d of %q", u, at, document)
		}
		if at += u.Len; at == u.Tail.Off {
			break
		}
	}
	if _, err := s.Next(); err == nil || at < 0 {
		t.Fatalf("%d units are not the pages of %q", units, document)
	}
}
