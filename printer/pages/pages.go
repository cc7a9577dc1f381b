// Package pages knows where the pages of a document end.
//
// It is pure: bytes in, numbers out. It is used twice for each document: when it is received ([Sniff], [Counter]) and when it
// is printed ([Split]). What the two say must agree, on any member and after any restart, since progress is counted in
// units; so both drive the same scanners, and the count made at receipt travels with the job and is given to Split.
//
// A unit is the smallest piece that a device is given at once: a page where pages stand alone (text, PWG and Apple raster, PostScript that
// conforms to the structuring conventions), a label format (ZPL), else the whole document. Nothing here fails: a document that is not what it claims to be is one unit of
// unknown pages, and prints as it is.
//
// All of it streams, in memory that does not grow with the document.
package pages

import (
	"io"
	"strings"
)

// The formats that are known here, as Sniff names them.
const (
	PDF         = "application/pdf"
	PostScript  = "application/postscript"
	PWG         = "image/pwg-raster"          // PWG 5102.4
	URF         = "image/urf"                 // Apple raster
	ZPL         = "application/vnd.zebra-zpl" // the name that LPrint and PAPPL use
	PCL         = "application/vnd.hp-pcl"
	JPEG        = "image/jpeg"
	PNG         = "image/png"
	Text        = "text/plain"
	OctetStream = "application/octet-stream"
)

// MaxUnits is the most units that a document is cut into; one with more is a single unit. Times the most copies (9999) it
// still fits IPP's 31 bits.
const MaxUnits = 200_000

// SniffLen is how many bytes of a document's beginning are enough for [Sniff].
const SniffLen = 1024

// aliases are other names under which clients send a format.
var aliases = map[string]string{
	"application/x-pdf":          PDF,
	"application/ps":             PostScript,
	"application/vnd.zpl":        ZPL,
	"application/zpl":            ZPL,
	"application/x-zpl":          ZPL,
	"x-application/zpl":          ZPL,
	"application/vnd.hp-pclxl":   PCL,
	"application/x-pcl":          PCL,
	"image/jpg":                  JPEG,
	"application/x-urf":          URF,
	"application/vnd.cups-raw":   OctetStream,
	"application/vnd.cups-pdf":   PDF,
	"application/vnd.zebra.zpl":  ZPL,
	"application/x-octet-stream": OctetStream,
}

