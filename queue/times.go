package queue

import (
	"time"

	"printq/queue/queuepb"
)

// times say when a printer last changed. They are for display, and not in the digest: a member of a release that did not
// keep them agrees with one that does.
type times struct {
	record
	printer       string
	state, config int64
	last          printerState // as state has it
}

func (x *times) bucket() Bucket { return Times }
func (x *times) key() []byte    { return []byte(x.printer) }
func (x *times) encode() []byte {
	return marshal(&queuepb.PrinterTimes{State: x.state, Config: x.config})
}

// A printerState is what printer-state and printer-state-reasons are made of.
type printerState struct {
	paused, busy bool
	devices      int
	reasons      string
}

func (p *printer) state() printerState {
	s := printerState{paused: p.paused, busy: p.counts[Processing]+p.counts[Stopped] > 0, devices: len(p.devices)}
	for _, d := range p.devices {
		if d.reason != "" {
			s.reasons += d.reason + "\n"
		}
	}
	return s
}

// configured notes that a printer's configuration changed.
func (t *turn) configured(p *printer) {
	p.times.config = t.time
	t.touch(p.times)
	t.touch(p)
	t.offer(p)
}

// noteStates notes which printers' states the entry changed: those of the devices that it changed, and those it offered.
func (t *turn) noteStates() {
	for _, id := range t.result.Devices {
		if d := t.devices[id]; d != nil {
			t.noteState(d.printer)
		}
	}
	for _, p := range t.consider {
		t.noteState(p)
	}
}

func (t *turn) noteState(p *printer) {
	if s := p.state(); s != p.times.last && t.printers[p.name] == p {
		p.times.last, p.times.state = s, t.time
		t.touch(p.times)
	}
}

// PrinterTimes gives when the state and the configuration of a printer last changed; zero: never, or no such printer.
func (s *State) PrinterTimes(name string) (state, config time.Time) {
	p := s.printers[name]
	if p == nil {
		return state, config
	}
	if p.times.state != 0 {
		state = time.Unix(0, p.times.state).UTC()
	}
	if p.times.config != 0 {
		config = time.Unix(0, p.times.config).UTC()
	}
	return state, config
}
