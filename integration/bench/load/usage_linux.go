package load

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// usage is seconds of CPU time, user and system.
type usage struct{ servers, self float64 }

// use asks Linux. A process that has gone counts for nothing.
func use(pids []int) (u usage) {
	for _, pid := range pids {
		u.servers += CPU(pid)
	}
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) == nil {
		u.self = float64(ru.Utime.Nano()+ru.Stime.Nano()) / 1e9
	}
	return u
}

// CPU is the seconds that a process has used, in steps of 10 ms (proc(5): utime and stime, in ticks).
func CPU(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name may hold blanks: fields count from behind its bracket.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	var ticks int
	for _, field := range fields[11:13] {
		n, _ := strconv.Atoi(string(field))
		ticks += n
	}
	return float64(ticks) / 100
}

// Peak is the most bytes of memory that a process has had resident (proc(5): VmHWM).
func Peak(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(b, []byte("VmHWM:"))
	var kB int64
	_, _ = fmt.Sscan(string(rest[:min(len(rest), 40)]), &kB)
	return kB << 10
}
