package model

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"printq/queue"
	"printq/queue/queuepb"
)

// A rule is replaced in what an entry says, before it is applied, or in the records that it leaves, after.

// said gives what a state machine with the bug takes a command for.
func (m *model) said(n *node, c *queuepb.Command) *queuepb.Command {
	if m.bug == none {
		return c
	}
	c = proto.CloneOf(c)
	live := func(device uint64, t *queuepb.Token) {
		if d := n.drives[device-1].Token; m.bug == anyToken {
			t.Term, t.Index = d.Term, d.Index
		}
	}
	switch b := c.Body.(type) {
	case *queuepb.Command_Submit:
		if m.bug == lastFirst {
			b.Submit.Priority = uint32(len(n.jobs) + 1)
		}
	case *queuepb.Command_Move:
		b.Move.Force = b.Move.Force || m.bug == moveAtOnce
	case *queuepb.Command_Resolve:
		if a, ok := b.Resolve.Answer.(*queuepb.Resolve_ReprintFrom); ok && m.bug == resolveEarly {
			a.ReprintFrom--
		}
	case *queuepb.Command_Printed:
		live(b.Printed.Device, b.Printed.Token)
	case *queuepb.Command_Closed:
		live(b.Closed.Device, b.Closed.Token)
	case *queuepb.Command_Done:
		live(b.Done.Device, b.Done.Token)
		if w := n.drives[b.Done.Device-1].Work; m.bug == noDoneAttempt && w != nil {
			b.Done.Attempt, b.Done.Units = w.Attempt, uint32(w.Units*w.Copies)
		}
	case *queuepb.Command_Resume:
		live(b.Resume.Device, b.Resume.Token)
		switch m.bug {
		case alwaysClear:
			b.Resume.Clear = b.Resume.Before != nil
		case tornIsWhole:
			if b.Resume.Before != nil && n.drives[b.Resume.Device-1].Work != nil {
				b.Resume.Sent = uint32(n.drives[b.Resume.Device-1].Work.Intended)
			}
		case countsBack:
			b.Resume.Counter = max(b.Resume.Counter, n.flights[b.Resume.Device-1].counter)
		}
		w := n.drives[b.Resume.Device-1].Work
		if m.bug == anyMark && w != nil && b.Resume.Mark.GetAttempt() != 0 {
			b.Resume.Mark.Attempt, b.Resume.Mark.Closed = w.Attempt, false
		}
	}
	return c
}

// given gives the records that a state machine with the bug goes by.
func (m *model) given(n *node, c *queuepb.Command) *node {
	var change func(*queue.Device)
	switch r := c.GetResume(); {
	case m.bug == resumeTwice && r != nil:
		change = func(d *queue.Device) { d.Resumed = false }
	case m.bug == tornIsWhole && r != nil:
		change = func(d *queue.Device) { d.Sent = d.Intended }
	case m.bug == classForgets && r != nil:
		change = func(d *queue.Device) {
			if d.Id == r.Device && d.Class != r.Class && d.Job != 0 {
				d.Intended = n.job(d.Job).Printed
			}
		}
	case m.bug == lastRemote && c.GetRemote() != nil:
		change = func(d *queue.Device) { d.Remote = "" }
	case m.bug == yieldsAnnounced && c.GetYield() != nil:
		change = func(d *queue.Device) { d.Intended = 0 }
	default:
		return n
	}
	g := &node{records: maps.Clone(n.records)}
	edit(g, queue.Devices, change)
	g.sum()
	return g
}

// replace makes of the records after an entry what they are by the rule that the bug puts in the place of another. It reports whether it
// changed any.
func (m *model) replace(before, after *node, c *queuepb.Command) (changed bool) {
	records := maps.Clone(after.records)
	switch m.bug {
	case none:
		return false
	case moveAtOnce:
		if c.GetMove() != nil {
			edit(after, queue.Devices, func(d *queue.Device) { d.Closing = 0 })
			edit(after, queue.Live, func(j *queue.Job) {
				j.InDoubt = nil
				for _, a := range j.Attempts {
					a.Outcome = "moved"
				}
			})
		}
	case noForcedClose:
		if c.GetMove().GetForce() {
			edit(after, queue.Devices, func(d *queue.Device) { d.Closing = 0 })
		}
	case resolveCloses:
		if c.GetResolve() != nil {
			edit(after, queue.Devices, func(d *queue.Device) { d.Closing = 0 })
		}
	case lateDoubt:
		edit(after, queue.Live, func(j *queue.Job) {
			if j.InDoubt != nil && before.job(j.Id).GetInDoubt() == nil {
				j.InDoubt.From++
			}
		})
	case policyFromStart, policyTooFar:
		edit(after, queue.Live, func(j *queue.Job) {
			n := len(j.Attempts)
			if n < 2 || n == len(before.job(j.Id).GetAttempts()) {
				return
			}
			from := uint32(0)
			if m.bug == policyTooFar {
				from = j.Printed + 1
			}
			j.Printed, j.Attempts[n-1].From, j.Attempts[n-1].Printed = from, from, from
		})
	case noRevoke:
		if c == nil && before.term != 0 {
			for key := range after.records {
				if strings.HasPrefix(key, string(queue.Devices)+"/") {
					after.records[key] = before.records[key]
				}
			}
		}
	case unbound:
		if c == nil && before.term != 0 {
			edit(after, queue.Devices, func(d *queue.Device) { d.Job, d.Attempt, d.Recovering = 0, 0, false })
			edit(after, queue.Live, func(j *queue.Job) {
				if j.Device != 0 {
					j.State, j.Reason, j.Device, j.Start = uint32(queue.Pending), "", 0, j.Printed
				}
			})
		}
	}
	if maps.EqualFunc(records, after.records, slices.Equal) {
		return false
	}
	after.sum()
	return true
}

// edit changes all records of a bucket.
func edit[M any, P interface {
	*M
	proto.Message
}](n *node, b queue.Bucket, change func(P),
) {
	for key, value := range n.records {
		if strings.HasPrefix(key, string(b)+"/") {
			r := P(new(M))
			must(proto.Unmarshal(value, r))
			change(r)
			n.records[key], _ = proto.MarshalOptions{Deterministic: true}.Marshal(r)
		}
	}
}

// sum writes down the digest of the records, which Load compares.
func (n *node) sum() {
	digest := uint64(0)
	for k, value := range n.records {
		bucket, key, _ := strings.Cut(k, "/")
		if queue.Bucket(bucket) != queue.Meta {
			text := slices.Concat([]byte(bucket), []byte{0, byte(len(key) >> 8), byte(len(key))}, []byte(key), value)
			sum := sha256.Sum256(text)
			digest += binary.LittleEndian.Uint64(sum[:])
		}
	}
	edit(n, queue.Meta, func(m *queuepb.Meta) { m.Digest = digest })
}
