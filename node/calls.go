package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"printq/queue"
	"printq/queue/queuepb"
)

type outcome struct {
	answer Answer
	err    error
}

// Propose puts a command into the log and waits until it is applied here. The payload must not change any more. The error
// is one of package queue's or of this package's.
func (n *Node) Propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (Answer, error) {
	return n.propose(ctx, cmd, payload, nil)
}

// ProposeDocument is Propose of a document that came inline; it belongs to the node from now on.
func (n *Node) ProposeDocument(ctx context.Context, cmd *queuepb.Command, d *Document) (Answer, error) {
	whole := d.whole
	d.whole = nil
	return n.propose(ctx, cmd, d.Inline, whole)
}

func (n *Node) propose(ctx context.Context, cmd *queuepb.Command, payload, whole []byte) (Answer, error) {
	wait, err := n.begin(cmd, payload, whole)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := n.limit(ctx)
	defer cancel()
	return wait(ctx)
}

// limit ends a context after RequestTimeout, unless it ends earlier by itself.
func (n *Node) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= n.cfg.RequestTimeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, n.cfg.RequestTimeout)
}

// ProposeAll is Propose for many commands at once, with one answer for each.
func (n *Node) ProposeAll(ctx context.Context, cmds []*queuepb.Command, payloads [][]byte) ([]Answer, []error) {
	answers, errs := make([]Answer, len(cmds)), make([]error, len(cmds))
	waits := make([]func(context.Context) (Answer, error), len(cmds))
	for i, cmd := range cmds {
		waits[i], errs[i] = n.begin(cmd, payloads[i], nil)
	}
	ctx, cancel := n.limit(ctx)
	defer cancel()
	for i, wait := range waits {
		if wait != nil {
			answers[i], errs[i] = wait(ctx)
		}
	}
	return answers, errs
}

// begin hands a command to the loop; what it returns waits for the outcome, or gives it up when the context ends.
func (n *Node) begin(cmd *queuepb.Command, payload, whole []byte) (func(context.Context) (Answer, error), error) {
	select {
	case <-n.started:
	default:
		return nil, fmt.Errorf("%w: %w; nothing was stored: retry, or ask another member", ErrNoQuorum, n.Ready())
	}
	done := make(chan outcome, 1)
	r, err := newRequest(cmd, payload, func(a Answer, err error) { done <- outcome{a, err} })
	if err != nil {
		return nil, err
	}
	r.whole = whole
	if !n.inbox.put(event{req: r}) {
		return nil, fmt.Errorf("%w: ask another member", ErrStopping)
	}
	return func(ctx context.Context) (Answer, error) {
		select {
		case o := <-done:
			return o.answer, o.err
		case <-ctx.Done():
			n.post(func(c *Core) { c.abandon(r) })
			o := <-done // abandon answers, or the loop's end does
			return o.answer, o.err
		}
	}, nil
}

// uploadWindow is how many chunks of one upload may be under way: enough to keep the log busy, few enough that a label
// does not wait behind a gigabyte.
const uploadWindow = 4

// Upload reads a document. A small one is returned whole; of a larger one, every chunk is committed when Upload returns,
// and the submit command that names them makes the job. What is never submitted expires.
func (n *Node) Upload(ctx context.Context, r io.Reader, limit int64) (*Document, error) {
	return n.UploadFor(ctx, 0, r, limit)
}

// UploadFor is Upload for a job that waits for its document: it waits on with every chunk.
func (n *Node) UploadFor(ctx context.Context, job uint64, r io.Reader, limit int64) (*Document, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	u := &upload{n: n, job: job, r: r, hash: sha256.New(), limit: limit, id: randomBytes(16), answers: make(chan error, uploadWindow)}
	first, err := u.read()
	switch {
	case err != nil:
		return nil, err
	case len(first) == 0:
		return nil, fmt.Errorf("%w: a job needs at least one byte to print", ErrEmpty)
	case len(first) < queue.MaxInline:
		return &Document{Inline: first, whole: u.whole, Bytes: u.bytes, SHA256: [32]byte(u.hash.Sum(nil))}, nil
	}
	if err := u.send(ctx, first); err != nil {
		return nil, err
	}
	return &Document{Upload: u.id, Chunks: u.chunks, Bytes: u.bytes, SHA256: [32]byte(u.hash.Sum(nil))}, nil
}

type upload struct {
	n      *Node
	job    uint64 // 0: none yet
	r      io.Reader
	hash   hash.Hash
	limit  int64
	id     []byte
	bytes  int64
	chunks uint32
	whole  []byte // the last chunk that was read, with room before it
	// One for each chunk under way.
	answers  chan error
	underway int
}

