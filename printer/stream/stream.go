// Package stream is printers that take bytes: raw TCP (AppSocket, JetDirect, port 9100) and files, which may be character
// devices. Both are one [Device], a device.Stream; what differs is how it is opened.
//
//	socket://HOST[:9100]   a raw TCP printer
//	file:PATH              a character device such as /dev/usb/lp0, a FIFO, or a plain file, which is appended to
//
// Options, after a question mark:
//
//	pjl=auto    ask with an ECHO whether the printer speaks PJL and answers (the default of sockets). A printer that does not know PJL
//	            at all may print the question, one line: say off then
//	pjl=on      it does, and one that does not answer is busy or broken
//	pjl=oneway  it understands PJL, and has no way to answer
//	pjl=off     send the documents alone (the default of files)
//	unit=job    announce whole attempts at once: faster, and more is in doubt after an accident
//	window=N    announce N units at once, 1 to 64; without it 8 where pages are counted, else 1
//	start=on    the printer knows JOB START (non-printing mode); never assumed, since a printer that does not know it drops the
//	            word without an answer and prints the pages again
//	timeout=5s  for connecting
//	probe=3s    for an answer to ECHO
//	lines=raw   text is sent as it is; else PCL is told that a line feed alone ends a line
//	status=zpl  a label printer that answers ~HS: it is asked before each label, and after it. It is blind, and pjl=off
//
// # What is promised
//
// A printer that answers ECHO and INFO PAGECOUNT is counted. Open waits until it is at rest, so what an older connection left is in
// the counter; and since most printers serve one connection after another, the answer itself says that the older one is
// over. A page is out when the printer says so (USTATUS PAGE, or its counter), a document of unknown pages when its job has
// ended (USTATUS JOB), or when the printer is at rest again. Any other printer is blind: a unit is out when the other
// side's network stack has acknowledged its last byte, and what a printer loses from its own buffer is lost unseen. Not so with
// status=zpl: there a unit is out when the printer says that nothing is left to print, twice.
//
// No byte of a unit is sent before the connection was seen to work, where it can answer. From the first byte on, every loss is
// device.ErrUnclear. A printer that stands still for want of paper is no error, however long: only the context ends a Send.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"printq/printer/device"
	"printq/printer/pjl"
	"printq/queue"
)

// A Mode says what is known of a printer's PJL.
type Mode int

// The modes, as the option pjl has them.
const (
	Auto Mode = iota
	On
	OneWay
	Off
)

// MaxWindow is the most units that may be announced at once one by one.
const MaxWindow = 64

// Options of a device.
type Options struct {
	PJL      Mode
	WholeJob bool // unit=job
	Window   int  // 0: 8 where pages are counted, else 1
	Start    bool
	RawLines bool
	Labels   bool          // status=zpl
	Connect  time.Duration // 0: 5 s
	Probe    time.Duration // 0: 3 s
}

// A Conn is a way to a printer. Write takes what it can before the deadline.
type Conn interface {
	io.ReadWriteCloser
	SetWriteDeadline(time.Time) error
}

// A Dial opens a Conn. Its error is wrapped in device.ErrUnreachable.
type Dial func(context.Context) (Conn, error)

// A Device is a device.Stream. Nothing is connected before the first request.
type Device struct {
	name string
	dial Dial
	o    Options

	talks  bool // it answered an ECHO
	counts bool // and INFO PAGECOUNT
	link   *link
	status pjl.Status // the last that it told
	low    pjl.Status // the last that was a warning, unless it has said since that all is well
	warned bool       // the last reason that was told is a warning
	halted bool       // it had stopped when it was to come to rest, and the caller knows
}

var _ device.Stream = (*Device)(nil)

// New is the device that dial reaches; name is for errors.
func New(name string, dial Dial, o Options) *Device {
	if o.Connect == 0 {
		o.Connect = 5 * time.Second
	}
	if o.Probe == 0 {
		o.Probe = 3 * time.Second
	}
	return &Device{name: name, dial: dial, o: o}
}

// Open implements device.Device.
func (d *Device) Open(ctx context.Context, _ device.Opening) (device.State, error) {
	d.cut()
	l, err := d.connect(ctx, d.o.PJL == On || d.o.PJL == Auto)
	if err != nil {
		return device.State{}, err
	}
	state, err := d.learn(ctx, l)
	if err != nil {
		l.abort()
		return device.State{}, err
	}
	if l.talks {
		_, err = l.put(ctx, time.Second, []byte(pjl.UEL))
	}
	if err != nil {
		l.abort()
		return device.State{}, d.unreachable(err)
	}
	l.close()
	return state, nil
}

