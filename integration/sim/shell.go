package sim

import (
	"context"
	"slices"
	"time"

	"printq/node"
	"printq/printer"
	"printq/queue"
	"printq/queue/queuepb"
)

// A shell is what printer.Driver is around its cores, without goroutines: each hop that is a goroutine's or a channel's there
// is an event here, and takes a while.
type shell struct {
	w     *World
	m     *member
	ctx   context.Context // of the reign; nil: none
	term  uint64
	drain bool
	hands map[uint64]*hand
	ended bool          // the context's end is on its way to the loop
	inbox time.Duration // when the last event for the loop arrives
}

type hand struct {
	core  *printer.Core
	drive queue.Drive
	alarm int
	op    *underway
	past  *underway // of an older reign
	line  *link     // to a printer without a fence
}

var _ node.Driver = (*shell)(nil)

func newShell(m *member) *shell { return &shell{w: m.w, m: m, hands: map[uint64]*hand{}} }

// hop is how long it takes until another goroutine of this process goes on.
func (s *shell) hop() time.Duration {
	if s.m.slow {
		return s.w.between(time.Millisecond, 1500*time.Millisecond)
	}
	return s.w.between(0, time.Millisecond)
}

// post tells the driver's loop something, in order.
func (s *shell) post(do func()) {
	s.inbox = max(s.inbox, s.w.now+s.hop())
	s.m.after(s.inbox-s.w.now, do)
}

// Lead implements node.Driver.
func (s *shell) Lead(ctx context.Context, term uint64, drives []queue.Drive) {
	s.w.trace.note(11, s.m.id, term)
	s.w.trace.say(s.w.now, "m%d reigns in term %d", s.m.id, term)
	s.post(func() { s.lead(ctx, term, drives) })
}

func (s *shell) lead(ctx context.Context, term uint64, drives []queue.Drive) {
	s.revoke()
	s.ctx, s.term, s.drain, s.ended = ctx, term, false, false
	for _, d := range sorted(drives) {
		s.w.raceOnDrive(s.m, d)
		s.hand(d).core.Lead(term, d)
	}
	for _, id := range s.devices() {
		s.step(s.hands[id])
	}
	s.look()
}

// Changed implements node.Driver.
func (s *shell) Changed(drives []queue.Drive) {
	s.post(func() { s.changed(drives) })
}

func (s *shell) changed(drives []queue.Drive) {
	if s.term == 0 {
		return
	}
	for _, d := range sorted(drives) {
		s.w.raceOnDrive(s.m, d)
		h, known := s.hands[d.Device]
		if known {
			h.core.Change(d)
			h.drive = d
		} else {
			h = s.hand(d)
			h.core.Lead(s.term, d)
			if s.drain {
				h.core.Drain()
			}
		}
		s.step(h)
	}
}

// sorted puts drives in the order of their devices: the core gives them in none.
func sorted(drives []queue.Drive) []queue.Drive {
	slices.SortFunc(drives, func(a, b queue.Drive) int { return int(a.Device) - int(b.Device) })
	return drives
}

func (s *shell) devices() []uint64 {
	ids := make([]uint64, 0, len(s.hands))
	for id := range s.hands {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (s *shell) hand(d queue.Drive) *hand {
	h := s.hands[d.Device]
	if h == nil {
		h = &hand{core: printer.NewCore(s.m.id, d.Device)}
		s.hands[d.Device] = h
	}
	h.drive = d
	return h
}

// look notices that the reign's context has ended, as the goroutine does that waits for it.
func (s *shell) look() {
	if s.ctx == nil || s.ctx.Err() == nil || s.ended || s.w.mutant.deaf() {
		return
	}
	s.ended = true
	ctx := s.ctx
	s.post(func() {
		if s.ctx == ctx {
			s.revoke()
		}
	})
}

func (s *shell) revoke() {
	if s.ctx == nil {
		return
	}
	s.ctx, s.term = nil, 0
	for _, id := range s.devices() {
		h := s.hands[id]
		if h.op != nil && h.op.op.Kind == printer.PrintUnit {
			s.w.counts.add("race: leader change in the middle of a page")
		}
		h.core.Revoke()
		s.cancel(h)
		s.tidy(h)
	}
}

// step asks a core what is to be done, and does it.
func (s *shell) step(h *hand) {
	todo := h.core.Step(epoch.Add(s.w.now))
	term := s.term
	for _, c := range todo.Decisions {
		s.decide(term, c)
	}
	h.alarm++
	if alarm := h.alarm; !todo.Wake.IsZero() {
		s.m.after(todo.Wake.Sub(epoch)-s.w.now, func() {
			if h.alarm == alarm {
				s.step(h)
			}
		})
	}
	if todo.Operation != nil {
		s.begin(h, todo.Operation)
	}
	if h.op != nil && h.op.op.ID == todo.Stop {
		s.stop(h)
	}
	s.tidy(h)
}

// decide takes a decision to the loop, as node.Node's Decide does.
func (s *shell) decide(term uint64, c *queuepb.Command) {
	m := s.m
	s.w.trace.say(s.w.now, "m%d decides in term %d: %v", m.id, term, c)
	if m.leading != term || term == 0 {
		return
	}
	c.Term = term
	for _, c := range s.w.mutant.decide(s, c) {
		s.propose(term, c)
	}
}

func (s *shell) propose(term uint64, c *queuepb.Command) {
	m := s.m
	_, alone := c.GetBody().(*queuepb.Command_Claim)
	head := queue.Encode(c)
	s.w.keep(c)
	m.soon(s.hop(), func() error {
		if now, leads := m.core.Leads(); leads && now > term {
			s.w.counts.add("race: decision of a term proposed in a later one")
		}
		m.core.Decide(term, head, alone)
		return nil
	})
}
