package integration

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// A largeDocument is made as it is read.
type largeDocument struct {
	*document
	sheets int
	// raster are the pages of a raster, without the word that begins a document; nil: it is a PDF.
	raster []body
}

// units are what a device is given one after another: each page of a raster is a document of its own.
func (d *largeDocument) units() (units []body) {
	if d.raster == nil {
		return []body{d.data}
	}
	for _, page := range d.raster {
		units = append(units, joined(inMemory([]byte(rasterSync)), page))
	}
	return units
}

const rasterSync = "RaS2"

// largePDF is a valid document of so many blank pages.
func largePDF(printer string, pages int) *largeDocument {
	var b, kids strings.Builder
	b.WriteString("%PDF-1.4\n")
	var at []int
	object := func(text string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), text)
	}
	for n := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", n+3)
	}
	object("<</Type/Catalog/Pages 2 0 R>>")
	object(fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), pages))
	for range pages {
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	d := pdfLike(printer, fmt.Sprintf("PDF of %d pages", pages), 0, 0)
	d.data = inMemory([]byte(b.String()))
	d.pages = []body{d.data}
	return &largeDocument{document: d, sheets: pages}
}

// largeRaster is pages of PWG raster of a MiB each, every one with its number in it.
func largeRaster(printer string, pages int) *largeDocument {
	const width, height = 8192, 127
	one := rasterPage(width, 1)
	head, line := one[:1796], string(one[1796:])
	binary.BigEndian.PutUint32(head[376:], height)
	lines := inMemory([]byte(strings.Repeat(line, height)))
	d := &largeDocument{document: pdfLike(printer, fmt.Sprintf("raster of %d pages", pages), 0, 0), sheets: pages}
	for n := range pages {
		numbered := append([]byte(nil), head...)
		binary.BigEndian.PutUint32(numbered[480:], uint32(n)) // vendor data
		d.raster = append(d.raster, joined(inMemory(numbered), lines))
	}
	d.pages = d.raster
	d.data = joined(append([]body{inMemory([]byte(rasterSync))}, d.raster...)...)
	return d
}

// joined is bodies one after another.
func joined(bodies ...body) (all body) {
	for _, b := range bodies {
		all.size += b.size
	}
	all.open = func() (io.ReadCloser, error) {
		var readers []io.Reader
		for _, b := range bodies {
			readers = append(readers, &opened{from: b})
		}
		return io.NopCloser(io.MultiReader(readers...)), nil
	}
	return all
}

// opened is a body that is opened when it is first read, and closed at its end.
type opened struct {
	from body
	r    io.ReadCloser
}

func (o *opened) Read(p []byte) (n int, err error) {
	if o.r == nil {
		if o.r, err = o.from.open(); err != nil {
			return 0, err
		}
	}
	if n, err = o.r.Read(p); err != nil {
		_ = o.r.Close() // it was only read
	}
	return n, err
}
