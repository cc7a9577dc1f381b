package emulator

import "encoding/binary"

// pwgSplitter reads PWG raster (PWG 5102.4): "RaS2", then for each page a header of 1796 bytes and run-length coded lines.
// A page is its header and lines. What cannot be right ends the document, and is no page.
type pwgSplitter struct {
	page   []byte
	sync   bool // the sync word has passed
	broken bool
	lines  int // lines still to come, the one being read included
	width  int // bytes of a line
	unit   int // bytes of a pixel
	filled int // bytes of this line that are there
	skip   int // literal bytes still to come
	begun  bool
}

const (
	pwgHeaderLen = 1796
	// Big-endian numbers in the header (PWG 5102.4).
	pwgAtHeight, pwgAtBitsPerPixel, pwgAtBytesPerLine = 376, 388, 392
)

func (s *pwgSplitter) write(b byte, page func([]byte)) {
	if s.broken {
		return
	}
	s.page = append(s.page, b)
	switch {
	case !s.sync:
		if len(s.page) == 4 {
			s.sync, s.broken, s.page = true, string(s.page) != "RaS2", nil
		}
		return
	case len(s.page) < pwgHeaderLen:
		return
	case len(s.page) == pwgHeaderLen:
		s.header()
	default:
		s.pixel(b)
	}
	if s.lines == 0 && !s.broken {
		page(s.page)
		s.page = nil
	}
}

func (s *pwgSplitter) header() {
	number := func(at int) int { return int(binary.BigEndian.Uint32(s.page[at:])) }
	s.lines, s.width = number(pwgAtHeight), number(pwgAtBytesPerLine)
	s.unit = max(number(pwgAtBitsPerPixel)/8, 1)
	s.filled, s.skip, s.begun = 0, 0, false
	s.broken = s.width == 0 || s.lines == 0
}

// pixel takes a byte of a line: a repeat count, then runs until the line is full. A run of 0 to 127 repeats the pixel that
// follows, 129 to 255 has up to 128 pixels that follow, 128 fills the line.
func (s *pwgSplitter) pixel(b byte) {
	switch {
	case !s.begun:
		s.begun, s.filled = true, 0
		s.lines -= int(b) // a line repeated b times more
		s.broken = s.lines < 1
		return
	case s.skip > 0:
		s.skip--
	case b == 128:
		s.filled = s.width
	case b < 128:
		s.skip, s.filled = s.unit, s.filled+(int(b)+1)*s.unit
	default:
		s.skip = (257 - int(b)) * s.unit
		s.filled += s.skip
	}
	if s.skip == 0 && s.filled >= s.width {
		s.lines--
		s.begun = false
	}
}

// rest ejects a page whose lines did not all come.
func (s *pwgSplitter) rest(page func([]byte)) {
	if s.sync && !s.broken && len(s.page) >= pwgHeaderLen {
		page(s.page)
	}
}
