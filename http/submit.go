package http

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"printq/http/api"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// maxWait is the longest that an answer may be held back.
const maxWait = 5 * time.Minute

func (s *Server) submit(w *response, r *nethttp.Request) error {
	t, err := newTicket(r)
	if err != nil {
		return err
	}
	doc, err := s.receiveRequest(w, r, t)
	if err != nil {
		return err
	}
	answer, err := s.proposeDocument(r.Context(), t.command(doc), &doc.Document)
	if err != nil {
		return err
	}
	return s.submitted(w, r, answer, t.wait)
}

func (s *Server) receiveRequest(w *response, r *nethttp.Request, t *ticket) (*received, error) {
	body := s.openBody(w, r)
	contentType := r.Header.Get("Content-Type")
	form := strings.HasPrefix(strings.ToLower(contentType), "multipart/")
	if !form && t.format == "" {
		t.format = formatOf(contentType)
	}
	if r.ContentLength < 0 || r.ContentLength > queue.MaxInline {
		if err := s.checkPrinter(r.Context(), t.printer, t.format); err != nil {
			return nil, err
		}
	}
	if form {
		return s.receiveForm(r.Context(), body, contentType, t)
	}
	return s.receive(r.Context(), body, r.ContentLength, t.format)
}

// checkPrinter spares a client that misspelt a printer, or whose format it does not take, from sending its gigabyte.
func (s *Server) checkPrinter(ctx context.Context, name, format string) error {
	if _, err := s.node.Printer(name); err != nil {
		if _, err := s.barrier(ctx); err != nil {
			return err
		}
		if _, err := s.node.Printer(name); err != nil {
			return err
		}
	}
	return s.node.Takes(name, format)
}

// propose carries out a command. It always says which outcome an error leaves.
func (s *Server) propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	ctx, cancel := s.committing(ctx)
	defer cancel()
	answer, err := s.node.Propose(ctx, cmd, payload)
	return answer, outcomeOf(err)
}

func (s *Server) proposeDocument(ctx context.Context, cmd *queuepb.Command, d *node.Document) (node.Answer, error) {
	ctx, cancel := s.committing(ctx)
	defer cancel()
	answer, err := s.node.ProposeDocument(ctx, cmd, d)
	return answer, outcomeOf(err)
}

// committing is a context that ends after CommitTimeout at the latest.
func (s *Server) committing(ctx context.Context) (context.Context, context.CancelFunc) {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= s.options.CommitTimeout {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.options.CommitTimeout)
}

func outcomeOf(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: send it again with the same %s: %w", node.ErrUnknown, api.HeaderKey, err)
	}
	return err
}

// submitted answers with the job that a command made.
func (s *Server) submitted(w *response, r *nethttp.Request, answer node.Answer, wait time.Duration) error {
	w.at = answer.Position
	job, err := s.acted(answer)
	if err == nil && wait > 0 {
		if err = s.waitEnded(r.Context(), job, wait); err == nil {
			// In this order, so that a long poll from this index misses nothing.
			w.at = s.node.Applied()
			job, err = s.node.Job(answer.Job)
		}
	}
	if err != nil {
		return gone(answer.Job, err)
	}
	h := w.Header()
	h["Location"] = []string{"/v1/jobs/" + strconv.FormatUint(answer.Job, 10)}
	if answer.Repeated {
		h[api.HeaderRepeated] = []string{"true"}
	}
	return w.job(nethttp.StatusCreated, job)
}

// acted is the job that a command made or acted on.
func (s *Server) acted(answer node.Answer) (*node.JobStatus, error) {
	if answer.Status != nil {
		return answer.Status, nil
	}
	return s.node.Job(answer.Job)
}

// gone says of a request that was carried out, and whose job cannot be shown, that it was. It hides what kind of error err is:
// those kinds speak of requests that were not carried out.
func gone(id uint64, err error) error {
	if errors.Is(err, queue.ErrNoJob) {
		return &jobError{id, fmt.Errorf("%w: job %d has left since: do not send it again", errJobGone, id)}
	}
	return &jobError{id, fmt.Errorf("%w: job %d cannot be shown: %v: do not send it again", errDone, id, err)}
}

// waitEnded returns when the job has ended, the time is over or the server stops.
func (s *Server) waitEnded(ctx context.Context, job *node.JobStatus, wait time.Duration) (err error) {
	ctx, cancel := s.waiting(ctx, wait)
	defer cancel()
	for err == nil && !queue.JobState(job.State).Ended() && ctx.Err() == nil {
		job, err = s.node.WaitJob(ctx, job.Id, job.Changed)
	}
	return err
}

// waiting is a context for a long poll: it ends with the request, the time, or the server.
func (s *Server) waiting(ctx context.Context, wait time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	stop := context.AfterFunc(s.stopping, cancel)
	return ctx, func() { stop(); cancel() }
}
