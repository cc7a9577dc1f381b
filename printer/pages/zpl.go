package pages

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// zplMaxParameters is how much of a command's parameters is looked at.
const zplMaxParameters = 128

// zplScanner: a label format, ^XA…^XZ, is a unit, with what stands before it (downloads, settings). Pages counts the labels that
// it prints (^PQ). What follows the last format is a unit of its own, unless it is only white space.
//
// Binary payloads (^GFB, ^GFC, ~DY in binary) are skipped by their length, and a changed caret or tilde (^CC, ^CT) is followed, as the
// ZPL II programming guide has them.
type zplScanner struct {
	caret, tilde, comma byte

	start, at int64
	inFormat  bool
	blank     bool // since start
	quantity  int  // ^PQ of this format
	labels    int
	skip      int64

	command []byte // of the command being read: two letters, then parameters; nil: outside of one
}

func newZPLScanner() *zplScanner {
	return &zplScanner{caret: '^', tilde: '~', comma: ',', blank: true}
}

func (z *zplScanner) write(p []byte, unit func(Span)) {
	for len(p) > 0 {
		if z.skip > 0 {
			n := min(z.skip, int64(len(p)))
			z.skip -= n
			z.at += n
			p = p[n:]
			continue
		}
		if z.command == nil {
			if n := z.plain(p); n > 0 {
				z.at += int64(n)
				p = p[n:]
				continue
			}
		}
		z.at++
		z.byte(p[0], unit)
		p = p[1:]
	}
}

// plain is how many of p's first bytes are no command and need no look of their own.
func (z *zplScanner) plain(p []byte) int {
	n := len(p)
	if i := bytes.IndexByte(p, z.caret); i >= 0 {
		n = i
	}
	if i := bytes.IndexByte(p[:n], z.tilde); i >= 0 {
		n = i
	}
	if z.blank {
		z.blank = len(bytes.TrimSpace(p[:n])) == 0
	}
	return n
}

func (z *zplScanner) byte(b byte, unit func(Span)) {
	switch {
	case z.changing():
		z.change(b)
	case b == z.caret || b == z.tilde:
		z.leave()
		z.blank = false
		z.command = append(make([]byte, 0, 16), b)
	case len(z.command) < 3:
		z.command = append(z.command, upper(b))
		if z.is("XA") {
			z.inFormat, z.quantity = true, 1
		} else if z.is("XZ") && z.inFormat {
			z.format(unit)
		}
	case len(z.command) < zplMaxParameters:
		z.command = append(z.command, b)
		z.payload()
	default:
		z.command = nil
	}
}

func upper(b byte) byte {
	if 'a' <= b && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}

// is reports whether the two letters of the command have just been read.
func (z *zplScanner) is(name string) bool {
	return len(z.command) == 3 && string(z.command[1:]) == name
}

// changing: the next byte is the new caret, tilde or comma.
func (z *zplScanner) changing() bool { return z.is("CC") || z.is("CT") || z.is("CD") }

func (z *zplScanner) change(b byte) {
	switch z.command[2] {
	case 'C':
		z.caret = b
	case 'T':
		z.tilde = b
	case 'D':
		z.comma = b
	}
	z.command = nil
}

// leave ends the command that is being read, with its parameters complete.
func (z *zplScanner) leave() {
	if len(z.command) < 3 || string(z.command[1:3]) != "PQ" {
		return
	}
	if n, err := strconv.Atoi(z.parameters()[0]); err == nil && n > 0 {
		z.quantity = min(n, 99_999_999) // the guide's largest
	}
}

func (z *zplScanner) parameters() []string {
	fields := strings.Split(string(z.command[3:]), string(rune(z.comma)))
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	return fields
}

// payload looks whether a binary payload begins after the comma just read, and skips it.
func (z *zplScanner) payload() {
	if z.command[len(z.command)-1] != z.comma {
		return
	}
	var length string
	switch f := z.parameters(); string(z.command[1:3]) {
	case "GF": // ^GFa,b,c,d,data: b bytes, of kind A (hex), B or C (binary)
		if len(f) != 5 || f[0] == "A" || f[0] == "a" || f[0] == "" {
			return
		}
		length = f[1]
	case "DY": // ~DYd:f,b,x,t,w,data: t bytes, of kind A (hex), B, C or P (binary, ASCII for P)
		if len(f) != 6 || f[1] == "A" || f[1] == "a" || f[1] == "P" || f[1] == "p" {
			return
		}
		length = f[3]
	default:
		return
	}
	if n, err := strconv.ParseInt(length, 10, 32); err == nil && n > 0 {
		z.skip = n
	}
	z.command = nil
}

func (z *zplScanner) format(unit func(Span)) {
	unit(Span{Off: z.start, Len: z.at - z.start})
	z.labels = min(z.labels+z.quantity, math.MaxInt32)
	z.start, z.inFormat, z.blank, z.command = z.at, false, true, nil
}

func (z *zplScanner) rest() (Span, bool) {
	return Span{Off: z.start, Len: z.at - z.start}, z.at > z.start && !z.blank
}

func (z *zplScanner) pages() int { return z.labels }

func (z *zplScanner) broken() bool { return false }
