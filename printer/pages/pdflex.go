package pages

import "bytes"

// pdfLexer cuts PDF into tokens (ISO 32000-1 §7.2, §7.3) as far as counting needs: names, words, << >> [ ]. Strings and comments
// are skipped. It can be fed in pieces.
type pdfLexer struct {
	state pdfState
	depth int // of parentheses in a string
	token []byte
	// stream: the word "stream" has ended, and the bytes after it are no tokens.
	stream bool
}

type pdfState uint8

const (
	pdfNone pdfState = iota
	pdfWord
	pdfComment
	pdfString
	pdfStringEscape
	pdfHex
	pdfLess    // after <
	pdfGreater // after >
)

// next takes bytes of p until they end or a stream begins, and returns how many it took.
func (l *pdfLexer) next(p []byte, token func(string)) int {
	for i := 0; i < len(p) && !l.stream; {
		if l.state == pdfString {
			if n := bytes.IndexAny(p[i:], `()\`); n < 0 {
				return len(p)
			} else {
				i += n
			}
		}
		if l.byte(p[i], token) {
			i++
		}
		if l.stream {
			return i
		}
	}
	return len(p)
}

// byte takes one byte; false: the state has changed, and it is to be looked at again.
func (l *pdfLexer) byte(b byte, token func(string)) bool {
	switch l.state {
	case pdfNone:
		l.begin(b, token)
	case pdfWord:
		if !pdfRegular(b) {
			l.word(token)
			return false
		}
		if len(l.token) < pdfMaxToken {
			l.token = append(l.token, b)
		}
	case pdfComment:
		if b == '\r' || b == '\n' {
			l.state = pdfNone
		}
	case pdfString:
		l.string(b)
	case pdfStringEscape:
		l.state = pdfString
	case pdfHex:
		if b == '>' {
			l.state = pdfNone
		}
	case pdfLess:
		if b != '<' {
			l.state = pdfHex
			return false
		}
		token("<<")
		l.state = pdfNone
	case pdfGreater:
		l.state = pdfNone
		if b != '>' {
			return false
		}
		token(">>")
	}
	return true
}

func (l *pdfLexer) begin(b byte, token func(string)) {
	switch {
	case b == '%':
		l.state = pdfComment
	case b == '(':
		l.state, l.depth = pdfString, 1
	case b == '<':
		l.state = pdfLess
	case b == '>':
		l.state = pdfGreater
	case b == '[':
		token("[")
	case b == ']':
		token("]")
	case b == '/' || pdfRegular(b):
		l.state = pdfWord
		l.token = append(l.token[:0], b)
	}
}

func (l *pdfLexer) string(b byte) {
	switch b {
	case '(':
		l.depth++
	case ')':
		if l.depth--; l.depth == 0 {
			l.state = pdfNone
		}
	case '\\':
		l.state = pdfStringEscape
	}
}

func (l *pdfLexer) word(token func(string)) {
	l.state = pdfNone
	if string(l.token) == "stream" {
		l.stream = true
		return
	}
	token(string(l.token))
}

// pdfRegular: neither white space nor a delimiter (ISO 32000-1 §7.2.2).
func pdfRegular(b byte) bool {
	switch b {
	case 0, '\t', '\n', '\f', '\r', ' ', '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return false
	}
	return true
}
