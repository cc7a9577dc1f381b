package lpd

import (
	"context"
	"errors"
	"io"

	"printq/http/intake"
)

// A job is what has come of one so far.
type job struct {
	control *control // nil: not yet
	files   map[string]*intake.Document
	// Of the files, what is in memory.
	held int64
}

func (j *job) empty() bool { return j.control == nil && len(j.files) == 0 }

// whole: every file that is to be printed is here.
func (j *job) whole() bool {
	if j.control == nil {
		return false
	}
	for _, p := range j.control.prints {
		if j.files[p.file] == nil {
			return false
		}
	}
	return true
}

// receive takes jobs, one after the other, until the client ends the connection.
func (n *session) receive(ctx context.Context) error {
	n.Busy(true)
	if err := n.acknowledge(); err != nil {
		return err
	}
	for {
		submitted, err := n.receiveJob(ctx)
		if err != nil || submitted == nil {
			return err
		}
		if err := n.acknowledge(); err != nil {
			return err
		}
		// Whatever comes now in good order, the client has its acknowledgement.
		n.Busy(false)
		if _, err := n.r.Peek(1); err != nil && err != io.EOF {
			return nil
		}
		n.Busy(true)
		n.sent.confirm(*submitted, n.options.RepeatWindow)
	}
}

// receiveJob takes one job, and returns what is to be confirmed once its acknowledgement has arrived; nil: there is no more.
func (n *session) receiveJob(ctx context.Context) (*identity, error) {
	j := &job{files: map[string]*intake.Document{}}
	defer func() { n.waiting.Add(-j.held) }()
	for {
		line, err := n.line()
		if err == io.EOF && !j.empty() {
			return nil, io.ErrUnexpectedEOF
		}
		if err == io.EOF {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		f, err := parseFile(line)
		if err != nil {
			return nil, err
		}
		if f.code == subAbort { // the connection ends with it
			return nil, n.acknowledge()
		}
		if err := n.take(ctx, j, f); err != nil {
			return nil, err
		}
		if j.whole() {
			return n.submit(ctx, j)
		}
		if err := n.acknowledge(); err != nil {
			return nil, err
		}
	}
}

// take receives a file; the caller acknowledges it.
func (n *session) take(ctx context.Context, j *job, f file) error {
	if f.code == subControl {
		return n.takeControl(j, f)
	}
	if f.size > n.options.MaxDocument {
		return refuse("data file %s has %d bytes: it may have %d (on Windows, set LPR byte counting)", f.name, f.size, n.options.MaxDocument)
	}
	if j.files[f.name] == nil && len(j.files) == maxFiles {
		return refuse("a job of more than %d files", maxFiles)
	}
	if f.size == 0 && j.control == nil {
		return refuse("data file %s ends with the connection: send its control file before", f.name)
	}
	if err := n.acknowledge(); err != nil {
		return err
	}
	var body io.Reader = &exactly{n.r, f.size}
	if f.size == 0 {
		body = n.r
	}
	doc, err := intake.Receive(ctx, n.options.Node, body, n.options.MaxDocument)
	if err != nil {
		return received(err)
	}
	if f.size > 0 {
		if err := n.ended(f); err != nil {
			return err
		}
	}
	return n.keep(j, f, doc)
}

// received tells what the node has against a document, which the client is told, from a connection that is broken.
func received(err error) error {
	var broken interface{ Timeout() bool }
	if errors.As(err, &broken) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, intake.ErrStopping) {
		return err
	}
	return refuse("%w", err)
}

// ended reads the octet that says that a file is whole. A client that does not wait for acknowledgements (CUPS's mode=stream) may
// end the connection in its place: all the bytes that it announced are here.
func (n *session) ended(f file) error {
	switch octet, err := n.r.ReadByte(); {
	case err == io.EOF:
		return nil
	case err != nil:
		return err
	case octet != 0:
		return refuse("file %s ends with octet %d: the client says that it is not whole, or its size is wrong", f.name, octet)
	}
	return nil
}

func (n *session) keep(j *job, f file, doc *intake.Document) error {
	if old := j.files[f.name]; old != nil {
		n.waiting.Add(-int64(len(old.Inline)))
		j.held -= int64(len(old.Inline))
	}
	j.files[f.name] = doc
	size := int64(len(doc.Inline))
	j.held += size
	if n.waiting.Add(size) > n.options.MaxWaiting {
		return refuse("too many documents wait for the rest of their jobs: try again in a second")
	}
	return nil
}

func (n *session) takeControl(j *job, f file) error {
	if f.size == 0 || f.size > maxControl {
		return refuse("control file %s has %d bytes: it may have 1 to %d", f.name, f.size, maxControl)
	}
	if j.control != nil {
		return refuse("control file %s before the files of %s have come", f.name, j.control.name)
	}
	if err := n.acknowledge(); err != nil {
		return err
	}
	text := make([]byte, f.size)
	if _, err := io.ReadFull(&exactly{n.r, f.size}, text); err != nil {
		return err
	}
	if err := n.ended(f); err != nil {
		return err
	}
	c, err := parseControl(f.name, text)
	if err != nil {
		return err
	}
	j.control = c
	return nil
}

// exactly reads so many bytes; fewer are an error.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	} else if err == io.EOF {
		err = nil
	}
	return n, err
}
