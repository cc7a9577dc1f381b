package pages

import (
	"io"
	"strings"
	"testing"
)

func TestContinued(t *testing.T) {
	const urf = "UNIRAST\x00\x00\x00\x00\x01"
	for name, c := range map[string]struct {
		format, unit string
		first        bool
		want         string
	}{
		"PWG, first": {PWG, "RaS2page", true, "RaS2page"},
		"PWG":        {PWG, "RaS2page", false, "page"},
		"PWG, empty": {PWG, "", false, ""},
		"PWG, short": {PWG, "Ra", false, "Ra"},
		"no PWG":     {PWG, "other page", false, "other page"},
		"URF, first": {URF, urf + "page", true, "UNIRAST\x00\x00\x00\x00\x07page"},
		"URF":        {URF, urf + "page", false, "page"},
		"text":       {Text, "page\f", false, "page\f"},
	} {
		size, r, err := Continued(c.format, c.first, 7, int64(len(c.unit)), strings.NewReader(c.unit))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if string(got) != c.want || err != nil || size != int64(len(c.want)) {
			t.Errorf("%s: %d bytes, %q, %v", name, size, got, err)
		}
	}
}
