package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"printq/queue/queuepb"
)

// An entry's data:
//
//	0x01 | uvarint: length of the head | head: queuepb.Batch | payloads
//
// The head's commands are a repeated field, so packing is joining the bytes that [Encode] made.
const (
	format        = 1
	fieldTime     = protowire.Number(1)
	fieldCommands = protowire.Number(2)
)

// errFormat is wrapped by every error of Unpack.
var errFormat = errors.New("undecodable entry")

// Packed is one command as it travels: Head as [Encode] made it, and the bytes of document that it announces.
type Packed struct{ Head, Payload []byte }

// Encode gives the bytes of one command as they stand in a Batch, with tag and length. Text that is not UTF-8 is mended
// in cmd first: an entry that members cannot decode would stop them all.
func Encode(cmd *queuepb.Command) []byte {
	body, err := proto.Marshal(cmd)
	if err != nil {
		mend(cmd.ProtoReflect())
		if body, err = proto.Marshal(cmd); err != nil {
			panic(fmt.Sprintf("queue: encode command: %v", err))
		}
	}
	head := make([]byte, 0, len(body)+binary.MaxVarintLen64)
	head = protowire.AppendTag(head, fieldCommands, protowire.BytesType)
	return protowire.AppendBytes(head, body)
}

// mend replaces what is not UTF-8 in the strings of m and of its messages.
func mend(m protoreflect.Message) {
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsList() && f.Kind() == protoreflect.StringKind:
			for i := range v.List().Len() {
				v.List().Set(i, mended(v.List().Get(i)))
			}
		case f.IsList():
		case f.Kind() == protoreflect.StringKind:
			m.Set(f, mended(v))
		case f.Kind() == protoreflect.MessageKind:
			mend(v.Message())
		}
		return true
	})
}

func mended(v protoreflect.Value) protoreflect.Value {
	return protoreflect.ValueOfString(strings.ToValidUTF8(v.String(), "\uFFFD"))
}

// Pack makes one entry's data of commands. unixNano is the leader's clock.
func Pack(unixNano int64, cmds []Packed) []byte {
	head := protowire.SizeTag(fieldTime) + protowire.SizeVarint(uint64(unixNano))
	size := 0
	for _, c := range cmds {
		head += len(c.Head)
		size += len(c.Payload)
	}
	data := make([]byte, 0, 1+protowire.SizeVarint(uint64(head))+head+size)
	data = append(data, format)
	data = protowire.AppendVarint(data, uint64(head))
	data = protowire.AppendTag(data, fieldTime, protowire.VarintType)
	data = protowire.AppendVarint(data, uint64(unixNano))
	for _, c := range cmds {
		data = append(data, c.Head...)
	}
	for _, c := range cmds {
		data = append(data, c.Payload...)
	}
	return data
}

// Unpack is Pack undone: the commands, and where in data the payloads begin. Any bytes may be given. The commands may share data, and
// the memory of each other: what of them is kept for long is to be copied.
func Unpack(data []byte) (batch *queuepb.Batch, payloadOffset int, err error) {
	return new(unpacker).unpack(data)
}

func (u *unpacker) unpack(data []byte) (batch *queuepb.Batch, payloadOffset int, err error) {
	if len(data) == 0 || data[0] != format {
		return nil, 0, fmt.Errorf("%w: format is not %d", errFormat, format)
	}
	if len(data) > math.MaxUint32 {
		return nil, 0, fmt.Errorf("%w: %d bytes", errFormat, len(data))
	}
	size, n := protowire.ConsumeVarint(data[1:])
	if n < 0 || size > uint64(len(data)-1-n) {
		return nil, 0, fmt.Errorf("%w: head is cut off", errFormat)
	}
	payloadOffset = 1 + n + int(size)
	if batch, err = u.decode(data[1+n : payloadOffset]); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errFormat, err)
	}
	var sum uint64
	for _, c := range batch.Commands {
		sum += uint64(c.Payload)
	}
	if have := uint64(len(data) - payloadOffset); sum != have {
		return nil, 0, fmt.Errorf("%w: %d bytes of payload, announced %d", errFormat, have, sum)
	}
	return batch, payloadOffset, nil
}
