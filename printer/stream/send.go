package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"printq/printer/device"
)

const (
	// chunk is how much of a document is read at once.
	chunk = 64 << 10
	// stopPatience is how long a printer may stand still with units that are not wanted any more.
	stopPatience = 10 * time.Second
	// unasked is how long a connection must be quiet where the system does not say what was acknowledged.
	unasked = time.Second
)

// errStopped: Stop was closed in the middle of a document, or before a printer went on.
var errStopped = errors.New("stopped")

// A documentError is one of reading the document.
type documentError struct{ error }

func (e documentError) Unwrap() error { return e.error }

// A sending is one window on its way.
type sending struct {
	*link
	ctx context.Context
	d   *Device
	w   *device.Window

	sent    device.Sent
	begun   int       // units of which a byte was sent
	first   int       // the unit that ends[0] is the end of, from 0
	ends    []int64   // where the units that are not acknowledged end
	pressed bool      // bytes wait to be taken
	partial bool      // the system was given a part of a unit
	stopped time.Time // when Stop was found closed

	watch watch
}

// Send implements device.Stream.
func (d *Device) Send(ctx context.Context, w device.Window) (device.Sent, error) {
	s := &sending{ctx: ctx, d: d, w: &w, sent: device.Sent{Whole: w.From, Out: w.From}, begun: w.From, first: w.From}
	if w.To <= w.From {
		return s.sent, nil
	}
	if err := d.attach(&w); err != nil {
		return s.sent, err
	}
	s.link = d.link
	w.Next = s.frame.continued(&w)
	s.watch.begin(s)
	return s.finish(s.run())
}

// attach makes sure that the connection is the one that was made ready for this attempt. Another may not be made here: whoever opened the
// printer since has waited for this one only.
func (d *Device) attach(w *device.Window) error {
	if d.link != nil && (d.link.frame.attempt != w.Job.Attempt || (d.talks || d.o.Labels) && d.link.over() != nil) {
		d.cut()
	}
	if d.link == nil {
		return fmt.Errorf("%w: %s: the connection that was made ready is over", device.ErrUnreachable, d.name)
	}
	return nil
}

// run sends the window and waits until it is out.
func (s *sending) run() error {
	if err := s.able(); err != nil {
		return err
	}
	var document error
	for n := s.w.From; n < s.w.To && document == nil && !s.stopping(); n++ {
		piece, err := s.w.Next(s.ctx)
		if err != nil {
			document = documentError{err}
		} else if err := s.unit(n+1, piece); errors.As(err, new(documentError)) && s.begun <= n {
			document = err
		} else if err != nil && (s.begun > n || !errors.Is(err, errStopped)) {
			return err
		}
	}
	if s.begun > s.w.From {
		if s.frame.entered { // the window's last unit was not reached
			if err := s.write(s.frame.eject(document != nil)); err != nil {
				return err
			}
		}
		if err := s.await(); err != nil {
			return err
		}
	}
	return document
}

// able waits until the printer would print. Nothing was sent yet, so nothing is in doubt however long that takes.
func (s *sending) able() error {
	if s.d.o.Labels {
		return s.empty()
	}
	for s.talks {
		if err := s.ask(s.ctx, s.d.patience(), s.watch.question(), s.watch.heard); err != nil {
			return err
		}
		if !s.d.status.Stopped() {
			break
		}
		s.watch.report()
		if s.stopping() {
			return errStopped
		}
		if err := pause(s.ctx, time.Second); err != nil {
			return err
		}
	}
	s.watch.start()
	return nil
}

