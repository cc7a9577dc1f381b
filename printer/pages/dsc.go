package pages

import (
	"bytes"
	"strconv"
	"strings"
)

// PostScript whose pages stand alone: a document that conforms to the Document Structuring Conventions, version 3.0 (Adobe TN 5001, 1992).
// A page is sent with all that stands before the first one (comments, prolog, setup) and with the trailer, as a print manager that picks
// pages does it (§3.1 of the note, "page independence").

const (
	// dscLine is the longest line of a conforming document (§3.3).
	dscLine = 255
	// dscHead and dscTail are the most that is sent with each page, before and after it.
	dscHead = 256 << 10
	dscTail = 32 << 10
)

// A dscPart is where in a document a line is.
type dscPart uint8

const (
	dscHeader dscPart = iota
	dscProlog         // and setup
	dscPage
	dscTrailer
	dscEnd // after %%EOF
)

// dscScanner makes every page a unit. Whatever is not plainly as the conventions have it is a doubt, and leaves the document whole; its pages
// are counted all the same.
type dscScanner struct {
	line    []byte // the beginning of the current one
	long    bool   // there is more of it than dscLine
	inside  bool   // it began in the middle of one
	cr      bool   // the byte before was a CR, whose LF may follow
	at      int64  // of the next byte
	begun   int64  // of the line
	skip    int64  // bytes of data to come
	skipped int64  // lines of data to come

	part       dscPart
	conforming bool // enough to count pages
	doubt      bool
	depth      int // documents in the document
	count      int
	prolog     bool // its end was said
	head       int64
	start      int64 // of the page
	tail       int64 // of the trailer
	declared   value // %%Pages
	order      value // %%PageOrder
}

// A value is that of a comment which may be deferred to the trailer.
type value struct {
	text  string
	given bool
	atEnd bool
}

func (s *dscScanner) write(p []byte, unit func(Span)) {
	for len(p) > 0 {
		switch {
		case s.cr:
			s.cr = false
			if p[0] == '\n' {
				s.at++
				s.begun, p = s.at, p[1:]
			}
			continue
		case s.skip > 0:
			n := min(s.skip, int64(len(p)))
			s.skip, s.at, s.begun = s.skip-n, s.at+n, s.at+n
			s.inside, p = true, p[n:]
			continue
		}
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			s.add(p)
			return
		}
		s.add(p[:i])
		s.at++
		s.cr = p[i] == '\r'
		p = p[i+1:]
		s.ended(unit)
		s.line, s.long, s.inside, s.begun = s.line[:0], false, false, s.at
	}
}

func (s *dscScanner) add(p []byte) {
	s.line = append(s.line, p[:min(len(p), dscLine-len(s.line))]...)
	s.at += int64(len(p))
	s.long = s.long || s.at-s.begun > dscLine
}

// ended: the line is there.
func (s *dscScanner) ended(unit func(Span)) {
	if s.skipped > 0 {
		s.skipped--
		return
	}
	if s.begun == 0 {
		// A PJL wrapper may stand in front: the %! is then not the line's beginning, and the document is not ours to cut.
		s.conforming = bytes.HasPrefix(s.line, []byte("%!PS-Adobe")) || bytes.HasPrefix(s.line, []byte("\x1b%-12345X"))
		s.doubt = string(bytes.TrimRight(s.line, " \t")) != "%!PS-Adobe-3.0" // one that is EPSF, a query or more says so there
		return
	}
	s.place()
	if !s.inside && bytes.HasPrefix(s.line, []byte("%%")) {
		name, words, _ := bytes.Cut(s.line[2:], []byte(":"))
		s.comment(string(bytes.TrimRight(name, " \t")), bytes.TrimSpace(words), unit)
	}
}

