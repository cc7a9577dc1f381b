package model

import (
	"fmt"
	"slices"
	"strconv"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
)

// A remote is one job in the list of a whole-job device.
type remote struct {
	job, attempt uint64
	state        remoteState
	out, total   int
	unknown      bool // how many came out
	work         request
}

type remoteState uint8

const (
	waits remoteState = iota // for its document
	prints
	completed
	canceled
	aborted
	untouched
	forgotten
)

// create finds the attempt's job by its title, or makes it. Nobody looks while somebody makes it: with the bound doubled there may be two.
func (m *model) create(s *state, f *tray, op request) string {
	w := op.Work
	found := slices.IndexFunc(f.remotes, func(r remote) bool { return r.attempt == w.Attempt && r.job == w.Job && r.state != forgotten })
	if found >= 0 && s.doubled > 0 {
		s.doubled--
		found = -1
	}
	if found < 0 || m.bug == oneStep {
		f.remotes = append(slices.Clip(f.remotes), remote{job: w.Job, attempt: w.Attempt, out: w.Start, total: w.Units * w.Copies, work: op})
		found = len(f.remotes) - 1
	}
	if m.bug == oneStep {
		op.Remote = strconv.Itoa(found)
		r := *op.Operation
		r.Remote = op.Remote
		m.document(s, f, request{device: op.device, Operation: &r})
	}
	return strconv.Itoa(found)
}

// remote gives the number of an operation's job in the list.
func (op request) remote() int {
	id, err := strconv.Atoi(op.Remote)
	if err != nil {
		panic(fmt.Sprintf("model: no device gave the id %q", op.Remote))
	}
	return id
}

// document gives a job its document, if it waits for one.
func (m *model) document(s *state, f *tray, op request) {
	r := &f.remotes[op.remote()]
	if r.state != waits {
		return
	}
	for _, a := range s.node.job(r.job).GetAttempts() {
		if a.Number == r.attempt && a.Remote != op.Remote {
			s.wrong("R4: the document of job %d attempt %d goes to %s, the log says %q", r.job, r.attempt, op.Remote, a.Remote)
		}
	}
	f.remote(op.remote()).state = prints
}

// remote gives one to be changed.
func (f *tray) remote(id int) *remote {
	f.remotes = slices.Clone(f.remotes)
	return &f.remotes[id]
}

func (f *tray) cancel(op request) device.Outcome {
	if r := f.remotes[op.remote()]; r.state <= prints {
		f.remote(op.remote()).state = canceled
	}
	return f.remotes[op.remote()].outcome()
}

func (r remote) outcome() device.Outcome {
	switch r.state {
	case completed:
		return device.Outcome{End: device.Completed, Out: r.out, Known: true}
	case canceled:
		return device.Outcome{End: device.Canceled, Out: r.out, Known: !r.unknown}
	case aborted:
		return device.Outcome{End: device.Aborted, Out: r.out, Known: !r.unknown}
	case untouched:
		return device.Outcome{End: device.Untouched, Out: r.out}
	case forgotten:
		return device.Outcome{End: device.Gone}
	}
	return device.Outcome{Out: r.out}
}

// follows makes the moves of a job that is followed.
func (m *model) follows(s *state, i int, emit emit) {
	l := s.drivers[i]
	r := request{device: l.device, Operation: l.op}
	move := func(label string, lost bool, end *printer.Result, change func(*state, *tray)) {
		t := *s
		if lost {
			t.lost--
		}
		change(&t, m.tray(&t, l.device))
		if end != nil {
			end.ID = r.ID
			m.answered(&t, i, *end)
		}
		emit(m.say("leader %d, job %d attempt %d as %s at device %d: %s", l.term, l.op.Work.Job, l.op.Work.Attempt, l.op.Remote, l.device, label), lost, &t)
	}
	nothing := func(*state, *tray) {}
	here := s.trays[m.trays[l.device-1]]
	if here.class != queue.WholeJob {
		move("it takes no jobs any more", false, &printer.Result{Err: device.ErrRefused}, nothing)
		return
	}
	at := here.remotes[r.remote()]
	if at.state > prints {
		move("it has ended", false, &printer.Result{Outcome: at.outcome()}, nothing)
	} else if l.halted {
		move("not followed any more", false, &printer.Result{Outcome: at.outcome()}, nothing)
	}
	if at.state == prints && l.heard < at.out && !l.void {
		t := *s
		n := t.driver(i)
		n.heard, n.ident = at.out, nil
		n.core.Told(r.ID, device.Sent{Out: at.out})
		m.step(n)
		emit(m.say("leader %d hears that %d units of job %d are out", l.term, at.out, at.job), false, &t)
	}
	if s.lost > 0 {
		move("the answer is lost", true, &printer.Result{Err: device.ErrUnreachable}, nothing)
	}
	if at.state != waits {
		return
	}
	send := func(s *state, f *tray) { m.document(s, f, r) }
	move("the document is sent", false, nil, send)
	if s.damaged > 0 {
		move("the document cannot be read", false, &printer.Result{Err: printer.ErrDocumentDamaged}, func(s *state, _ *tray) { s.damaged-- })
	}
	if s.lost > 0 {
		move("the document is sent, and the answer is lost", true, &printer.Result{Err: device.ErrUnclear}, send)
		move("the document is cut", true, &printer.Result{Err: device.ErrUnclear}, func(s *state, f *tray) {
			m.document(s, f, r)
			x := f.remote(r.remote())
			x.state, x.unknown = aborted, true
		})
		if len(s.ether) < 2 {
			move("the document is on its way", true, &printer.Result{Err: device.ErrUnclear}, func(s *state, _ *tray) { s.send(r) })
		}
	}
}

// spools: what a whole-job device does by itself: it prints what it has, and may end or forget a job.
func (m *model) spools(s *state, d int, emit emit) {
	here := s.trays[m.trays[d-1]]
	for id, r := range here.remotes {
		move := func(label string, fault bool, change func(*state, *remote)) {
			t := *s
			change(&t, m.tray(&t, d).remote(id))
			emit(m.say("device %d, job %d attempt %d as %d: %s", d, r.job, r.attempt, id, label), fault, &t)
		}
		if r.state == prints && !m.behind(here, id) {
			move("a unit comes out", false, func(s *state, x *remote) {
				if x.out++; x.out == x.total {
					x.state = completed
				}
				m.lands(s, r.work, x.out, false)
			})
		}
		if s.aborts > 0 {
			m.gives(r, move)
		}
		if s.wipes > 0 && r.state != forgotten {
			move("forgotten", true, func(s *state, x *remote) { s.wipes--; x.state = forgotten })
		}
	}
}

// behind: another job of the list prints before.
func (m *model) behind(f *tray, id int) bool {
	return slices.ContainsFunc(f.remotes[:id], func(r remote) bool { return r.state == prints })
}

func (m *model) gives(r remote, move func(string, bool, func(*state, *remote))) {
	if r.state == waits {
		move("nobody sent the document: it is given up", true, func(s *state, x *remote) { s.aborts--; x.state = untouched })
		move("canceled there", true, func(s *state, x *remote) { s.aborts--; x.state = canceled })
	}
	if r.state != prints {
		return
	}
	move("aborted", true, func(s *state, x *remote) { s.aborts--; x.state = aborted })
	move("aborted, and it cannot say where", true, func(s *state, x *remote) { s.aborts--; x.state, x.unknown = aborted, true })
	move("canceled there in the middle of a page", true, func(s *state, x *remote) {
		s.aborts--
		x.state, x.unknown = canceled, true
		m.lands(s, r.work, x.out+1, true)
	})
}
