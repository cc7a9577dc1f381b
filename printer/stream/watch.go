package stream

import (
	"crypto/rand"
	"fmt"
	"math"
	"time"

	"printq/printer/device"
	"printq/printer/pjl"
	"printq/queue"
)

const (
	// stall is how long nothing may move before somebody is told.
	stall = 5 * time.Second
	// askSilent and askTalking are how long nothing moves before the printer is asked: one that reports no pages, and one that does.
	askSilent, askTalking = time.Second, stall
	// idle is for how long a printer with nothing more to take must be at rest to have printed all; idleLong, where its word that
	// the job has ended is still missing.
	idle, idleLong = 3 * time.Second, 30 * time.Second
)

// A watch knows how far the printer is, from what it says and how it takes.
type watch struct {
	s     *sending
	base  int       // pages of the PJL job before the window
	moved time.Time // when anything went on, our questions included
	went  time.Time // when the document or its pages went on
	onWay int       // bytes on their way

	counter, before uint64 // now, and before the window
	counted         bool

	asked   string // the ECHO that is waited for; empty: none
	askedAt time.Time
	at      time.Time // since when it is at rest; zero: it is not
	rested  bool

	canceled       bool
	reason, detail string // as told last
}

func (w *watch) begin(s *sending) {
	now := time.Now()
	w.s, w.base, w.moved, w.went = s, s.frame.pages, now, now
}

// start: the first byte comes now.
func (w *watch) start() { w.before, w.moved = w.counter, time.Now() }

// move: the document or its pages went on.
func (w *watch) move() {
	now := time.Now()
	w.moved, w.went, w.at = now, now, time.Time{}
}

// still is for how long nothing has moved.
func (w *watch) still() time.Duration {
	if w.s.taken.After(w.moved) {
		return time.Since(w.s.taken)
	}
	return time.Since(w.moved)
}

// held takes note of the bytes on their way.
func (w *watch) held(n int) {
	if n != w.onWay {
		w.onWay, w.moved = n, time.Now()
	}
}

// question is what the printer is asked.
func (w *watch) question() pjl.Commands {
	c := pjl.Begin().Info("STATUS")
	if w.s.d.counts {
		c = c.Info("PAGECOUNT")
	}
	return c
}

// heard takes note of what the printer says.
func (w *watch) heard(m pjl.Message) {
	f := &w.s.frame
	if n, ok := m.Page(); ok {
		f.page(n)
		w.move()
	}
	if event, name, ok := m.Job(); ok {
		w.canceled = f.job(event, name, w.s.w) || w.canceled
		w.move()
	}
	if status, ok := m.Status(); ok {
		if w.s.d.status.Stopped() != status.Stopped() {
			w.move()
		}
		w.s.d.learned(status)
	}
	if n, ok := m.PageCount(); ok {
		if !w.counted || n != w.counter {
			w.move()
		}
		w.counter, w.counted = n, true
	}
	if words, ok := m.Echo(); ok && words == w.asked && words != "" {
		w.asked = ""
		w.answered()
	}
}

// poll asks the printer how it stands, when nothing else says so. The document's data is through: the printer is in PJL.
func (w *watch) poll() error {
	if w.s.d.o.Labels {
		return w.s.pollLabels()
	}
	every := askTalking
	if !w.s.frame.spoke {
		every = askSilent
	}
	if !w.s.talks || w.asked != "" || w.still() < every || time.Since(w.askedAt) < every {
		return nil
	}
	w.asked, w.askedAt = "printq "+rand.Text(), time.Now()
	return w.s.write(w.question().Echo(w.asked))
}

// answered: all that was sent before the question has been read. If the printer is at rest, and stays so, it is printed.
func (w *watch) answered() {
	status := w.s.d.status
	long := idle
	if last := w.s.begun == w.s.w.Job.Total(); status.Code == 0 || !status.Idle() || w.s.frame.started && (last || single(w.s.w.Job)) {
		long = idleLong
	}
	switch {
	case status.Busy() || status.Stopped():
		w.at = time.Time{}
	case w.at.IsZero():
		w.at = time.Now()
	default:
		w.rested = time.Since(w.at) >= long
	}
}

