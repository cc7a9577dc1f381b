package ipp

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// A watch is one call of Follow or Cancel.
type watch struct {
	printer *Printer
	client  *client
	about   *about
	sheet   device.Sheet
	id      int
	memory  *memory

	out     int    // told last
	waiting string // the reason that was told last; empty: none

	last    *standing
	changed time.Time // when the job, or the document on its way, moved last
	moved   int64
	pace    time.Duration
	missing int // looks in a row at which the job was not found

	document *document // got and not sent yet
	sending  *transfer // nil: none is on its way
	others   bool      // the printer has the job's document from somebody else
}

func (p *Printer) watch(ctx context.Context, s device.Sheet) (*watch, error) {
	id, err := strconv.ParseInt(s.ID, 10, 32)
	if err != nil || id < 1 {
		return nil, fmt.Errorf("%q is no id of an IPP job", s.ID)
	}
	a, err := p.introduced(ctx)
	if err != nil {
		return nil, err
	}
	c, err := p.connect()
	if err != nil {
		return nil, err
	}
	m := p.remember(s.ID, s.Job.Title())
	if s.Taken {
		m.accepted, m.fresh = true, false
	}
	return &watch{
		printer: p, client: c, about: a, sheet: s, id: int(id), memory: m,
		out: s.Job.Start, changed: time.Now(), pace: p.options.PollMin,
	}, nil
}

// close ends what is on its way, and remembers how.
func (w *watch) close() {
	if w.sending != nil {
		w.sending.cut()
		<-w.sending.done
		_ = w.settle() // what it says is in the memory
	}
	w.printer.hangUp()
}

// Follow sends the document if the job has none, and waits until the job has ended.
func (p *Printer) Follow(ctx context.Context, s device.Sheet) (device.Outcome, error) {
	w, err := p.watch(ctx, s)
	if err != nil {
		return device.Outcome{}, err
	}
	defer w.close()
	for {
		if err := w.settle(); errors.Is(err, device.ErrFormat) {
			// It would wait for another document, and hold up others' jobs.
			_, _ = w.end(ctx)
			return device.Outcome{}, err
		} else if err != nil {
			return device.Outcome{}, err
		}
		now, err := w.look(ctx)
		if err != nil {
			return device.Outcome{}, err
		}
		if o, err := w.step(ctx, now); err != nil || o.End != device.Open {
			return o, err
		}
		if w.pause(ctx, s.Stop) {
			w.finish(ctx)
			return device.Outcome{Out: w.out}, ctx.Err()
		}
	}
}

// look is how the job stands now; nil: the printer does not say for now.
func (w *watch) look(ctx context.Context) (*standing, error) {
	now, err := w.client.look(ctx, w.id)
	switch status := answered(err); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case status == goipp.StatusErrorNotFound, status == goipp.StatusErrorGone:
		// One that starts up may not have read its list yet.
		if w.missing++; w.missing < 3 {
			return nil, nil
		}
		return &standing{gone: true}, nil
	case errors.Is(err, device.ErrUnreachable), errors.Is(err, device.ErrUsed):
		w.waits("connecting-to-device", err.Error())
		return nil, nil
	case err != nil:
		return nil, err
	case now.state < pending || now.state > completed:
		w.waits("connecting-to-device", "the printer does not say how the job stands")
		return nil, nil
	}
	w.missing = 0
	now.gone = now.name != w.sheet.Job.Title()
	return now, w.note(ctx, now)
}

// note compares with the last look, and tells how far the job is.
func (w *watch) note(ctx context.Context, now *standing) error {
	moved := int64(0)
	if w.sending != nil {
		moved = w.document.moved.Load()
	}
	if changed := !now.same(w.last); changed || moved != w.moved {
		w.changed, w.pace = time.Now(), w.printer.options.PollMin
		w.waits("", "")
	} else if err := w.worry(ctx); err != nil {
		return err
	}
	w.last, w.moved = now, moved
	w.memory.processed = w.memory.processed || !now.gone && now.touched()
	if !now.gone {
		w.tell(now)
	}
	return nil
}

