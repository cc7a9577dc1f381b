package pages

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestPick(t *testing.T) {
	two := func(page int) bool { return page == 2 || page == 4 }
	for name, c := range map[string]struct{ format, document, want string }{
		"text":           {Text, "one\ftwo\fthree\ffour", "two\ffour"},
		"text, ended":    {Text, "one\ftwo\fthree\ffour\f", "two\ffour\f"},
		"one page":       {Text, "one", ""},
		"text by alias":  {"Text/Plain; charset=utf-8", "one\ftwo", "two"},
		"not a document": {PWG, "no raster", "no r"},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.document), iotest.OneByteReader(strings.NewReader(c.document)), iotest.DataErrReader(strings.NewReader(c.document))} {
			p, ok := Pick(c.format, r, two)
			if !ok {
				t.Fatal(name)
			}
			got, err := io.ReadAll(p)
			if err != nil || string(got) != c.want {
				t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
			}
		}
	}
	if _, ok := Pick(PDF, nil, two); ok {
		t.Error("pages of a PDF do not stand alone")
	}
	broken, _ := Pick(Text, io.MultiReader(strings.NewReader("one\ftwo\f"), iotest.ErrReader(io.ErrUnexpectedEOF)), two)
	if got, err := io.ReadAll(broken); err != io.ErrUnexpectedEOF || string(got) != "two\f" {
		t.Errorf("%q, %v", got, err)
	}
}

// The pages that are picked are the units that Split makes.
func TestPickAgreesWithSplit(t *testing.T) {
	page := raster(1, blank)
	document := []byte(pwgSync + strings.Repeat(page, 5))
	for _, block := range []int{1, 7, 1 << 20} {
		p, _ := Pick(PWG, iotest.OneByteReader(bytes.NewReader(document)), func(page int) bool { return page%2 == 1 })
		if block > 1 {
			p, _ = Pick(PWG, bytes.NewReader(document), func(page int) bool { return page%2 == 1 })
		}
		got, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		c := NewCounter(PWG)
		c.Write(got)
		if c.Units() != 3 || c.Pages() != 3 {
			t.Errorf("%d units, %d pages are left of 5", c.Units(), c.Pages())
		}
	}
}
