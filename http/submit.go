package http

import (
	"context"
	"errors"
	"fmt"
	nethttp "net/http"
	"slices"
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
	if err := s.checkFormat(t.printer, t.format); err != nil {
		return err
	}
	doc, err := s.receiveRequest(w, r, t)
	if err != nil {
		return err
	}
	if err := s.checkFormat(t.printer, doc.format); err != nil {
		return err
	}
	answer, err := s.propose(r.Context(), t.command(doc), doc.Inline)
	if err != nil {
		return err
	}
	return s.submitted(w, r, answer, t.wait)
}

func (s *Server) receiveRequest(w *response, r *nethttp.Request, t *ticket) (*received, error) {
	body := s.openBody(w, r)
	contentType := r.Header.Get("Content-Type")
	form := strings.HasPrefix(strings.ToLower(contentType), "multipart/")
	if r.ContentLength < 0 || r.ContentLength > queue.MaxInline {
		if err := s.checkPrinter(r.Context(), t.printer); err != nil {
			return nil, err
		}
	}
	if form {
		return s.receiveForm(r.Context(), body, contentType, t)
	}
	if t.format == "" {
		t.format = formatOf(contentType)
	}
	return s.receive(r.Context(), body, r.ContentLength, t.format)
}

// checkPrinter spares a client that misspelt a printer from sending its gigabyte.
func (s *Server) checkPrinter(ctx context.Context, name string) error {
	if _, err := s.node.Printer(name); err == nil {
		return nil
	}
	if _, err := s.barrier(ctx); err != nil {
		return err
	}
	_, err := s.node.Printer(name)
	return err
}

// checkFormat refuses what none of the printer's devices takes, as far as they have said so. A format that is not known, or a printer
// that is not here yet, passes: the device has the last word.
func (s *Server) checkFormat(printer, format string) error {
	p, err := s.node.Printer(printer)
	if err != nil || format == "" || len(p.Devices) == 0 {
		return nil
	}
	var takes []string
	for _, d := range p.Devices {
		if len(d.Formats) == 0 || slices.Contains(d.Formats, format) {
			return nil
		}
		takes = append(takes, d.Formats...)
	}
	slices.Sort(takes)
	return fmt.Errorf("%w: printer %s does not take %s: it takes %s", errMediaType, printer, format, strings.Join(slices.Compact(takes), ", "))
}

// propose carries out a command. It always says which outcome an error leaves.
func (s *Server) propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.options.CommitTimeout)
	defer cancel()
	answer, err := s.node.Propose(ctx, cmd, payload)
	return answer, outcomeOf(err)
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
	job, err := s.node.Job(answer.Job)
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
