package raw

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"

	"printq/http/intake"
)

// A Server takes the jobs of one printer.
type Server struct{ options Options }

// New makes a server. It serves nothing yet.
func New(o Options) (*Server, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	return &Server{o}, nil
}

// Serve takes jobs on l until ctx ends, and closes l. Then connections on which nothing has come are reset, and those on which a
// job has begun may end within DrainTimeout.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	o := &s.options
	gate := intake.Gate{
		Name: "raw", Conns: o.MaxConns, Idle: o.IdleTimeout, Drain: o.DrainTimeout, Insecure: o.Insecure, Logger: o.Logger,
	}
	return intake.Serve(ctx, l, gate, s.serve)
}

// serve takes one job. Its end in good order is the acknowledgement.
func (s *Server) serve(ctx context.Context, c *intake.Conn) {
	job, err := s.take(ctx, c)
	if err == nil {
		c.End()
	} else {
		c.Reset()
	}
	log := s.options.Logger.With("printer", s.options.Printer, "host", c.Host())
	switch {
	case errors.Is(err, intake.ErrStopping):
	case err != nil:
		log.Warn("no job came of a raw connection, which was reset", "error", err)
	case job != 0:
		log.Debug("a job over raw TCP", "job", job)
	}
}

// take returns the job that the connection made; 0: it brought nothing to print.
func (s *Server) take(ctx context.Context, c *intake.Conn) (job uint64, err error) {
	r := bufio.NewReaderSize(c, maxLine)
	if _, err := r.Peek(1); err != nil {
		return 0, unlessEnd(err)
	}
	c.Busy(true)
	if err := intake.CheckPrinter(ctx, s.options.Node, s.options.Printer, s.options.CommitTimeout); err != nil {
		return 0, err
	}
	p, err := readPreamble(r, c)
	if err != nil || !p.prints {
		return 0, err
	}
	doc, err := intake.Receive(ctx, s.options.Node, io.MultiReader(bytes.NewReader(p.kept), r), s.options.MaxDocument)
	if err != nil {
		return 0, err
	}
	j := intake.Job{Printer: s.options.Printer, Name: p.name, User: c.Host()}
	if j.Name == "" {
		j.Name = "raw from " + c.Host()
	}
	a, err := intake.Submit(ctx, s.options.Node, j, doc, s.options.CommitTimeout)
	return a.Job, err
}

func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
