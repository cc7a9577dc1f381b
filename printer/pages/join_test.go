package pages

import (
	"io"
	"strings"
	"testing"
)

// Units in a row are as many pages as units, also where a copy ends without a form feed.
func TestJoinText(t *testing.T) {
	document := strings.NewReader("one\ftwo")
	spans := spansOf(t, Text, "one\ftwo")
	size, r, err := Join(Text, []Span{spans[1], spans[0], spans[1]}, document)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(r)
	if string(got) != "two\fone\ftwo\f" || size != int64(len(got)) {
		t.Errorf("%q of %d bytes", got, size)
	}
}

// A raster has its synchronization word once.
func TestJoinRaster(t *testing.T) {
	document := pwgSync + raster(1, blank) + raster(4, mixed, rest, blank)
	spans := spansOf(t, PWG, document)
	size, r, err := Join(PWG, []Span{spans[1], spans[0], spans[1]}, strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(r)
	if strings.Count(string(got), pwgSync) != 1 || size != int64(len(got)) || len(spansOf(t, PWG, string(got))) != 3 {
		t.Errorf("%d bytes, said %d, in %d units", len(got), size, len(spansOf(t, PWG, string(got))))
	}
}

// And Apple's the number of its pages.
func TestJoinApple(t *testing.T) {
	document := urf(2) + apple(1, blank) + apple(4, mixed, rest, blank)
	spans := spansOf(t, URF, document)
	_, r, err := Join(URF, []Span{spans[1], spans[0], spans[1]}, strings.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(r); !strings.HasPrefix(string(got), urf(3)) || len(spansOf(t, URF, string(got))) != 3 {
		t.Errorf("%q", got)
	}
}

func spansOf(t *testing.T, format, document string) (spans []Span) {
	t.Helper()
	c := NewCounter(format)
	_, _ = io.WriteString(c, document)
	for s := Split(format, c.Units(), strings.NewReader(document), int64(len(document))); ; {
		span, err := s.Next()
		if err != nil {
			return spans
		}
		spans = append(spans, span)
	}
}
