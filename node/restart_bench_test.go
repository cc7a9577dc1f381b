package node

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"printq/queue"
	"printq/queue/queuepb"
)

// BenchmarkRestart is what a member does before it can vote: it opens a state.db with a million jobs that wait on a thousand
// printers, and makes the queue's state of it.
func BenchmarkRestart(b *testing.B) {
	const printers, jobs = 1000, 1_000_000
	if testing.Short() {
		b.Skip("short")
	}
	path := filepath.Join(b.TempDir(), "state.db")
	fillStore(b, path, printers, jobs)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for b.Loop() {
		store, err := openStore(path)
		if err != nil {
			b.Fatal(err)
		}
		state, err := queue.Load(store.Each)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n := state.Stats().Pending; n != jobs {
			b.Fatalf("%d jobs wait", n)
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/jobs, "B/job")
}

// fillStore writes the state after so many submits.
func fillStore(b *testing.B, path string, printers, jobs int) {
	store, err := openStore(path)
	if err != nil {
		b.Fatal(err)
	}
	state, at := queue.New("c"), Position{Term: 1}
	apply := func(cmds []queue.Packed) {
		at.Index++
		data := queue.Pack(time.Unix(1_800_000_000, 0).UnixNano(), cmds)
		if _, err := state.Apply(queue.Entry{Index: at.Index, Term: at.Term, Data: data}, store); err != nil {
			b.Fatal(err)
		}
		batch := firstBatch("c", []uint64{1})
		batch.Applied, batch.Changes, batch.Lines = at, state.Drain(), nil
		if err := store.Commit(batch); err != nil {
			b.Fatal(err)
		}
	}
	var cmds []queue.Packed
	for i := range printers {
		cmds = append(cmds, queue.Packed{Head: queue.Encode(&queuepb.Command{Body: &queuepb.Command_SetPrinter{
			SetPrinter: &queuepb.SetPrinter{Name: printerName(i), Settings: &queuepb.PrinterSettings{}},
		}})})
	}
	apply(cmds)
	payload := make([]byte, 1000)
	for i := 0; i < jobs; {
		for cmds = cmds[:0]; len(cmds) < 10_000 && i < jobs; i++ {
			sum := sha256.Sum256([]byte{byte(i)})
			cmds = append(cmds, queue.Packed{Payload: payload, Head: queue.Encode(&queuepb.Command{Payload: 1000, Body: &queuepb.Command_Submit{
				Submit: &queuepb.Submit{
					Printer: printerName(i % printers), Bytes: 1000, Sha256: sum[:], Format: "text/plain", User: "warehouse",
					Name: fmt.Sprintf("label %d.txt", i),
				},
			}})})
		}
		apply(cmds)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
}

func printerName(i int) string { return fmt.Sprintf("p%d", i) }
