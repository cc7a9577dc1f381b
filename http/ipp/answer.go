package ipp

import (
	"errors"
	"io"
	nethttp "net/http"
	"strconv"

	"github.com/OpenPrinting/goipp"
)

// An answer is what a request is answered with.
type answer struct {
	status goipp.Status
	// For people; empty: none.
	message string
	// Operation attributes beside those that every answer has.
	operation goipp.Attributes
	// What of the request was not supported.
	unsupported goipp.Attributes
	groups      goipp.Groups
	// What follows the message; nil: nothing. It is closed.
	document io.ReadCloser
}

// okay is successful-ok, or says that some attributes were left out of account.
func okay(unsupported goipp.Attributes, groups ...goipp.Group) *answer {
	a := &answer{status: goipp.StatusOk, unsupported: unsupported, groups: groups}
	if len(unsupported) > 0 {
		a.status = goipp.StatusOkIgnoredOrSubstituted
	}
	return a
}

func refusal(err error) *answer {
	a := &answer{status: statusOf(err), message: err.Error()}
	var f *failure
	if errors.As(err, &f) {
		a.unsupported = f.unsupported
	}
	return a
}

// encode makes the message that answers q.
func (a *answer) encode(q *request) ([]byte, error) {
	operation := goipp.Group{Tag: goipp.TagOperationGroup, Attrs: goipp.Attributes{
		charsets("attributes-charset", "utf-8"), languages("attributes-natural-language", "en"),
	}}
	if a.message != "" {
		operation.Add(texts("status-message", clip(printable(a.message), 255)))
	}
	for _, attr := range a.operation {
		operation.Add(attr)
	}
	groups := goipp.Groups{operation}
	if len(a.unsupported) > 0 {
		groups.Add(goipp.Group{Tag: goipp.TagUnsupportedGroup, Attrs: a.unsupported})
	}
	groups = append(groups, a.groups...)
	return goipp.NewMessageWithGroups(spoken(q.version), goipp.Code(a.status), q.id, groups).EncodeBytes()
}

// spoken is the version that a request is answered in: its own, or the nearest that is spoken here (RFC 8011 §4.1.8).
func spoken(v goipp.Version) goipp.Version {
	switch {
	case v < goipp.MakeVersion(1, 0):
		return goipp.MakeVersion(1, 1)
	case v.Major() == 1:
		return min(v, goipp.MakeVersion(1, 1))
	}
	return min(v, goipp.MakeVersion(2, 2))
}

// write sends the answer. HTTP's status is 200 whatever IPP's is (RFC 8010 §3.4.3).
func (h *Handler) write(w nethttp.ResponseWriter, q *request, a *answer) {
	if a.document != nil {
		defer a.document.Close()
	}
	body, err := a.encode(q)
	if err != nil {
		h.options.Logger.Error("an IPP answer cannot be encoded", "operation", q.op, "error", err)
		a = &answer{status: goipp.StatusErrorInternal}
		if body, err = a.encode(q); err != nil {
			panic(err) // three constant attributes
		}
	}
	w.Header().Set("Content-Type", goipp.ContentType)
	w.Header().Set("Cache-Control", "no-store")
	if a.document == nil { // small clients know no chunks
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	if _, err := w.Write(body); err != nil || a.document == nil {
		return // an error is the client's having left
	}
	if _, err := io.Copy(w, a.document); err != nil {
		h.options.Logger.Warn("an IPP answer was cut short", "operation", q.op, "error", err)
		panic(nethttp.ErrAbortHandler) // nobody is to take it for whole
	}
}
