package ipp

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
	"printq/printer/pages"
)

// Ready asks whether the printer takes jobs.
func (p *Printer) Ready(ctx context.Context, j device.Job) (device.Readiness, error) {
	defer p.hangUp()
	a, err := p.introduced(ctx)
	if err != nil {
		return device.Readiness{}, err
	}
	m, err := p.attributes(ctx, "printer-state", "printer-state-reasons", "printer-state-message", "printer-is-accepting-jobs")
	if err != nil {
		return device.Readiness{}, err
	}
	g := group(m.Printer)
	if accepts, said := g.yes("printer-is-accepting-jobs"); said && !accepts {
		return device.Readiness{}, fmt.Errorf("%w: the printer is not accepting jobs: %s", device.ErrUnreachable,
			clip(g.text("printer-state-message"), 255))
	}
	copies, _ := left(j)
	if err := a.enough(copies); err != nil {
		return device.Readiness{}, err
	}
	return device.Readiness{}, a.takes(j.Format)
}

// Send prints the window as one job. What the printer does with it afterwards is not known.
func (p *Printer) Send(ctx context.Context, w device.Window) (device.Sent, error) {
	sent := device.Sent{Whole: w.From, Out: w.From}
	defer p.hangUp()
	a, err := p.introduced(ctx)
	if err != nil {
		return sent, err
	}
	c, err := p.connect()
	if err != nil {
		return sent, err
	}
	first, err := w.Next(ctx)
	if err != nil {
		return sent, fmt.Errorf("document of job %d: %w", w.Job.ID, err)
	}
	job := w.Job
	job.Start = w.From
	copies, units := left(job)
	sending, cut := until(ctx, w.Stop)
	defer cut()
	d := &document{Reader: &joined{ctx: ctx, format: job.Format, piece: first.Body, left: units - 1, next: w.Next}, size: -1}
	if units == 1 {
		d.size = first.Size
	}
	operation := append(goipp.Attributes{user(), name("job-name", job.Title()), boolean("ipp-attribute-fidelity", false)}, ofDocument(job)...)
	_, err = c.do(sending, request{op: goipp.OpPrintJob, operation: operation, job: a.template(job, copies), once: true}, d)
	switch {
	case err == nil:
		sent.Whole, sent.Out = w.To, w.To
		if w.Told != nil {
			w.Told(sent)
		}
		return sent, nil
	case sending.Err() != nil && ctx.Err() == nil: // stopped
		sent.Unclear = true
		return sent, nil
	}
	return sent, err
}

// until is a context that ends when stop is closed, and a function that ends it and what watches for that.
func until(ctx context.Context, stop <-chan struct{}) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() {
		defer close(over)
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-over
	}
}

// A joined reads units as one document.
type joined struct {
	ctx    context.Context
	format string
	piece  io.Reader
	left   int // units after the piece
	next   func(context.Context) (device.Piece, error)
}

func (j *joined) Read(p []byte) (int, error) {
	for {
		n, err := j.piece.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if j.left == 0 {
			return 0, io.EOF
		}
		piece, err := j.next(j.ctx)
		if err != nil {
			return 0, err
		}
		if j.piece = piece.Body; pages.Canonical(j.format) == pages.PWG {
			// Each unit has the sync word, which a document has only once (PWG 5102.4 §4.1).
			if _, err := io.CopyN(io.Discard, j.piece, 4); err != nil {
				return 0, fmt.Errorf("a page without its sync word: %w", err)
			}
		}
		j.left--
	}
}
