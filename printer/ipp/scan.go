package ipp

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/OpenPrinting/goipp"
)

// Limits of an answer. A large printer says some hundreds of attributes with some thousands of values, collections in
// collections in collections.
const (
	maxValues = 1 << 16
	maxDepth  = 16
)

var errCut = errors.New("it ends in the middle of an attribute")

// scan checks that a message is within the limits, up to the end of its attributes.
func scan(raw []byte) error {
	if len(raw) < 8 {
		return errors.New("it has no header")
	}
	values, depth := 0, 0
	for rest := raw[8:]; ; {
		if len(rest) == 0 {
			return errCut
		}
		tag := goipp.Tag(rest[0])
		rest = rest[1:]
		switch {
		case tag == goipp.TagEnd:
			return nil
		case tag.IsDelimiter():
			continue
		case tag == goipp.TagBeginCollection:
			depth++
		case tag == goipp.TagEndCollection:
			depth--
		}
		for range 2 { // name and value
			if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
				return errCut
			}
			rest = rest[2+int(binary.BigEndian.Uint16(rest)):]
		}
		if values++; values > maxValues || depth > maxDepth || depth < 0 {
			return fmt.Errorf("it has more than %d values, collections deeper than %d, or one that ends and did not begin", maxValues, maxDepth)
		}
	}
}
