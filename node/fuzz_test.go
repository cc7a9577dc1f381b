package node

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"slices"
	"testing"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/log"
	"printq/log/logtest"
	"printq/queue"
)

// snapshotStream is what serveSnapshot sends, with any bytes for state.db.
func snapshotStream(tb testing.TB, state []byte, entries ...*raftpb.Entry) []byte {
	tb.Helper()
	header, err := json.Marshal(snapshotHeader{Index: 9, Term: 2, StateBytes: int64(len(state)), Entries: len(entries)})
	if err != nil {
		tb.Fatal(err)
	}
	b := append(binary.AppendUvarint(nil, uint64(len(header))), header...)
	b = append(b, state...)
	for _, e := range entries {
		raw, err := proto.Marshal(e)
		if err != nil {
			tb.Fatal(err)
		}
		b = append(append(b, binary.AppendUvarint(nil, uint64(len(raw)))...), raw...)
	}
	return b
}

// FuzzSnapshotStream: whatever arrives, the reader of a snapshot returns; what it takes for whole is whole, and can be read from
// the carry it made. (What is in state.db is checked against the header's digest; bbolt's own reading of damaged files is
// not ours.)
func FuzzSnapshotStream(f *testing.F) {
	entry := func(i uint64, data string) *raftpb.Entry {
		return &raftpb.Entry{Index: new(i), Term: new(uint64(1)), Data: []byte(data)}
	}
	whole := snapshotStream(f, []byte("state"), entry(3, "three"), entry(7, "seven"))
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(append(whole[:len(whole):len(whole)], 0))
	f.Add(snapshotStream(f, nil, entry(7, "seven"), entry(3, "three")))
	f.Add(snapshotStream(f, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		h, err := readSnapshotHeader(r)
		if err != nil || h.Entries > 1000 {
			return
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(r, h.StateBytes)); err != nil || n != h.StateBytes {
			return
		}
		base := log.Base{Index: 8, Term: 1}
		lg, err := log.Open(logtest.New().FS(), base, log.Options{SegmentBytes: 4 << 10, WriteAheadBytes: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer lg.Close()
		rest, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if carry(lg, h.Entries, bufio.NewReader(bytes.NewReader(rest))) != nil {
			return
		}
		seen := map[uint64]int{}
		again := bufio.NewReader(bytes.NewReader(rest))
		for range h.Entries {
			want, err := readEntry(again)
			if err != nil {
				t.Fatal(err)
			}
			if seen[want.GetIndex()]++; seen[want.GetIndex()] > 1 || want.GetIndex() > base.Index {
				continue // no sender sends those
			}
			lg.Retain(want.GetIndex(), 1)
			if got, err := lg.ReadEntry(want.GetIndex()); err != nil || !bytes.Equal(got.GetData(), want.GetData()) {
				t.Fatalf("entry %d: %v, %v", want.GetIndex(), got, err)
			}
		}
	})
}

// FuzzReceive: another member's frames, but for raft's own (the transport's checksum vouches for those, and raft stops at what cannot
// be), are taken or refused, and the member goes on.
func FuzzReceive(f *testing.F) {
	for _, frame := range []Frame{
		encodeJSON(frameStatus, status{Applied: 3, Version: 1, Checkpoint: &checkpoint{Index: 3, Chain: "00", Digest: 7}}),
		encodeForward([]forwarded{{1, queue.Encode(setPrinter("p", "tray:/a")), nil, 0, nil}}, true),
		encodeRefuse(refusal{1, refuseFull}),
		{Kind: frameTransfer, Bufs: [][]byte{{3}}},
		{Kind: frameSnapshot, Bufs: [][]byte{{1}}},
	} {
		f.Add(frame.Kind, bytes.Join(frame.Bufs, nil), false)
		f.Add(frame.Kind, bytes.Join(frame.Bufs, nil), true)
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte, follower bool) {
		if kind == frameRaft || kind == frameForward {
			return // a forwarded command is decoded by FuzzDecodeFrames, and by the queue's targets
		}
		w := newWorld(t, 3)
		m := w.leader()
		from := w.follower().id
		if follower {
			m, from = w.follower(), m.id
		}
		_ = m.core.Receive(w.now, from, kind, body)
		w.run(5)
		w.leader().must(setPrinter("p", "tray:/a"), nil)
	})
}

// FuzzBirth: whatever the others answer, a member is born only into a cluster whose birth record has its nonce.
func FuzzBirth(f *testing.F) {
	list := map[uint64]string{1: "a", 2: "b", 3: "c"}
	first := NewNewborn(1, list, "n1")
	others := map[uint64][]byte{2: NewNewborn(2, list, "n2").Probe(), 3: NewNewborn(3, list, "n3").Probe()}
	born, _, err := first.Decide(others)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(born, others[3])
	wiped, _, err := first.Decide(map[uint64][]byte{2: NewNewborn(2, list, "older").Probe(), 3: others[3]})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wiped, others[3])
	f.Add(others[2], others[3])
	f.Add([]byte("null"), []byte(`{"member":3,"birth":{}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		answer, _, err := NewNewborn(2, list, "n2").Decide(map[uint64][]byte{1: a, 3: b})
		if err != nil || answer == nil {
			return
		}
		p, err := decodeProbe(answer)
		if err != nil || p.Birth == nil || p.Birth.Nonces[2] != "n2" || p.Member != 2 {
			t.Fatalf("born as %s: %v", answer, err)
		}
	})
}

// FuzzStoredLines: lines come out of a record of state.db as they went in, and what is not one is refused.
func FuzzStoredLines(f *testing.F) {
	group, _ := lineGroup([]queue.Line{{Seq: 7, Job: 3, Printer: "p", JSON: []byte(`{"seq":7}`)}, {Seq: 8, JSON: []byte(`{"seq":8}`)}})
	f.Add(group)
	f.Add(appendLine(nil, queue.Line{Seq: 7, Job: 3, Printer: "p", JSON: []byte(`{"seq":7}`)}))
	f.Add([]byte{1, 2, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		read := func(record []byte) (lines []queue.Line, err error) {
			err = eachLine(record, func(l queue.Line) bool { lines = append(lines, l); return true })
			return lines, err
		}
		lines, err := read(b)
		if err != nil || len(lines) == 0 {
			return
		}
		var again []queue.Line
		for rest := lines; len(rest) > 0; {
			var group []byte
			group, rest = lineGroup(rest)
			part, err := read(group)
			if err != nil {
				t.Fatalf("%x of %+v: %v", group, lines, err)
			}
			again = append(again, part...)
		}
		if !slices.EqualFunc(lines, again, func(l, m queue.Line) bool {
			return l.Seq == m.Seq && l.Job == m.Job && l.Printer == m.Printer && bytes.Equal(l.JSON, m.JSON)
		}) {
			t.Fatalf("%+v becomes %+v", lines, again)
		}
	})
}