// step does what there is to be done about the job as it stands.
func (w *watch) step(ctx context.Context, now *standing) (device.Outcome, error) {
	switch {
	case now == nil:
	case now.gone:
		return device.Outcome{End: device.Gone, Out: w.out, Detail: "the printer has no job of that name and id"}, nil
	case now.state.ended():
		return w.outcome(ctx, now, false), nil
	case w.sending != nil:
		if w.still(w.printer.options.Stall) {
			w.sending.cut()
		}
	case w.memory.accepted:
	case w.memory.cut, w.forsaken(now):
		return w.end(ctx)
	case !w.memory.lost && !w.others && (w.memory.fresh || now.empty()):
		return device.Outcome{}, w.send(ctx)
	}
	return device.Outcome{}, nil
}

// forsaken: whoever was sending the document does so no more.
func (w *watch) forsaken(now *standing) bool {
	sent := w.memory.lost || w.others || !w.memory.fresh && !now.empty()
	return sent && (now.incoming() || now.state == held) && w.still(w.printer.options.Patience)
}

// still: nothing has moved for so long, and the printer does not say what it waits for.
func (w *watch) still(d time.Duration) bool { return w.waiting == "" && time.Since(w.changed) >= d }

// end cancels the job, and waits until it has ended.
func (w *watch) end(ctx context.Context) (device.Outcome, error) {
	asked := false
	for {
		now, err := w.look(ctx)
		switch {
		case err != nil:
			return device.Outcome{}, err
		case now == nil:
		case now.gone:
			return w.step(ctx, now)
		case now.state.ended():
			return w.outcome(ctx, now, asked), nil
		case !asked:
			if asked, err = w.cancel(ctx); err != nil {
				return device.Outcome{}, err
			}
		}
		if w.pause(ctx, nil) {
			return device.Outcome{}, ctx.Err()
		}
	}
}

// cancel asks the printer to cancel the job; false: it is to be asked again, or has ended just now.
func (w *watch) cancel(ctx context.Context) (bool, error) {
	err := w.client.cancel(ctx, w.id)
	switch status := answered(err); {
	case err == nil:
		w.pace = w.printer.options.PollMin
		return true, nil
	case status == goipp.StatusErrorNotPossible, status == goipp.StatusErrorNotFound, status == goipp.StatusErrorGone:
		return false, nil
	case errors.Is(err, device.ErrUnreachable), errors.Is(err, device.ErrUsed), errors.Is(err, device.ErrUnclear):
		w.waits("connecting-to-device", err.Error())
		return false, nil
	}
	return false, err
}

func (c *client) cancel(ctx context.Context, id int) error {
	_, err := c.do(ctx, request{op: goipp.OpCancelJob, operation: goipp.Attributes{integer("job-id", id), user()}}, nil)
	return err
}

// Cancel ends the job at the printer. What has ended before stays so.
func (p *Printer) Cancel(ctx context.Context, s device.Sheet) (device.Outcome, error) {
	w, err := p.watch(ctx, s)
	if err != nil {
		return device.Outcome{}, err
	}
	defer w.close()
	o, err := w.end(ctx)
	if o.End == device.Untouched {
		o.End = device.Canceled
	}
	return o, err
}

// pause waits until the job is to be looked at again; true: it is not.
func (w *watch) pause(ctx context.Context, stop <-chan struct{}) bool {
	timer := time.NewTimer(w.pace)
	defer timer.Stop()
	w.pace = min(2*w.pace, w.printer.options.PollMax)
	select {
	case <-ctx.Done():
	case <-stop:
	case <-timer.C:
		return false
	case <-w.sent():
		return false
	}
	return true
}

// sent is closed when the document on its way is there; nil: none is.
func (w *watch) sent() <-chan struct{} {
	if w.sending == nil {
		return nil
	}
	return w.sending.done
}