// read returns the next chunk; a short one is the last.
func (u *upload) read() ([]byte, error) {
	whole, buf := roomy(queue.MaxInline)
	n, err := io.ReadFull(u.r, buf)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && !u.ended() {
		return nil, err
	}
	u.bytes += int64(n)
	if u.bytes > u.limit {
		return nil, fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, u.limit)
	}
	_, _ = u.hash.Write(buf[:n])
	if n < len(buf)/2 {
		u.whole = nil
		return append([]byte(nil), buf[:n]...), nil // do not hold a large buffer for a label
	}
	u.whole = whole[: room+n : room+n]
	return buf[:n:n], nil
}

// ended tells the end of the document from a client that broke off: after io.ErrUnexpectedEOF from ReadFull, a reader
// that ended cleanly says io.EOF again.
func (u *upload) ended() bool {
	var one [1]byte
	_, err := u.r.Read(one[:])
	return errors.Is(err, io.EOF)
}

func (u *upload) send(ctx context.Context, chunk []byte) error {
	for {
		if len(chunk) > 0 {
			if err := u.chunk(ctx, chunk); err != nil {
				return u.drain(err)
			}
		}
		if len(chunk) < queue.MaxInline {
			return u.drain(nil)
		}
		var err error
		if chunk, err = u.read(); err != nil {
			return u.drain(err)
		}
	}
}

// chunk sends one on its way, once there is room in the window.
func (u *upload) chunk(ctx context.Context, data []byte) error {
	if u.chunks == queue.MaxChunks {
		return fmt.Errorf("%w: more than %d chunks", ErrTooLarge, queue.MaxChunks)
	}
	if u.underway == uploadWindow {
		u.underway--
		if err := <-u.answers; err != nil {
			return err
		}
	}
	cmd := &queuepb.Command{Body: &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: u.id, N: u.chunks, Job: u.job}}}
	wait, err := u.n.begin(cmd, data, u.whole)
	if err != nil {
		return err
	}
	u.chunks++
	u.underway++
	go func() {
		ctx, cancel := u.n.limit(ctx)
		defer cancel()
		_, err := wait(ctx)
		u.answers <- err // there is room for the window
	}()
	return nil
}

func (u *upload) drain(err error) error {
	for ; u.underway > 0; u.underway-- {
		if e := <-u.answers; err == nil {
			err = e
		}
	}
	return err
}

// Barrier waits until this member has applied everything that was committed when it was called: a read here that follows
// is linearizable.
func (n *Node) Barrier(ctx context.Context) (Position, error) {
	select {
	case <-n.started:
	default:
		return Position{}, fmt.Errorf("%w: %w", ErrNoQuorum, n.Ready())
	}
	type result struct {
		at  Position
		err error
	}
	done := make(chan result, 1)
	var forget func() // the loop's
	if !n.post(func(c *Core) {
		forget = c.Barrier(func(at Position, err error) { done <- result{at, err} })
	}) {
		return Position{}, ErrStopping
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.RequestTimeout)
	defer cancel()
	select {
	case r := <-done:
		return r.at, r.err
	case <-ctx.Done():
		n.post(func(*Core) { forget() })
	case <-n.ended:
	}
	select {
	case r := <-done: // forget answers
		return r.at, r.err
	case <-n.ended:
		return Position{}, ErrStopping
	}
}

// Transfer hands leadership to a member, or with 0 to the one that is furthest, and returns when it has moved.
func (n *Node) Transfer(ctx context.Context, to uint64) error {
	old := n.leader.Load()
	switch {
	case old == 0:
		return fmt.Errorf("%w: there is no leader to hand over", ErrNoQuorum)
	case old == to:
		return nil
	}
	var known bool
	if err := n.ask(ctx, func(c *Core) {
		for _, id := range c.conf.GetVoters() {
			known = known || to == 0 || id == to
		}
	}); err != nil {
		return err
	}
	if !known {
		return fmt.Errorf("%w: member %d is not a voter of this cluster", queue.ErrInvalid, to)
	}
	if old == n.cfg.ID {
		n.handOver(ctx, to)
	} else {
		n.post(func(c *Core) { c.Transfer(to) })
	}
	return n.awaitLeader(ctx, old, to)
}

func (n *Node) awaitLeader(ctx context.Context, old, to uint64) error {
	ctx, cancel := context.WithTimeout(ctx, finishTimeout+2*transferTicks*n.cfg.Tick)
	defer cancel()
	for {
		changed := n.changed.wait()
		if now := n.leader.Load(); now != 0 && now != old && (to == 0 || now == to) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("leadership did not move from member %d: is the other one up and caught up?", old)
		}
	}
}
