//go:build unix

package queue

import (
	"syscall"
	"testing"
	"time"
)

// processorTime reports the process's processor time for each operation: on a machine that others use it tells more than how long
// it took. What it returns is to be deferred.
func processorTime(b *testing.B) func() {
	began := usedTime(b)
	return func() { b.ReportMetric(float64(usedTime(b)-began)/float64(b.N), "cpu-ns/op") }
}

func usedTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
