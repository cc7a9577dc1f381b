package stream

import (
	"context"

	"printq/printer/device"
	"printq/printer/pages"
)

// continued gives the units of a window to a printer that is not told where one ends: all of a connection is one document to it.
func (f *frame) continued(w *device.Window) func(context.Context) (device.Piece, error) {
	next, number := w.Next, w.From
	if f.framed || perUnit(w.Job) != 1 {
		return next
	}
	return func(ctx context.Context) (device.Piece, error) {
		piece, err := next(ctx)
		if err != nil {
			return piece, err
		}
		first := !f.begun
		f.begun = true
		piece.Size, piece.Body, err = pages.Continued(w.Job.Format, first, w.Job.Total()-number, piece.Size, piece.Body)
		number++
		return piece, err
	}
}
