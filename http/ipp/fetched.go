package ipp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/http/fetch"
)

// fetchTime is how long the document of a Print-URI or Send-URI may take to come: its client waits meanwhile.
const fetchTime = 5 * time.Minute

// fetching are the operations that name their document. They are answered where somebody said where documents may be fetched from.
func (h *Handler) fetching() map[goipp.Op]operation {
	if h.options.Fetch == nil {
		return nil
	}
	return map[goipp.Op]operation{goipp.OpPrintURI: h.fetched(h.printJob), goipp.OpSendURI: h.fetched(h.sendDocument)}
}

// fetched carries out an operation that brings its document with one that only names it. It is fetched when all else of the request is known
// to be right, and is stored as it comes; so an answer means what it means with a document that was brought.
func (h *Handler) fetched(op operation) operation {
	return func(ctx context.Context, q *request, t target) (*answer, error) {
		uri, given, err := one[goipp.String](q.operation, "document-uri", goipp.TagURI)
		if err != nil {
			return nil, err
		}
		if _, err := q.body.Peek(1); err != io.EOF {
			return nil, badRequest("a document follows a request that is to name one")
		}
		last, _, err := one[goipp.Boolean](q.operation, "last-document", goipp.TagBoolean)
		switch {
		case err != nil:
			return nil, err
		case !given && bool(last): // closes the job (RFC 8011 §4.3.2)
			return op(ctx, q, t)
		case !given:
			return nil, badRequest("document-uri is missing: say which document")
		}
		if err := h.options.Fetch.Check(string(uri)); err != nil {
			return nil, notFetched(err)
		}
		within, cancel := context.WithTimeout(ctx, fetchTime)
		defer cancel()
		d := &namedDocument{open: func() (io.ReadCloser, error) { return h.options.Fetch.Open(within, string(uri)) }}
		defer d.close()
		q.body = bufio.NewReaderSize(d, 4096)
		return op(ctx, q, t)
	}
}

// A namedDocument is fetched when it is first read.
type namedDocument struct {
	open func() (io.ReadCloser, error)
	from io.ReadCloser
	err  error
}

// Read makes a namedDocument an io.Reader.
func (d *namedDocument) Read(p []byte) (n int, err error) {
	if d.from == nil && d.err == nil {
		d.from, d.err = d.open()
	}
	if d.err == nil {
		n, d.err = d.from.Read(p)
	}
	if d.err != nil && d.err != io.EOF {
		return n, notFetched(d.err)
	}
	return n, d.err
}

func (d *namedDocument) close() {
	if d.from != nil {
		d.from.Close()
	}
}

// notFetched is the status of a document that was not had.
func notFetched(err error) error {
	if errors.Is(err, fetch.ErrScheme) {
		return fail(goipp.StatusErrorURIScheme, "%v", err)
	}
	return fail(goipp.StatusErrorDocumentAccess, "%v", err)
}
