package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"printq/printer/device"
	"printq/printer/pjl"
)

// connect opens a connection, and where asked, makes sure that the printer answers on it: then whatever it serves is this.
func (d *Device) connect(ctx context.Context, ask bool) (*link, error) {
	limit, stop := context.WithTimeout(ctx, d.o.Connect)
	conn, err := d.dial(limit)
	stop()
	if err != nil {
		return nil, d.unreachable(err)
	}
	l := newLink(conn, d.o.Labels)
	if !ask {
		return l, nil
	}
	if err := d.probe(ctx, l); err != nil {
		l.abort()
		return nil, err
	}
	d.talks = d.talks || l.talks
	return l, nil
}

// probe finds out whether the printer answers.
func (d *Device) probe(ctx context.Context, l *link) error {
	must := d.o.PJL == On || d.talks
	if l.mute {
		if must {
			return fmt.Errorf("%w: %s cannot be read from: say pjl=oneway or pjl=off", device.ErrUnreachable, d.name)
		}
		return nil
	}
	err := l.ask(ctx, d.o.Probe, nil, nil)
	switch {
	case err == nil:
		l.talks = true
		return nil
	case ctx.Err() != nil:
		return d.unreachable(err)
	case errors.Is(err, errNoise) && must:
		return fmt.Errorf("%w: %s says much, and none of it is PJL: look what listens there (if it is a printer that knows no PJL, say pjl=off)",
			device.ErrUnreachable, d.name)
	case errors.Is(err, errSilent) && must:
		return fmt.Errorf("%w: %s takes connections and does not answer within %v: it serves another one, or hangs (look who else prints there; "+
			"if it never answers, say pjl=oneway or pjl=off)", device.ErrUsed, d.name, d.o.Probe)
	case errors.Is(err, errSilent), errors.Is(err, io.EOF) && !must && l.takes(ctx):
		return nil
	}
	return fmt.Errorf("%w: %s ends connections at once: it serves another one, or does not let this host print (%w)", device.ErrUsed, d.name, err)
}

// counter reads the printer's counter and its status.
func (d *Device) counter(ctx context.Context, l *link) (counter uint64, err error) {
	found := false
	d.status = pjl.Status{}
	err = l.ask(ctx, d.patience(), pjl.Begin().Info("STATUS").Info("PAGECOUNT"), func(m pjl.Message) {
		if s, ok := m.Status(); ok {
			d.learned(s)
		}
		if n, ok := m.PageCount(); ok {
			counter, found = n, true
		}
	})
	switch {
	case err != nil:
		return 0, d.unreachable(err)
	case !found:
		return 0, fmt.Errorf("%w: %s does not say its page count any more", device.ErrUnreachable, d.name)
	}
	return counter, nil
}

// How long a printer's counter must stand still before it is believed.
const (
	restIdle  = 500 * time.Millisecond // where its status says that it is idle
	restOther = 10 * time.Second       // where that does not say whether it prints
	restLimit = 30 * time.Second       // then the caller is told what is waited for
	restFirst = 5 * time.Second        // and the first time that the printer has stopped, so soon
)

// rest waits until nothing is left to be printed, and answers the counter.
func (d *Device) rest(ctx context.Context, l *link) (uint64, error) {
	begun := time.Now()
	var last uint64
	since := begun
	for first := true; ; first = false {
		counter, err := d.counter(ctx, l)
		if err != nil {
			return 0, err
		}
		now := time.Now()
		if first || counter != last || d.status.Busy() || d.status.Stopped() {
			last, since = counter, now
		}
		still := now.Sub(since)
		if still >= restOther || still >= restIdle && d.status.Idle() {
			d.halted = false
			return counter, nil
		}
		if waited := now.Sub(begun); waited > restLimit || waited > restFirst && d.status.Stopped() && !d.halted {
			return 0, d.restless()
		}
		if err := pause(ctx, restIdle); err != nil {
			return 0, d.unreachable(err)
		}
	}
}

func (d *Device) restless() error {
	if d.halted = d.status.Stopped(); d.halted {
		return &device.Trouble{Reason: d.status.Reason(), Detail: fmt.Sprintf(
			"%s has stopped (%v), and what it still has to print is not in its counter yet: see to the printer", d.name, d.status)}
	}
	return fmt.Errorf("%w: %s is at work (%v): its counter is read when it is at rest", device.ErrUsed, d.name, d.status)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
