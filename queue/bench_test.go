package queue

import (
	"crypto/sha256"
	"fmt"
	"runtime"
	"testing"

	"printq/queue/queuepb"
)

// crowd is a world of printers with n jobs waiting, none of which can start.
func crowd(b *testing.B, printers, n int) *world {
	w := newWorld(b)
	for i := range printers {
		w.entry(setPrinter(fmt.Sprintf("p%d", i), &queuepb.PrinterSettings{Devices: []string{fmt.Sprintf("tray:/%d", i)}}))
	}
	payload := make([]byte, 1000)
	for i := 0; i < n; {
		var cmds []Packed
		for ; len(cmds) < 500 && i < n; i++ {
			cmds = append(cmds, Packed{Encode(kib(i, printers)), payload})
		}
		w.apply(cmds)
		w.store.write(w.Drain())
		w.store[Live], w.store[Sessions] = nil, nil
	}
	return w
}

// kib is a submit of a document of 1,000 bytes.
func kib(i, printers int) *queuepb.Command {
	sum := sha256.Sum256([]byte{byte(i)})
	return &queuepb.Command{
		Session: uint64(i%3 + 1), Seq: uint64(i), Floor: uint64(max(i-200, 0)), Member: uint64(i%3 + 1), Payload: 1000,
		Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
			Printer: fmt.Sprintf("p%d", i%printers), Bytes: 1000, Sha256: sum[:], Units: 1, Format: "text/plain",
			Name: fmt.Sprintf("label %d.txt", i), User: "warehouse",
		}},
	}
}

func (w *world) apply(cmds []Packed) Result {
	w.at++
	r, err := w.Apply(Entry{Index: w.at, Term: w.epoch, Data: Pack(w.now.UnixNano(), cmds)}, w.store)
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func BenchmarkSubmit(b *testing.B) {
	for _, waiting := range []int{0, 1_000_000} {
		for _, packed := range []int{1, 64} {
			b.Run(fmt.Sprintf("waiting=%d/packed=%d", waiting, packed), func(b *testing.B) {
				if waiting > 0 && testing.Short() {
					b.Skip("short")
				}
				w := crowd(b, 1000, waiting)
				payload := make([]byte, 1000)
				entries := make([][]byte, b.N/packed+1)
				for i := range entries {
					var cmds []Packed
					for k := range packed {
						cmds = append(cmds, Packed{Encode(kib(waiting+i*packed+k, 1000)), payload})
					}
					entries[i] = Pack(w.now.UnixNano(), cmds)
				}
				runtime.GC()
				b.ReportAllocs()
				b.ResetTimer()
				defer processorTime(b)()
				for i, data := range entries {
					w.at++
					if _, err := w.Apply(Entry{Index: w.at, Term: w.epoch, Data: data}, w.store); err != nil {
						b.Fatal(err)
					}
					if i%16 == 15 {
						w.Drain()
					}
				}
			})
		}
	}
}

// A job's whole way: one is submitted, one is done, and the next is chosen. Where jobs wait, they do so on a thousand printers: beside the one
// that prints, which is idle else, or on those that print, one after the other.
func BenchmarkDispatch(b *testing.B) {
	for _, waiting := range []int{0, 1_000_000} {
		b.Run(fmt.Sprintf("waiting=%d/beside", waiting), func(b *testing.B) {
			if waiting > 0 && testing.Short() {
				b.Skip("short")
			}
			w := crowd(b, 1000, waiting)
			w.entry(setPrinter("hot", &queuepb.PrinterSettings{Devices: []string{"tray:/hot"}}))
			w.takeOver(1001, nil, "e")
			w.dispatch(b, []string{"hot"}, []uint64{1001})
		})
		b.Run(fmt.Sprintf("waiting=%d/among", waiting), func(b *testing.B) {
			if waiting > 0 && testing.Short() {
				b.Skip("short")
			}
			w := crowd(b, 1000, waiting)
			var names []string
			var devices []uint64
			for i := range 1000 {
				names, devices = append(names, fmt.Sprintf("p%d", i)), append(devices, uint64(i)+1)
				w.takeOver(devices[i], nil, fmt.Sprint("e", i))
			}
			w.dispatch(b, names, devices)
		})
	}
}

// dispatch lets each printer in turn take a job and finish one.
func (w *world) dispatch(b *testing.B, printers []string, devices []uint64) {
	var submits [][]Packed
	for _, name := range printers {
		c := kib(0, 1)
		c.GetSubmit().Printer, c.Session = name, 0
		submits = append(submits, []Packed{{Encode(c), make([]byte, 1000)}})
	}
	w.Drain()
	runtime.GC()
	b.ReportAllocs()
	b.ResetTimer()
	defer processorTime(b)()
	for i := range b.N {
		device := devices[i%len(devices)]
		w.apply(submits[i%len(submits)])
		d := w.Drive(device)
		w.apply([]Packed{{Head: Encode(w.tag(&queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
			Device: device, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: 1,
		}}}))}})
		if i%16 == 15 {
			w.Drain()
		}
	}
}

// Bytes that a waiting job takes.
func BenchmarkWaitingJob(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w := crowd(b, 1000, 1_000_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ResetTimer()
	for range b.N {
		_ = w.Stats()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "B/job")
}
