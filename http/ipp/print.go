package ipp

import (
	"context"
	"errors"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

// ready resolves the printer and reads the ticket, before a byte of the document is read: a client that misspelt a printer
// need not send its gigabyte. A printer that is known here costs no barrier: if it is gone by now, the submit says so.
func (h *Handler) ready(ctx context.Context, q *request, t target) (*ticket, *offers, error) {
	p, err := h.node.Printer(t.printer)
	if err != nil {
		p, err = h.printer(ctx, t)
	}
	if err != nil {
		return nil, nil, err
	}
	o := offersOf(p)
	job, err := q.ticket(p.Name, o)
	return job, o, err
}

// offersOf are those of the printer that a job is at; of one that is gone, those of any.
func (h *Handler) offersOf(printer string) (*offers, error) {
	p, err := h.node.Printer(printer)
	switch {
	case errors.Is(err, queue.ErrNoPrinter):
		return offersOf(&node.PrinterStatus{}), nil
	case err != nil:
		return nil, err
	}
	return offersOf(p), nil
}

func (h *Handler) printJob(ctx context.Context, q *request, t target) (*answer, error) {
	job, o, err := h.ready(ctx, q, t)
	if err != nil {
		return nil, err
	}
	doc, err := h.receive(ctx, q, o, h.uploadFor(0), job.ranges)
	if err != nil {
		return nil, err
	}
	if job.fidelity && doc.uncut != nil {
		return nil, unsupported(doc.uncut...)
	}
	job.unsupported = append(job.unsupported, doc.uncut...)
	a, err := h.propose(ctx, job.submit(doc), doc.Inline)
	if err != nil {
		return nil, err
	}
	made, err := h.made(q, a.Job, job.unsupported)
	if err == nil {
		h.subscribeJob(ctx, q, made, a.Job)
	}
	return made, err
}

func (h *Handler) validateJob(ctx context.Context, q *request, t target) (*answer, error) {
	job, o, err := h.ready(ctx, q, t)
	if err != nil {
		return nil, err
	}
	if err := o.checkFormat(q); err != nil {
		return nil, err
	}
	if _, err := q.compression(); err != nil {
		return nil, err
	}
	return okay(job.unsupported), nil
}

// made answers with a job that is committed. A job that cannot be shown was made all the same: saying anything but
// successful would make the client print it again.
func (h *Handler) made(q *request, id uint64, unsupported goipp.Attributes) (*answer, error) {
	j, err := h.node.Job(id)
	if err != nil {
		j = &node.JobStatus{Job: &queue.Job{Id: id, State: uint32(queue.Pending)}}
	}
	w := wanted{"job-id": true, "job-uri": true, "job-uuid": true, "job-state": true, "job-state-reasons": true, "job-state-message": true}
	return okay(unsupported, h.describeJob(q, w, j)), nil
}
