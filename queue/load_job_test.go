package queue

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"
)

// FuzzJobRecord: what is decoded by hand is what protobuf makes of it.
func FuzzJobRecord(f *testing.F) {
	w := newWorld(f)
	saga(w)
	clericalSaga(w)
	w.submit("p", 1, 1)
	w.drain()
	for _, b := range []Bucket{Live, Finished} {
		for _, value := range w.store[b] {
			f.Add(value)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		m := new(Job)
		fill(m.ProtoReflect(), random, n%8)
		m.Printer = "p"
		f.Add(marshal(m))
	}
	l := &loader{State: New("")}
	l.newPrinter("p")
	f.Fuzz(func(t *testing.T, value []byte) {
		j := l.plainJob(value)
		if j == nil {
			return
		}
		m := new(Job)
		if err := proto.Unmarshal(value, m); err != nil {
			t.Fatalf("%x is not a record: %v", value, err)
		}
		if got, want := j.encode(), l.jobOf(m).encode(); !bytes.Equal(got, want) {
			t.Fatalf("%v\nhas become %x, want\n%x", m, got, want)
		}
	})
}

// A waiting job's record is one that is decoded by hand.
func TestWaitingJobIsPlain(t *testing.T) {
	w := newWorld(t)
	w.must(setPrinter("p", nil))
	j := w.jobs.get(w.submit("p", 3, 2))
	l := &loader{State: New("")}
	l.newPrinter("p")
	if again := l.plainJob(j.encode()); again == nil || !bytes.Equal(again.encode(), j.encode()) {
		t.Errorf("%v is not plain, or another: %v", j.message(), again)
	}
}
