package queue

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"printq/queue/queuepb"
)

// encode gives the bytes that marshal would make of j.message, fields in the order of their numbers, without making the
// messages: jobs are written more often than everything else together.
func (j *job) encode() []byte {
	rare := j.rare
	if rare == nil {
		rare = &noRare
	}
	b := make(encoder, 0, 192+len(j.name)+24*len(j.document.extents())+64*len(j.attempts))
	b = b.number(1, j.id).text(2, j.printer.name).number(3, uint64(j.state)).text(4, j.reason)
	b = b.text(5, j.name).text(6, j.user).text(7, j.format).number(8, j.bytes)
	if j.bytes != 0 {
		b = b.raw(9, j.sha256[:])
	}
	b = b.number(10, uint64(j.pages)).number(11, uint64(j.units)).number(12, uint64(j.printed))
	b = b.number(13, uint64(j.copies)).number(14, uint64(j.priority)).number(15, rare.of)
	b = b.position(16, j.submitted).doubt(17, rare.doubt)
	for i := range j.attempts {
		b = b.attempt(18, &j.attempts[i])
	}
	for _, x := range j.document.extents() {
		b = b.extent(19, x)
	}
	if j.idempotency != nil {
		b = b.text(20, j.idempotency.key)
	}
	b = b.number(21, uint64(j.ttl)).number(22, uint64(j.start)).number(23, uint64(j.stopping)).text(24, rare.moveTo)
	b = b.number(25, uint64(rare.ended)).flag(26, j.documentGone)
	if j.device != nil {
		b = b.number(27, j.device.id)
	}
	b = b.number(29, j.changed)
	if j.idempotency != nil {
		b = b.raw(30, j.idempotency.fingerprint[:])
	}
	for _, o := range rare.options {
		b = b.option(31, o)
	}
	b = b.flag(40, j.created).number(41, uint64(rare.open)).flag(42, rare.hold).number(43, rare.duplicateOf)
	b = b.number(44, uint64(rare.began)).number(45, rare.place).text(46, rare.pageRanges).number(47, rare.partOf)
	return b.numbers(48, rare.parts).flag(49, j.more)
}

// noRare stands for what most jobs do not have; it is only read.
var noRare rare

// An encoder appends the fields of a proto3 message, and leaves out those that are zero.
type encoder []byte

func (b encoder) number(n protowire.Number, v uint64) encoder {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

func (b encoder) flag(n protowire.Number, v bool) encoder {
	return b.number(n, protowire.EncodeBool(v))
}

func (b encoder) text(n protowire.Number, v string) encoder {
	if v == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func (b encoder) raw(n protowire.Number, v []byte) encoder {
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func (b encoder) numbers(n protowire.Number, list []uint64) encoder {
	if len(list) == 0 {
		return b
	}
	b, at := b.begin(n)
	for _, v := range list {
		b = protowire.AppendVarint(b, v)
	}
	return b.end(at)
}

// begin opens a message in field n, for end to close.
func (b encoder) begin(n protowire.Number) (_ encoder, at int) {
	b = append(protowire.AppendTag(b, n, protowire.BytesType), 0)
	return b, len(b)
}

func (b encoder) end(at int) encoder {
	size := len(b) - at
	if size < 1<<7 {
		b[at-1] = byte(size)
		return b
	}
	return slices.Replace(b, at-1, at, protowire.AppendVarint(nil, uint64(size))...)
}

func (b encoder) position(n protowire.Number, p position) encoder {
	b, at := b.begin(n)
	return b.number(1, p.index).number(2, p.term).number(3, uint64(p.time)).end(at)
}

func (b encoder) doubt(n protowire.Number, d *queuepb.Doubt) encoder {
	if d == nil {
		return b
	}
	b, at := b.begin(n)
	b = b.number(1, uint64(d.Copy)).number(2, uint64(d.From)).number(3, uint64(d.To)).number(4, uint64(d.Last))
	return b.text(5, d.Why).end(at)
}

func (b encoder) attempt(n protowire.Number, a *attempt) encoder {
	b, at := b.begin(n)
	if a.token != (Token{}) {
		var token int
		b, token = b.begin(1)
		b = b.number(1, a.token.Term).number(2, a.token.Index).end(token)
	}
	b = b.number(2, a.number).number(3, a.device).number(4, uint64(a.from)).number(5, uint64(a.printed))
	return b.text(6, a.outcome).text(7, a.remote).end(at)
}

func (b encoder) extent(n protowire.Number, x Extent) encoder {
	b, at := b.begin(n)
	return b.number(1, x.Index).number(2, uint64(x.Offset)).number(3, uint64(x.Length)).end(at)
}

func (b encoder) option(n protowire.Number, o *queuepb.Option) encoder {
	b, at := b.begin(n)
	return b.text(1, o.Name).text(2, o.Value).end(at)
}
