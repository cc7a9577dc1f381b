package node

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/log/crc32c"
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
//	uvarint length of head | head: the message without its entries' data |
//	uvarint number of entries | for each its part | data …
//
//	a part: uvarint length of the data | 4 bytes, unless that is 0: its CRC-32C, little-endian | uvarint seq
//	where seq is not 0: uvarint length of what follows | the data's beginning
//
// so that the data is gathered from where it lies, and cut from the received frame without a copy. Where seq is not 0, the rest of the
// data is the document of the receiver's own request of that number, which it holds and is not sent.
type part struct {
	size  uint64
	sum   uint32
	seq   uint64
	begin []byte
}

func encodeRaft(m *raftpb.Message, notes *notes) (Frame, error) {
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
	first := append(binary.AppendUvarint(make([]byte, 0, len(head)+12+16*len(m.GetEntries())), uint64(len(head))), head...)
	first = binary.AppendUvarint(first, uint64(len(m.GetEntries())))
	f := Frame{Kind: frameRaft, Urgent: urgent(m), Bufs: make([][]byte, 1, 1+len(m.GetEntries()))}
	for _, e := range m.GetEntries() {
		p := part{size: uint64(len(e.GetData()))}
		if p.size > 0 {
			p.sum = notes.sum(e)
			p.seq, p.begin = notes.kept(e, m.GetTo())
		}
		first = p.append(first)
		if p.size > 0 && p.seq == 0 {
			f.Bufs = append(f.Bufs, e.GetData())
		}
	}
	f.Bufs[0], f.Summed = first, len(f.Bufs)-1
	return f, nil
}

func (p part) append(b []byte) []byte {
	b = binary.AppendUvarint(b, p.size)
	if p.size == 0 {
		return b
	}
	b = binary.AppendUvarint(binary.LittleEndian.AppendUint32(b, p.sum), p.seq)
	if p.seq == 0 {
		return b
	}
	return append(binary.AppendUvarint(b, uint64(len(p.begin))), p.begin...)
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

func takePart(b []byte) (p part, rest []byte, err error) {
	if p.size, b, err = takeUvarint(b); err != nil || p.size == 0 {
		return p, b, err
	}
	if p.sum, b, err = takeSum(b); err != nil {
		return p, nil, err
	}
	if p.seq, b, err = takeUvarint(b); err == nil && p.seq != 0 {
		p.begin, b, err = takeBytes(b)
	}
	return p, b, err
}

func takeUvarint(b []byte) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errFrame
	}
	return v, b[n:], nil
}

func takeSum(b []byte) (sum uint32, rest []byte, err error) {
	if len(b) < 4 {
		return 0, nil, errFrame
	}
	return binary.LittleEndian.Uint32(b), b[4:], nil
}

// takeParts reads what stands between a message and its entries' data.
func takeParts(b []byte) (parts []part, rest []byte, err error) {
	n, b, err := takeUvarint(b)
	if err != nil || n > uint64(len(b)) {
		return nil, nil, errFrame
	}
	parts = make([]part, n)
	for i := range parts {
		if parts[i], b, err = takePart(b); err != nil {
			return nil, nil, err
		}
	}
	return parts, b, nil
}

// decodeRaft leaves the data of entries of which a part was kept back to Core.rejoin.
func decodeRaft(b []byte) (*raftpb.Message, []part, error) {
	head, rest, err := takeBytes(b)
	if err != nil {
		return nil, nil, err
	}
	m := new(raftpb.Message)
	if err := proto.Unmarshal(head, m); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errFrame, err)
	}
	parts, rest, err := takeParts(rest)
	if err != nil || len(parts) != len(m.GetEntries()) {
		return nil, nil, errFrame
	}
	for i, e := range m.GetEntries() {
		if e == nil {
			return nil, nil, errFrame
		}
		if p := parts[i]; p.size > 0 && p.seq == 0 {
			if p.size > uint64(len(rest)) {
				return nil, nil, errFrame
			}
			e.Data, rest = rest[:p.size:p.size], rest[p.size:]
		}
	}
	return m, parts, nil
}

