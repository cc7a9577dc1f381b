package sim

import (
	"context"
	"fmt"
	"time"

	"printq/printer"
	"printq/printer/device"
)

// underway is an operation that has no result yet.
type underway struct {
	op   *printer.Operation
	ctx  context.Context
	done bool
	// flying requests have not arrived at the device.
	flying int
	// Of a device without a fence: units that were sent, that it took whole, and that are out; no more are wanted; it has no paper; requests
	// made; it has the whole document; why the window ends early.
	begun, whole, out int
	stop, waits       bool
	asked             int
	taken             bool
	err               error
}

// begin is printer.Driver's goroutine for one operation: it reads the document, asks whether this member still leads, and
// talks to the device.
func (s *shell) begin(h *hand, op *printer.Operation) {
	u := &underway{op: op, ctx: s.ctx}
	if h.op != nil {
		s.w.violated(0, "member %d begins a second operation on device %d", s.m.id, h.drive.Device)
	}
	h.op = u
	uri := h.drive.URI
	s.m.after(s.hop(), func() {
		r := request{from: s.m, birth: s.m.birth, op: op, unit: op.Unit, under: u}
		if op.Kind == printer.PrintUnit {
			body, err := s.m.unit(op.Work, op.Number)
			if err != nil {
				s.result(h, u, printer.Result{ID: op.ID, Err: err})
				return
			}
			r.body = body
		}
		r.reply = func(result printer.Result) { s.replied(h, u, result) }
		if err := s.w.mutant.mayBegin(s, u); err != nil {
			s.result(h, u, printer.Result{ID: op.ID, Err: err})
			return
		}
		// A process may be stopped between the two.
		s.m.after(s.hop(), func() {
			if p := s.w.tray(uri).press; p != nil {
				if u.ctx.Err() == nil || s.w.mutant.deaf() {
					s.operate(h, u, p, r)
				}
				return
			}
			s.send(h, u, uri, r)
		})
	})
}

// send is the request's way over the network; nothing there knows of terms.
func (s *shell) send(h *hand, u *underway, uri string, r request) {
	w, t := s.w, s.w.tray(uri)
	w.trace.say(w.now, "m%d asks tray %d to %s", s.m.id, t.number, operation(u.op))
	timeout := w.between(time.Second, 6*time.Second)
	s.m.after(timeout, func() {
		s.result(h, u, printer.Result{ID: u.op.ID, Err: fmt.Errorf("%w: no answer", device.ErrUnreachable)})
	})
	if w.net.devices[s.m.id][t.number] > 0 {
		w.counts.add("device cut off")
		return
	}
	copies := 1
	if w.random.IntN(1000) < w.net.double {
		copies = 2
		w.counts.add("request to a device doubled")
	}
	for range copies {
		delay := w.between(200*time.Microsecond, 30*time.Millisecond)
		if w.random.IntN(1000) < w.net.slow {
			delay = w.between(50*time.Millisecond, 8*time.Second)
			w.counts.add("request to a device delayed")
		}
		u.flying++
		w.after(delay, func() { t.arrive(r) })
	}
}

// replied takes a device's answer home.
func (s *shell) replied(h *hand, u *underway, r printer.Result) {
	w := s.w
	if w.random.IntN(1000) < w.net.loss*3 {
		w.counts.add("device's reply lost")
		return
	}
	if t := w.tray(h.drive.URI); w.net.devices[s.m.id][t.number] > 0 {
		w.counts.add("device's reply cut off")
		return
	}
	if s.m.up && s.m.shell == s { // else nobody is there to hear it
		s.m.after(w.between(200*time.Microsecond, 5*time.Millisecond), func() { s.result(h, u, r) })
	}
}

// result gives an operation its one result.
func (s *shell) result(h *hand, u *underway, r printer.Result) {
	if u.done || h.op != u {
		return
	}
	u.done, h.op = true, nil
	if r.Err != nil || u.op.Kind == printer.OpenDevice {
		h.line.close()
		h.line = nil
	}
	if s.w.trace.on && r.Err != nil {
		s.w.trace.say(s.w.now, "m%d: %s: %v", s.m.id, operation(u.op), r.Err)
	}
	if u.op.Kind == printer.OpenDevice && r.Err != nil && s.term == u.op.Term {
		s.w.counts.add("race: device unreachable at takeover")
	}
	h.core.Result(epoch.Add(s.w.now), r)
	s.step(h)
}

// cancel ends the operation under way, whose context has ended. What was sent to the device is on its way.
func (s *shell) cancel(h *hand) {
	u := h.op
	if u == nil {
		return
	}
	h.past = u
	s.m.after(s.hop(), func() {
		s.result(h, u, printer.Result{ID: u.op.ID, Err: context.Canceled})
	})
}

func (w *World) tray(uri string) *tray {
	for _, t := range w.trays {
		if t.uri() == uri {
			return t
		}
	}
	panic("no tray " + uri)
}

func operation(op *printer.Operation) string {
	token := fmt.Sprintf("token %d.%d", op.Token.Term, op.Token.Index)
	switch op.Kind {
	case printer.OpenDevice:
		return "open " + token
	case printer.CloseAttempt:
		return fmt.Sprintf("close attempt %d under %s", op.Closing.Attempt, token)
	case printer.PrepareUnit:
		return fmt.Sprintf("prepare job %d copy %d page %d under %s", op.Unit.Job, op.Unit.Copy, op.Unit.Page, token)
	}
	switch op.Kind {
	case printer.ReadyDevice, printer.SendWindow, printer.CreateJob, printer.FollowJob, printer.CancelJob:
		return fmt.Sprintf("%s job %d (attempt %d) units %d to %d %s under %s", without[op.Kind], op.Work.Job, op.Work.Attempt, op.From+1, op.To, op.Remote, token)
	}
	return fmt.Sprintf("print job %d copy %d page %d (attempt %d) under %s", op.Unit.Job, op.Unit.Copy, op.Unit.Page, op.Unit.Attempt, token)
}

var without = map[printer.Kind]string{
	printer.ReadyDevice: "make ready for", printer.SendWindow: "send", printer.CreateJob: "create", printer.FollowJob: "follow",
	printer.CancelJob: "cancel",
}
