package pages

import (
	"bytes"
	"encoding/binary"
	"io"
)

// Continued is a unit that is one page, as it goes to a device to which all that comes over one connection is one document: what begins a
// raster stands there once, before the first unit, and an Apple raster says there how many pages follow (left, this one included).
func Continued(format string, first bool, left int, size int64, unit io.Reader) (int64, io.Reader, error) {
	sync, length := "", 0
	switch Canonical(format) {
	case PWG:
		sync, length = pwgSync, len(pwgSync)
	case URF:
		sync, length = urfSync, len(urfSync)+4
	}
	if first && length == len(sync) {
		return size, unit, nil
	}
	head := make([]byte, length)
	n, err := io.ReadFull(unit, head)
	switch {
	case err != nil && err != io.EOF && err != io.ErrUnexpectedEOF:
		return 0, nil, err
	case n < length || !bytes.HasPrefix(head, []byte(sync)):
		return size, io.MultiReader(bytes.NewReader(head[:n]), unit), nil
	case !first:
		return size - int64(length), unit, nil
	}
	binary.BigEndian.PutUint32(head[len(sync):], uint32(left))
	return size, io.MultiReader(bytes.NewReader(head), unit), nil
}
