package model

import (
	"crypto/sha256"
	"hash/maphash"
	"reflect"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

// A state of the search. What its pointers lead to never changes; a leader is copied before something happens to it.
type state struct {
	node    *node
	leaders []*leader // of term n+1 at n: none ever stops
	fence   device.Fence
	served  queue.Token // the highest whose request was not refused
	paper   []sheet
	ether   []*printer.Operation // requests that nobody waits for any more
	// How much of it may still happen.
	doubled, lost, returns, wipes int
	asked                         uint // a bit for each fact
	fault                         string
}

// A leader is the driver's core in one term, with all that it has sent out.
type leader struct {
	core    printer.Core
	term    uint64
	pending []*queuepb.Command
	op      *printer.Operation
	// op began before the leader led anew: its result means nothing.
	void bool
	// What the log has said since it last looked, with the bound lag.
	behind []queue.Drive
	// What a driver with the bug oldMark takes for the device's answer.
	early device.Mark
	ident *ident
}

// The core's clock never moves, and every wait is over when it is next asked: a result comes at early, a step at late.
var early, late = time.Unix(0, 0), time.Unix(3600, 0)

func (m *model) step(l *leader) {
	todo := l.core.Step(late)
	for _, c := range todo.Decisions {
		same := func(p *queuepb.Command) bool { return proto.Equal(p, c) }
		if c.GetReport() == nil && !slices.ContainsFunc(l.pending, same) {
			l.pending = append(l.pending[:len(l.pending):len(l.pending)], c)
		}
	}
	if todo.Operation != nil {
		l.op, l.void = todo.Operation, false
	}
	l.ident = nil
}

// lead copies a leader, to be changed.
func (s *state) lead(i int) *leader {
	l := *s.leaders[i]
	s.leaders = slices.Clone(s.leaders)
	s.leaders[i] = &l
	return &l
}

func (m *model) name(l *leader) *ident {
	if l.ident != nil {
		return l.ident
	}
	d := &ident{}
	m.encoder.value(d, reflect.ValueOf(&l.core).Elem())
	d.flag(l.void)
	d.num(uint64(len(l.pending)))
	for _, c := range l.pending {
		command(d, c)
	}
	d.num(uint64(len(l.behind)))
	for i := range l.behind {
		m.encoder.value(d, reflect.ValueOf(&l.behind[i]).Elem())
	}
	if m.bug == oldMark {
		m.encoder.value(d, reflect.ValueOf(l.early))
	}
	l.ident = d
	return d
}

func (m *model) hash(s *state) uint64 {
	d := &ident{bytes: make([]byte, 0, 1024), indexes: make([]uint64, 0, 64)}
	d.add(&s.node.ident)
	for _, l := range s.leaders {
		d.add(m.name(l))
	}
	d.text(s.fence.Epoch)
	m.encoder.value(d, reflect.ValueOf(s.fence.High))
	m.encoder.value(d, reflect.ValueOf(s.fence.Mark))
	m.encoder.value(d, reflect.ValueOf(s.served))
	d.num(uint64(len(s.paper)))
	for _, p := range s.paper {
		d.num(p.job)
		d.index(p.attempt)
		d.num(uint64(p.unit))
	}
	d.num(uint64(len(s.ether)))
	for _, op := range s.ether {
		m.encoder.value(d, reflect.ValueOf(op).Elem())
	}
	for _, n := range []int{s.doubled, s.lost, s.returns, s.wipes, int(s.asked)} {
		d.num(uint64(n))
	}
	return maphash.Bytes(m.seed, d.canonical())
}

func (m *model) initial() *state {
	s := &state{fence: device.NewFence("e", "c"), doubled: m.doubled, lost: m.lost, returns: m.returns, wipes: m.wipes}
	n := &node{records: map[string][]byte{}, after: map[string]*node{}}
	n = m.library.apply(n, 1, nil)
	n = m.library.apply(n, 1, &queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{
		Name: "p", Settings: &queuepb.PrinterSettings{Devices: []string{"tray:/t"}},
	}}})
	for _, c := range m.jobs {
		n = m.library.apply(n, 1, c)
	}
	s.node = n
	m.begin(s)
	return s
}

// begin is the leader of the term at hand.
func (m *model) begin(s *state) {
	l := &leader{core: *printer.NewCore(1, 1), term: s.node.term, early: s.fence.Mark}
	l.core.Lead(l.term, s.node.drive)
	m.step(l)
	s.leaders = append(s.leaders[:len(s.leaders):len(s.leaders)], l)
}

func submit(units, copies uint32) *queuepb.Command {
	sum := sha256.Sum256([]byte{0})
	return &queuepb.Command{Payload: 1, Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: "p", Bytes: 1, Sha256: sum[:], Format: "text/plain", Units: units, Copies: copies,
	}}}
}

func cancel(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: job}}}
}

func hold(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: job}}}
}

func release(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: job}}}
}

func reprint(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: job}}}
}

// opened: the device has answered the live token, and the log does not know the answer yet.
func (l *leader) opened(op *printer.Operation, r printer.Result, d queue.Drive) bool {
	return op.Kind == printer.OpenDevice && r.Err == nil && d.Token == op.Token && !d.Resumed
}
