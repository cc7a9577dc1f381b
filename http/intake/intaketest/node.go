// Package intaketest is a member in memory, for the tests of the front ends that use package intake: it commits at once, or
// fails on request.
package intaketest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A Node is a member in memory. Its exported fields are set before it is used.
type Node struct {
	// The printers that there are.
	Names []string
	// Where not nil, what a command comes to instead. It may commit all the same: call commit, which says what it came to.
	OnPropose func(ctx context.Context, cmd *queuepb.Command, commit func() (node.Answer, error)) (node.Answer, error)

	mu      sync.Mutex // guards what is below
	jobs    []*queue.Job
	docs    [][]byte
	uploads map[string][]byte
}

// New is a member with these printers.
func New(printers ...string) *Node {
	return &Node{Names: printers, uploads: map[string][]byte{}}
}

// Propose commits submits and cancels.
func (n *Node) Propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	commit := func() (node.Answer, error) { return n.commit(cmd, payload) }
	if n.OnPropose != nil {
		return n.OnPropose(ctx, cmd, commit)
	}
	return commit()
}

func (n *Node) commit(cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch c := cmd.Body.(type) {
	case *queuepb.Command_Submit:
		return n.submit(c.Submit, payload)
	case *queuepb.Command_Cancel:
		if c.Cancel.Job == 0 || c.Cancel.Job > uint64(len(n.jobs)) {
			return node.Answer{}, fmt.Errorf("%w: %d", queue.ErrNoJob, c.Cancel.Job)
		}
		n.jobs[c.Cancel.Job-1].State = uint32(queue.Canceled)
		return node.Answer{Job: c.Cancel.Job}, nil
	}
	return node.Answer{}, fmt.Errorf("%w: %T", queue.ErrInvalid, cmd.Body)
}

func (n *Node) submit(c *queuepb.Submit, payload []byte) (node.Answer, error) {
	for _, j := range n.jobs {
		if c.Key != "" && j.Key == c.Key {
			return node.Answer{Job: j.Id, Repeated: true}, nil
		}
	}
	if !slices.Contains(n.Names, c.Printer) {
		return node.Answer{}, fmt.Errorf("%w: %q", queue.ErrNoPrinter, c.Printer)
	}
	if c.Upload != nil {
		payload = n.uploads[string(c.Upload)]
	}
	if sum := sha256.Sum256(payload); !bytes.Equal(sum[:], c.Sha256) || uint64(len(payload)) != c.Bytes {
		return node.Answer{}, fmt.Errorf("%w: %d bytes of %d came, or others", queue.ErrInvalid, len(payload), c.Bytes)
	}
	j := &queue.Job{
		Id: uint64(len(n.jobs)) + 1, Printer: c.Printer, State: uint32(queue.Pending), Name: c.Name, User: c.User, Key: c.Key,
		Format: c.Format, Bytes: c.Bytes, Sha256: c.Sha256, Pages: c.Pages, Units: c.Units, Copies: c.Copies, Priority: c.Priority,
		Submitted: &queuepb.Position{Time: time.Now().UnixNano()},
	}
	n.jobs, n.docs = append(n.jobs, j), append(n.docs, payload)
	return node.Answer{Job: j.Id}, nil
}

// Upload keeps what is larger than queue.MaxInline under an id.
func (n *Node) Upload(_ context.Context, r io.Reader, limit int64) (*node.Document, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: it may have %d bytes", node.ErrTooLarge, limit)
	case len(body) == 0:
		return nil, node.ErrEmpty
	}
	doc := &node.Document{Bytes: int64(len(body)), SHA256: sha256.Sum256(body)}
	if len(body) <= queue.MaxInline {
		doc.Inline = body
		return doc, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	doc.Upload, doc.Chunks = fmt.Appendf(nil, "upload %d", len(n.uploads)), 2
	n.uploads[string(doc.Upload)] = body
	return doc, nil
}

// Barrier never waits.
func (n *Node) Barrier(context.Context) (node.Position, error) { return node.Position{}, nil }

// Printer is one of Names.
func (n *Node) Printer(name string) (*node.PrinterStatus, error) {
	if !slices.Contains(n.Names, name) {
		return nil, fmt.Errorf("%w: %q", queue.ErrNoPrinter, name)
	}
	return &node.PrinterStatus{Printer: &queue.Printer{Name: name}, Devices: []*queue.Device{{Id: 1}}}, nil
}

// Job is a copy of a job.
func (n *Node) Job(id uint64) (*node.JobStatus, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if id == 0 || id > uint64(len(n.jobs)) {
		return nil, fmt.Errorf("%w: %d", queue.ErrNoJob, id)
	}
	return status(n.jobs[id-1]), nil
}

// Jobs are newest first.
func (n *Node) Jobs(f node.JobFilter) (found []*node.JobStatus, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, j := range slices.Backward(n.jobs) {
		if len(found) < f.Limit && (f.Printer == "" || f.Printer == j.Printer) && (f.User == "" || f.User == j.User) &&
			(f.States == nil || slices.Contains(f.States, queue.JobState(j.State))) {
			found = append(found, status(j))
		}
	}
	return found, nil
}

func status(j *queue.Job) *node.JobStatus {
	return &node.JobStatus{Job: &queue.Job{
		Id: j.Id, Printer: j.Printer, State: j.State, Name: j.Name, User: j.User, Key: j.Key, Format: j.Format, Bytes: j.Bytes,
		Sha256: j.Sha256, Pages: j.Pages, Units: j.Units, Copies: j.Copies, Priority: j.Priority, Submitted: j.Submitted,
	}}
}

// Age makes a job so much older.
func (n *Node) Age(id uint64, by time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.jobs[id-1].Submitted = &queuepb.Position{Time: n.jobs[id-1].Submitted.Time - int64(by)}
}

// Document is what a job's document was.
func (n *Node) Document(id uint64) []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.docs[id-1]
}

// Count is how many jobs there are.
func (n *Node) Count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.jobs)
}
