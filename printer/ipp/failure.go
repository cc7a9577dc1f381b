package ipp

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// A Refusal is an answer other than successful. The printer has done nothing of what it was asked.
type Refusal struct {
	Op      goipp.Op
	Status  goipp.Status
	Message string // the printer's own words
}

func (r *Refusal) Error() string {
	if r.Message == "" {
		return fmt.Sprintf("%v: the printer answers %v", r.Op, r.Status)
	}
	return fmt.Sprintf("%v: the printer answers %v: %s", r.Op, r.Status, r.Message)
}

// Is maps the statuses of RFC 8011 appendix B to what the driver can do about them.
func (r *Refusal) Is(target error) bool {
	switch r.Status {
	case goipp.StatusErrorBusy:
		return target == device.ErrUsed || target == device.ErrUnreachable
	case goipp.StatusErrorServiceUnavailable, goipp.StatusErrorTemporary, goipp.StatusErrorNotAcceptingJobs,
		goipp.StatusErrorDevice, goipp.StatusErrorTooManyJobs, goipp.StatusErrorPrinterIsDeactivated:
		return target == device.ErrUnreachable
	case goipp.StatusErrorDocumentFormatNotSupported, goipp.StatusErrorDocumentFormatError,
		goipp.StatusErrorDocumentUnprintable, goipp.StatusErrorRequestEntity:
		return target == device.ErrFormat
	}
	return false
}

// answered is the status that the printer refused with; 0: it did not.
func answered(err error) goipp.Status {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Status
	}
	return 0
}

func refusal(op goipp.Op, m *goipp.Message) error {
	if m.Code < 0x0100 { // successful-*
		return nil
	}
	return &Refusal{op, goipp.Status(m.Code), clip(group(m.Operation).text("status-message"), 255)}
}

// refused is an answer that HTTP gave in the printer's stead.
func refused(r *http.Response) error {
	switch r.StatusCode {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return fmt.Errorf("%w: HTTP %s", device.ErrUnreachable, r.Status)
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("HTTP %s: the printer wants another user and password: ipp://USER:PASSWORD@HOST/…", r.Status)
	case http.StatusUpgradeRequired:
		return fmt.Errorf("HTTP %s: the printer wants TLS: write ipps://", r.Status)
	case http.StatusNotFound:
		return fmt.Errorf("HTTP %s: no printer is at that path: most have /ipp/print", r.Status)
	}
	if r.StatusCode >= 500 {
		return fmt.Errorf("%w: HTTP %s", device.ErrUnclear, r.Status)
	}
	return fmt.Errorf("HTTP %s: is it a printer? Most have the path /ipp/print", r.Status)
}
