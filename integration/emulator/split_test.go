package emulator

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"printq/printer/pages"
)

// rasterPage draws a page of PWG raster, with lines that are repeated, literal and filled.
func rasterPage(t *rapid.T) []byte {
	unit := rapid.SampledFrom([]int{1, 3, 4}).Draw(t, "bytes of a pixel")
	width := rapid.IntRange(1, 300).Draw(t, "pixels of a line")
	height := rapid.IntRange(1, 40).Draw(t, "lines")
	page := make([]byte, pwgHeaderLen)
	copy(page, "PwgRaster")
	for at, n := range map[int]int{
		372: width, pwgAtHeight: height, 384: 8, pwgAtBitsPerPixel: 8 * unit, pwgAtBytesPerLine: width * unit,
	} {
		binary.BigEndian.PutUint32(page[at:], uint32(n))
	}
	pixels := func(n int) []byte {
		return rapid.SliceOfN(rapid.SampledFrom([]byte{0, '\f', 'R', 128, 255}), n*unit, n*unit).Draw(t, "pixels")
	}
	for height > 0 {
		repeat := rapid.IntRange(1, min(height, 256)).Draw(t, "times")
		height -= repeat
		page = append(page, byte(repeat-1))
		for left := width; left > 0; {
			switch run := rapid.IntRange(0, min(left, 128)).Draw(t, "run"); {
			case run == 0:
				page, left = append(page, 128), 0
			case run > 1 && rapid.Bool().Draw(t, "literal"):
				page, left = append(append(page, byte(257-run)), pixels(run)...), left-run
			default:
				page, left = append(append(page, byte(run-1)), pixels(1)...), left-run
			}
		}
	}
	return page
}

// units are the pages as printq sends them.
func units(t *rapid.T, format string, document []byte) (out [][]byte) {
	count := pages.NewCounter(format)
	count.Write(document)
	split := pages.Split(format, count.Units(), bytes.NewReader(document), int64(len(document)))
	for {
		span, err := split.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		unit, err := io.ReadAll(span.Reader(bytes.NewReader(document)))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, unit)
	}
}

func TestPWGPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(rasterPage), 1, 4).Draw(t, "pages")
		document := append([]byte("RaS2"), bytes.Join(want, nil)...)
		got := splitAll(document, newSplitter("", 1, false))
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("%d pages, want %d", len(got), len(want))
		}
		// Each unit of printq's is a document with one of these pages.
		for i, unit := range units(t, pages.PWG, document) {
			if got := splitAll(unit, newSplitter("PWG", 1, false)); len(got) != 1 || !bytes.Equal(got[0], want[i]) {
				t.Fatalf("unit %d prints %d pages", i+1, len(got))
			}
		}
		cut := rapid.IntRange(0, len(document)).Draw(t, "cut")
		whole := splitAll(document[:cut], newSplitter("PWG", 1, false))
		if len(whole) > len(want) {
			t.Fatalf("a part has %d pages, the whole has %d", len(whole), len(want))
		}
	})
}

// TestTextPages: what printq cuts into units and what the printer prints of the whole is the same paper.
func TestTextPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		document := []byte(rapid.StringMatching(`[ab\n\f]{1,20}`).Draw(t, "document"))
		var got [][]byte
		for _, unit := range units(t, pages.Text, document) {
			got = append(got, splitAll(unit, newSplitter("PCL", 1, false))...)
		}
		if want := splitAll(document, newSplitter("PCL", 1, false)); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Fatalf("units print %q, the document %q", got, want)
		}
	})
}

func TestSensing(t *testing.T) {
	for _, c := range []struct {
		document string
		want     int
	}{
		{"", 0},
		{"a", 1},
		{"%", 1},
		{"%!PS\n\f\f", 3},
		{"%PDF-1.7\f", 3},
		{"\xff\xd8\xff\xe0\f\f", 3},
		{"UNIRAST\x00\f\f", 3},
		{"UNI\f\f", 2},
		{"RaS2", 0},
		{"RaS2 not a header", 0},
		{"Ra\f", 1},
		{"^XA^XZ", 1},
		{"~JA^XA^XZ\n^XA^PQ3^XZ", 4},
		{"^X\f", 1},
		{"\x1bE\x1b", 1},
		{"\x1bE", 0},
	} {
		if got := len(splitAll([]byte(c.document), newSplitter("", 3, false))); got != c.want {
			t.Errorf("%q has %d pages, want %d", c.document, got, c.want)
		}
	}
}

// FuzzSession: whatever a host sends, the printer neither fails nor prints more than one page a byte.
func FuzzSession(f *testing.F) {
	f.Add([]byte(threePages), false)
	f.Add([]byte("@PJL JOB START=2 END=\n@PJL ENTER LANGUAGE=ZPL\n^XA^PQ2^XZ"), true)
	f.Add([]byte("@PJL INFO\n@PJL USTATUS\n@PJL = \"\n@PJL INQUIRE :\n"), true)
	f.Fuzz(func(t *testing.T, sent []byte, duplex bool) {
		if bytes.Contains(bytes.ToUpper(sent), []byte("^PQ")) {
			sent = bytes.ReplaceAll(bytes.ToUpper(sent), []byte("^PQ"), []byte("^PR"))
		}
		p := NewJetDirect(Options{Duplex: duplex})
		pipes := newPipes()
		served := make(chan error)
		go func() { served <- p.Serve(pipes) }()
		host := pipes.dial()
		go io.Copy(io.Discard, host)
		host.Write(sent)
		host.Close()
		p.settled()
		if n := len(p.Pages()); n > len(sent) {
			t.Errorf("%d pages of %d bytes", n, len(sent))
		}
		p.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// settled waits until the connection has been served.
func (p *JetDirect) settled() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.session != nil {
		p.cond.Wait()
	}
}

// splitAll splits a document that is there as a whole.
func splitAll(document []byte, s splitter) (pages [][]byte) {
	add := func(p []byte) { pages = append(pages, p) }
	for _, b := range document {
		s.write(b, add)
	}
	s.rest(add)
	return pages
}
