package ipp

import (
	"context"
	"errors"
	"fmt"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

// A failure is an error that says itself which status it is.
type failure struct {
	status goipp.Status
	text   string
	// What the request had that is not supported, for the answer.
	unsupported goipp.Attributes
}

func (f *failure) Error() string { return f.text }

func fail(status goipp.Status, format string, args ...any) error {
	return &failure{status: status, text: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) error {
	return fail(goipp.StatusErrorBadRequest, format, args...)
}

// unsupported is the failure of a request for its values' sake.
func unsupported(attrs ...goipp.Attribute) error {
	text := "not supported:"
	for _, a := range attrs {
		text += " " + a.Name
	}
	return &failure{goipp.StatusErrorAttributesOrValues, text + ": see Get-Printer-Attributes", attrs}
}

// statuses is matched from the top: what says most stands first. Only what is safe to repeat gets a status for which clients
// repeat by themselves.
var statuses = []struct {
	is     error
	status goipp.Status
}{
	{node.ErrUnknown, goipp.StatusErrorInternal},
	{node.ErrNoQuorum, goipp.StatusErrorServiceUnavailable},
	{node.ErrStopping, goipp.StatusErrorServiceUnavailable},
	{node.ErrFull, goipp.StatusErrorBusy},
	{node.ErrDiskFull, goipp.StatusErrorTemporary},
	{node.ErrTooLarge, goipp.StatusErrorRequestEntity},
	{node.ErrEmpty, goipp.StatusErrorBadRequest},
	{node.ErrFormat, goipp.StatusErrorDocumentFormatNotSupported},
	{node.ErrDamaged, goipp.StatusErrorInternal},
	{queue.ErrNoJob, goipp.StatusErrorNotFound},
	{queue.ErrNoPrinter, goipp.StatusErrorNotFound},
	{queue.ErrNotAccepting, goipp.StatusErrorNotAcceptingJobs},
	{queue.ErrLimit, goipp.StatusErrorBusy},
	{queue.ErrNoSubscription, goipp.StatusErrorNotFound},
	{queue.ErrState, goipp.StatusErrorNotPossible},
	{queue.ErrVoid, goipp.StatusErrorNotPossible},
	{queue.ErrDocumentGone, goipp.StatusErrorNotPossible},
	{queue.ErrNoUpload, goipp.StatusErrorTemporary},
	{queue.ErrInvalid, goipp.StatusErrorBadRequest},
}

// statusOf is the one place where errors become statuses.
func statusOf(err error) goipp.Status {
	var f *failure
	if errors.As(err, &f) {
		return f.status
	}
	for _, s := range statuses {
		if errors.Is(err, s.is) {
			return s.status
		}
	}
	return goipp.StatusErrorInternal
}

// outcomeOf tells a command that was given up from one that failed: it may yet be carried out.
func outcomeOf(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: look at the printer's jobs before you send it again: %w", node.ErrUnknown, err)
	}
	return err
}
