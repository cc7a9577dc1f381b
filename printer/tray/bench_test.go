package tray

import (
	"bytes"
	"testing"

	"printq/printer/device"
	"printq/queue"
)

// BenchmarkPages prints one-page jobs of 1 KiB: what a label costs at the device, all of it synced.
func BenchmarkPages(b *testing.B) {
	t := New(b.TempDir(), Options{})
	token := queue.Token{Term: 1, Index: 1}
	state, err := t.Open(b.Context(), device.Opening{Token: token, Cluster: "c"})
	if err != nil {
		b.Fatal(err)
	}
	body := bytes.Repeat([]byte("x"), 1024)
	n := uint64(0)
	for b.Loop() {
		n++
		u := device.Unit{Token: token, Epoch: state.Epoch, Attempt: n, Job: n, Copy: 1, Page: 1, First: true, Last: true, Ext: "txt", Size: 1024, Body: bytes.NewReader(body)}
		if err := t.Print(b.Context(), u); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pages/s")
}
