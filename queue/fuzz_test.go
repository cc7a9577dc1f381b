package queue

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// FuzzUnpack: a batch is what protobuf makes of it, and packs and unpacks again.
func FuzzUnpack(f *testing.F) {
	w := newWorld(f)
	saga(w)
	for _, e := range w.log {
		f.Add(e.Data)
	}
	whole := submit("p", 1, 1)
	fill(whole.GetSubmit().ProtoReflect(), rand.New(rand.NewPCG(1, 2)), 0)
	f.Add(Pack(7, []Packed{{Encode(whole), nil}}))
	whole.GetSubmit().Options = nil
	f.Add(Pack(7, []Packed{{Encode(whole), make([]byte, whole.Payload)}, {Encode(kib(1, 1)), make([]byte, 1000)}}))
	f.Add(Pack(7, []Packed{{Encode(submit("p", 1, 1)), []byte("x")}, {Encode(claim(1)), nil}}))
	f.Add([]byte{1, 0})
	f.Add([]byte{})
	used := new(unpacker)
	f.Fuzz(func(t *testing.T, data []byte) {
		if head, ok := headOf(data); ok {
			want := new(queuepb.Batch)
			wantErr := proto.Unmarshal(head, want)
			got, err := used.decode(head)
			if (err == nil) != (wantErr == nil) || err == nil && !proto.Equal(got, want) {
				t.Fatalf("%x is\n%v, %v\nwant\n%v, %v", head, got, err, want, wantErr)
			}
		}
		batch, offset, err := Unpack(data)
		if err != nil {
			return
		}
		var list []Packed
		payload := data[offset:]
		for _, c := range batch.Commands {
			list = append(list, Packed{Encode(c), payload[:c.Payload]})
			payload = payload[c.Payload:]
		}
		again, offset, err := Unpack(Pack(batch.Time, list))
		if err != nil || len(batch.Commands) != len(again.Commands) || batch.Time != again.Time {
			t.Fatalf("%v became %v, %v", batch, again, err)
		}
		for i, c := range batch.Commands {
			if !proto.Equal(c, again.Commands[i]) {
				t.Fatalf("%v became %v", c, again.Commands[i])
			}
		}
		if packed := Pack(batch.Time, list); !bytes.Equal(packed[offset:], data[len(data)-len(packed[offset:]):]) {
			t.Fatal("the payload changed")
		}
	})
}

// headOf is the head of an entry's data, or all of it where it has none.
func headOf(data []byte) (head []byte, ok bool) {
	if len(data) == 0 {
		return nil, false
	}
	if size, n := protowire.ConsumeVarint(data[1:]); n > 0 && size <= uint64(len(data)-1-n) {
		return data[1+n : 1+n+int(size)], true
	}
	return data, true
}

// Whatever a command holds, the state stays sound, and its records load.
func FuzzApply(f *testing.F) {
	w := newWorld(f)
	saga(w)
	clericalSaga(w)
	for _, e := range w.log {
		f.Add(e.Data, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, term uint8) {
		w := setUp(t, nil)
		w.submit("p", 2, 2)
		w.submit("p", 1, 1)
		for range 2 {
			w.at++
			if _, err := w.Apply(Entry{Index: w.at, Term: w.epoch + uint64(term&1), Data: data}, w.store); err != nil {
				return
			}
			check(t, w.State)
		}
		w.drain()
		check(t, w.State)
		for _, d := range w.Drives() {
			w.Waits(d.Device)
		}
	})
}

// Text that is not UTF-8 must not reach the log: nobody could read the entry.
func TestEncodeMends(t *testing.T) {
	c := submit("p", 1, 1)
	c.GetSubmit().Name = "\xff"
	for _, c := range []*queuepb.Command{c, setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"a", "\xff"}})} {
		b, _, err := Unpack(Pack(1, []Packed{{Encode(c), make([]byte, c.Payload)}}))
		if err != nil || !proto.Equal(b.Commands[0], c) {
			t.Errorf("%v, %v", b, err)
		}
	}
}
