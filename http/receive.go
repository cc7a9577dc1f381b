package http

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"time"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
)

// A received document: what node.Upload says of it, and what its bytes say of themselves.
type received struct {
	node.Document
	format       string
	pages, units uint32
}

// receive takes a document of size bytes (-1: not known) from body. An empty format is sensed.
func (s *Server) receive(ctx context.Context, body io.Reader, size int64, format string) (*received, error) {
	if size > s.options.MaxDocument {
		return nil, fmt.Errorf("%d bytes: %w: it may have %d", size, node.ErrTooLarge, s.options.MaxDocument)
	}
	if 0 <= size && size <= queue.MaxInline {
		small := node.NewDocument(int(size))
		if _, err := io.ReadFull(body, small.Inline); err != nil {
			return nil, unread(err)
		}
		return inspect(small, format)
	}
	head := make([]byte, pages.SniffLen)
	n, err := io.ReadFull(body, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, unread(err)
	}
	if format == "" {
		format = pages.Sniff(head[:n])
	}
	count := pages.NewCounter(format)
	whole := &follower{r: body, head: head[:n], count: count}
	doc, err := s.node.Upload(ctx, whole, s.options.MaxDocument)
	if whole.err != nil {
		return nil, unread(whole.err)
	}
	if err != nil {
		return nil, err
	}
	if doc.Bytes == 0 {
		return nil, errEmpty()
	}
	return &received{*doc, format, uint32(count.Pages()), uint32(count.Units())}, nil
}

// inspect is receive for a document that is in memory.
func inspect(d *node.Document, format string) (*received, error) {
	small := d.Inline
	if len(small) == 0 {
		return nil, errEmpty()
	}
	if format == "" {
		format = pages.Sniff(small)
	}
	count := pages.NewCounter(format)
	count.Write(small)
	d.Bytes, d.SHA256 = int64(len(small)), sha256.Sum256(small)
	return &received{*d, format, uint32(count.Pages()), uint32(count.Units())}, nil
}

func errEmpty() error {
	return fmt.Errorf("%w: send the document as the request's body (curl --data-binary @FILE)", node.ErrEmpty)
}

// A follower hands a document on and counts its pages on the way. It keeps the error that the body ended with, however it
// is wrapped by who reads.
type follower struct {
	r     io.Reader
	head  []byte
	count *pages.Counter
	err   error
}

func (f *follower) Read(p []byte) (n int, err error) {
	if len(f.head) > 0 {
		n = copy(p, f.head)
		f.head = f.head[n:]
	} else if n, err = f.r.Read(p); err != nil && err != io.EOF {
		f.err = err
	}
	f.count.Write(p[:n])
	return n, err
}

// unread says why a body could not be read. What is neither too late nor too long is a client that left, or a body that is
// not what its header said.
func unread(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("%w: send it again: %w", errStalled, err)
	}
	if kindOf(err) != nil {
		return err
	}
	return invalid("read the body: %v: send it again, whole", err)
}

// A bodyReader reads a request's body and gives each piece of it the same time to come.
type bodyReader struct {
	body     io.Reader
	w        *response
	moved    time.Time
	patience time.Duration
}

// openBody is the request's body. serve has set its first deadline. The last ends with the body, or it would end the
// request's context while that waits for the commit.
func (s *Server) openBody(w *response, r *nethttp.Request) *bodyReader {
	return &bodyReader{body: r.Body, w: w, moved: w.started, patience: s.options.BodyTimeout}
}

func (b *bodyReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err == io.EOF {
		b.w.readUntil(time.Time{})
	} else if now := time.Now(); err == nil && now.Sub(b.moved) > b.patience/8 {
		b.moved = now
		b.w.readUntil(now.Add(b.patience))
	}
	return n, err
}