// checkSums verifies what of a frame the transport's checksum leaves out.
func checkSums(kind byte, b []byte) error {
	switch kind {
	case frameRaft:
		_, b, err := takeBytes(b)
		if err != nil {
			return err
		}
		parts, b, err := takeParts(b)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if p.size == 0 || p.seq != 0 {
				continue
			}
			if p.size > uint64(len(b)) || crc32c.Sum(b[:p.size]) != p.sum {
				return errFrame
			}
			b = b[p.size:]
		}
	case frameForward:
		requests, err := decodeForward(b)
		if err != nil {
			return err
		}
		for _, r := range requests {
			if crc32c.Sum(r.payload) != r.sum {
				return errFrame
			}
		}
	}
	return nil
}

// forwarded is one request on its way to the leader.
type forwarded struct {
	seq           uint64
	head, payload []byte
	sum           uint32 // CRC-32C of the payload
	// What ends with the payload, and before it has nothing that is needed once there is an entry; nil: nothing.
	whole []byte
}

// A forward frame holds
//
//	uvarint number of requests | for each: uvarint seq | uvarint length of head | head |
//	    uvarint length of payload | 4 bytes, unless that is 0: its CRC-32C, little-endian
//	uvarint number of zeros | zeros | payload …
//
// What stands before a document that is alone is no longer needed when the leader makes an entry of it: it is room.
func encodeForward(requests []forwarded, urgent bool) Frame {
	size := 4 + len(zeros)
	for _, r := range requests {
		size += len(r.head) + 28
	}
	f := Frame{Kind: frameForward, Urgent: urgent, Bufs: make([][]byte, 1, 1+len(requests))}
	b := binary.AppendUvarint(make([]byte, 0, size), uint64(len(requests)))
	for _, r := range requests {
		b = binary.AppendUvarint(b, r.seq)
		b = append(binary.AppendUvarint(b, uint64(len(r.head))), r.head...)
		b = binary.AppendUvarint(b, uint64(len(r.payload)))
		if len(r.payload) > 0 {
			b = binary.LittleEndian.AppendUint32(b, r.sum)
			f.Bufs = append(f.Bufs, r.payload)
		}
	}
	n := 0
	if len(requests) == 1 && len(requests[0].payload) >= keepFrom {
		n = len(zeros)
	}
	b = append(binary.AppendUvarint(b, uint64(n)), zeros[:n]...)
	f.Bufs[0], f.Summed = b, len(f.Bufs)-1
	return f
}

// zeros are what an entry's data is longer by, at most, than a head and a payload.
var zeros [24]byte

func decodeForward(b []byte) ([]forwarded, error) {
	whole := b
	n, b, err := takeUvarint(b)
	if err != nil || n > uint64(len(b)) {
		return nil, errFrame
	}
	requests := make([]forwarded, n)
	sizes := make([]uint64, n)
	for i := range requests {
		r := &requests[i]
		if r.seq, b, err = takeUvarint(b); err != nil {
			return nil, err
		}
		if r.head, b, err = takeBytes(b); err != nil {
			return nil, err
		}
		if sizes[i], b, err = takeUvarint(b); err == nil && sizes[i] > 0 {
			r.sum, b, err = takeSum(b)
		}
		if err != nil {
			return nil, err
		}
	}
	if _, b, err = takeBytes(b); err != nil {
		return nil, err
	}
	for i, size := range sizes {
		if size > uint64(len(b)) {
			return nil, errFrame
		}
		if end := len(whole) - len(b) + int(size); n == 1 {
			requests[i].whole = whole[:end:end]
		}
		requests[i].payload, b = b[:size:size], b[size:]
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
	Quiet      bool        `json:"quiet,omitempty"` // nobody waits for what others do
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