// Canonical is the format's name without parameters, in lower case, and by the constant above where it is known under
// another name.
func Canonical(format string) string {
	name, _, _ := strings.Cut(format, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if known, ok := aliases[name]; ok {
		return known
	}
	return name
}

// Ext is the ending of a file that holds the format, without a dot: "bin" where it is not known.
func Ext(format string) string {
	switch Canonical(format) {
	case PDF:
		return "pdf"
	case PostScript:
		return "ps"
	case PWG:
		return "pwg"
	case URF:
		return "urf"
	case ZPL:
		return "zpl"
	case PCL:
		return "pcl"
	case JPEG:
		return "jpg"
	case PNG:
		return "png"
	case Text:
		return "txt"
	}
	return "bin"
}

// A Section is Len bytes of a document from Off.
type Section struct{ Off, Len int64 }

// A Span is one unit of a document: Len bytes from Off. What a device is given is Prefix, the document's first Head bytes, these bytes, and Tail.
type Span struct {
	Prefix   string
	Head     int64
	Off, Len int64
	Tail     Section
}

// Size is the unit's size in bytes, with all that goes with it.
func (s Span) Size() int64 { return int64(len(s.Prefix)) + s.Head + s.Len + s.Tail.Len }

// Reader reads the unit out of its document.
func (s Span) Reader(document io.ReaderAt) io.Reader {
	section := io.NewSectionReader(document, s.Off, s.Len)
	if s.Size() == s.Len {
		return section
	}
	return io.MultiReader(strings.NewReader(s.Prefix), io.NewSectionReader(document, 0, s.Head), section,
		io.NewSectionReader(document, s.Tail.Off, s.Tail.Len))
}

// A scanner finds the units of one format in a document that streams through it.
type scanner interface {
	// write takes the next bytes and calls unit for each unit that ends in them.
	write(p []byte, unit func(Span))
	// rest is the unit that the document ends with, after those that write found; false if there is none.
	rest() (Span, bool)
	// pages, if the document ended here; 0: not known.
	pages() int
	// broken, if the document ended here: it is not what its format says, and is to be taken whole.
	broken() bool
}

func newScanner(format string) scanner {
	switch Canonical(format) {
	case Text:
		return new(textScanner)
	case PWG:
		return newRasterScanner(pwgFormat())
	case ZPL:
		return newZPLScanner()
	case PDF:
		return newPDFScanner()
	case URF:
		return newRasterScanner(urfFormat())
	case PostScript:
		return new(dscScanner)
	case PCL:
		return &whole{count: new(pclCounter)}
	case JPEG, PNG:
		return &whole{count: one{}}
	}
	return &whole{count: unknown{}}
}

// A Counter counts a document that is written to it as it arrives.
type Counter struct {
	scan  scanner
	units int
}

// NewCounter is a Counter for a document of that format.
func NewCounter(format string) *Counter { return &Counter{scan: newScanner(format)} }

// Write never fails.
func (c *Counter) Write(p []byte) (int, error) {
	c.scan.write(p, func(Span) { c.units++ })
	return len(p), nil
}

// Pages is the number of pages (labels) that one copy of the document prints; 0: not known.
func (c *Counter) Pages() int { return c.scan.pages() }

// Units is the number of units that Split will cut the document into, at least 1.
func (c *Counter) Units() int {
	n := c.units
	if _, ok := c.scan.rest(); ok {
		n++
	}
	if c.scan.broken() || n == 0 || n > MaxUnits {
		return 1
	}
	return n
}

// splitBlock is how much Split reads at once, and so also how many spans it may hold.
const splitBlock = 16 << 10

// A Splitter gives a document's units, one after the other.
type Splitter struct {
	document  io.ReaderAt
	size, off int64
	tail      Section // goes with each unit
	scan      scanner // nil: the whole document is one unit
	ready     []Span
	next      int
	ended     bool
}

// Split cuts a document of size bytes into its units, where units is what a Counter said about it: with 1 or less the
// document stays whole, whatever its format.
func Split(format string, units int, document io.ReaderAt, size int64) *Splitter {
	s := &Splitter{document: document, size: size}
	if units > 1 {
		s.scan = newScanner(format)
	} else {
		s.ready, s.ended = []Span{{Len: size}}, true
	}
	return s
}

// Next is the next unit; io.EOF after the last one. Other errors are the document's own read errors.
func (s *Splitter) Next() (Span, error) {
	for s.next == len(s.ready) {
		if s.ended {
			return Span{}, io.EOF
		}
		if err := s.fill(); err != nil {
			return Span{}, err
		}
	}
	span := s.ready[s.next]
	s.next++
	return span, nil
}

func (s *Splitter) fill() (err error) {
	s.ready, s.next = s.ready[:0], 0
	add := func(u Span) {
		u.Tail = s.tail
		s.ready = append(s.ready, u)
	}
	if _, ok := s.scan.(*dscScanner); ok && s.off == 0 {
		if s.tail, err = trailerOf(s.document, s.size); err != nil {
			return err
		}
	}
	block := make([]byte, min(splitBlock, s.size-s.off))
	if len(block) == 0 {
		s.ended = true
		if u, ok := s.scan.rest(); ok {
			add(u)
		}
		return nil
	}
	n, err := s.document.ReadAt(block, s.off)
	if n < len(block) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	s.off += int64(n)
	s.scan.write(block, add)
	return nil
}