// look takes note of all that has happened, and reports why the window cannot go on.
func (s *sending) look() error {
	over := s.over() // before the rest: what was said before the end is heard
	for len(s.said) > 0 {
		s.watch.heard(<-s.said)
	}
	s.hearLabels()
	// Before anything is told: what a printer at rest has not printed is not out.
	if err := s.watch.refused(); err != nil {
		return err
	}
	lost := s.acknowledged()
	s.tell()
	s.watch.report()
	switch {
	case s.watch.canceled:
		return errors.New("the job was canceled at the printer")
	case lost != nil:
		return lost
	case over != nil && (s.talks || s.d.o.Labels || !errors.Is(over, io.EOF)):
		return over
	case s.stopping() && time.Since(s.stopped) > stopPatience && time.Since(s.watch.went) > stopPatience:
		return errStopped
	}
	return s.ctx.Err()
}

// acknowledged takes note of the bytes that have arrived at the other side.
func (s *sending) acknowledged() error {
	waiting, known, err := s.link.waiting()
	if err != nil {
		return err
	}
	// Where nobody can be asked, it is the kernel's word, once the other side has had the time to reset the connection.
	if !known && time.Since(s.taken) < unasked {
		return nil
	}
	for len(s.ends) > 0 && s.ends[0] <= s.written-int64(waiting) {
		s.ends, s.first = s.ends[1:], s.first+1
		s.watch.move()
	}
	s.watch.held(waiting)
	return nil
}

// tell says how far it is, if that is further than before.
func (s *sending) tell() {
	now := device.Sent{Whole: max(s.first, s.sent.Whole), Out: max(s.watch.out(), s.sent.Out)}
	now.Whole = max(now.Whole, now.Out)
	if now != s.sent {
		s.sent = now
		if s.w.Told != nil {
			s.w.Told(now)
		}
	}
}

func (s *sending) stopping() bool {
	select {
	case <-s.w.Stop:
		if s.stopped.IsZero() {
			s.stopped = time.Now()
		}
		return true
	default:
		return false
	}
}

// await waits until all that was sent is out.
func (s *sending) await() error {
	wait := time.NewTimer(0)
	defer wait.Stop()
	ended := s.ended
	for pause := time.Millisecond; ; pause = min(2*pause, 250*time.Millisecond) {
		if err := s.look(); s.sent.Out >= s.begun {
			return nil
		} else if err != nil {
			return err
		}
		if err := s.watch.poll(); err != nil {
			return err
		}
		wait.Reset(pause)
		select {
		case m := <-s.said:
			s.watch.heard(m)
		case m := <-s.labels.said:
			s.labels.heard(m)
			pause = time.Millisecond
		case <-ended:
			ended = nil
		case <-wait.C:
		case <-s.ctx.Done():
		}
	}
}

// finish is what Send answers after err, and what becomes of the connection.
func (s *sending) finish(err error) (device.Sent, error) {
	s.watch.end()
	var document documentError
	stopped, unread := errors.Is(err, errStopped), errors.As(err, &document)
	settled := s.begun <= s.sent.Out // nothing is in doubt
	switch {
	case err == nil && s.begun < s.w.Job.Total() && !s.stopping(): // the next window goes on
	case err == nil, settled && unread, errors.Is(err, device.ErrFormat):
		s.d.finish(s.ctx)
	case s.ctx.Err() != nil && !s.partial: // whole units are on their way: to reset the connection would tear one
		s.d.leave()
	default:
		s.d.cut()
	}
	if unread {
		err = document.error
	}
	switch {
	case err == nil, stopped && settled:
		return s.sent, nil
	case errors.Is(err, device.ErrFormat), settled && (unread || s.ctx.Err() != nil):
		return s.sent, err
	case s.begun == s.w.From:
		return s.sent, s.d.unreachable(lost(err))
	}
	s.sent.Unclear = !settled
	// Who says that a printer knows JOB START has its counter believed to the page.
	s.sent.Broken = s.d.counts && s.ctx.Err() == nil && !stopped && !(s.d.o.Start && single(s.w.Job))
	if stopped {
		return s.sent, nil
	}
	return s.sent, fmt.Errorf("%w: %s: %w", device.ErrUnclear, s.d.name, lost(err))
}
