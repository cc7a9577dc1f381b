package pages

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Ended is a unit's size and bytes as they go to a device that is sent unit after unit: a page of text that ends without a form feed,
// as the last of a document may, gets one, or the next page would begin on the same sheet.
func Ended(format string, s Span, document io.ReaderAt) (int64, io.Reader, error) {
	if Canonical(format) != Text || s.Len == 0 {
		return s.Size(), s.Reader(document), nil
	}
	var last [1]byte
	if _, err := document.ReadAt(last[:], s.Off+s.Len-1); err != nil && err != io.EOF {
		return 0, nil, fmt.Errorf("read end of page: %w", err)
	}
	if last[0] == '\f' {
		return s.Size(), s.Reader(document), nil
	}
	return s.Size() + 1, io.MultiReader(s.Reader(document), strings.NewReader("\f")), nil
}

// Joins reports whether units of the format make a document again.
func Joins(format string) bool {
	switch Canonical(format) {
	case Text, PWG, URF, ZPL:
		return true
	}
	return false
}

// Join is units of a document as one document of its format: its size, and its bytes. Where units begin with something that
// stands once in a document (the prefix of a raster's pages), it stands there once.
func Join(format string, units []Span, document io.ReaderAt) (int64, io.Reader, error) {
	size, readers := int64(0), make([]io.Reader, 0, len(units))
	for i, s := range units {
		switch raster := Canonical(format); {
		case i > 0 && (raster == PWG || raster == URF):
			s.Prefix = ""
		case raster == URF:
			s.Prefix = urfSync + string(binary.BigEndian.AppendUint32(nil, uint32(len(units))))
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
