package queue

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// A job's record is what protobuf would make of it, whichever of its fields are set.
func TestJobRecord(t *testing.T) {
	s := New("c")
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 2000 {
		m := new(Job)
		fill(m.ProtoReflect(), random, n%8)
		j := s.jobOf(m)
		if m.Device != 0 {
			j.device = &device{id: m.Device}
		}
		want := marshal(j.message())
		if got := j.encode(); !bytes.Equal(got, want) {
			t.Fatalf("%v\nis encoded as %x\nand not as      %x", j.message(), got, want)
		}
	}
}

// fill sets one field in eight, two, and so on, down to all of them where seldom is 0.
func fill(m protoreflect.Message, random *rand.Rand, seldom int) {
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if random.IntN(seldom+1) > 0 {
			continue
		}
		if !f.IsList() {
			m.Set(f, filled(m.NewField(f), f, random, seldom))
			continue
		}
		list := m.Mutable(f).List()
		for range 1 + random.IntN(30) {
			list.Append(filled(list.NewElement(), f, random, seldom))
		}
	}
}

func filled(v protoreflect.Value, f protoreflect.FieldDescriptor, random *rand.Rand, seldom int) protoreflect.Value {
	number := random.Uint64() >> random.IntN(64)
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(number))
	case protoreflect.Uint64Kind:
		return protoreflect.ValueOfUint64(number)
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(int64(number))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(strings.Repeat("ä", random.IntN(200)))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(bytes.Repeat([]byte{byte(number)}, 32))
	case protoreflect.MessageKind:
		fill(v.Message(), random, seldom)
	}
	return v
}
