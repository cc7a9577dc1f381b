package node

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"printq/queue"
)

// reader is where the bytes of documents lie.
type reader interface {
	ReadAt(index uint64, p []byte, off int64) (int, error)
}

// A docReader reads a document from its extents.
type docReader struct {
	from    reader
	extents []queue.Extent
	starts  []int64 // where each extent begins in the document
	size    int64
	pos     int64
}

func newDocReader(from reader, extents []queue.Extent) *docReader {
	d := &docReader{from: from, extents: extents, starts: make([]int64, len(extents))}
	for i, e := range extents {
		d.starts[i] = d.size
		d.size += int64(e.Length)
	}
	return d
}

// ReadAt reads from where the extents lie. It may be called from several goroutines at once.
func (d *docReader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("read of a document before its beginning")
	}
	i, found := slices.BinarySearch(d.starts, off)
	if !found {
		i--
	}
	for ; n < len(p) && i >= 0 && i < len(d.extents); i++ {
		e := d.extents[i]
		skip := off + int64(n) - d.starts[i]
		part := p[n:min(len(p), n+int(int64(e.Length)-skip))]
		got, err := d.from.ReadAt(e.Index, part, int64(e.Offset)+skip)
		n += got
		if err != nil {
			return n, fmt.Errorf("read document in entry %d: %w", e.Index, err)
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (d *docReader) Read(p []byte) (int, error) {
	if d.pos >= d.size {
		return 0, io.EOF
	}
	n, err := d.ReadAt(p[:min(int64(len(p)), d.size-d.pos)], d.pos)
	d.pos += int64(n)
	return n, err
}

func (d *docReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += d.pos
	case io.SeekEnd:
		offset += d.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the document's beginning")
	}
	d.pos = offset
	return offset, nil
}

func (d *docReader) Size() int64  { return d.size }
func (d *docReader) Close() error { return nil }

// A VerifiedDocument is a document whose SHA-256 was checked.
type VerifiedDocument interface {
	io.ReaderAt
	Size() int64
	Close() error
}

// Document opens the document of a job that is to be printed, and checks every byte of it against its SHA-256 first. Where
// our own bytes fail, they are taken from another member. ErrDamaged: nobody has them.
func (n *Node) Document(ctx context.Context, w *queue.Work) (VerifiedDocument, error) {
	own := newDocReader(n.documents(), w.Document)
	err := verify(own, w.SHA256)
	if err == nil {
		return own, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	n.logger.Error("a document on this member's disk is damaged; taking it from another member", "job", w.Job, "error", err)
	n.post(func(c *Core) {
		c.alarms.damaged = fmt.Sprintf("the document of job %d is damaged on this member's disk: check the disk", w.Job)
	})
	return n.fetchDocument(ctx, w)
}

func verify(d io.ReaderAt, want [32]byte) error {
	size := d.(interface{ Size() int64 }).Size()
	h := sha256.New()
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	if _, err := io.CopyBuffer(h, struct{ io.Reader }{io.NewSectionReader(d, 0, size)}, *buf); err != nil {
		return err
	}
	if [32]byte(h.Sum(nil)) != want {
		return errors.New("its SHA-256 differs from the one that was committed")
	}
	return nil
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 256<<10); return &b }}

// documentRequest is the header of a stream that asks for a document's bytes.
type documentRequest struct {
	Extents []queue.Extent `json:"extents"`
}

const (
	streamDocument = 'd'
	streamSnapshot = 's'
)

func (n *Node) fetchDocument(ctx context.Context, w *queue.Work) (VerifiedDocument, error) {
	header, err := json.Marshal(documentRequest{w.Document})
	if err != nil {
		return nil, err
	}
	for _, id := range n.others() {
		f, err := n.fetchFrom(ctx, id, append([]byte{streamDocument}, header...), w)
		if err == nil {
			n.repaired.Add(1)
			return f, nil
		}
		n.logger.Warn("no sound copy of the document there", "member", id, "job", w.Job, "error", err)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return nil, fmt.Errorf("%w: job %d, on every member that could be asked", ErrDamaged, w.Job)
}

func (n *Node) fetchFrom(ctx context.Context, id uint64, header []byte, w *queue.Work) (*repairedDocument, error) {
	r, err := n.transport.Stream(ctx, id, header)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := os.MkdirAll(n.dir.file("repair"), 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(n.dir.file("repair"), "document-*")
	if err != nil {
		return nil, err
	}
	d := &repairedDocument{File: f}
	if d.size, err = io.Copy(f, io.LimitReader(r, w.Bytes+1)); err == nil {
		err = verify(d, w.SHA256)
	}
	if err != nil {
		_ = d.Close()
		return nil, err
	}
	return d, nil
}

// repairedDocument is another member's copy, in a file that goes when it is closed.
type repairedDocument struct {
	*os.File
	size int64
}

func (d *repairedDocument) Size() int64 { return d.size }

func (d *repairedDocument) Close() error {
	return errors.Join(d.File.Close(), os.Remove(filepath.Clean(d.Name())))
}

func (n *Node) serveDocument(header []byte, w io.Writer) error {
	var r documentRequest
	if err := json.Unmarshal(header, &r); err != nil || len(r.Extents) > queue.MaxChunks {
		return errFrame
	}
	d := newDocReader(n.documents(), r.Extents)
	_, err := io.Copy(w, io.NewSectionReader(d, 0, d.size))
	return err
}

// OpenDocument opens a job's document for a client. queue.ErrDocumentGone: it is no longer kept. queue.ErrState: it has not
// come.
func (n *Node) OpenDocument(_ context.Context, job *queue.Job) (io.ReadSeekCloser, error) {
	if job.GetDocumentGone() {
		return nil, fmt.Errorf("job %d: %w; a printer's keep setting says for how long it is", job.GetId(), queue.ErrDocumentGone)
	}
	if job.GetBytes() == 0 {
		return nil, fmt.Errorf("%w: job %d has no document", queue.ErrState, job.GetId())
	}
	extents := make([]queue.Extent, 0, len(job.GetDocument()))
	for _, e := range job.GetDocument() {
		extents = append(extents, queue.Extent{Index: e.GetIndex(), Offset: e.GetOffset(), Length: e.GetLength()})
	}
	return newDocReader(n.documents(), extents), nil
}
