package ipp

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
	"printq/queue/queuepb"
)

// A received document: what node.Upload says of it, and what its bytes say of themselves.
type received struct {
	node.Document
	format       string
	pages, units uint32
	// page-ranges, where pages of the format cannot be cut out; or left out by the device: then that is a wish.
	uncut goipp.Attributes
	left  pageRanges
}

// A store takes a document that streams: it keeps it, or only looks what it is.
type store func(ctx context.Context, r io.Reader, max int64) (*node.Document, error)

// uploadFor stores a document for a job that waits for it; 0: for one that is yet to be made. How small it is shows when its end comes, so
// it is first read into a buffer that others have used before.
func (h *Handler) uploadFor(job uint64) store {
	return func(ctx context.Context, r io.Reader, max int64) (*node.Document, error) {
		first := h.buffers.Get().(*[queue.MaxInline]byte)
		defer h.buffers.Put(first)
		n, err := io.ReadFull(r, first[:])
		if err == io.ErrUnexpectedEOF && int64(n) <= max {
			small := bytes.Clone(first[:n])
			return &node.Document{Inline: small, Bytes: int64(n), SHA256: sha256.Sum256(small)}, nil
		}
		return h.node.UploadFor(ctx, job, io.MultiReader(bytes.NewReader(first[:n]), r), max)
	}
}

// compare only looks what a document is: of one that is there already, nothing need be kept.
func compare(_ context.Context, r io.Reader, max int64) (*node.Document, error) {
	sum := sha256.New()
	n, err := io.Copy(sum, io.LimitReader(r, max+1))
	switch {
	case err != nil:
		return nil, err
	case n > max:
		return nil, fmt.Errorf("%w: the limit is %d bytes", node.ErrTooLarge, max)
	}
	return &node.Document{Bytes: n, SHA256: [32]byte(sum.Sum(nil))}, nil
}

// receive takes the document that follows a request. The limit is of the unpacked bytes: what a small body unpacks to is
// never held as a whole.
func (h *Handler) receive(ctx context.Context, q *request, o *offers, store store, ranges pageRanges) (*received, error) {
	format, err := q.format(o)
	if err != nil {
		return nil, err
	}
	packing, err := q.compression()
	if err != nil {
		return nil, err
	}
	unpacked, err := unpack(q.body, packing)
	if err != nil {
		return nil, err
	}
	var uncut goipp.Attributes
	var left pageRanges
	r := bufio.NewReaderSize(unpacked, pages.SniffLen)
	if format == "" {
		head, _ := r.Peek(pages.SniffLen) // Upload meets the error, too
		format = pages.Sniff(head)
	}
	document := io.Reader(r)
	if ranges != nil {
		if cut, ok := pages.Pick(format, r, ranges.has); ok {
			document = cut
		} else if o.skipsPages {
			left = ranges
		} else {
			uncut.Add(ranges.attribute())
		}
	}
	count := pages.NewCounter(format)
	whole := &follower{r: document, count: count}
	doc, err := store(ctx, whole, h.options.MaxDocument)
	if whole.err != nil {
		return nil, unreadDocument(whole.err)
	}
	if errors.Is(err, node.ErrUnknown) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		// A piece that may have been stored prints nothing: unlike a job of unknown outcome, it is safe to send again.
		return nil, fail(goipp.StatusErrorTemporary, "the document could not be stored (%v): send it again", err)
	}
	if err != nil {
		return nil, err
	}
	if err := ended(q.body); err != nil {
		return nil, err
	}
	return &received{*doc, format, uint32(count.Pages()), uint32(count.Units()), uncut, left}, nil
}

// wishes are a ticket's, with what is left of page-ranges for the device to do.
func (d *received) wishes(options []*queuepb.Option) []*queuepb.Option {
	if d.left == nil {
		return options
	}
	i, _ := slices.BinarySearchFunc(options, "page-ranges", func(o *queuepb.Option, name string) int { return strings.Compare(o.Name, name) })
	return slices.Insert(slices.Clone(options), i, &queuepb.Option{Name: "page-ranges", Value: d.left.String()})
}

// ended reads the body's end, which is how the HTTP server learns that no more is awaited. Only a packed document can end
// before the body does.
func ended(body io.Reader) error {
	switch n, err := io.ReadFull(body, make([]byte, 1)); {
	case n > 0:
		return fail(goipp.StatusErrorCompressionError, "bytes follow after the end of the compressed document")
	case err != io.EOF:
		return unreadDocument(err)
	}
	return nil
}

func unpack(body *bufio.Reader, packing string) (io.Reader, error) {
	switch packing {
	case "gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, unreadDocument(err)
		}
		return r, nil
	case "deflate":
		// RFC 8011 §5.4.32 means RFC 1951's stream. Some put RFC 1950's two bytes before it, and four after it.
		if head, _ := body.Peek(2); len(head) == 2 && head[0]&0x0f == 8 && head[0]>>4 <= 7 && (int(head[0])<<8|int(head[1]))%31 == 0 {
			r, err := zlib.NewReader(body)
			if err != nil {
				return nil, unreadDocument(err)
			}
			return r, nil
		}
		return flate.NewReader(body), nil
	}
	return body, nil
}

// A follower hands a document on and counts its pages on the way. It keeps the error that the body ended with, however it is
// wrapped by who reads.
type follower struct {
	r     io.Reader
	count *pages.Counter
	err   error
}

func (f *follower) Read(p []byte) (n int, err error) {
	n, err = f.r.Read(p)
	f.count.Write(p[:n])
	if err != nil && err != io.EOF {
		f.err = err
	}
	return n, err
}

// unreadDocument says why a document could not be read. What is neither late nor wrongly packed is a client that left.
func unreadDocument(err error) error {
	var corrupt flate.CorruptInputError
	if known, ok := errors.AsType[*failure](err); ok {
		return known
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fail(goipp.StatusErrorTimeout, "the document came to a standstill: send it again")
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum),
		errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary):
		return fail(goipp.StatusErrorCompressionError, "the document cannot be decompressed: %v", err)
	}
	return badRequest("read the document: %v: send it again, whole", err)
}
