package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"printq/node"
)

// maxAnswer bounds the answer to a probe, in bytes.
const maxAnswer = 64 << 10

// Stream asks a member for a stream; see node.Transport. The reader must be closed. It fails when the context ends, when
// nothing came for the idle timeout, and when Run ends.
func (t *Transport) Stream(ctx context.Context, to uint64, header []byte) (io.ReadCloser, error) {
	t.mu.RLock()
	p := t.peers[to]
	addr := ""
	if p != nil {
		addr = p.out.addr
	}
	t.mu.RUnlock()
	if addr == "" {
		return nil, fmt.Errorf("open stream: %w %d", ErrNoAddress, to)
	}
	greeting, cancel := context.WithTimeout(ctx, t.opts.HandshakeTimeout)
	defer cancel()
	conn, _, err := t.dial(greeting, addr, hello{purpose: stream, to: to, cluster: t.clusterID(), header: header})
	if err != nil {
		return nil, fmt.Errorf("open stream from member %d: %w", to, err)
	}
	return t.newStreamReader(ctx, conn, to), nil
}

// A streamReader is one stream that we asked for.
type streamReader struct {
	t      *Transport
	ctx    context.Context
	conn   net.Conn
	member uint64
	chunks chunkReader
	detach func() bool // from the context
}

func (t *Transport) newStreamReader(ctx context.Context, conn net.Conn, member uint64) *streamReader {
	s := &streamReader{t: t, ctx: ctx, conn: conn, member: member}
	s.chunks = chunkReader{r: conn, before: func() { conn.SetReadDeadline(time.Now().Add(t.opts.IdleTimeout)) }}
	s.detach = context.AfterFunc(ctx, func() { conn.Close() })
	return s
}

func (s *streamReader) Read(p []byte) (int, error) {
	n, err := s.chunks.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	var text errText
	if errors.As(err, &text) {
		return n, &node.RemoteError{Member: s.member, Text: string(text)}
	}
	if s.ctx.Err() != nil {
		err = s.ctx.Err()
	}
	return n, fmt.Errorf("stream from member %d: %w", s.member, err)
}

func (s *streamReader) Close() error {
	s.detach()
	s.t.release(s.conn)
	return nil
}

// Probe asks whoever is at an address for a short answer; see node.Transport. A refusal is a *node.RemoteError.
func (t *Transport) Probe(ctx context.Context, addr string, header []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.opts.ProbeTimeout)
		defer cancel()
	}
	conn, answer, err := t.dial(ctx, addr, hello{purpose: probe, header: header})
	if err != nil {
		return nil, fmt.Errorf("probe: %w", err)
	}
	s := t.newStreamReader(ctx, conn, answer.id)
	defer s.Close()
	bytes, err := io.ReadAll(io.LimitReader(s, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", addr, err)
	}
	if len(bytes) > maxAnswer {
		return nil, fmt.Errorf("probe %s: the answer is longer than %d bytes", addr, maxAnswer)
	}
	return bytes, nil
}

func (t *Transport) serveStream(conn net.Conn, h hello) {
	select {
	case t.streams <- struct{}{}:
	default:
		t.refuse(conn, h, fmt.Sprintf("all %d streams of member %d are in use: try again later", t.opts.MaxStreams, t.opts.ID))
		return
	}
	defer func() { <-t.streams }()
	t.answer(conn, func(ctx context.Context, w io.Writer) error { return t.handler.ServeStream(ctx, h.from, h.header, w) })
}

func (t *Transport) serveProbe(conn net.Conn, h hello) {
	t.answer(conn, func(ctx context.Context, w io.Writer) error {
		bytes, err := t.handler.ServeProbe(ctx, h.header)
		if err != nil {
			return err
		}
		if len(bytes) > maxAnswer {
			return fmt.Errorf("the answer to the probe has %d bytes: the limit is %d", len(bytes), maxAnswer)
		}
		_, err = w.Write(bytes)
		return err
	})
}

// answer lets a function write chunks. Its context ends when the other side hangs up, or Run ends.
func (t *Transport) answer(conn net.Conn, produce func(context.Context, io.Writer) error) {
	if err := t.welcome(conn); err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	hung := make(chan struct{})
	go func() {
		defer close(hung)
		defer cancel()
		conn.Read(make([]byte, 1))
	}()
	w := newChunkWriter(conn, t.opts.IdleTimeout)
	if err := w.end(produce(ctx, w)); err == nil {
		// The other side closes first: it has read everything then.
		conn.SetReadDeadline(time.Now().Add(t.opts.IdleTimeout))
		<-hung
	}
	conn.Close()
	<-hung
}
