package pages

import "encoding/binary"

// PWG raster, PWG 5102.4: the sync word, and for each page a header and run-length lines.
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
	pwgMaxHeight = 1 << 24
	pwgMaxLine   = 1 << 26
)

type pwgState uint8

const (
	pwgInSync pwgState = iota
	pwgInHeader
	pwgAtLine // the line's repeat count is next
	pwgAtRun  // a run's code is next
	pwgInRun  // skip bytes of pixels are next
	pwgBroken
)

// pwgScanner makes every page a unit: the sync word in front of its header and lines. Only the lengths of the runs matter.
type pwgScanner struct {
	state     pwgState
	start, at int64 // of the page; of the next byte
	head      [pwgHeaderSize]byte
	have      int // bytes of the sync word or the header
	pixel     int // bytes of a pixel, as runs count them
	line      int // bytes of a line
	left      int // bytes of this line to come
	height    int // lines to come, this one included
	skip      int // bytes of the run to come
	ended     int
}

func (s *pwgScanner) write(p []byte, unit func(Span)) {
	for len(p) > 0 && s.state != pwgBroken {
		n := s.step(p)
		s.at += int64(n)
		p = p[n:]
		if s.state == pwgAtLine && s.height == 0 {
			unit(Span{Prefix: pwgSync, Off: s.start, Len: s.at - s.start})
			s.ended++
			s.start, s.have, s.state = s.at, 0, pwgInHeader
		}
	}
}

// step takes at least one byte of p and returns how many.
func (s *pwgScanner) step(p []byte) int {
	switch s.state {
	case pwgInSync:
		if p[0] != pwgSync[s.have] {
			s.state = pwgBroken
		} else if s.have++; s.have == len(pwgSync) {
			s.start, s.have, s.state = s.at+1, 0, pwgInHeader
		}
	case pwgInHeader:
		n := copy(s.head[s.have:], p)
		if s.have += n; s.have == pwgHeaderSize {
			s.header()
		}
		return n
	case pwgAtLine:
		s.height -= min(int(p[0])+1, s.height)
		s.left, s.state = s.line, pwgAtRun
	case pwgAtRun:
		s.run(int(p[0]))
	case pwgInRun:
		n := min(len(p), s.skip)
		if s.skip -= n; s.skip == 0 {
			s.runEnded()
		}
		return n
	}
	return 1
}

func (s *pwgScanner) header() {
	field := func(off int) uint32 { return binary.BigEndian.Uint32(s.head[off:]) }
	bits := field(pwgBitsPerPixel)
	if field(pwgColorOrder) != 0 { // not chunky: runs count the bytes of one color
		bits = field(pwgBitsPerColor)
	}
	height, line := field(pwgHeight), field(pwgBytesPerLine)
	if bits == 0 || bits > 1024 || height == 0 || height > pwgMaxHeight || line == 0 || line > pwgMaxLine {
		s.state = pwgBroken
		return
	}
	s.pixel, s.height, s.line = int(bits+7)/8, int(height), int(line)
	s.state = pwgAtLine
}

// run takes a run's code (PWG 5102.4 §4.3): 0-127 repeats one pixel code+1 times, 129-255 is 257-code pixels as they are. 128
// is CUPS's own: the rest of the line is blank.
func (s *pwgScanner) run(code int) {
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
		s.state = pwgBroken
		return
	}
	s.state = pwgInRun
}

func (s *pwgScanner) runEnded() {
	s.state = pwgAtRun
	if s.left == 0 {
		s.state = pwgAtLine
	}
}

func (s *pwgScanner) rest() (Span, bool) { return Span{}, false }

func (s *pwgScanner) pages() int { return s.ended }

// broken also if the document ends inside of a page.
func (s *pwgScanner) broken() bool {
	return s.state != pwgInHeader || s.have != 0 || s.ended == 0
}
