package integration

import (
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"printq/integration/emulator"
)

// A largePress is a press whose paper is looked at by digests, since it is larger than memory.
type largePress struct {
	*press
	// sums are what came out, one after another.
	sums func(*testing.T) []string
	// want is what must come out for a document.
	want func(*testing.T, *largeDocument) []string
}

var largeKinds = []struct {
	name string
	make func(c *cluster, h *headPress, pages int) *largePress
}{
	{"tray", largeTray},
	{"head", func(c *cluster, h *headPress, pages int) *largePress {
		p := largeSocket(c, "head", "", emulator.Options{}, pages)
		p.press = h.press(c, p.press)
		return p
	}},
	{"socket, counted", func(c *cluster, _ *headPress, pages int) *largePress {
		return largeSocket(c, "counted", "", emulator.Options{}, pages)
	}},
	{"socket, blind", func(c *cluster, _ *headPress, pages int) *largePress {
		return largeSocket(c, "blind", "?pjl=off", emulator.Options{PJL: emulator.PJLSkipped}, pages)
	}},
	{"file", largeFile},
	{"ipp", func(c *cluster, _ *headPress, pages int) *largePress {
		return largeIPP(c, "ipp", emulator.IPPOptions{}, pages)
	}},
	{"ipp without Create-Job", func(c *cluster, _ *headPress, pages int) *largePress {
		return largeIPP(c, "ipp-blind", emulator.IPPOptions{NoCreateJob: true}, pages)
	}},
}

// largeSocket is a raw TCP printer that has so many pages in a PDF.
func largeSocket(c *cluster, name, options string, o emulator.Options, pages int) *largePress {
	o.Sums, o.OtherPages = true, pages
	return digested(socketPress(c.t, name, options, o, true))
}

func largeIPP(c *cluster, name string, o emulator.IPPOptions, pages int) *largePress {
	o.Sums, o.OtherPages = true, pages
	return digested(ippPress(c.t, name, o, true))
}

// digested is a printer that says which pages came out: the document for each page of a PDF, and those of a raster as they are.
func digested(p *press) *largePress {
	pages := p.pages
	return &largePress{
		press: p,
		sums: func(*testing.T) (sums []string) {
			for _, page := range pages() {
				sums = append(sums, hex.EncodeToString(page.Sum[:]))
			}
			return sums
		},
		want: func(t *testing.T, d *largeDocument) []string {
			if d.raster == nil {
				return slices.Repeat(sumsOf(t, d.data), d.sheets)
			}
			return sumsOf(t, d.raster...)
		},
	}
}

// largeTray keeps each unit as a document of its own.
func largeTray(c *cluster, _ *headPress, _ int) *largePress {
	return &largePress{
		press: trayPress(c, 0),
		sums: func(t *testing.T) []string {
			slips, err := readLedger(filepath.Join(c.dir, "press-tray"))
			if err != nil {
				return nil // nothing was printed yet
			}
			var pages []body
			for _, s := range slips {
				pages = append(pages, s.data)
			}
			return sumsOf(t, pages...)
		},
		want: func(t *testing.T, d *largeDocument) []string { return sumsOf(t, d.units()...) },
	}
}

// largeFile is a file; what was appended to it since it was last looked at is one sheet of its paper.
func largeFile(c *cluster, _ *headPress, _ int) *largePress {
	path, read, paper := filepath.Join(c.dir, "press-file"), int64(0), []string(nil)
	return &largePress{
		press: filePress(c),
		sums: func(t *testing.T) []string {
			info, err := os.Stat(path)
			if err != nil || info.Size() == read {
				return paper
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			grown := body{info.Size() - read, func() (io.ReadCloser, error) {
				_, err := f.Seek(read, io.SeekStart)
				return f, err
			}}
			paper, read = append(paper, sumsOf(t, grown)...), info.Size()
			return paper
		},
		want: func(t *testing.T, d *largeDocument) []string { return sumsOf(t, d.data) },
	}
}

// sumsOf are the digests of bodies.
func sumsOf(t *testing.T, bodies ...body) (sums []string) {
	t.Helper()
	for _, b := range bodies {
		sum, err := b.sha256()
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	return sums
}
