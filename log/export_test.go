package log

import "encoding/binary"

// HeaderOfVersion is a header as a program of another format version may write it.
func HeaderOfVersion(version uint32) []byte {
	b := fileHeader{generation: 1, first: 1}.encode()
	binary.LittleEndian.PutUint32(b[8:], version)
	binary.LittleEndian.PutUint32(b[12:], fileHeaderCRC(b))
	return b
}
