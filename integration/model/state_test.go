package model

import (
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

// A state of the search. What its pointers and slices lead to never changes: each is copied before something happens to it.
type state struct {
	node *node
	// Of each term, one for each of the log's devices, in their order. None ever stops.
	drivers []*driver
	trays   []*tray
	// By device of the log: the attempt that a forced move ended there, as long as more of it may come out.
	torn   []uint64
	ledger []*entitled // by job
	ether  []request   // that nobody waits for any more
	// How much of it may still happen.
	left

	asked uint // a bit for each fact
	fault string
}

// Left is how often each may still happen: see bounds.
type left struct{ doubled, lost, returns, wipes, damaged, strangers, turns, aborts int }

func (l left) list() []int {
	return []int{l.doubled, l.lost, l.returns, l.wipes, l.damaged, l.strangers, l.turns, l.aborts}
}

func (l left) sum() (n int) {
	for _, k := range l.list() {
		n += k
	}
	return n
}

// A request to a device, which has it by its number in the log. Of a window, it is one unit.
type request struct {
	device int
	*printer.Operation
	unit int
}

// A driver is the core of one device in one term, with all that it has sent out.
type driver struct {
	core    printer.Core
	term    uint64
	device  int // in the log, from 1
	pending []*queuepb.Command
	op      *printer.Operation
	// op began before the leader led anew: its result means nothing.
	void bool
	// What the log has said since it last looked, with the bound lag.
	behind []queue.Drive
	// What a driver with the bug oldMark takes for the device's answer.
	early device.Mark
	// Its connection to a device that takes streams; zero: none. Of the window under way: units sent, and heard to be out; no more is wanted.
	line        queue.Token
	sent, heard int
	halted      bool
	// Of one with a bug: the last id that a device made for it; whether it ever sent; what it was last told.
	made  string
	used  bool
	told  queue.Drive
	ident *ident
}

// The core's clock never moves, and every wait is over when it is next asked: a result comes at early, a step at late.
var early, late = time.Unix(0, 0), time.Unix(3600, 0)

func (m *model) step(l *driver) {
	m.once(l)
	switch m.bug {
	case intentLate, intentHasty, documentEarly: // it goes on what it has only proposed
		m.tell(l, l.told)
		m.once(l)
	}
}

func (m *model) once(l *driver) {
	todo := l.core.Step(late)
	for _, c := range todo.Decisions {
		same := func(p *queuepb.Command) bool { return proto.Equal(p, c) }
		if c.GetReport() == nil && !slices.ContainsFunc(l.pending, same) {
			l.pending = append(l.pending[:len(l.pending):len(l.pending)], c)
		}
	}
	if m.bug == yieldsAnnounced || m.bug == lastRemote {
		l.adds(todo.Decisions)
	}
	if todo.Operation != nil {
		l.op, l.void = todo.Operation, false
		l.sent, l.heard, l.halted = 0, todo.Operation.From, false
	}
	if l.op != nil && todo.Stop == l.op.ID {
		l.halted = true
	}
	l.ident = nil
}

// driver copies one, to be changed.
func (s *state) driver(i int) *driver {
	l := *s.drivers[i]
	s.drivers = slices.Clone(s.drivers)
	s.drivers[i] = &l
	return &l
}

// tray copies the one that a device of the log is, to be changed.
func (m *model) tray(s *state, device int) *tray {
	i := m.trays[device-1]
	t := *s.trays[i]
	s.trays = slices.Clone(s.trays)
	s.trays[i] = &t
	return &t
}

// old: the driver's term is over.
func (s *state) old(l *driver) bool { return l.term < s.node.term }

// spent: whatever that token brings to the device is refused for ever, by rule R8 (and what its leader proposes is void, by R1). With the bound
// brief, states are one that differ in nothing else.
func (m *model) spent(s *state, device int, t queue.Token) bool {
	return m.brief && !m.streams && s.wipes == 0 && t.Less(s.trays[m.trays[device-1]].High)
}

// over: the driver is spent, whatever token it has; or, where a device knows no tokens, has nothing under way in a term that is over.
func (m *model) over(s *state, l *driver) bool {
	if m.streams && m.bug != noTag && s.old(l) && l.op == nil && len(l.behind) == 0 {
		return true
	}
	return m.spent(s, l.device, queue.Token{Term: l.term + 1})
}

func (m *model) name(l *driver) *ident {
	if l.ident != nil {
		return l.ident
	}
	d := &ident{group: m.group(l.device)}
	m.encoder.value(d, reflect.ValueOf(&l.core).Elem())
	d.flag(l.void)
	if m.streams {
		l.name(d)
	}
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

// name adds what concerns a device without a fence. How often a request has failed decides there whether a job is given back.
func (l *driver) name(d *ident) {
	d.num(l.line.Term)
	d.index(l.line.Index)
	d.num(uint64(l.sent))
	d.num(uint64(l.heard))
	d.flag(l.halted)
	d.text(l.made)
	d.flag(l.used)
	failed := reflect.ValueOf(&l.core).Elem().FieldByName("retry").FieldByName("count").Int()
	d.num(uint64(min(failed, 2)))
}

func (m *model) hash(s *state) uint64 {
	d := &ident{bytes: make([]byte, 0, 1024), indexes: make([]uint64, 0, 64)}
	d.add(&s.node.ident)
	for _, l := range s.drivers {
		if m.over(s, l) {
			d.num(0)
		} else {
			d.add(m.name(l))
		}
	}
	for i, t := range s.trays {
		d.group = uint64(i + 1)
		t.name(d, m.encoder)
	}
	for _, e := range s.ledger {
		d.text(string(e.times))
		d.num(uint64(e.missing))
		d.num(uint64(e.doubted))
		d.num(uint64(len(e.announced)))
		for _, a := range e.announced {
			d.group = m.group(a.device)
			d.index(a.attempt)
			d.num(uint64(a.units))
		}
	}
	for i, attempt := range s.torn {
		d.group = m.group(i + 1)
		d.index(attempt)
	}
	for _, r := range s.ether {
		if m.spent(s, r.device, r.Token) {
			continue
		}
		d.num(uint64(r.unit))
		d.group = m.group(r.device)
		d.num(uint64(r.device))
		m.encoder.value(d, reflect.ValueOf(r.Operation).Elem())
	}
	for _, n := range s.list() {
		d.num(uint64(n))
	}
	d.num(uint64(s.asked))
	return maphash.Bytes(m.seed, d.canonical())
}

func (m *model) initial() *state {
	s := &state{left: m.faults(), torn: make([]uint64, len(m.trays))}
	for i := range slices.Max(m.trays) + 1 {
		s.trays = append(s.trays, &tray{Fence: device.NewFence(first, "c"), memory: memory{class: m.classes[i], counter: before}})
	}
	s.node = &node{records: map[string][]byte{}, after: map[string]*node{}}
	for _, c := range slices.Concat(commands{nil}, m.setup(), m.jobs) {
		before := s.node
		s.node = m.library.apply(before, 1, c)
		m.entitle(s, before, c)
	}
	m.begin(s)
	return s
}

// begin is the leader of the term at hand.
func (m *model) begin(s *state) {
	for d := range m.trays {
		l := &driver{core: *printer.NewCore(1, 1), term: s.node.term, device: d + 1, early: s.trays[m.trays[d]].Mark}
		l.told = s.node.drives[d]
		l.core.Lead(l.term, m.shown(l, l.told))
		m.step(l)
		s.drivers = append(s.drivers[:len(s.drivers):len(s.drivers)], l)
	}
}
