package sim

import (
	"fmt"
	"time"
)

// trace is what happened: always as a hash, which is the same for the same run, and as text where that is wanted.
type trace struct {
	on   bool
	hash uint64
	text []byte
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func (t *trace) sum() uint64 { return t.hash }

// note adds numbers to the hash.
func (t *trace) note(numbers ...uint64) {
	h := t.hash
	if h == 0 {
		h = fnvOffset
	}
	for _, n := range numbers {
		h = (h ^ n) * fnvPrime
		h ^= h >> 29
	}
	t.hash = h
}

// noteBytes adds bytes to the hash.
func (t *trace) noteBytes(b []byte) {
	h := uint64(fnvOffset)
	for _, c := range b {
		h = (h ^ uint64(c)) * fnvPrime
	}
	t.note(h)
}

// say adds a line to the text.
func (t *trace) say(at time.Duration, format string, args ...any) {
	if t.on {
		t.text = fmt.Appendf(t.text, "%10.4f  ", at.Seconds())
		t.text = fmt.Appendf(t.text, format, args...)
		t.text = append(t.text, '\n')
	}
}
