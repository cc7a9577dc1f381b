package ipp

import (
	"time"

	"printq/printer/device"
)

// Options of a Printer. The zero value of a field is its default, as said there.
type Options struct {
	// How long a job is left alone between two looks: from PollMin, 200 ms, while something changes, to PollMax, 5 s.
	PollMin, PollMax time.Duration
	// How long a document may stand still on its way while the printer does not say what it waits for. 0: 5 min.
	Stall time.Duration
	// How long a job may stay open for a document that somebody else sends, and nothing changes. 0: 15 s.
	Patience time.Duration
	// How long a document that is on its way may still take once no more is wanted of it. 0: 3 s.
	Grace time.Duration
	// How long a connection may take (0: 5 s), and a request without a document (0: 30 s).
	Connect, Request time.Duration
}

func (o *Options) fill() {
	for _, f := range []struct {
		is    *time.Duration
		zeros time.Duration
	}{
		{&o.PollMin, 200 * time.Millisecond},
		{&o.PollMax, 5 * time.Second},
		{&o.Stall, 5 * time.Minute},
		{&o.Patience, 15 * time.Second},
		{&o.Grace, 3 * time.Second},
		{&o.Connect, 5 * time.Second},
		{&o.Request, 30 * time.Second},
	} {
		if *f.is <= 0 {
			*f.is = f.zeros
		}
	}
}

// A Printer is an IPP printer as a device. It takes one call at a time.
type Printer struct {
	address Address
	options Options
	client  *client // nil: to be made
	about   *about  // what the printer said of itself last; nil: to be asked
	last    memory
}

var (
	_ device.Spooler = (*Printer)(nil)
	_ device.Stream  = (*Printer)(nil)
)

// A memory is what this process knows of the job it was asked about last. It only ever adds certainty: without it, less is known.
type memory struct {
	id, title string
	fresh     bool // made here, and nothing was sent to it
	accepted  bool // the printer acknowledged the whole document
	cut       bool // the document broke off
	lost      bool // all of it was sent, and the answer was lost
	processed bool // it was seen to be processed
}

// New is the printer at an address. Nothing is connected.
func New(a Address, o Options) *Printer {
	o.fill()
	return &Printer{address: a, options: o}
}

// Release lets go of what was made for the connections.
func (p *Printer) Release() error {
	p.hangUp()
	p.client = nil
	return nil
}

// hangUp closes the connections that a call has left.
func (p *Printer) hangUp() {
	if p.client != nil {
		p.client.http.CloseIdleConnections()
	}
}

// remember is the memory of a job: an empty one unless it is the same as before.
func (p *Printer) remember(id, title string) *memory {
	if p.last.id != id || p.last.title != title {
		p.last = memory{id: id, title: title}
	}
	return &p.last
}
