package pages

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Ended is a unit's size and bytes as they go to a device that is sent unit after unit: a page of text that ends without a form feed,
// as the last of a document may, gets one, or the next page would begin on the same sheet. A page of PostScript is a document to the
// interpreter, and ends as one does on a line: with a control-D.
func Ended(format string, s Span, document io.ReaderAt) (int64, io.Reader, error) {
	end, at := "", s.Off+s.Len-1
	switch f := Canonical(format); {
	case f == Text && s.Len > 0:
		end = "\f"
	case f == PostScript && s.Tail.Len > 0:
		end, at = "\x04", s.Tail.Off+s.Tail.Len-1
	default:
		return s.Size(), s.Reader(document), nil
	}
	var last [1]byte
	if _, err := document.ReadAt(last[:], at); err != nil && err != io.EOF {
		return 0, nil, fmt.Errorf("read end of page: %w", err)
	}
	if string(last[:]) == end {
		return s.Size(), s.Reader(document), nil
	}
	return s.Size() + 1, io.MultiReader(s.Reader(document), strings.NewReader(end)), nil
}

// Joins reports whether units of the format, of a document that has so many, make a document again.
func Joins(format string, units int) bool {
	switch Canonical(format) {
	case Text, PWG, URF, ZPL:
		return true
	case PostScript:
		return units > 1
	}
	return false
}

// Join is units of a document as one document of its format: its size, and its bytes. Where units begin with something that
// stands once in a document (the prefix of a raster's pages, a prolog), it stands there once; so does a trailer.
func Join(format string, units []Span, document io.ReaderAt) (int64, io.Reader, error) {
	size, readers := int64(0), make([]io.Reader, 0, len(units))
	for i, s := range units {
		switch f := Canonical(format); {
		case f == PostScript && i < len(units)-1:
			s.Tail = Section{}
		case f == URF:
			s.Prefix = urfSync + string(binary.BigEndian.AppendUint32(nil, uint32(len(units))))
		}
		if i > 0 {
			s.Prefix, s.Head = "", 0
		}
		n, r, err := Ended(format, s, document)
		if err != nil {
			return 0, nil, err
		}
		size += n
		readers = append(readers, r)
	}
	return size, io.MultiReader(readers...), nil
}
