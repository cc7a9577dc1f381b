package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"printq/printer/device"
	"printq/printer/zpl"
)

// A label printer is asked by ~HS, whose answer does not say to which question it is. So before a label there is one question at a time, and no label
// goes before its answer. After the label any answer will do: all questions since then came behind it.

const (
	// restedLabels is how often a label printer says that nothing is left, askLabels apart, before it is believed: some may look for questions
	// in their receive buffer before they know what else is in it. The less time passes, the fewer labels are in doubt when a leader dies.
	restedLabels = 2
	askLabels    = 25 * time.Millisecond
	// askBusy is how long is waited at most between questions while something is left.
	askBusy = 200 * time.Millisecond
	// muteLabels is how long a printer may owe an answer before the first byte of a label. Some give none while they have stopped, and no later one.
	muteLabels = 30 * time.Second
)

// labels is what a label printer has said on a connection. The zero labels is of a printer that is not asked.
type labels struct {
	said            chan zpl.Status // nil: it is not asked
	asked, answered int
	at              time.Time     // of the last question
	gap             time.Duration // to the next
	status          zpl.Status
	rested          int // how often in a row it has said that nothing is left
}

func (l *link) readLabels() {
	defer close(l.ended)
	r := zpl.NewReader(l.conn)
	for {
		s, err := r.Next()
		if err != nil {
			l.err = err
			return
		}
		select {
		case l.labels.said <- s:
		case <-l.quit:
			return
		}
	}
}

func (l *labels) owed() bool { return l.asked > l.answered }

func (l *labels) heard(s zpl.Status) {
	l.status, l.answered = s, min(l.answered+1, l.asked)
	if s.Idle() {
		l.rested, l.gap = l.rested+1, askLabels
	} else {
		l.rested, l.gap = 0, min(max(2*l.gap, askLabels), askBusy)
	}
}

// trouble is why the printer does not print, in its own words or by its silence.
func (l *labels) trouble() (reason, detail string) {
	switch silent := time.Since(l.at); {
	case l.owed() && silent > stall:
		return timedOut, fmt.Sprintf("the printer has not answered for %v: some do not while they have no labels or ribbon, or their head is open", silent.Round(time.Second))
	case l.status.Stopped():
		return l.status.Reason(), fmt.Sprintf("the printer says that %v", l.status)
	}
	return "", ""
}

// greet makes sure that the printer answers.
func (l *link) greet(ctx context.Context, limit time.Duration) error {
	if l.mute {
		return errors.New("it cannot be read from: leave status=zpl out")
	}
	if _, err := l.put(ctx, limit, []byte(zpl.Ask)); err != nil {
		return err
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-l.labels.said:
		return nil
	case <-l.ended:
		return l.err
	case <-timer.C:
		return fmt.Errorf("%w to ~HS within %v", errSilent, limit)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Device) unanswered(err error) error {
	if errors.Is(err, errSilent) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s: %w: it serves another one, has stopped, or does not know the question (then leave status=zpl out)", device.ErrUsed, d.name, lost(err))
	}
	return d.unreachable(err)
}

// empty waits until the printer would print the next label at once. Nothing of it is sent yet.
func (s *sending) empty() error {
	for wait := time.Millisecond; ; wait = min(2*wait, time.Second) {
		if !s.labels.owed() {
			if err := s.askLabels(); err != nil {
				return err
			}
		}
		if err := pause(s.ctx, wait); err != nil {
			return err
		}
		if err := s.look(); err != nil {
			return err
		}
		switch {
		case !s.labels.owed() && !s.labels.status.Stopped() && s.labels.status.Formats == 0:
			s.labels.rested, s.labels.gap = 0, 0 // the first question is right behind the label
			s.watch.start()
			return nil
		case s.stopping():
			return errStopped
		case s.labels.owed() && time.Since(s.labels.at) > muteLabels:
			return fmt.Errorf("%w to ~HS within %v", errSilent, muteLabels)
		}
	}
}

func (s *sending) askLabels() error {
	s.labels.asked++
	s.labels.at = time.Now()
	return s.write([]byte(zpl.Ask))
}

func (s *sending) hearLabels() {
	for len(s.labels.said) > 0 {
		s.labels.heard(<-s.labels.said)
	}
}

// pollLabels asks, once all labels of the window are sent, what is left of them.
func (s *sending) pollLabels() error {
	since := time.Since(s.labels.at)
	if since < s.labels.gap || s.labels.owed() && since < stall+time.Second {
		return nil
	}
	return s.askLabels()
}