// out is how many units are out.
func (w *watch) out() int {
	s, f := w.s, &w.s.frame
	switch {
	case s.d.o.Labels && s.labels.rested < restedLabels:
		return s.w.From
	case s.d.o.Labels: // which it cannot say before it has read all
		return s.begun
	case !s.d.counts:
		return s.first
	}
	if w.rested {
		return s.begun
	}
	units := s.w.From
	each := perUnit(s.w.Job)
	alone := !single(s.w.Job) || !f.started && s.begun == units+1 // pages can be told to be whose
	if each > 0 && alone {
		units += min(w.printed(), s.begun*each) / each
	}
	return min(max(units, f.ended), s.begun)
}

// printed is how many pages of the window are out, by two witnesses: what the printer said of each, some of which it may have left out, and
// its counter. The first of its units may have had some before.
func (w *watch) printed() (pages int) {
	if f := &w.s.frame; f.spoke {
		pages = max(0, f.pages-w.pagesBefore())
	}
	if w.counted && w.counter > w.before {
		pages = max(pages, int(min(w.counter-w.before, math.MaxInt32))+w.s.w.Pages)
	}
	return pages
}

// pagesBefore the window, of the PJL job that is counted.
func (w *watch) pagesBefore() int {
	if single(w.s.w.Job) {
		return 0
	}
	return w.base
}

// refused: the printer has rested with all of the attempt's beginning in it, and nothing came of it.
func (w *watch) refused() error {
	s := w.s
	if !w.rested || !w.counted || w.counter != w.before || s.frame.spoke || s.frame.ended > 0 || s.w.From != s.w.Job.Start || s.w.Pages > 0 {
		return nil
	}
	return fmt.Errorf("%w: %s has taken all of it, is at rest (%v), and has printed nothing: it may not know %s",
		device.ErrFormat, s.d.name, s.d.status, s.w.Job.Format)
}

// report tells what is waited for, when that has changed.
func (w *watch) report() {
	reason, detail := w.trouble()
	warned := reason == "" && w.s.d.warned // in an earlier window, and it is over
	if reason == w.reason && (detail == w.detail || reason == timedOut) && !warned || w.s.w.Waits == nil {
		return
	}
	w.reason, w.detail = reason, detail
	w.s.d.warned = reason != "" && !queue.Blocking(reason)
	w.s.w.Waits(reason, detail)
}

const timedOut = "timed-out"

func (w *watch) trouble() (reason, detail string) {
	s := w.s
	if status := s.d.status; s.talks && status.Stopped() {
		return status.Reason(), says(status)
	}
	if reason, detail = s.labels.trouble(); reason != "" {
		return reason, detail
	}
	if w.still() < stall {
		return w.warning()
	}
	if c, ok := s.conn.(telling); ok {
		if reason, detail = c.Trouble(); reason != "" {
			return reason, detail
		}
	}
	switch {
	case s.pressed || w.onWay > 0:
		return timedOut, fmt.Sprintf("the printer has taken no data for %v", w.still().Round(time.Second))
	case w.asked != "" && time.Since(w.askedAt) > stall:
		return timedOut, fmt.Sprintf("the printer has not answered for %v", time.Since(w.askedAt).Round(time.Second))
	}
	return w.warning()
}

// warning is what the printer wants somebody to see to, though it prints.
func (w *watch) warning() (reason, detail string) {
	if low := w.s.d.low; w.s.talks && low.Code != 0 {
		return low.Reason(), says(low)
	}
	return "", ""
}

func says(status pjl.Status) string { return fmt.Sprintf("the printer says %v", status) }

// telling is a Conn that knows what its printer waits for.
type telling interface {
	Trouble() (reason, detail string)
}

// end: nothing is waited for any more. A warning stays until the printer says something else.
func (w *watch) end() {
	if w.reason != "" && !w.s.d.warned {
		w.s.w.Waits("", "")
	}
}
