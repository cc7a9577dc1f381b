package model

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"
	"time"

	"printq/printer"
	"printq/queue"
	"printq/queue/queuepb"
)

// An ident is what tells one state of the search from another. Of log indexes (of tokens and attempts) only the order counts, and only
// among those of one tray: nothing in the rules depends on more. So states are one that differ only in how far their indexes lie
// apart, or in what came first of two things that happened at two trays.
type ident struct {
	bytes   []byte
	indexes []uint64
	group   uint64 // of the indexes to come: a tray's number from 1, or 0
}

func (d *ident) num(n uint64) { d.bytes = binary.AppendUvarint(d.bytes, n) }

func (d *ident) index(i uint64) {
	if i != 0 {
		i |= d.group << 32
	}
	d.indexes = append(d.indexes, i)
}

func (d *ident) text(s string) {
	d.num(uint64(len(s)))
	d.bytes = append(d.bytes, s...)
}

func (d *ident) flag(b bool) {
	if b {
		d.num(1)
	} else {
		d.num(0)
	}
}

func (d *ident) add(e *ident) {
	d.num(uint64(len(e.bytes)))
	d.bytes = append(d.bytes, e.bytes...)
	d.num(uint64(len(e.indexes)))
	d.indexes = append(d.indexes, e.indexes...)
}

// canonical gives the bytes, with the indexes replaced by their ranks.
func (d *ident) canonical() []byte {
	sorted := append(make([]uint64, 0, 64), 0)
	sorted = append(sorted, d.indexes...)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	for _, i := range d.indexes {
		rank, _ := slices.BinarySearch(sorted, i)
		d.num(uint64(rank))
	}
	return d.bytes
}

// exact gives the bytes with the indexes as they are.
func (d *ident) exact() string {
	b := slices.Clone(d.bytes)
	for _, i := range d.indexes {
		b = binary.AppendUvarint(b, i)
	}
	return string(b)
}

// unnamed are left out of an ident: what only changes waiting times, counters and texts. The search has its own clock, for which every wait
// is over, and tells operations apart by what they ask.
var unnamed = []string{
	"random", "retry", "reclaim", "trouble", "stats", "sequence", "reign", "started", "ID", "tries", "again",
	"URI", "Printer", "Cluster", "Identity", "Reason", "Detail", "Name", "User", "Format", "Bytes",
	"SHA256", "Document", "Ext", "Size", "Body", "About", "Formats", "Capabilities", "Options", "told", "waits", "stop",
}

// Of an operation's Work the core uses what never changes of an attempt.
var operationType = reflect.TypeFor[printer.Operation]()

var ordinals = []string{"Attempt", "attempt", "Closing", "unclear"}

type field struct {
	number  int
	ordinal bool
	pointer bool // only whether it is nil, and of which attempt
}

// An encoder knows the fields of the types that it met. The Core's are not exported, and are only read.
type encoder map[reflect.Type][]field

func (e encoder) fields(t reflect.Type) []field {
	if known, ok := e[t]; ok {
		return known
	}
	var list []field
	for i := range t.NumField() {
		f := t.Field(i)
		if slices.Contains(unnamed, f.Name) {
			continue
		}
		ordinal := f.Type.Kind() == reflect.Uint64 && slices.Contains(ordinals, f.Name)
		list = append(list, field{i, ordinal, t == operationType && f.Name == "Work"})
	}
	e[t] = list
	return list
}

var (
	commandType = reflect.TypeFor[*queuepb.Command]()
	tokenType   = reflect.TypeFor[queue.Token]()
	timeType    = reflect.TypeFor[time.Time]()
)

func (e encoder) value(d *ident, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		d.flag(!v.IsNil())
		switch {
		case v.IsNil():
		case v.Type() == commandType:
			command(d, (*queuepb.Command)(v.UnsafePointer()))
		default:
			e.value(d, v.Elem())
		}
	case reflect.Struct:
		e.record(d, v)
	case reflect.Array:
		for i := range v.Len() {
			e.value(d, v.Index(i))
		}
	case reflect.Uint64, reflect.Uint32, reflect.Uint8:
		d.num(v.Uint())
	case reflect.Int:
		d.num(uint64(v.Int()))
	case reflect.Bool:
		d.flag(v.Bool())
	case reflect.String:
		d.text(v.String())
	default:
		panic("model: cannot tell apart: " + v.Type().String())
	}
}

func (e encoder) record(d *ident, v reflect.Value) {
	switch v.Type() {
	case timeType:
		return
	case tokenType:
		d.num(v.Field(0).Uint())
		d.index(v.Field(1).Uint())
		return
	}
	for _, f := range e.fields(v.Type()) {
		switch x := v.Field(f.number); {
		case f.ordinal:
			d.index(x.Uint())
		case f.pointer:
			d.flag(x.IsNil())
			if !x.IsNil() {
				d.index(x.Elem().FieldByName("Attempt").Uint())
			}
		default:
			e.value(d, x)
		}
	}
}

// command adds a decision. Facts are never on their way: a client asks, and it commits.
func command(d *ident, c *queuepb.Command) {
	d.num(c.Term)
	token := func(kind uint64, t *queuepb.Token, attempt uint64) {
		d.num(kind)
		d.num(t.GetTerm())
		d.index(t.GetIndex())
		d.index(attempt)
	}
	switch b := c.Body.(type) {
	case *queuepb.Command_Claim:
		d.num(1)
	case *queuepb.Command_Resume:
		m := b.Resume.Mark
		token(2, b.Resume.Token, m.GetAttempt())
		d.num(uint64(m.GetCopy()))
		d.num(uint64(m.GetPage()))
		d.flag(m.GetClosed())
		d.text(b.Resume.Epoch)
		resumed(d, b.Resume)
	case *queuepb.Command_Printed:
		token(3, b.Printed.Token, b.Printed.Attempt)
		d.num(uint64(b.Printed.Units))
		d.num(uint64(b.Printed.Sent))
	case *queuepb.Command_Done:
		token(4, b.Done.Token, b.Done.Attempt)
		d.num(uint64(b.Done.Units))
		d.flag(b.Done.Stopped)
		d.flag(b.Done.Unclear)
		d.text(b.Done.Failure)
	case *queuepb.Command_Intent:
		token(7, b.Intent.Token, b.Intent.Attempt)
		for _, n := range []uint32{b.Intent.Units, b.Intent.Base, b.Intent.Pages} {
			d.num(uint64(n))
		}
		d.flag(b.Intent.Counts)
		d.num(b.Intent.Counter)
	case *queuepb.Command_Remote:
		token(8, b.Remote.Token, b.Remote.Attempt)
		d.text(b.Remote.Id)
	case *queuepb.Command_Doubtful:
		token(9, b.Doubtful.Token, b.Doubtful.Attempt)
		d.num(uint64(b.Doubtful.Units))
	case *queuepb.Command_Yield:
		token(10, b.Yield.Token, b.Yield.Attempt)
	case *queuepb.Command_Closed:
		token(5, b.Closed.Token, b.Closed.Attempt)
	case *queuepb.Command_Report:
		d.num(6) // its proposal is dropped
	default:
		panic(fmt.Sprintf("model: cannot tell apart: %v", c))
	}
}

// resumed adds what a device without a fence answered, and what is known from the claim before.
func resumed(d *ident, r *queuepb.Resume) {
	d.num(uint64(r.Class))
	d.flag(r.Counts)
	d.num(r.Counter)
	d.num(r.Before.GetTerm())
	d.index(r.Before.GetIndex())
	d.num(uint64(r.Units))
	d.num(uint64(r.Sent))
	d.flag(r.Clear)
}
