package model

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"printq/queue"
	"printq/queue/queuepb"
)

// A node is the queue's state after some entries, as its drained records. It never changes: the state machine is loaded
// from the records for each entry, once, since nodes remember what came of it.
type node struct {
	records     map[string][]byte // by bucket, "/" and key
	index, term uint64
	drives      []queue.Drive // by device
	jobs        []*queue.Job  // job n at n-1
	last        []queue.Token // by device, the highest ever given
	flights     []flight      // by device
	ident       ident
	after       map[string]*node
}

// A flight is how a device's counter was when units were last announced, and how many were out then.
type flight struct {
	counter uint64
	base    uint32
}

// A library holds every node once.
type library struct {
	*model
	nodes map[string]*node
}

const clock = 1e9 // of all entries

func (n *node) Get(b queue.Bucket, key []byte) ([]byte, error) {
	return n.records[string(b)+"/"+string(key)], nil
}

func (n *node) each(b queue.Bucket, fn func(key, value []byte) error) error {
	for _, k := range slices.Sorted(maps.Keys(n.records)) {
		if key, ok := strings.CutPrefix(k, string(b)+"/"); ok {
			if err := fn([]byte(key), n.records[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// job gives one; nil if there is none yet.
func (n *node) job(id uint64) *queue.Job {
	if id == 0 || id > uint64(len(n.jobs)) {
		return nil
	}
	return n.jobs[id-1]
}

// apply gives the node after one more entry: n itself where the entry changed nothing but the audit trail.
func (l *library) apply(n *node, term uint64, c *queuepb.Command) *node {
	var data []byte
	if c != nil {
		data = queue.Pack(clock, []queue.Packed{{Head: queue.Encode(l.said(n, c)), Payload: make([]byte, c.Payload)}})
	}
	key := string(rune(term)) + string(data)
	if next, ok := n.after[key]; ok {
		return next
	}
	s, err := queue.Load(l.given(n, c).each)
	if n.index == 0 {
		s, err = queue.New("c"), nil
	}
	if err == nil {
		_, err = s.Apply(queue.Entry{Index: n.index + 1, Term: term, Data: data}, n)
	}
	if err != nil {
		panic(fmt.Sprintf("model: %v", err)) // the search must not go on without one of its transitions
	}
	next := l.node(n, s, c)
	if next.ident.exact() == n.ident.exact() {
		next = n
	}
	n.after[key] = next
	return next
}

func (l *library) node(before *node, s *queue.State, c *queuepb.Command) *node {
	n := &node{records: maps.Clone(before.records), index: s.Index(), term: s.Term(), after: map[string]*node{}}
	for _, c := range s.Drain() {
		key := string(c.Bucket) + "/" + string(c.Key)
		if c.Bucket == queue.Times {
			continue // for display
		}
		if c.Value == nil {
			delete(n.records, key)
		} else {
			n.records[key] = c.Value
		}
	}
	if l.replace(before, n, c) {
		var err error
		s, err = queue.Load(n.each)
		must(err)
	}
	n.drives = s.Drives()
	n.read(l.group, l.streams)
	if known, ok := l.nodes[n.ident.exact()]; ok {
		return known
	}
	l.nodes[n.ident.exact()] = n
	return n
}

// read takes the records apart, and makes of them the node's ident.
func (n *node) read(group func(device int) uint64, streams bool) {
	d := &n.ident
	d.num(n.term)
	for _, b := range []queue.Bucket{queue.Printers, queue.Devices, queue.Live, queue.Finished} {
		_ = n.each(b, func(_, value []byte) error {
			switch b {
			case queue.Printers:
				n.printer(value)
			case queue.Devices:
				n.device(value, group)
			default:
				j := &queue.Job{}
				must(proto.Unmarshal(value, j))
				j.Attempts = slices.DeleteFunc(j.Attempts, yielded)
				n.jobs = append(n.jobs, j)
			}
			return nil
		})
	}
	slices.SortFunc(n.jobs, func(a, b *queue.Job) int { return int(a.Id) - int(b.Id) })
	for _, j := range n.jobs {
		nameJob(d, j, group, streams)
	}
}

// yielded: the attempt has been nowhere. There may be any number, so that nodes are one that differ in nothing else.
func yielded(a *queuepb.Attempt) bool { return a.Outcome == "yielded" }

func (n *node) printer(value []byte) {
	r := &queue.Printer{}
	must(proto.Unmarshal(value, r))
	n.ident.flag(r.Paused)
}

func (n *node) device(value []byte, group func(device int) uint64) {
	r := &queue.Device{}
	must(proto.Unmarshal(value, r))
	n.last = append(n.last, queue.Token{Term: r.Last.GetTerm(), Index: r.Last.GetIndex()})
	n.flights = append(n.flights, flight{r.Counter, r.Base})
	d := &n.ident
	d.group = group(int(r.Id))
	for _, t := range []*queuepb.Token{r.Token, r.Last} {
		d.num(t.GetTerm())
		d.index(t.GetIndex())
	}
	d.flag(r.Resumed)
	d.flag(r.Known)
	d.flag(r.Recovering)
	d.flag(r.Stopped)
	d.flag(r.Adopt)
	d.text(r.Epoch)
	d.index(r.Closing)
	d.index(r.Attempt)
	d.num(r.Job)
	d.num(uint64(r.Class))
	d.flag(r.OutOfOrder)
	n.flight(r)
	d.group = 0 // it is compared with those of the printer's other devices
	d.index(r.Used)
}

// flight names what the log knows of an attempt on a device without a fence.
func (n *node) flight(r *queue.Device) {
	d := &n.ident
	for _, u := range []uint32{r.Intended, r.Sent, r.Base, r.BasePages, r.Pages} {
		d.num(uint64(u))
	}
	d.flag(r.Counts)
	d.num(r.Counter)
	d.num(r.Announced.GetTerm())
	d.index(r.Announced.GetIndex())
	d.text(r.Remote)
}

func nameJob(d *ident, j *queue.Job, group func(device int) uint64, streams bool) {
	d.text(j.Printer)
	d.text(j.MoveTo)
	d.num(uint64(j.State))
	d.text(j.Reason)
	for _, u := range []uint32{j.Units, j.Copies, j.Printed, j.Start, j.Stopping, j.InDoubt.GetCopy(), j.InDoubt.GetFrom(), j.InDoubt.GetLast()} {
		d.num(uint64(u))
	}
	d.num(j.Device)
	d.num(uint64(len(j.Attempts)))
	for _, a := range j.Attempts {
		d.num(a.Device)
		d.group = group(int(a.Device))
		d.index(a.Number)
		d.num(uint64(a.From))
		d.text(a.Outcome)
		d.text(a.Remote)
		if streams { // a fence knows better
			d.num(uint64(a.Printed))
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
