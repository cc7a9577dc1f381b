package pages

import (
	"bytes"
	"fmt"
	"io"
)

// joins are the words of a document's own wishes that reach over its pages: two sides of a sheet, copies in their order.
var joins = [][]byte{[]byte("duplex"), []byte("tumble"), []byte("numcopies"), []byte("#copies"), []byte("collate"), []byte("staple"), []byte("booklet")}

// joinsPages: a line before the first page asks for something that pages which are sent one by one would not get.
func joinsPages(line []byte) bool {
	line = bytes.ToLower(line)
	for _, word := range joins {
		for rest := line; ; {
			_, after, found := bytes.Cut(rest, word)
			if !found {
				break
			}
			rest = after
			if said := bytes.TrimLeft(after, " \t"); !bytes.HasPrefix(said, []byte("false")) && !bytes.HasPrefix(said, []byte("none")) {
				return true
			}
		}
	}
	return false
}

// trailerOf finds the trailer of a document that dscScanner has cut: its last line that begins so.
func trailerOf(document io.ReaderAt, size int64) (Section, error) {
	off := max(0, size-dscTail-1)
	end := make([]byte, size-off)
	if n, err := document.ReadAt(end, off); n < len(end) {
		return Section{}, fmt.Errorf("read trailer: %w", err)
	}
	for at := len(end); ; {
		at = bytes.LastIndex(end[:at], []byte("%%Trailer"))
		if at <= 0 {
			return Section{}, fmt.Errorf("read trailer: %w", io.ErrUnexpectedEOF)
		}
		if end[at-1] == '\n' || end[at-1] == '\r' {
			return Section{off + int64(at), int64(len(end) - at)}, nil
		}
	}
}
