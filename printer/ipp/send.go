package ipp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// A transfer is a document on its way. Its goroutine belongs to the watch, which waits for done.
type transfer struct {
	cut   context.CancelFunc
	done  chan struct{}
	fresh bool  // nothing was sent before
	err   error // once done
}

// send starts sending the document.
func (w *watch) send(ctx context.Context) error {
	copies, _ := left(w.sheet.Job)
	if w.document == nil {
		piece, n, err := w.sheet.Document(ctx)
		if err != nil {
			return fmt.Errorf("document of job %d: %w", w.sheet.Job.ID, err)
		}
		if n != copies {
			return fmt.Errorf("document of job %d: %d copies are left, and the printer was told %d", w.sheet.Job.ID, n, copies)
		}
		w.document = &document{Reader: piece.Body, size: piece.Size}
	}
	operation := goipp.Attributes{integer("job-id", w.id), user()}
	operation = append(operation, ofDocument(w.sheet.Job)...)
	operation.Add(boolean("last-document", true))
	sending, cut := context.WithCancel(ctx)
	t := &transfer{cut: cut, done: make(chan struct{}), fresh: w.memory.fresh}
	w.sending, w.memory.fresh, w.changed = t, false, time.Now()
	go func() {
		defer close(t.done)
		_, t.err = w.client.do(sending, request{op: goipp.OpSendDocument, operation: operation, once: true}, w.document)
	}()
	return nil
}

// ofDocument names the document and its format.
func ofDocument(j device.Job) (attributes goipp.Attributes) {
	if j.Name != "" {
		attributes.Add(name("document-name", j.Name))
	}
	if j.Format != "" {
		attributes.Add(goipp.MakeAttr("document-format", goipp.TagMimeType, goipp.String(clip(j.Format, 255))))
	}
	return attributes
}

// settle takes note of how a transfer ended, if it has. The error is one that the printer refused the document with.
func (w *watch) settle() error {
	t := w.sending
	if t == nil {
		return nil
	}
	select {
	case <-t.done:
	default:
		return nil
	}
	t.cut()
	w.sending, w.changed, w.pace = nil, time.Now(), w.printer.options.PollMin
	moved := w.document.moved.Load()
	switch status := answered(t.err); {
	case t.err == nil:
		w.memory.accepted = true
		w.told()
		return nil
	case status == goipp.StatusErrorNotPossible, status == goipp.StatusErrorNotFound, status == goipp.StatusErrorGone,
		status == goipp.StatusErrorTimeout, status == goipp.StatusErrorJobCanceled, status == goipp.StatusErrorMultipleJobsNotSupported:
		w.others = true // it is closed: the next look says how
		return nil
	case errors.Is(t.err, device.ErrUnreachable) && moved == 0 && status == 0:
		w.memory.fresh = t.fresh
		w.waits("connecting-to-device", t.err.Error())
		return nil
	case errors.Is(t.err, device.ErrUnclear), errors.Is(t.err, context.Canceled), errors.Is(t.err, context.DeadlineExceeded):
		whole := w.document.size >= 0 && moved == w.document.size
		w.memory.lost, w.memory.cut = whole, !whole
		return nil
	}
	w.memory.fresh = t.fresh
	return t.err
}

// finish gives a document that is almost there a little time, once no more is wanted.
func (w *watch) finish(ctx context.Context) {
	if w.sending == nil {
		return
	}
	grace := time.NewTimer(w.printer.options.Grace)
	defer grace.Stop()
	select {
	case <-ctx.Done():
	case <-grace.C:
	case <-w.sending.done:
	}
}
