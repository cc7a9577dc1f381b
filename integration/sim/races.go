package sim

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"printq/printer"
	"printq/queue"
	"printq/queue/queuepb"
)

// Counts is how often each fault, each race and each way of going on occurred.
type Counts map[string]int

func (c *Counts) add(what string) {
	if *c == nil {
		*c = Counts{}
	}
	(*c)[what]++
}

// Merge adds another run's counts.
func (c *Counts) Merge(other Counts) {
	for _, k := range slices.Sorted(maps.Keys(other)) {
		if *c == nil {
			*c = Counts{}
		}
		(*c)[k] += other[k]
	}
}

// Races must each occur in a range of seeds.
var Races = []string{
	"race: old leader's page on its way after its time",
	"race: leader change in the middle of a page",
	"race: page printed and its record not committed",
	"race: crash between device write and commit",
	"race: all members restart at once",
	"race: device unreachable at takeover",
	"race: entry of an older term committed by a newer leader",
	"race: decision of a term proposed in a later one",
	"race: decision of an older term committed in a newer one",
	"race: leader again two terms later, old goroutines alive",
	"race: submit at a leader change with a retry",
	"race: cancel against a page under way",
	"race: transfer that timed out",
	"race: slow member sees a stale claim",
	"race: two printers on one tray, refused",
	"race: leader whose clock jumped expires nothing and says so",
	"race: job with a time to live under a clock that jumped, aborted when it was over",
}

// raceOnLeading notices a process that leads again while goroutines of its older reign go on.
func (w *World) raceOnLeading(m *member, term uint64) {
	for _, h := range m.shell.hands {
		if h.past != nil && (h.past.flying > 0 || !h.past.done) && h.past.op.Term+2 <= term {
			w.counts.add("race: leader again two terms later, old goroutines alive")
			return
		}
	}
}

// raceOnTerm notices pages that are out and not recorded when a term begins.
func (w *World) raceOnTerm(old []queue.Drive, _ uint64) {
	for _, d := range old {
		if d.Work != nil && w.paper.units(d.Work.Job, d.Work.Attempt) > d.Work.Printed {
			w.counts.add("race: page printed and its record not committed")
		}
	}
}

// raceOnArrival notices requests of leaders whose term is over.
func (w *World) raceOnArrival(t *tray, r request) {
	if r.op.Kind != printer.PrintUnit {
		return
	}
	if r.op.Term < w.history.state.Term() {
		w.counts.add("race: old leader's page on its way after its time")
	}
	d := w.history.drive(t.device())
	if d != nil && d.Work != nil && d.Work.Attempt == r.op.Unit.Attempt && d.Work.Stopping {
		w.counts.add("race: cancel against a page under way")
	}
}

func (w *World) raceOnOpen(*tray) {}

// raceOnDrive notices a driver that is told of a claim that is no longer the live one.
func (w *World) raceOnDrive(m *member, d queue.Drive) {
	now := w.history.drive(d.Device)
	if now != nil && d.Token != (queue.Token{}) && d.Token != now.Token && d.Token.Term == m.shell.term {
		w.counts.add("race: slow member sees a stale claim")
	}
}

// keep remembers decisions, to play an old leader whose proposal is forwarded to the new one (etcd#15247).
func (w *World) keep(c *queuepb.Command) {
	w.decisions = append(w.decisions, proto.CloneOf(c))
	if len(w.decisions) > 64 {
		w.decisions = w.decisions[1:]
	}
}

// stale lets a decision of an older term reach the leader's log as if a member had forwarded it.
func (w *World) stale(from int) bool {
	l := w.leader()
	if l == nil {
		return false
	}
	for i := range w.decisions {
		c := proto.CloneOf(w.decisions[(from+i)%len(w.decisions)])
		if c.GetTerm() >= l.leading {
			continue
		}
		l.soon(w.between(0, time.Millisecond), func() error {
			if w.mutant.Stale != nil {
				w.mutant.Stale(w, c)
			}
			return l.receive(w.members[l.id%uint64(len(w.members))], frameForward, forward(queue.Encode(c)))
		})
		return true
	}
	return false
}

// forward is a frame of one command.
func forward(head []byte) []byte {
	body := binary.AppendUvarint([]byte{1}, 1)
	body = append(binary.AppendUvarint(body, uint64(len(head))), head...)
	return append(body, 0, 0) // no payload, no room
}

// raceOnUnit notices what reaches a printer without a fence from leaders whose term is over.
func (w *World) raceOnUnit(t *tray, r request, i imprint) {
	if r.op.Term < w.history.state.Term() {
		w.counts.add("race: old leader's unit on its way after its time, " + t.press.class.String())
	}
	d := w.history.drive(t.device())
	if d != nil && d.Work != nil && d.Work.Attempt == i.attempt && d.Work.Stopping {
		w.counts.add("race: cancel against a unit under way, " + t.press.class.String())
	}
}
