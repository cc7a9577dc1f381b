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
	// complaint is what was logged of the last operation; empty: it succeeded.
	complaint string

	uri      string
	device   device.Device
	used     bool // since it was last let rest
	document reading
}

// run runs one operation to its end.
func (h *hand) run(ctx context.Context, d *Driver, uri string, op *Operation) Result {
	r := Result{ID: op.ID}
	if r.Err = h.open(d, uri); r.Err != nil {
		return r
	}
	unit := op.Unit
	if op.Kind == PrepareUnit {
		h.prepare(ctx, d, op, unit)
		return r
	}
	if op.Kind == PrintUnit {
		if r.Err = h.document.unit(ctx, d.log, op, &unit); r.Err != nil {
			return r
		}
	}
	if r.Err = d.leads(ctx, op); r.Err != nil { // R6: right before the device is asked
		return r
	}
	switch op.Kind {
	case OpenDevice:
		r.State, r.Err = h.device.Open(ctx, op.Opening)
	case PrintUnit, CloseAttempt:
		h.fenced(ctx, op, unit, &r)
	case ReadyDevice, SendWindow:
		h.stream(ctx, d, op, &r)
	case CreateJob, FollowJob, CancelJob:
		h.spool(ctx, d, op, &r)
	}
	return r
}

// leads is rule R6: nothing is asked of a device but by the leader of the term.
func (d *Driver) leads(ctx context.Context, op *Operation) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !d.log.Leads(op.Term):
		return ErrNotLeader
	}
	return nil
}

// prepare gives the device a unit ahead. What goes wrong is left to be found when it is printed.
func (h *hand) prepare(ctx context.Context, d *Driver, op *Operation, unit device.Unit) {
	x, ok := h.device.(device.Preparer)
	if !ok || h.document.unit(ctx, d.log, op, &unit) != nil || d.leads(ctx, op) != nil {
		return
	}
	_ = x.Prepare(ctx, unit)
}

// errClass: a device said that it is of a class whose requests it does not know.
var errClass = errors.New("device is not of the class that it said")

func (h *hand) fenced(ctx context.Context, op *Operation, unit device.Unit, r *Result) {
	x, ok := h.device.(device.Fenced)
	switch {
	case !ok:
		r.Err = errClass
	case op.Kind == PrintUnit:
		r.Err = x.Print(ctx, unit)
	case op.Kind == CloseAttempt:
		r.Mark, r.Err = x.Close(ctx, op.Closing)
	}
}

func (h *hand) stream(ctx context.Context, d *Driver, op *Operation, r *Result) {
	x, ok := h.device.(device.Stream)
	switch {
	case !ok:
		r.Err = errClass
	case op.Kind == ReadyDevice:
		r.Ready, r.Err = x.Ready(ctx, op.job())
	case op.Kind == SendWindow:
		next := op.From
		r.Sent, r.Err = x.Send(ctx, device.Window{
			Token: op.Token, Job: op.job(), From: op.From, To: op.To, Pages: op.Pages, Told: op.told, Waits: op.waits, Stop: op.stop,
			Next: func(ctx context.Context) (device.Piece, error) {
				next++
				return h.document.piece(ctx, d, op, next)
			},
		})
	}
}

func (h *hand) spool(ctx context.Context, d *Driver, op *Operation, r *Result) {
	x, ok := h.device.(device.Spooler)
	sheet := device.Sheet{
		Token: op.Token, ID: op.Remote, Job: op.job(), Taken: op.Taken, Told: op.told, Waits: op.waits, Stop: op.stop,
		Document: func(ctx context.Context) (device.Piece, int, error) { return h.document.rest(ctx, d, op) },
	}
	switch {
	case !ok:
		r.Err = errClass
	case op.Kind == CreateJob:
		r.Remote, r.Err = x.Create(ctx, sheet.Job)
	case op.Kind == FollowJob:
		r.Outcome, r.Err = x.Follow(ctx, sheet)
	case op.Kind == CancelJob:
		r.Outcome, r.Err = x.Cancel(ctx, sheet)
	}
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
	h.rest()
	h.device = nil
}

// rest lets go of the device's connections. The device stays: it knows what it learned of the printer when it was opened.
func (h *hand) rest() {
	h.used = false
	if h.device != nil {
		_ = h.device.Release() // nothing rests on it: what was acknowledged is durable
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
	if err := r.open(ctx, log, w); err != nil {
		return err
	}
	if err := r.seek(w, op.Number); err != nil {
		return fmt.Errorf("document of job %d: %w", w.Job, err)
	}
	u.Ext, u.Format = pages.Ext(w.Format), pages.Canonical(w.Format)
	u.Size, u.Body = r.span.Size(), r.span.Reader(r.document)
	return nil
}

func (r *reading) open(ctx context.Context, log Log, w *queue.Work) error {
	if r.document != nil && r.job == w.Job {
		return nil
	}
	r.close()
	document, err := log.Document(ctx, w)
	if err != nil {
		return fmt.Errorf("document of job %d: %w", w.Job, err)
	}
	r.job, r.document = w.Job, document
	return nil
}

// piece is the number-th unit over all copies, for a device that takes several in one request. Rule R6 holds for each.
func (r *reading) piece(ctx context.Context, d *Driver, op *Operation, number int) (device.Piece, error) {
	w := op.Work
	if err := r.open(ctx, d.log, w); err != nil {
		return device.Piece{}, err
	}
	if err := r.seek(w, (number-1)%w.Units+1); err != nil {
		return device.Piece{}, fmt.Errorf("document of job %d: %w", w.Job, err)
	}
	if err := d.leads(ctx, op); err != nil {
		return device.Piece{}, err
	}
	size, body, err := pages.Ended(w.Format, r.span, r.document)
	return device.Piece{Size: size, Body: body}, err
}

// rest is what is left of a job after its first Start units, as one document, and how many copies of it are to be made. A job that
// goes on in the middle of a copy is spelled out to its end.
func (r *reading) rest(ctx context.Context, d *Driver, op *Operation) (device.Piece, int, error) {
	w := op.Work
	if err := r.open(ctx, d.log, w); err != nil {
		return device.Piece{}, 0, err
	}
	if err := d.leads(ctx, op); err != nil {
		return device.Piece{}, 0, err
	}
	if w.Start%w.Units == 0 && !op.Spelled {
		size := r.document.Size()
		return device.Piece{Size: size, Body: io.NewSectionReader(r.document, 0, size)}, w.Copies - w.Start/w.Units, nil
	}
	if !pages.Joins(w.Format, w.Units) {
		return device.Piece{}, 0, fmt.Errorf("%w: it makes no copies, and %s cannot be joined: submit the document once for each copy",
			device.ErrFormat, w.Format)
	}
	var spans []pages.Span
	for n := w.Start; n < w.Units*w.Copies; n++ {
		if err := r.seek(w, n%w.Units+1); err != nil {
			return device.Piece{}, 0, fmt.Errorf("document of job %d: %w", w.Job, err)
		}
		spans = append(spans, r.span)
	}
	size, body, err := pages.Join(w.Format, spans, r.document)
	return device.Piece{Size: size, Body: body}, 1, err
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
