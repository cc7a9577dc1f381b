package ipp

import (
	"context"
	"slices"
	"strings"
)

// waits tells what the printer waits for, when that changes.
func (w *watch) waits(reason, detail string) {
	if reason == w.waiting {
		return
	}
	w.waiting = reason
	if w.sheet.Waits != nil {
		w.sheet.Waits(reason, clip(detail, 500))
	}
}

// printerStopped is printer-state (RFC 8011 §5.4.11).
const printerStopped = 5

// worry asks what the printer waits for, while the job does not move.
func (w *watch) worry(ctx context.Context) error {
	m, err := w.printer.attributes(ctx, "printer-state", "printer-state-reasons", "printer-state-message")
	if err != nil {
		return ctx.Err() // the job's own state was to be had just now: this can wait
	}
	g := group(m.Printer)
	reason := stopper(g.reasons("printer-state-reasons"))
	if state, _ := g.number("printer-state"); reason == "" && state == printerStopped {
		reason = "paused"
	}
	detail := g.text("printer-state-message")
	if detail == "" && reason != "" {
		detail = "the printer says " + reason
	}
	w.waits(reason, detail)
	return nil
}

// passing are reasons that stop nothing.
var passing = []string{"connecting-to-device", "moving-to-paused", "spool-area-full", "other"}

// stopper is the first reason that stops a printer, without its severity (RFC 8011 §5.4.12: none is as good as error).
func stopper(reasons []string) string {
	for _, r := range reasons {
		if strings.HasSuffix(r, "-warning") || strings.HasSuffix(r, "-report") {
			continue
		}
		if r = strings.TrimSuffix(r, "-error"); !slices.Contains(passing, r) && !strings.HasPrefix(r, "cups-") {
			return clip(r, 255)
		}
	}
	return ""
}