// place sees to what a line means by where it is.
func (s *dscScanner) place() {
	switch s.part {
	case dscHeader: // it ends where a line is no comment (§4.4)
		if len(s.line) < 2 || s.line[0] != '%' || s.line[1] <= ' ' || s.line[1] > '~' {
			s.part = dscProlog
		}
		s.doubt = s.doubt || s.long || joinsPages(s.line)
	case dscProlog:
		s.doubt = s.doubt || s.long || joinsPages(s.line)
	case dscEnd:
		s.doubt = s.doubt || len(bytes.Trim(s.line, " \t\x04\x00")) > 0
	}
}

func (s *dscScanner) comment(name string, words []byte, unit func(Span)) {
	switch name {
	case "BeginDocument":
		s.depth++
		s.doubt = s.doubt || s.part == dscTrailer
		return
	case "EndDocument":
		s.doubt = s.doubt || s.depth == 0
		s.depth = max(s.depth-1, 0)
		return
	case "BeginData", "BeginBinary":
		s.data(bytes.Fields(words))
		return
	}
	if s.depth > 0 {
		return
	}
	if strings.HasPrefix(name, "Trailer") {
		name = "Trailer" // whatever trailerOf could take for it, which looks from behind
	}
	switch name {
	case "EndComments":
		s.part = max(s.part, dscProlog)
	case "Pages":
		s.give(&s.declared, words)
	case "PageOrder":
		s.give(&s.order, words)
	case "EndProlog":
		s.prolog = true
	case "Page":
		s.page(words, unit)
	case "Trailer":
		s.doubt = s.doubt || s.part != dscPage
		s.leave(unit)
		s.part, s.tail = dscTrailer, s.begun
	case "EOF":
		s.part = dscEnd
	}
}

// give takes a value: the first in the header, and the last in the trailer where the header defers to that (§4.6, "atend").
func (s *dscScanner) give(v *value, words []byte) {
	text := string(words)
	switch {
	case s.part == dscHeader && !v.given:
		v.given, v.atEnd, v.text = true, text == "(atend)", text
	case s.part == dscTrailer && v.atEnd:
		v.text = text
	}
}

// data skips what is not to be read: NUMBER [TYPE [Bytes | Lines]] (§5.1).
func (s *dscScanner) data(words [][]byte) {
	n, err := int64(0), strconv.ErrSyntax
	if len(words) > 0 {
		n, err = strconv.ParseInt(string(words[0]), 10, 62)
	}
	lines := len(words) > 2 && string(words[2]) == "Lines"
	switch {
	case err != nil, n < 0, s.part >= dscTrailer:
		s.doubt = true
	case lines:
		s.skipped = n
	default:
		s.skip = n
	}
}

// page begins one. Its second word is its place in the document (§5.3).
func (s *dscScanner) page(words []byte, unit func(Span)) {
	s.leave(unit)
	s.count++
	if s.count == 1 {
		s.head = s.begun
	}
	place := bytes.Fields(words)
	s.doubt = s.doubt || s.part >= dscTrailer || len(place) < 2 || string(place[len(place)-1]) != strconv.Itoa(s.count)
	s.part, s.start = dscPage, s.begun
}

// leave ends the page before this line.
func (s *dscScanner) leave(unit func(Span)) {
	if s.part == dscPage {
		unit(Span{Head: s.head, Off: s.start, Len: s.begun - s.start})
	}
}

func (s *dscScanner) rest() (Span, bool) { return Span{}, false }

func (s *dscScanner) pages() int {
	if !s.conforming {
		return 0
	}
	return s.count
}

// broken also if the document ends before its trailer, or has other pages than it says.
func (s *dscScanner) broken() bool {
	end := *s
	end.ended(func(Span) {}) // the last line needs no end
	switch order := end.order.text; {
	case end.doubt, !end.prolog, end.depth > 0, end.skip > 0, end.skipped > 0, s.part < dscTrailer:
		return true
	case end.head > dscHead, end.at-end.tail > dscTail:
		return true
	case order != "" && order != "Ascend" && order != "Descend": // Special: the pages are to stay as they are
		return true
	}
	return end.declared.text != strconv.Itoa(end.count)
}
