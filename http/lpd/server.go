package lpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"

	"printq/http/intake"
	"printq/queue"
)

// A Server takes jobs for all printers.
type Server struct {
	options Options
	// Bytes of small documents that wait for the rest of their jobs.
	waiting atomic.Int64
	sent    acknowledged
}

// New makes a server. It serves nothing yet.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	return &Server{options: o}, nil
}

// Serve takes jobs on l until ctx ends, and closes l. Then a job that has begun may end within DrainTimeout.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	o := &s.options
	gate := intake.Gate{
		Name: "lpd", Conns: o.MaxConns, Idle: o.IdleTimeout, Drain: o.DrainTimeout, Insecure: o.Insecure, Logger: o.Logger,
	}
	return intake.Serve(ctx, l, gate, s.serve)
}

// A session is one connection: one command.
type session struct {
	*Server
	*intake.Conn
	r *bufio.Reader
	// The queue of the command.
	printer string
}

func (s *Server) serve(ctx context.Context, c *intake.Conn) {
	n := &session{Server: s, Conn: c, r: bufio.NewReaderSize(c, 32<<10)}
	err := n.serveCommand(ctx)
	var refused refusal
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, intake.ErrStopping):
		c.End()
		return
	case errors.As(err, &refused):
		n.refuse(err)
		c.End()
	default: // not an end: CUPS takes one in place of an acknowledgement for success
		c.Reset()
	}
	s.options.Logger.Warn("a job over lpd was not taken", "printer", n.printer, "host", c.Host(), "error", err)
}

// refuse answers with an octet that is not 0, and with the reason in words.
func (n *session) refuse(err error) {
	_, _ = io.WriteString(n.Conn, "\x01"+err.Error()+"\n")
}

func (n *session) acknowledge() error {
	_, err := n.Write([]byte{0})
	return err
}

// line reads a command's or subcommand's line. io.EOF: there is none.
func (n *session) line() ([]byte, error) {
	line, err := n.r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) > 0:
		return nil, io.ErrUnexpectedEOF
	case errors.Is(err, bufio.ErrBufferFull), err == nil && len(line) > maxCommand:
		return nil, refuse("%w: a line of more than %d bytes", errCommand, maxCommand)
	case err != nil:
		return nil, err
	}
	return line[:len(line)-1], nil
}

func (n *session) serveCommand(ctx context.Context) error {
	line, err := n.line()
	if err != nil {
		return err
	}
	c, err := parseCommand(line)
	if err != nil {
		return err
	}
	n.printer = intake.Text([]byte(c.queue))
	switch err := intake.CheckPrinter(ctx, n.options.Node, c.queue, n.options.CommitTimeout); {
	case errors.Is(err, queue.ErrNoPrinter):
		return refuse("%w", err)
	case err != nil:
		return refuse("%w: try again, or ask another member", err)
	}
	switch c.code {
	case receiveJob:
		return n.receive(ctx)
	case shortState, longState:
		return n.state(ctx, c)
	case removeJobs:
		return n.remove(ctx, c)
	}
	// Jobs print by themselves: there is nothing to start.
	return n.acknowledge()
}
