package emulator

import "strings"

const (
	// uel is the Universal Exit Language command (chapter 4): it ends what is being printed and returns to PJL.
	uel = "\x1b%-12345X"
	// maxLine bounds a PJL command; a longer one is dropped (appendix D, 20005).
	maxLine = 8192
)

// An interpreter is what reads a connection's bytes: between UELs either PJL commands or a document.
type interpreter struct {
	s *session
	// Bytes that may become a UEL.
	exit string
	// Bytes that may become "@PJL", or a command up to its end; unless a document has begun.
	line    []byte
	long    bool // the command is over the bound, and what is too much of it is not kept
	inDoc   bool
	entered bool // the document's language came with ENTER, so a UEL has to end it
	split   splitter
	page    func([]byte) // takes a page
	job     job
}

// interpret reads and prints until the connection's last byte, or until the power goes.
func (s *session) interpret() {
	i := &interpreter{s: s}
	i.job.s = s
	i.page = func(page []byte) { i.job.page(page, false) }
	switch {
	case s.p.options.HostStatus:
		i.begin("ZPL")
		i.split = &zplSplitter{asked: s.hostStatus}
	case s.p.options.PJL == PJLPrinted:
		i.begin("PCL")
	}
	for {
		chunk := s.take()
		if len(chunk) == 0 {
			break
		}
		for _, b := range chunk {
			s.at++
			if !i.read(b) {
				return
			}
		}
	}
	i.end()
}

// read takes the next byte and reports whether the printer still lives.
func (i *interpreter) read(b byte) bool {
	if i.s.p.options.PJL == PJLPrinted {
		i.data(b)
		return !i.job.died
	}
	if i.exit == "" && b != uel[0] {
		i.byte(b)
		return !i.job.died
	}
	if i.exit+string(b) == uel[:len(i.exit)+1] {
		if i.exit += string(b); i.exit == uel {
			i.exit = ""
			i.leave()
		}
		return !i.job.died
	}
	held := i.exit
	i.exit = ""
	for _, h := range []byte(held) {
		i.byte(h)
	}
	if b == uel[0] {
		i.exit = uel[:1]
		return !i.job.died
	}
	i.byte(b)
	return !i.job.died
}

// byte takes one that is no part of a UEL.
func (i *interpreter) byte(b byte) {
	if i.inDoc {
		i.data(b)
		return
	}
	i.line = append(i.line, b)
	const pjl = "@PJL"
	switch begun := string(i.line[:min(len(i.line), len(pjl))]); {
	case !strings.HasPrefix(pjl, begun):
		i.surprise()
	case b == '\n':
		line, long := string(i.line), i.long
		i.line, i.long = nil, false
		if long {
			i.s.complain(20005, "PJL COMMAND BUFFER OVERFLOW")
			return
		}
		i.command(strings.TrimRight(line, "\r\n"))
	case len(i.line) > maxLine:
		i.line, i.long = i.line[:maxLine], true
	}
}

// surprise: what stands where PJL could stand is not PJL. So a document has begun, and its first bytes say in what language.
func (i *interpreter) surprise() {
	line := i.line
	i.line = nil
	i.begin("")
	for _, b := range line {
		i.data(b)
	}
}

// begin begins a document.
func (i *interpreter) begin(language string) {
	o := &i.s.p.options
	i.inDoc = true
	i.entered = language != ""
	i.split = newSplitter(language, o.OtherPages, o.SkipsBlankRest)
}

func (i *interpreter) data(b byte) { i.split.write(b, i.page) }

// leave ends the document, as a UEL does: what was begun of a page is ejected.
func (i *interpreter) leave() {
	if i.inDoc {
		i.split.rest(i.page)
	}
	i.job.eject()
	i.inDoc, i.entered, i.split, i.line, i.long = false, false, nil, nil, false
}

// flush takes what was held back because it could have become PJL for what it is.
func (i *interpreter) flush() {
	held := i.exit
	i.exit = ""
	for _, b := range []byte(held) {
		i.byte(b)
	}
	if !i.inDoc && len(i.line) > 0 && len(i.line) < len("@PJL") {
		i.surprise()
	}
}

// end is the end of the stream. Where a document or a job was to be ended otherwise, it is a break.
func (i *interpreter) end() {
	s := i.s
	i.flush()
	s.p.mu.Lock()
	whole := s.end == ended && i.job.depth == 0 && (!i.entered || s.p.options.PJL == PJLPrinted)
	alive := s.alive()
	s.p.mu.Unlock()
	switch {
	case !alive:
		return
	case whole || !i.inDoc:
		i.leave()
		return
	}
	switch s.p.options.OnBreak {
	case BreakPrints:
		i.leave()
	case BreakTears:
		i.split.rest(func(page []byte) { i.job.page(page, true) })
		i.job.eject()
	default:
		i.job.eject()
	}
}
