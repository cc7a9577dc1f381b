package node

import (
	"bytes"
	"testing"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
	"printq/queue"
)

// What a follower's client sent goes to the leader and to the third member, and does not come back.
func TestDocumentIsNotSentWhereItCameFrom(t *testing.T) {
	for _, size := range []int{100, 50_000, 200_000} {
		w := newWorld(t, 3)
		leader, from := w.leader(), w.follower()
		from.must(setPrinter("p", "tray:/a"), nil)
		doc := bytes.Repeat([]byte("0123456789"), size/10)
		var went [][2]uint64
		w.seen = func(p packet) {
			if bytes.Contains(p.body, doc) {
				went = append(went, [2]uint64{p.from, p.to})
			}
		}
		from.must(submit("p", "", doc), doc)
		w.run(5)
		third := 6 - leader.id - from.id
		if len(went) != 2 || went[0] != [2]uint64{from.id, leader.id} || went[1] != [2]uint64{leader.id, third} {
			t.Errorf("%d bytes went %v; the leader is %d, the client is at %d", size, went, leader.id, from.id)
		}
		w.converged()
		for id, m := range w.members {
			last, _ := m.log.LastIndex()
			found := false
			for i := last; i > 1 && !found; i-- {
				e, err := m.log.ReadEntry(i)
				if err != nil {
					t.Fatal(err)
				}
				found = bytes.HasSuffix(e.GetData(), doc)
			}
			if !found || from.core.counts.notHeld != 0 {
				t.Errorf("member %d has it: %v", id, found)
			}
		}
	}
}

// Where the client left meanwhile the document is sent after all, and the job is one of the log's.
func TestDocumentThatIsNoLongerHeld(t *testing.T) {
	w := newWorld(t, 3)
	leader, from := w.leader(), w.follower()
	from.must(setPrinter("p", "tray:/a"), nil)
	doc := bytes.Repeat([]byte("document "), 1000)
	c := from.propose(submit("p", "", doc), doc)
	w.seen = func(p packet) {
		if p.from == from.id && p.kind == frameForward {
			c.abandon()
		}
	}
	w.run(1)
	if !c.ended || from.core.counts.notHeld == 0 {
		t.Fatalf("ended %v, not held %d", c.ended, from.core.counts.notHeld)
	}
	jobs := int(leader.core.queue.LastJob())
	w.until("all have the job", func() bool {
		return from.core.batch.applied == leader.core.batch.applied
	})
	if jobs != 1 || int(from.core.queue.LastJob()) != 1 {
		t.Errorf("%d jobs at the leader, %d here", jobs, int(from.core.queue.LastJob()))
	}
	w.converged()
}

// A reference is completed with the very document only: another process of this member may have used the number.
func TestReferenceToAnotherRequest(t *testing.T) {
	payload := []byte("payload")
	r := &request{head: []byte("session and seq"), payload: payload, sum: crc32c.Sum(payload)}
	begin := []byte("time, session and seq")
	right := part{size: uint64(len(begin) + len(payload)), sum: crc32c.Sum(append(begin[:len(begin):len(begin)], payload...)), begin: begin}
	if !r.completes(right) {
		t.Error("the right one is refused")
	}
	for name, change := range map[string]func(*part, *request){
		"head":     func(p *part, _ *request) { p.begin = []byte("time, session and sep") },
		"length":   func(p *part, _ *request) { p.size++ },
		"checksum": func(p *part, _ *request) { p.sum ^= 1 },
		"session":  func(_ *part, r *request) { r.head = []byte("another and seq") },
		"payload":  func(_ *part, r *request) { r.payload, r.sum = []byte("PAYLOAD"), crc32c.Sum([]byte("PAYLOAD")) },
	} {
		p, other := right, *r
		change(&p, &other)
		if other.completes(p) {
			t.Errorf("another %s is taken", name)
		}
	}
}

