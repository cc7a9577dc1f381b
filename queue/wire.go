package queue

import "google.golang.org/protobuf/encoding/protowire"

// A wire takes the fields of a message off its bytes, one by one. What is not as protobuf's own encoders write it, it does not know.
type wire struct {
	rest []byte
	// Of the field at hand: its number and type, as they stand before it, and its value by the type.
	tag   uint64
	value uint64 // of a varint or a fixed64
	bytes []byte
	// What follows is not a field of a type above.
	broken bool
}

// The tag of a field of each type.
func varintTag(number uint64) uint64 { return number<<3 | uint64(protowire.VarintType) }
func bytesTag(number uint64) uint64  { return number<<3 | uint64(protowire.BytesType) }

// next goes to the next field. It is false at the end, and where the bytes are broken.
func (w *wire) next() bool {
	if len(w.rest) == 0 {
		return false
	}
	w.tag = w.varint()
	switch protowire.Type(w.tag & 7) {
	case protowire.VarintType:
		w.value = w.varint()
	case protowire.Fixed64Type:
		v, n := protowire.ConsumeFixed64(w.rest)
		w.value = v
		w.skip(n)
	case protowire.BytesType:
		size := w.varint()
		if size > uint64(len(w.rest)) {
			w.broken = true
			return false
		}
		w.bytes, w.rest = w.rest[:size:size], w.rest[size:]
	default:
		w.broken = true
	}
	return !w.broken
}

func (w *wire) varint() uint64 {
	if len(w.rest) > 0 && w.rest[0] < 0x80 {
		v := uint64(w.rest[0])
		w.rest = w.rest[1:]
		return v
	}
	v, n := protowire.ConsumeVarint(w.rest)
	w.skip(n)
	return v
}

func (w *wire) skip(n int) {
	if n < 0 {
		w.broken, w.rest = true, nil
		return
	}
	w.rest = w.rest[n:]
}
