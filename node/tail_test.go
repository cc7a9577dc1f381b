package node

import (
	"bytes"
	"testing"

	"printq/queue"
)

// Lines are read as they came, while older ones leave memory, which stays as small as it should.
func TestTailOfManyLines(t *testing.T) {
	tail, store := newTail(func() {}), filed(t, 1, 0)
	tail.reset(store, 0)
	text := bytes.Repeat([]byte("x"), tailBytes/1000)
	for seq := uint64(1); seq < 20_000; {
		var lines []queue.Line
		for range 1 + seq%70 {
			lines = append(lines, queue.Line{Seq: seq, JSON: text})
			seq++
		}
		tail.append(lines)
		tail.stored(seq - 1 - min(seq-1, 40))
		oldest := tail.lines[0].Seq
		got, err := tail.read(oldest, 1<<20)
		if err != nil || got[len(got)-1].Seq != seq-1 || len(got) != int(seq-oldest) {
			t.Fatalf("%d lines from %d to %d, %v; there are %d", len(got), oldest, got[len(got)-1].Seq, err, seq-1)
		}
		for i, l := range got {
			if l.Seq != oldest+uint64(i) || len(l.JSON) != len(text) {
				t.Fatalf("line %d from %d on is %d", i, oldest, l.Seq)
			}
		}
	}
	if n := len(tail.lines); n < 950 || n > 1100 || cap(tail.held) > 4*n {
		t.Errorf("%d lines, in room for %d", n, cap(tail.held))
	}
}