func TestSumsOfFrames(t *testing.T) {
	m := &raftpb.Message{Type: raftpb.MsgApp.Enum(), To: new(uint64(2)), Entries: []*raftpb.Entry{
		{Index: new(uint64(7)), Term: new(uint64(3)), Data: []byte("seven")},
		{Index: new(uint64(8)), Term: new(uint64(3))},
		{Index: new(uint64(9)), Term: new(uint64(3)), Data: []byte("nine")},
	}}
	raft, err := encodeRaft(m, new(notes))
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte("payload")
	forward := encodeForward([]forwarded{{seq: 1, head: []byte("head"), payload: payload, sum: crc32c.Sum(payload)}, {seq: 2, head: []byte("bare")}}, true)
	for _, f := range []Frame{raft, forward} {
		body := bytes.Join(f.Bufs, nil)
		if err := checkSums(f.Kind, body); err != nil {
			t.Fatalf("kind %d: %v", f.Kind, err)
		}
		for i := len(f.Bufs[0]); i < len(body); i++ {
			body[i] ^= 1
			if checkSums(f.Kind, body) == nil {
				t.Errorf("kind %d: byte %d may change", f.Kind, i)
			}
			body[i] ^= 1
		}
		if checkSums(f.Kind, body[:len(body)-1]) == nil {
			t.Errorf("kind %d: the end may be missing", f.Kind)
		}
	}
}

// A slot is another entry's after a while, and an entry of another term is another one.
func TestNotesAreOfTheEntry(t *testing.T) {
	var n notes
	entry := func(index, term uint64, data string) *raftpb.Entry {
		return &raftpb.Entry{Index: &index, Term: &term, Data: []byte(data)}
	}
	for _, e := range []*raftpb.Entry{
		entry(1, 1, "one"), entry(1, 2, "another"), entry(1+uint64(len(n)), 2, "later"), entry(1, 2, "another"),
	} {
		for range 2 {
			if got := n.sum(e); got != crc32c.Sum(e.GetData()) {
				t.Errorf("%v: %#x", e, got)
			}
		}
	}
}

// The memory before a document becomes part of one entry, and never of a second one.
func TestRoomIsUsedOnce(t *testing.T) {
	d := NewDocument(10)
	copy(d.Inline, "0123456789")
	r := &request{payload: d.Inline, whole: d.whole}
	first := join([]byte("first "), r.payload, r.takeRoom())
	if &first[6] != &d.Inline[0] {
		t.Error("the document was copied")
	}
	second := join([]byte("second "), r.payload, r.takeRoom())
	if string(first) != "first 0123456789" || string(second) != "second 0123456789" {
		t.Errorf("%q, %q", first, second)
	}
	long := string(make([]byte, room+1))
	if third := join([]byte(long), d.Inline, NewDocument(10).whole); string(third) != long+"0123456789" {
		t.Error("what there is no room for is not there")
	}
}

// A document goes into the log where it lies in the leader's own frame, and what raft refuses can still be proposed.
func TestForwardedDocumentIsNotCopied(t *testing.T) {
	payload := bytes.Repeat([]byte("document "), 1000)
	body := bytes.Join(encodeForward([]forwarded{{seq: 1, head: []byte("head"), payload: payload, sum: crc32c.Sum(payload)}}, false).Bufs, nil)
	requests, err := decodeForward(body)
	if err != nil {
		t.Fatal(err)
	}
	r := requests[0]
	group, last := []queue.Packed{{Head: r.head, Payload: r.payload}}, proposal{head: r.head, payload: r.payload, sum: r.sum, whole: r.whole}
	want := queue.Pack(1<<62, group)
	note := takeNote(1<<62, group, last)
	if string(r.head) != "head" {
		t.Error("the head is gone before raft has the entry")
	}
	data := note.join()
	if !bytes.Equal(data, want) || note.sum != crc32c.Sum(want) || note.size != len(want) {
		t.Error("another entry than the packed one")
	}
	if &data[len(data)-1] != &body[len(body)-1] {
		t.Error("the document was copied")
	}
}
