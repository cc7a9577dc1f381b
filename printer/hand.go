package printer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"printq/printer/device"
	"printq/printer/pages"
	"printq/queue"
)

// A hand is what the loop has of one device. The device and the document belong to the operation that is under way, else to the
// loop.
type hand struct {
	core  *Core
	timer *time.Timer
	alarm int // tells a timer that was stopped too late

	uri      string
	device   device.Device
	document reading
}

// run runs one operation to its end.
func (h *hand) run(ctx context.Context, d *Driver, uri string, op *Operation) Result {
	r := Result{ID: op.ID}
	if r.Err = h.open(d, uri); r.Err != nil {
		return r
	}
	unit := op.Unit
	if op.Kind == PrintUnit {
		if r.Err = h.document.unit(ctx, d.log, op, &unit); r.Err != nil {
			return r
		}
	}
	switch { // R6: right before the device is asked
	case ctx.Err() != nil:
		r.Err = ctx.Err()
	case !d.log.Leads(op.Term):
		r.Err = ErrNotLeader
	case op.Kind == OpenDevice:
		r.State, r.Err = h.device.Open(ctx, op.Opening)
	case op.Kind == PrintUnit:
		r.Err = h.device.Print(ctx, unit)
	case op.Kind == CloseAttempt:
		r.Mark, r.Err = h.device.Close(ctx, op.Closing)
	}
	return r
}

// open makes the device, and makes it anew where the URI has another option now.
func (h *hand) open(d *Driver, uri string) error {
	if h.device != nil && h.uri == uri {
		return nil
	}
	h.letGo()
	opened, err := d.options.Open(uri)
	if err != nil {
		return err
	}
	h.uri, h.device = uri, opened
	return nil
}

func (h *hand) letGo() {
	if h.device != nil {
		_ = h.device.Release() // nothing rests on it: what was acknowledged is durable
		h.device = nil
	}
}

func (h *hand) release() {
	if h.timer != nil {
		h.timer.Stop()
	}
	h.document.close()
	h.letGo()
}

// A reading is the document that is being printed, with the place reached in it, so that each page need not be looked for
// from the beginning.
type reading struct {
	job      uint64
	document Document // nil: none
	units    *pages.Splitter
	number   int // of span, within the copy; 0: none yet
	span     pages.Span
}

func (r *reading) close() {
	if r.document != nil {
		_ = r.document.Close() // it was only read
	}
	*r = reading{}
}

// unit fills in what an operation left open of its unit.
func (r *reading) unit(ctx context.Context, log Log, op *Operation, u *device.Unit) error {
	w := op.Work
	if r.document == nil || r.job != w.Job {
		r.close()
		document, err := log.Document(ctx, w)
		if err != nil {
			return fmt.Errorf("document of job %d: %w", w.Job, err)
		}
		r.job, r.document = w.Job, document
	}
	if err := r.seek(w, op.Number); err != nil {
		return fmt.Errorf("document of job %d: %w", w.Job, err)
	}
	u.Ext, u.Size, u.Body = pages.Ext(w.Format), r.span.Size(), r.span.Reader(r.document)
	return nil
}

// seek finds a unit. The document must have as many as the log says: neither may a page be left out, nor one be made up.
func (r *reading) seek(w *queue.Work, number int) error {
	if r.units == nil || number < r.number {
		r.units, r.number = pages.Split(w.Format, w.Units, r.document, r.document.Size()), 0
	}
	for r.number < number {
		span, err := r.units.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: there is no unit %d", errUnits, number)
		} else if err != nil {
			r.units = nil
			return err
		}
		r.span = span
		if r.number++; r.number == w.Units {
			if err := r.last(w.Units); err != nil {
				r.units = nil
				return err
			}
		}
	}
	return nil
}

// last reports an error unless all units of the document were read.
func (r *reading) last(units int) error {
	switch _, err := r.units.Next(); {
	case err == nil:
		return fmt.Errorf("%w: more than %d", errUnits, units)
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}
