package pages

import (
	"bytes"
	"unicode/utf8"
)

// Sniff says what a document is from its first bytes ([SniffLen] of them, or all): one of this package's formats.
func Sniff(head []byte) string {
	head = head[:min(len(head), SniffLen)]
	for _, m := range [...]struct{ magic, format string }{
		{"RaS2", PWG},
		{"UNIRAST\x00", URF},
		{"\xff\xd8\xff", JPEG},
		{"\x89PNG\r\n\x1a\n", PNG},
		{") HP-PCL XL", PCL},
	} {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format
		}
	}
	if rest, ok := bytes.CutPrefix(head, []byte("\x1b%-12345X")); ok {
		return sniffPJL(rest)
	}
	rest := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n\x04")
	switch {
	case bytes.HasPrefix(rest, []byte("%!")):
		return PostScript
	case bytes.HasPrefix(rest, []byte("%PDF-")):
		return PDF
	case isZPL(rest):
		return ZPL
	case bytes.HasPrefix(head, []byte("\x1bE")), bytes.HasPrefix(head, []byte("\x1b&")), bytes.HasPrefix(head, []byte("\x1b*")):
		return PCL
	case isText(head):
		return Text
	}
	return OctetStream
}

// sniffPJL reads what a PJL header enters, or what stands right after the universal exit.
func sniffPJL(rest []byte) string {
	_, language, found := bytes.Cut(bytes.ToUpper(rest), []byte("ENTER LANGUAGE"))
	language = bytes.TrimLeft(language, " =")
	switch {
	case bytes.HasPrefix(language, []byte("POSTSCRIPT")), bytes.HasPrefix(rest, []byte("%!")):
		return PostScript
	case bytes.HasPrefix(language, []byte("PDF")), bytes.HasPrefix(rest, []byte("%PDF-")):
		return PDF
	case bytes.HasPrefix(language, []byte("PCL")), !found:
		return PCL
	}
	return OctetStream
}

// isZPL: a label, a command that is sent before one, or the line that Zebra's driver begins with.
func isZPL(head []byte) bool {
	for _, magic := range []string{"^XA", "^xa", "~DG", "~DY", "~DU", "~SD", "~TA", "~JS", "~CC", "~CT", "CT~~CD"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// isText: no control characters but those that a line printer knows. Bytes beyond ASCII may be of any old code page; a character cut at
// the end does not matter.
func isText(head []byte) bool {
	for _, b := range head {
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' && b != '\f' && b != '\b' && b != 0x1a || b == 0x7f {
			return false
		}
	}
	return len(head) > 0 && (utf8.Valid(head) || printable(head))
}

// printable: most of a text in an 8-bit code page is ASCII still.
func printable(head []byte) bool {
	n := 0
	for _, b := range head {
		if b < 0x80 {
			n++
		}
	}
	return n*2 >= len(head)
}
