package sim

import (
	"encoding/binary"
	"fmt"
	"strings"

	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/node"
)

// The kinds of node's frames that are looked into. They never change.
const (
	frameRaft    = 1
	frameForward = 2
)

// message reads the head of a raft frame: the message, without its entries' data.
func message(body []byte) *raftpb.Message {
	size, n := binary.Uvarint(body)
	m := new(raftpb.Message)
	if n <= 0 || uint64(len(body)-n) < size || proto.Unmarshal(body[n:n+int(size)], m) != nil {
		return nil
	}
	return m
}

// promises reports whether a frame says that its sender has saved or voted.
func promises(f node.Frame) bool {
	if f.Kind != frameRaft {
		return false
	}
	m := message(f.Bufs[0])
	switch m.GetType() {
	case raftpb.MsgAppResp, raftpb.MsgVoteResp:
		return !m.GetReject()
	}
	return false
}

// frame is a frame in words.
func frame(kind byte, body []byte) string {
	if kind != frameRaft {
		return [...]string{"", "", "forward", "refuse", "status", "transfer", "snapshot ended"}[kind%7]
	}
	m := message(body)
	var b strings.Builder
	fmt.Fprintf(&b, "%v term %d", m.GetType(), m.GetTerm())
	if m.GetIndex() > 0 || m.GetLogTerm() > 0 {
		fmt.Fprintf(&b, " at %d.%d", m.GetLogTerm(), m.GetIndex())
	}
	if len(m.GetEntries()) > 0 {
		fmt.Fprintf(&b, " %s", saved(nil, m.GetEntries()))
	}
	if m.GetCommit() > 0 {
		fmt.Fprintf(&b, " commit %d", m.GetCommit())
	}
	if m.GetReject() {
		b.WriteString(" rejected")
	}
	return b.String()
}

// saved is what a write holds, in words.
func saved(hs *raftpb.HardState, entries []*raftpb.Entry) string {
	var b strings.Builder
	if hs != nil {
		fmt.Fprintf(&b, "term %d vote %d commit %d ", hs.GetTerm(), hs.GetVote(), hs.GetCommit())
	}
	if n := len(entries); n > 0 {
		fmt.Fprintf(&b, "entries %d.%d to %d.%d", entries[0].GetTerm(), entries[0].GetIndex(), entries[n-1].GetTerm(), entries[n-1].GetIndex())
	}
	return b.String()
}
