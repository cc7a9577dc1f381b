package pages

import "encoding/binary"

// PWG raster, PWG 5102.4: the sync word, and for each page a header and run-length lines. Apple raster (URF) is the same with other
// headers.
const (
	pwgSync       = "RaS2"
	pwgHeaderSize = 1796
	// Offsets of big-endian numbers in the header (PWG 5102.4 table 2, where CUPS's raster version 2 agrees).
	pwgHeight       = 376
	pwgBitsPerColor = 384
	pwgBitsPerPixel = 388
	pwgBytesPerLine = 392
	pwgColorOrder   = 396
	// Beyond these it is not a page but a damaged header: 1 m at 2400 dpi is below 100,000 dots.
	rasterMaxHeight = 1 << 24
	rasterMaxLine   = 1 << 26
)

// Apple raster, as AirPrint's clients send it: "UNIRAST\0" and the number of pages, and for each page a header of 32 bytes. Apple has not
// published it; the offsets are what CUPS's filters and PAPPL agree on.
const (
	urfSync         = "UNIRAST\x00"
	urfHeaderSize   = 32
	urfBitsPerPixel = 0
	urfWidth        = 12
	urfHeight       = 16
)

// A rasterFormat is what two raster formats differ in.
type rasterFormat struct {
	// sync begins a document; any bytes follow it.
	sync string
	any  int
	// prefix begins a page that stands alone.
	prefix string
	header int
	// read gives bytes of a pixel as runs count them, lines, and bytes of a line.
	read func(head []byte) (pixel, height, line uint64)
}

func pwgFormat() *rasterFormat { return &rasterFormat{pwgSync, 0, pwgSync, pwgHeaderSize, readPWG} }

func urfFormat() *rasterFormat {
	return &rasterFormat{urfSync, 4, urfSync + "\x00\x00\x00\x01", urfHeaderSize, readURF}
}

type rasterState uint8

const (
	rasterInSync rasterState = iota
	rasterInHeader
	rasterAtLine // the line's repeat count is next
	rasterAtRun  // a run's code is next
	rasterInRun  // skip bytes of pixels are next
	rasterBroken
)

func newRasterScanner(f *rasterFormat) *rasterScanner {
	return &rasterScanner{format: f, head: make([]byte, f.header)}
}

// rasterScanner makes every page a unit: the sync word in front of its header and lines. Only the lengths of the runs matter.
type rasterScanner struct {
	format    *rasterFormat
	state     rasterState
	start, at int64 // of the page; of the next byte
	head      []byte
	have      int // bytes of the sync word or the header
	pixel     int // bytes of a pixel, as runs count them
	line      int // bytes of a line
	left      int // bytes of this line to come
	height    int // lines to come, this one included
	skip      int // bytes of the run to come
	ended     int
}

func (s *rasterScanner) write(p []byte, unit func(Span)) {
	for len(p) > 0 && s.state != rasterBroken {
		n := s.step(p)
		s.at += int64(n)
		p = p[n:]
		if s.state == rasterAtLine && s.height == 0 {
			unit(Span{Prefix: s.format.prefix, Off: s.start, Len: s.at - s.start})
			s.ended++
			s.start, s.have, s.state = s.at, 0, rasterInHeader
		}
	}
}

// step takes at least one byte of p and returns how many.
func (s *rasterScanner) step(p []byte) int {
	switch s.state {
	case rasterInSync:
		if s.have < len(s.format.sync) && p[0] != s.format.sync[s.have] {
			s.state = rasterBroken
		} else if s.have++; s.have == len(s.format.sync)+s.format.any {
			s.start, s.have, s.state = s.at+1, 0, rasterInHeader
		}
	case rasterInHeader:
		n := copy(s.head[s.have:], p)
		if s.have += n; s.have == s.format.header {
			s.header()
		}
		return n
	case rasterAtLine:
		s.height -= min(int(p[0])+1, s.height)
		s.left, s.state = s.line, rasterAtRun
	case rasterAtRun:
		s.run(int(p[0]))
	case rasterInRun:
		n := min(len(p), s.skip)
		if s.skip -= n; s.skip == 0 {
			s.runEnded()
		}
		return n
	}
	return 1
}

func (s *rasterScanner) header() {
	pixel, height, line := s.format.read(s.head)
	if pixel == 0 || pixel > 128 || height == 0 || height > rasterMaxHeight || line == 0 || line > rasterMaxLine {
		s.state = rasterBroken
		return
	}
	s.pixel, s.height, s.line = int(pixel), int(height), int(line)
	s.state = rasterAtLine
}

func readPWG(head []byte) (pixel, height, line uint64) {
	field := func(off int) uint64 { return uint64(binary.BigEndian.Uint32(head[off:])) }
	bits := field(pwgBitsPerPixel)
	if field(pwgColorOrder) != 0 { // not chunky: runs count the bytes of one color
		bits = field(pwgBitsPerColor)
	}
	return (bits + 7) / 8, field(pwgHeight), field(pwgBytesPerLine)
}

func readURF(head []byte) (pixel, height, line uint64) {
	pixel = (uint64(head[urfBitsPerPixel]) + 7) / 8
	return pixel, uint64(binary.BigEndian.Uint32(head[urfHeight:])), pixel * uint64(binary.BigEndian.Uint32(head[urfWidth:]))
}

// run takes a run's code (PWG 5102.4 §4.3): 0-127 repeats one pixel code+1 times, 129-255 is 257-code pixels as they are. 128
// is CUPS's own: the rest of the line is blank.
func (s *rasterScanner) run(code int) {
	pixels := code + 1
	s.skip = s.pixel
	if code == 128 {
		s.left = 0
		s.runEnded()
		return
	} else if code > 128 {
		pixels = 257 - code
		s.skip = pixels * s.pixel
	}
	if s.left -= pixels * s.pixel; s.left < 0 {
		s.state = rasterBroken
		return
	}
	s.state = rasterInRun
}

func (s *rasterScanner) runEnded() {
	s.state = rasterAtRun
	if s.left == 0 {
		s.state = rasterAtLine
	}
}

func (s *rasterScanner) rest() (Span, bool) { return Span{}, false }

func (s *rasterScanner) pages() int {
	if s.broken() {
		return 0
	}
	return s.ended
}

// broken also if the document ends inside of a page.
func (s *rasterScanner) broken() bool {
	return s.state != rasterInHeader || s.have != 0 || s.ended == 0
}
