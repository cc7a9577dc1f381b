package log

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"printq/log/crc32c"
)

// The format, version 1. Numbers are little-endian; everything begins at a multiple of 8.
//
//	file:    header | batch | batch | … | seal | footer        (a sealed file ends here)
//	                                    | zeros or old bytes     (one being written)
//
//	header   0        8       12      16           24          32
//	         | magic  |version| crc   | generation | first      |
//
//	batch    0       4      8       12     16    20    24         32
//	         | magic | crc  | bytes | count| sum | 0   | synced     | count records, bytes long
//
//	record   0      4       8       16     24   25   26    27   32
//	         | crc  | bytes | index | term |kind|type|flags|0…0  | data | 0 to 7 zeros
//
//	footer   0       4      8           16
//	         | magic | crc  | seal's offset |
//
// A CRC starts from the generation, which is also the file's name: records that an earlier use
// left in a recycled file do not check. A batch's CRC starts from the generation and the batch's
// own offset and covers its header; sum is the CRC of its records' CRCs, which binds them to it; a
// record's CRC covers its header and data. synced is the offset below which the file was known to
// be synced when the batch was written: see "Torn or damaged" in the package's contract.
//
// first is the index that was to come next when the segment began. Entries from there on that
// older segments hold had been overwritten by then.
//
// A seal is a batch of one record of kind recordTable. See table.go for its data.
const (
	formatVersion = 1

	fileHeaderSize   = 32
	batchHeaderSize  = 32
	recordHeaderSize = 32
	footerSize       = 16
	hardStateSize    = 24

	fileMagic   = "printqlg"
	batchMagic  = 0x62717066 // "fpqb" on disk
	footerMagic = 0x65717066 // "fpqe"
)

// Kinds of records.
const (
	recordEntry     = 1
	recordHardState = 2 // data: term, vote, commit
	recordTable     = 3
)

// Flags tell a field that is absent from one that is present and empty, so that an entry has
// the same encoded size, and raft the same limits, after a restart.
const (
	flagType = 1 << iota
	flagData
)

func seedOf(generation uint64) uint32 {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], generation)
	return crc32c.Sum(b[:])
}

func padded(n int64) int64 { return (n + 7) &^ 7 }

func recordSize(data int) int64 { return recordHeaderSize + padded(int64(data)) }

type fileHeader struct {
	generation, first uint64
}

func (h fileHeader) encode() []byte {
	b := make([]byte, fileHeaderSize)
	copy(b, fileMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[16:], h.generation)
	binary.LittleEndian.PutUint64(b[24:], h.first)
	binary.LittleEndian.PutUint32(b[12:], fileHeaderCRC(b))
	return b
}

func fileHeaderCRC(b []byte) uint32 {
	return crc32c.Update(crc32c.Sum(b[:12]), b[16:fileHeaderSize])
}

// decodeFileHeader reports false for bytes that are no header. A header of another format version is
// an error: it was written by a program that knows more, and is no damage.
func decodeFileHeader(b []byte) (h fileHeader, ok bool, err error) {
	if !bytes.HasPrefix(b, []byte(fileMagic)) || binary.LittleEndian.Uint32(b[12:]) != fileHeaderCRC(b) {
		return h, false, nil
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return h, false, fmt.Errorf("format version %d, only %d is known", v, formatVersion)
	}
	h.generation = binary.LittleEndian.Uint64(b[16:])
	h.first = binary.LittleEndian.Uint64(b[24:])
	return h, true, nil
}

type batchHeader struct {
	bytes, count, sum uint32
	synced            uint64
}

func (h batchHeader) encode(b []byte, seed uint32, at int64) {
	clear(b[:batchHeaderSize])
	binary.LittleEndian.PutUint32(b, batchMagic)
	binary.LittleEndian.PutUint32(b[8:], h.bytes)
	binary.LittleEndian.PutUint32(b[12:], h.count)
	binary.LittleEndian.PutUint32(b[16:], h.sum)
	binary.LittleEndian.PutUint64(b[24:], h.synced)
	binary.LittleEndian.PutUint32(b[4:], batchCRC(b, seed, at))
}

func batchCRC(b []byte, seed uint32, at int64) uint32 {
	var offset [8]byte
	binary.LittleEndian.PutUint64(offset[:], uint64(at))
	seed = crc32c.Update(seed, offset[:])
	return crc32c.Update(seed, b[8:batchHeaderSize])
}

func decodeBatchHeader(b []byte, seed uint32, at int64) (h batchHeader, ok bool) {
	if binary.LittleEndian.Uint32(b) != batchMagic || binary.LittleEndian.Uint32(b[4:]) != batchCRC(b, seed, at) {
		return h, false
	}
	h.bytes = binary.LittleEndian.Uint32(b[8:])
	h.count = binary.LittleEndian.Uint32(b[12:])
	h.sum = binary.LittleEndian.Uint32(b[16:])
	h.synced = binary.LittleEndian.Uint64(b[24:])
	return h, true
}

type recordHeader struct {
	crc, bytes       uint32
	index, term      uint64
	kind, typ, flags uint8
}

// encode fills in everything but the CRC, which seal adds once the data is known.
func (h recordHeader) encode(b []byte) {
	clear(b[:recordHeaderSize])
	binary.LittleEndian.PutUint32(b[4:], h.bytes)
	binary.LittleEndian.PutUint64(b[8:], h.index)
	binary.LittleEndian.PutUint64(b[16:], h.term)
	b[24], b[25], b[26] = h.kind, h.typ, h.flags
}

func decodeRecordHeader(b []byte) recordHeader {
	return recordHeader{
		crc:   binary.LittleEndian.Uint32(b),
		bytes: binary.LittleEndian.Uint32(b[4:]),
		index: binary.LittleEndian.Uint64(b[8:]),
		term:  binary.LittleEndian.Uint64(b[16:]),
		kind:  b[24], typ: b[25], flags: b[26],
	}
}

// headerCRC begins a record's CRC; the data continues it.
func headerCRC(b []byte, seed uint32) uint32 {
	return crc32c.Update(seed, b[4:recordHeaderSize])
}

func encodeFooter(seed uint32, sealAt int64) []byte {
	b := make([]byte, footerSize)
	binary.LittleEndian.PutUint32(b, footerMagic)
	binary.LittleEndian.PutUint64(b[8:], uint64(sealAt))
	binary.LittleEndian.PutUint32(b[4:], crc32c.Update(seed, b[8:]))
	return b
}

func decodeFooter(b []byte, seed uint32) (sealAt int64, ok bool) {
	if binary.LittleEndian.Uint32(b) != footerMagic ||
		binary.LittleEndian.Uint32(b[4:]) != crc32c.Update(seed, b[8:footerSize]) {
		return 0, false
	}
	return int64(binary.LittleEndian.Uint64(b[8:])), true
}

// The name of a file is its generation and what it is for.
const (
	extSegment = ".seg"
	extCarry   = ".carry"
	extFree    = ".free"
	extTemp    = ".tmp"
)

func fileName(generation uint64, ext string) string {
	return fmt.Sprintf("%016x%s", generation, ext)
}

func parseName(name string) (generation uint64, ext string, ok bool) {
	digits, ext, found := strings.Cut(name, ".")
	if !found || len(digits) != 16 {
		return 0, "", false
	}
	generation, err := strconv.ParseUint(digits, 16, 64)
	return generation, "." + ext, err == nil && fileName(generation, "."+ext) == name
}
