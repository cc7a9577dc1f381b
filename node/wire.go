package node

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"
)

// The kinds of frames that members send each other. The numbers never change their meaning.
const (
	frameRaft     = 1 // a raft message
	frameForward  = 2 // requests of another member's clients, for the leader
	frameRefuse   = 3 // the leader's answer to one it did not take
	frameStatus   = 4 // what a member says of itself, once a second
	frameTransfer = 5 // please hand leadership over
	frameSnapshot = 6 // how a snapshot ended at its receiver
)

// A raft message travels as
//
//	uvarint length of head | head: the message without its entries' data | for each entry: uvarint length | data …
//
// so that the data is gathered from where it lies, and cut from the received frame without a copy.
func encodeRaft(m *raftpb.Message) (Frame, error) {
	bare := m
	if entries := m.GetEntries(); len(entries) > 0 {
		bare = &raftpb.Message{
			Type: m.Type, To: m.To, From: m.From, Term: m.Term, LogTerm: m.LogTerm, Index: m.Index, Commit: m.Commit,
			Vote: m.Vote, Snapshot: m.Snapshot, Reject: m.Reject, RejectHint: m.RejectHint, Context: m.Context,
			Entries: make([]*raftpb.Entry, len(entries)),
		}
		for i, e := range entries {
			bare.Entries[i] = &raftpb.Entry{Type: e.Type, Term: e.Term, Index: e.Index}
		}
	}
	head, err := proto.Marshal(bare)
	if err != nil {
		return Frame{}, fmt.Errorf("encode %v: %w", m.GetType(), err)
	}
	first := append(binary.AppendUvarint(make([]byte, 0, len(head)+8+4*len(m.GetEntries())), uint64(len(head))), head...)
	for _, e := range m.GetEntries() {
		first = binary.AppendUvarint(first, uint64(len(e.GetData())))
	}
	f := Frame{Kind: frameRaft, Urgent: urgent(m), Bufs: make([][]byte, 1, 1+len(m.GetEntries()))}
	f.Bufs[0] = first
	for _, e := range m.GetEntries() {
		if data := e.GetData(); len(data) > 0 {
			f.Bufs = append(f.Bufs, data)
		}
	}
	return f, nil
}

// Only messages with entries go by the bulk connection. Raft does not rely on their order against the others.
func urgent(m *raftpb.Message) bool { return len(m.GetEntries()) == 0 }

var errFrame = errors.New("a frame from another member is not well formed")

// takeBytes cuts a length and so many bytes off b.
func takeBytes(b []byte) (taken, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, errFrame
	}
	b = b[n:]
	return b[:size:size], b[size:], nil
}

func decodeRaft(b []byte) (*raftpb.Message, error) {
	head, rest, err := takeBytes(b)
	if err != nil {
		return nil, err
	}
	m := new(raftpb.Message)
	if err := proto.Unmarshal(head, m); err != nil {
		return nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	sizes := make([]uint64, len(m.GetEntries()))
	for i, e := range m.GetEntries() {
		size, n := binary.Uvarint(rest)
		if n <= 0 || e == nil {
			return nil, errFrame
		}
		sizes[i], rest = size, rest[n:]
	}
	for i, e := range m.GetEntries() {
		if sizes[i] > uint64(len(rest)) {
			return nil, errFrame
		}
		if sizes[i] > 0 {
			e.Data = rest[:sizes[i]:sizes[i]]
		}
		rest = rest[sizes[i]:]
	}
	return m, nil
}

// forwarded is one request on its way to the leader.
type forwarded struct {
	seq           uint64
	head, payload []byte
}

// A forward frame holds requests one after the other: uvarint seq, head and payload, each behind its length.
func encodeForward(requests []forwarded, urgent bool) Frame {
	f := Frame{Kind: frameForward, Urgent: urgent}
	for _, r := range requests {
		b := binary.AppendUvarint(make([]byte, 0, len(r.head)+24), r.seq)
		b = append(binary.AppendUvarint(b, uint64(len(r.head))), r.head...)
		b = binary.AppendUvarint(b, uint64(len(r.payload)))
		f.Bufs = append(f.Bufs, b)
		if len(r.payload) > 0 {
			f.Bufs = append(f.Bufs, r.payload)
		}
	}
	return f
}

func decodeForward(b []byte) (requests []forwarded, err error) {
	for len(b) > 0 {
		seq, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errFrame
		}
		r := forwarded{seq: seq}
		if r.head, b, err = takeBytes(b[n:]); err != nil {
			return nil, err
		}
		if r.payload, b, err = takeBytes(b); err != nil {
			return nil, err
		}
		requests = append(requests, r)
	}
	return requests, nil
}

// A refusal is the leader's word that it did not propose a request, and will not.
type refusal struct {
	seq  uint64
	full byte // which of the refusals below
}

const (
	refuseFull = 1 // too much is under way
	refuseDisk = 2 // the leader's disk is nearly full
)

func encodeRefuse(r refusal) Frame {
	return Frame{Kind: frameRefuse, Urgent: true, Bufs: [][]byte{append(binary.AppendUvarint(nil, r.seq), r.full)}}
}

func decodeRefuse(b []byte) (refusal, error) {
	seq, n := binary.Uvarint(b)
	if n <= 0 || len(b) != n+1 {
		return refusal{}, errFrame
	}
	return refusal{seq: seq, full: b[n]}, nil
}

// A status is what a member says of itself.
type status struct {
	Applied    uint64      `json:"applied"`
	Time       time.Time   `json:"time"`
	Version    uint32      `json:"version"`
	LowDisk    bool        `json:"low_disk,omitempty"`
	HTTP       string      `json:"http,omitempty"`
	Checkpoint *checkpoint `json:"checkpoint,omitempty"`
}

// A checkpoint is compared between members.
type checkpoint struct {
	Index  uint64 `json:"index"`
	Chain  string `json:"chain"`
	Digest uint64 `json:"digest,string"`
}

func encodeJSON(kind byte, v any) Frame {
	b, err := json.Marshal(v)
	if err != nil {
		panic("node: a frame of our own does not marshal: " + err.Error())
	}
	return Frame{Kind: kind, Urgent: true, Bufs: [][]byte{b}}
}
