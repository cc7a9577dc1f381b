package sim

import (
	"errors"
	"slices"
	"time"

	"printq/node"
	"printq/queue/queuepb"
)

// A call is one request of one try.
type call struct {
	number  uint64
	ledger  *ledger
	mutant  *Mutant
	abandon func()
	done    func(node.Answer, error)
	told    bool // the client has its answer
	noted   *record
	answer  *node.Answer
	err     error
}

func (c *call) tell(a node.Answer, err error) {
	if !c.told {
		c.told = true
		c.ledger.end(c.noted, 0, c.mutant.told(err))
		c.done(a, err)
	}
}

var errDied = errors.New("the member died")

// ask makes a request at a member. What it comes to is told at the end of the turn, in the order of the requests; nothing
// comes of it when the member dies, or the client has no more patience.
func (m *member) ask(cmd *queuepb.Command, payload []byte, done func(node.Answer, error)) {
	w := m.w
	w.clients.next++
	c := &call{number: w.clients.next, done: done, ledger: &w.ledger, mutant: &w.mutant, noted: w.ledger.beginCommand(cmd)}
	patience := w.between(500*time.Millisecond, 6*time.Second)
	birth := m.birth
	m.soon(w.between(0, 3*time.Millisecond), func() error {
		m.calls[c.number] = c
		if w.mutant.AnswerEarly && c.noted != nil {
			w.after(time.Millisecond, func() { c.tell(node.Answer{}, nil) })
		}
		c.abandon = m.core.Propose(m.time(), cmd, payload, func(a node.Answer, err error) {
			if c.answer != nil {
				w.violated(0, "request %d was answered twice", c.number)
			}
			c.answer, c.err = &a, err
		})
		return nil
	})
	w.after(patience, func() {
		switch {
		case m.birth == birth && c.abandon != nil && c.answer == nil && !m.paused:
			m.soon(0, func() error { c.abandon(); return nil })
			w.after(second, func() { c.tell(node.Answer{}, errDied) })
		default:
			c.tell(node.Answer{}, errDied)
		}
	})
}

// answer tells the clients what the turn has answered.
func (m *member) answer() {
	var ended []uint64
	for n, c := range m.calls {
		if c.answer != nil {
			ended = append(ended, n)
		}
	}
	slices.Sort(ended)
	for _, n := range ended {
		c := m.calls[n]
		delete(m.calls, n)
		m.after(m.io, func() {
			m.w.history.acknowledged(m, *c.answer, c.err)
			c.tell(*c.answer, c.err)
		})
	}
}

// dropCalls: a process that died answers nobody. The clients' patience tells them.
func (m *member) dropCalls() { m.calls = nil }

// acknowledged: an answer without an error rests on what is committed (invariants 2 and 11).
func (h *history) acknowledged(m *member, a node.Answer, err error) {
	if err != nil || a.Index == 0 {
		return
	}
	if a.Index > h.last() {
		h.w.violated(11, "member %d answers with position %d, the last committed is %d", m.id, a.Index, h.last())
	}
	h.acked = max(h.acked, a.Index)
}

// until asks one member after the other until one says yes.
func (w *World) until(ask func(m *member, done func(bool))) {
	m := w.anyone()
	if m == nil {
		w.after(300*time.Millisecond, func() { w.until(ask) })
		return
	}
	ask(m, func(ok bool) {
		if !ok {
			w.after(w.between(50*time.Millisecond, 500*time.Millisecond), func() { w.until(ask) })
		}
	})
}

// anyone is a member that is up.
func (w *World) anyone() *member {
	first := w.random.IntN(len(w.members))
	for i := range w.members {
		if m := w.members[(first+i)%len(w.members)]; m.up && !m.paused {
			return m
		}
	}
	return nil
}
