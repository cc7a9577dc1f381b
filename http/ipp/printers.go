package ipp

import (
	"context"
	"slices"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue/queuepb"
)

// printer is the one that is meant: without a name, the default, or the only one there is. Where there are several and no
// default, none is: paper must not come out where nobody looks for it.
func (h *Handler) printer(ctx context.Context, t target) (*node.PrinterStatus, error) {
	if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	if t.printer != "" {
		return h.node.Printer(t.printer)
	}
	all, err := h.node.Printers()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(p node.PrinterStatus) bool { return p.Default }); i >= 0 {
		return &all[i], nil
	}
	if len(all) != 1 {
		return nil, fail(goipp.StatusErrorNotFound, "there are %d printers, and none is the default: name one, as ipp://HOST/ipp/print/NAME", len(all))
	}
	return &all[0], nil
}

func (h *Handler) getPrinterAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "all")
	if err != nil {
		return nil, err
	}
	p, err := h.printer(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := offersOf(p).checkFormat(q); err != nil {
		return nil, err
	}
	return okay(nil, h.describe(q, w, p)), nil
}

func (h *Handler) describe(q *request, w wanted, p *node.PrinterStatus) goipp.Group {
	return goipp.Group{Tag: goipp.TagPrinterGroup, Attrs: w.of(h.printerAttributes(q.base, p), "printer-description")}
}

func (h *Handler) pausePrinter(ctx context.Context, q *request, t target) (*answer, error) {
	return h.command(ctx, q, t, func(name string, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: name, Cause: c}}}
	})
}

func (h *Handler) resumePrinter(ctx context.Context, q *request, t target) (*answer, error) {
	return h.command(ctx, q, t, func(name string, c *queuepb.Cause) *queuepb.Command {
		return &queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: name, Cause: c}}}
	})
}

// command proposes a fact about a printer. It must be named: "the only one" may change meanwhile.
func (h *Handler) command(ctx context.Context, q *request, t target, to func(string, *queuepb.Cause) *queuepb.Command) (*answer, error) {
	c, err := q.cause()
	if err != nil {
		return nil, err
	}
	if t.printer == "" {
		return nil, badRequest("the printer is not named: printer-uri is ipp://HOST/ipp/print/NAME")
	}
	if _, err := h.propose(ctx, to(t.printer, c), nil); err != nil {
		return nil, err
	}
	return okay(nil), nil
}

// cupsGetDefault answers with the default printer, or the only one.
func (h *Handler) cupsGetDefault(ctx context.Context, q *request, _ target) (*answer, error) {
	return h.getPrinterAttributes(ctx, q, target{})
}

// cupsGetPrinters lists all printers, or limit of them from first-printer-name on.
func (h *Handler) cupsGetPrinters(ctx context.Context, q *request, _ target) (*answer, error) {
	w, err := wantedBy(q, "all")
	if err != nil {
		return nil, err
	}
	first, err := text(q.operation, "first-printer-name")
	if err != nil {
		return nil, err
	}
	limit, err := q.limit()
	if err != nil {
		return nil, err
	}
	if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	all, err := h.node.Printers()
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(p node.PrinterStatus) bool { return p.Name >= first }); i >= 0 {
		all = all[i:]
	} else {
		all = nil
	}
	a := okay(nil)
	for i := range all[:min(limit, len(all))] {
		a.groups.Add(h.describe(q, w, &all[i]))
	}
	if a.groups == nil {
		return nil, fail(goipp.StatusErrorNotFound, "there is no printer: make one with printq printer set")
	}
	return a, nil
}

// cupsGetClasses lists none: a printer with several devices is a printer here.
func (h *Handler) cupsGetClasses(context.Context, *request, target) (*answer, error) {
	return okay(nil), nil
}

// limit is how many objects an answer may have.
func (q *request) limit() (int, error) {
	n, given, err := one[goipp.Integer](q.operation, "limit", goipp.TagInteger)
	switch {
	case err != nil:
		return 0, err
	case !given:
		return maxJobs, nil
	case n < 1:
		return 0, badRequest("limit is %d: it must be at least 1", n)
	}
	return min(int(n), maxJobs), nil
}
