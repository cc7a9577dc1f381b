package model

import (
	"fmt"
	"hash/maphash"
	"time"

	"printq/queue"
)

// Bounds say what may happen, and how often.
type bounds struct {
	terms    int
	printers []layout // none: p, with one tray
	jobs     commands // submitted before anything else
	facts    commands // each at any time, once
	// Proposals and requests that come twice; answers lost or requests given up; a leader that begins anew; a device that forgets; a
	// document that a member cannot read.
	doubled, lost, returns, wipes, damaged int
	// What devices without a fence have beside these: pages that others print there; a device that is blind from now on; jobs that end
	// there though nobody here asked.
	strangers, turns, aborts int
	// A device serves one connection at a time.
	exclusive bool
	// Pages of two attempts are not to be mixed, all the same.
	unmixed bool
	// How many units a device is given at once; 0: all.
	window int
	// Trays that answer, and begin nothing.
	broken []int
	// A leader sees what commits some time later.
	lag bool
	// Which token is served, and whether an attempt has ended, is not looked at, only what it leads to.
	blind bool
	// Requests that a device refuses for ever are left out.
	brief bool
	// The search stops after that many states.
	states int
}

func (b *bounds) faults() left {
	return left{b.doubled, b.lost, b.returns, b.wipes, b.damaged, b.strangers, b.turns, b.aborts}
}

type model struct {
	bounds
	bug     bug
	trays   []int               // by device of the log
	classes map[int]queue.Class // by tray
	streams bool                // some have no fence
	library library
	encoder encoder
	seed    maphash.Seed
	tracing bool
}

func newModel(b bounds, bug bug) *model {
	if b.printers == nil {
		b.printers = []layout{{name: "p", trays: []int{0}}}
	}
	m := &model{bounds: b, bug: bug, encoder: encoder{}, classes: map[int]queue.Class{}, seed: maphash.MakeSeed()}
	m.library = library{model: m, nodes: map[string]*node{}}
	for _, p := range b.printers {
		m.trays = append(m.trays, p.trays...)
		for _, t := range p.trays {
			m.classes[t] = p.class
			m.streams = m.streams || p.class != queue.Fenced
		}
	}
	return m
}

// group is that of the indexes that are compared at a device.
func (m *model) group(device int) uint64 { return uint64(m.trays[device-1]) + 1 }

// A report is what a search found.
type report struct {
	states, moves, depth, nodes int
	capped                      bool
	fault                       string
	stuck                       int // states from which the jobs cannot end
	// Whether all that may happen did, in some state or other.
	asked uint
	least int // of what else could still happen
	trace []string
	took  time.Duration
}

func (r report) String() string {
	whole := "complete"
	switch {
	case r.fault != "":
		whole = "stopped at a fault"
	case r.capped:
		whole = "CAPPED"
	}
	return fmt.Sprintf("%8d states %9d moves, depth %3d, %6d queue states, %6.2fs, %s",
		r.states, r.moves, r.depth, r.nodes, r.took.Seconds(), whole)
}

// A search is breadth first, so that a counterexample is a shortest one.
type search struct {
	*model
	seen map[uint64]uint32
	// By number of a state: where it was first reached from, by which of that one's moves, and whether all jobs have ended in it.
	parent []uint32
	move   []uint16
	ended  []bool
	// Moves that are no faults, as pairs, for the way back from the ends.
	from, to []uint32
	report   report
}

func (m *model) search() report {
	begun := time.Now()
	s := &search{model: m, seen: map[uint64]uint32{}}
	first := m.initial()
	s.report.least = m.faults().sum()
	s.number(first, 0, 0)
	for front := []*state{first}; len(front) > 0 && s.report.fault == "" && !s.report.capped; {
		front = s.layer(front)
	}
	r := &s.report
	r.states, r.nodes = len(s.parent), len(m.library.nodes)
	if r.fault == "" && !r.capped {
		s.liveness()
	}
	r.took = time.Since(begun)
	return *r
}

// layer makes all moves of all states of one depth.
func (s *search) layer(front []*state) (next []*state) {
	s.report.depth++
	at := uint32(len(s.parent) - len(front))
	for _, from := range front {
		if s.report.fault != "" {
			return nil
		}
		if len(s.parent) >= s.bounds.states {
			s.report.capped = true
			return nil
		}
		move := uint16(0)
		s.next(from, func(_ string, fault bool, t *state) {
			s.report.moves++
			id, fresh := s.number(t, at, move)
			if fresh {
				next = append(next, t)
			}
			if !fault {
				s.from, s.to = append(s.from, at), append(s.to, id)
			}
			move++
		})
		at++
	}
	return next
}

// number gives a state its number, and checks a new one.
func (s *search) number(t *state, parent uint32, move uint16) (id uint32, fresh bool) {
	h := s.hash(t)
	if id, ok := s.seen[h]; ok && t.fault == "" {
		return id, false
	}
	id = uint32(len(s.parent))
	s.seen[h] = id
	s.parent, s.move, s.ended = append(s.parent, parent), append(s.move, move), append(s.ended, t.ended())
	s.report.asked |= t.asked
	s.report.least = min(s.report.least, t.sum())
	if fault := s.check(t); fault != "" && s.report.fault == "" {
		s.report.fault, s.report.trace = fault, s.trace(id)
	}
	return id, true
}

// trace plays the moves that lead to a state again, in words.
func (s *search) trace(id uint32) (lines []string) {
	var moves []uint16
	for ; id != 0; id = s.parent[id] {
		moves = append(moves, s.move[id])
	}
	s.tracing = true
	defer func() { s.tracing = false }()
	at := s.initial()
	for i := len(moves) - 1; i >= 0; i-- {
		n, from := uint16(0), at
		s.next(from, func(label string, _ bool, t *state) {
			if n == moves[i] {
				at = t
				lines = append(lines, label)
			}
			n++
		})
	}
	return append(lines, "then: "+at.String())
}

// liveness is invariant 14: from every state, without another fault, the jobs can end.
func (s *search) liveness() {
	back := make([][]uint32, len(s.parent))
	for i, to := range s.to {
		back[to] = append(back[to], s.from[i])
	}
	var todo []uint32
	for id, ended := range s.ended {
		if ended {
			todo = append(todo, uint32(id))
		}
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, from := range back[id] {
			if !s.ended[from] {
				s.ended[from] = true
				todo = append(todo, from)
			}
		}
	}
	for id, ended := range s.ended {
		if ended {
			continue
		}
		if s.report.stuck == 0 {
			s.report.trace = s.trace(uint32(id))
		}
		s.report.stuck++
	}
}
