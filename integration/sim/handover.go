package sim

import (
	"time"

	"printq/queue"
)

// handOver lets the unit under way end, and moves leadership.
func (s *shell) handOver(to uint64) {
	s.m.w.counts.add("transfer asked")
	s.drain = true
	for _, id := range s.devices() {
		h := s.hands[id]
		h.core.Drain()
		if s.w.tray(h.drive.URI).press != nil {
			s.step(h)
		}
	}
	s.finish(to, 0, s.m.leading)
}

func (s *shell) finish(to uint64, waited time.Duration, term uint64) {
	m := s.m
	if m.leading != term || term == 0 {
		return
	}
	for _, id := range s.devices() {
		if !s.hands[id].core.Quiet() && waited < 5*time.Second {
			m.after(tick, func() { s.finish(to, waited+tick, term) })
			return
		}
	}
	m.soon(0, func() error { m.core.Transfer(to); return nil })
	m.after(4*time.Second, func() { // node waits twice raft's patience
		if m.leading == term {
			s.w.counts.add("race: transfer that timed out")
			s.again(term)
		}
	})
}

// again leads on after a transfer that nobody took: node ends its reign and begins another one in the term.
func (s *shell) again(term uint64) {
	if s.term != term || s.ctx == nil || s.ctx.Err() != nil {
		return
	}
	ctx := s.ctx
	drives := make([]queue.Drive, 0, len(s.hands))
	for _, id := range s.devices() {
		drives = append(drives, s.hands[id].drive)
	}
	s.revoke()
	s.lead(ctx, term, drives)
}
