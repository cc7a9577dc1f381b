package ipp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/http/fetch"
	"printq/node"
	"printq/queue"
)

// fetchTime is how long the document of a Print-URI or Send-URI may take to come: its client waits meanwhile.
const fetchTime = 5 * time.Minute

// byURI carries out an operation that brings its document with one that only names it. It is fetched when all else of the request is known
// to be right, and is stored as it comes; so an answer means what it means with a document that was brought.
func (h *Handler) byURI(op operation) operation {
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
		within, cancel := context.WithTimeout(ctx, fetchTime)
		defer cancel()
		d, err := h.whereIs(within, q.base, string(uri))
		if err != nil {
			return nil, err
		}
		defer d.close()
		q.body = bufio.NewReaderSize(d, 4096)
		return op(ctx, q, t)
	}
}

// whereIs says how a document is had: from here, if it is one of this cluster's, or from where somebody allowed it.
func (h *Handler) whereIs(ctx context.Context, b base, uri string) (*namedDocument, error) {
	job, own := h.ownDocument(b, uri)
	if !own {
		if err := h.options.Fetch.Check(uri); err != nil {
			return nil, notFetched(err)
		}
		return &namedDocument{open: func() (io.ReadCloser, error) { return h.options.Fetch.Open(ctx, uri) }}, nil
	}
	j, err := h.jobOf(ctx, target{job: job})
	if errors.Is(err, queue.ErrNoJob) {
		return nil, notFetched(err)
	}
	return &namedDocument{open: func() (io.ReadCloser, error) { return h.document(ctx, j) }}, err
}

// ownDocument is the job whose document a URI names, as package http serves it (/v1/jobs/ID/document): at the address by which the client
// reached this member, or at another member's. Nothing is fetched for it, and it is nothing that the client could not read by itself.
func (h *Handler) ownDocument(b base, uri string) (job uint64, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return 0, false
	}
	host := baseAt(u.Host, u.Scheme == "https").host
	another := func(m node.MemberStatus) bool { return m.HTTP == host }
	if !strings.EqualFold(host, b.host) && !slices.ContainsFunc(h.node.Cluster().Members, another) {
		return 0, false
	}
	id, ok := strings.CutPrefix(u.Path, "/v1/jobs/")
	id, ok2 := strings.CutSuffix(id, "/document")
	job, err = strconv.ParseUint(id, 10, 31)
	return job, ok && ok2 && err == nil && job > 0
}

// document opens a job's document, if it is still kept.
func (h *Handler) document(ctx context.Context, j *node.JobStatus) (io.ReadCloser, error) {
	switch {
	case j.DocumentGone:
		return nil, fail(goipp.StatusErrorNotPossible, "%v: job %d", queue.ErrDocumentGone, j.Id)
	case j.Bytes == 0:
		return nil, fail(goipp.StatusErrorNotPossible, "job %d has no document yet", j.Id)
	}
	return h.node.OpenDocument(ctx, j.Job)
}

// A namedDocument is opened when it is first read.
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
