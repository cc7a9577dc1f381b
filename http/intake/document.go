package intake

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Document was received whole: what node.Upload says of it, and what its bytes say of themselves.
type Document struct {
	node.Document
	Format       string
	Pages, Units uint32
}

// Receive takes a document of at most limit bytes, which ends where body says io.EOF. Its format is sensed. A body's own error
// is returned as it is; node.ErrEmpty: it had no bytes.
func Receive(ctx context.Context, n Node, body io.Reader, limit int64) (*Document, error) {
	whole := &sticky{r: body}
	r := bufio.NewReaderSize(whole, pages.SniffLen)
	head, _ := r.Peek(pages.SniffLen) // forgets the error; whole does not
	format := pages.Sniff(head)
	count := pages.NewCounter(format)
	doc, err := n.Upload(ctx, io.TeeReader(r, count), limit)
	if whole.err != nil && whole.err != io.EOF {
		return nil, whole.err
	}
	if err != nil {
		return nil, err
	}
	return &Document{*doc, format, uint32(count.Pages()), uint32(count.Units())}, nil
}

// A sticky reader goes on to end as it has ended, and remembers it, however it is wrapped by who reads. A socket tells of a reset
// once, and of an orderly end after that: half a document would be taken for a whole one.
type sticky struct {
	r   io.Reader
	err error
}

func (s *sticky) Read(p []byte) (n int, err error) {
	if s.err != nil {
		return 0, s.err
	}
	n, s.err = s.r.Read(p)
	return n, s.err
}

// A Job is what is known of a document that is to be printed. Copies 0 is one.
type Job struct {
	Printer, Name, User string
	Copies              uint32
	// Empty: sending it again makes another job.
	Key string
}

// Submit makes a job of the document. node.ErrUnknown: it was not committed within timeout, and may yet be.
func Submit(ctx context.Context, n Node, j Job, d *Document, timeout time.Duration) (node.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := n.Propose(ctx, &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: j.Printer, Key: j.Key, Name: j.Name, User: j.User,
		Upload: d.Upload, Chunks: d.Chunks, Bytes: uint64(d.Bytes), Sha256: bytes.Clone(d.SHA256[:]),
		Format: d.Format, Pages: d.Pages, Units: d.Units, Copies: max(j.Copies, 1), Priority: queue.DefaultPriority,
	}}}, d.Inline)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = fmt.Errorf("%w: %w", node.ErrUnknown, err)
	}
	return a, err
}

// CheckPrinter spares a client that misspelt a printer from sending its document. queue.ErrNoPrinter: there is none. A printer
// that is known here costs no barrier: if it is gone by now, the submit says so.
func CheckPrinter(ctx context.Context, n Node, name string, timeout time.Duration) error {
	if _, err := n.Printer(name); err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if _, err := n.Barrier(ctx); err != nil {
		return err
	}
	_, err := n.Printer(name)
	return err
}