// learn finds out what the device is.
func (d *Device) learn(ctx context.Context, l *link) (device.State, error) {
	state := device.State{Class: queue.Blind, Mark: device.Mark{Closed: true}, About: d.about(l)}
	d.counts = false
	if d.o.Labels {
		if err := l.greet(ctx, d.o.Probe); err != nil {
			return state, d.unanswered(err)
		}
		state.About = "a label printer that answers ~HS: a label is out when it says that nothing is left to print"
	}
	if l.talks {
		id := ""
		heard := func(m pjl.Message) {
			if text, ok := m.ID(); ok {
				id = text
			}
			if _, ok := m.PageCount(); ok {
				d.counts = true
			}
		}
		if err := l.ask(ctx, d.patience(), pjl.Begin().Info("ID").Info("PAGECOUNT"), heard); err != nil {
			return state, d.unreachable(err)
		}
		state.About = fmt.Sprintf("%.200q answers PJL, and knows no page counter", id)
		if d.counts {
			state.About = fmt.Sprintf("%.200q answers PJL, and counts pages", id)
		}
	}
	if d.counts {
		counter, err := d.rest(ctx, l)
		if err != nil {
			return state, err
		}
		state.Class, state.Counts, state.Counter, state.Skips = queue.Counted, true, counter, d.o.Start
	}
	state.Window = d.window()
	return state, nil
}

func (d *Device) about(l *link) string {
	switch {
	case d.o.PJL == Off:
		return "nothing is asked of it (pjl=off)"
	case d.o.PJL == OneWay:
		return "understands PJL, and has no way to answer (pjl=oneway)"
	case l.mute:
		return "has no way to answer"
	}
	return fmt.Sprintf("gave no answer to a PJL ECHO within %v", d.o.Probe)
}

func (d *Device) window() int {
	switch {
	case d.o.WholeJob:
		return 0
	case d.o.Window > 0:
		return d.o.Window
	case d.counts:
		return 8
	}
	return 1
}

// learned takes note of a status. One that only says that the printer is at work or has stopped does not say that a warning is over.
func (d *Device) learned(s pjl.Status) {
	d.status = s
	switch {
	case s.Stopped():
	case s.Reason() != "":
		d.low = s
	case !s.Busy():
		d.low = pjl.Status{}
	}
}

// Ready implements device.Stream.
func (d *Device) Ready(ctx context.Context, j device.Job) (device.Readiness, error) {
	d.cut()
	l, err := d.connect(ctx, d.talks)
	if err != nil {
		return device.Readiness{}, err
	}
	l.frame = frame{attempt: j.Attempt, framed: d.framed()}
	d.link = l
	if !d.counts {
		return device.Readiness{}, nil
	}
	counter, err := d.counter(ctx, l)
	if err == nil && d.status.Busy() {
		counter, err = d.rest(ctx, l)
	}
	if err != nil {
		d.cut()
		return device.Readiness{}, err
	}
	return device.Readiness{Counts: true, Counter: counter}, nil
}

// Release implements device.Device.
func (d *Device) Release() error {
	if d.link == nil {
		return nil
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Second)
	defer stop()
	d.finish(ctx)
	return nil
}

// finish ends the job's frame and the connection, gently, so that nothing that the printer still has is flushed.
func (d *Device) finish(ctx context.Context) {
	l := d.link
	d.link = nil
	if _, err := l.put(ctx, time.Second, l.frame.end(l.talks)); err != nil {
		l.abort()
		return
	}
	l.close()
}

// cut drops the connection, if there is one.
func (d *Device) cut() {
	if d.link != nil {
		d.link.abort()
		d.link = nil
	}
}

// leave ends the connection and lets the printer have what the system was given.
func (d *Device) leave() {
	d.link.close()
	d.link = nil
}

// framed: documents are put into PJL.
func (d *Device) framed() bool { return d.talks || d.o.PJL == OneWay }

// patience is how long a printer that has answered once may take over its next answer: it may be at the end of a page.
func (d *Device) patience() time.Duration { return max(d.o.Probe, 10*time.Second) }

func (d *Device) unreachable(err error) error {
	if errors.Is(err, device.ErrUsed) || errors.Is(err, device.ErrUnreachable) || errors.Is(err, device.ErrFormat) {
		return err
	}
	return fmt.Errorf("%w: %s: %w", device.ErrUnreachable, d.name, err)
}
