package http

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	nethttp "net/http"

	"printq/http/api"
	"printq/queue/queuepb"
)

// maxBody is the most bytes of a JSON body.
const maxBody = 64 << 10

// readJSON reads a body into v. No body is an empty object. The content type does not matter: curl -d says that it is a form.
func (s *Server) readJSON(w *response, r *nethttp.Request, v any) error {
	if q := parseQuery(r); q.err != nil {
		return q.err
	}
	raw, err := io.ReadAll(io.LimitReader(s.openBody(w, r), maxBody+1))
	switch {
	case err != nil:
		return unread(err)
	case len(raw) > maxBody:
		return invalid("the body is larger than %d bytes", maxBody)
	case len(raw) == 0:
		return nil
	}
	return decode(raw, v)
}

// decode takes no field that it does not know: a misspelt one would do something else than was meant.
func decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && d.More() {
		err = errors.New("something stands after the object")
	}
	if err != nil {
		return invalid("the body is not the JSON that belongs here: %v: see /openapi.json", err)
	}
	return nil
}

func causeOf(c api.Cause) (*queuepb.Cause, error) {
	if err := checkText("by", c.By); err != nil {
		return nil, err
	}
	return &queuepb.Cause{By: c.By, Why: c.Why}, checkText("why", c.Why)
}

// act reads an action's body into v, makes its command with to, and answers with the job as it is then.
func (s *Server) act(w *response, r *nethttp.Request, v any, cause *api.Cause, to func(id uint64, c *queuepb.Cause) (*queuepb.Command, error)) error {
	id, err := jobID(r)
	if err != nil {
		return err
	}
	if err := s.readJSON(w, r, v); err != nil {
		return err
	}
	c, err := causeOf(*cause)
	if err != nil {
		return err
	}
	cmd, err := to(id, c)
	if err != nil {
		return err
	}
	answer, err := s.propose(r.Context(), cmd, nil)
	if err != nil {
		return &jobError{id, err}
	}
	if cmd.GetReprint() != nil {
		return s.submitted(w, r, answer, 0)
	}
	job, err := s.acted(answer)
	if err != nil {
		return gone(id, err)
	}
	w.at = answer.Position
	return w.job(nethttp.StatusOK, job)
}

func (s *Server) cancel(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.act(w, r, &v, &v, func(id uint64, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: id, Cause: c}}}, nil
	})
}

func (s *Server) hold(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.act(w, r, &v, &v, func(id uint64, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: id, Cause: c}}}, nil
	})
}

func (s *Server) release(w *response, r *nethttp.Request) error {
	var v api.Cause
	return s.act(w, r, &v, &v, func(id uint64, c *queuepb.Cause) (*queuepb.Command, error) {
		return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: id, Cause: c}}}, nil
	})
}

func (s *Server) move(w *response, r *nethttp.Request) error {
	var v api.Move
	return s.act(w, r, &v, &v.Cause, func(id uint64, c *queuepb.Cause) (*queuepb.Command, error) {
		if v.Printer == "" {
			return nil, invalid(`say where to move it: {"printer":"NAME"}`)
		}
		return &queuepb.Command{Body: &queuepb.Command_Move{
			Move: &queuepb.Move{Job: id, Printer: v.Printer, Force: v.Force, Cause: c},
		}}, checkText("printer", v.Printer)
	})
}

// reprint makes a new job. Its Idempotency-Key is the header's.
func (s *Server) reprint(w *response, r *nethttp.Request) error {
	var v api.Reprint
	key := r.Header.Get(api.HeaderKey)
	return s.act(w, r, &v, &v.Cause, func(id uint64, c *queuepb.Cause) (*queuepb.Command, error) {
		if err := errors.Join(checkKey(key), checkText("printer", v.Printer)); err != nil {
			return nil, err
		}
		return &queuepb.Command{Body: &queuepb.Command_Reprint{
			Reprint: &queuepb.Reprint{Job: id, From: v.From, Printer: v.Printer, Key: key, Cause: c},
		}}, nil
	})
}

func (s *Server) resolve(w *response, r *nethttp.Request) error {
	var v api.Resolve
	return s.act(w, r, &v, &v.Cause, func(id uint64, c *queuepb.Cause) (*queuepb.Command, error) {
		answer := &queuepb.Resolve{Job: id, Cause: c}
		given := 0
		if v.Printed != nil {
			answer.Answer, given = &queuepb.Resolve_Printed{Printed: *v.Printed}, given+1
		}
		if v.ReprintFrom != nil {
			answer.Answer, given = &queuepb.Resolve_ReprintFrom{ReprintFrom: *v.ReprintFrom}, given+1
		}
		if v.Done {
			answer.Answer, given = &queuepb.Resolve_Done{Done: true}, given+1
		}
		if given != 1 {
			return nil, invalid(`say what came out, in one of three ways: {"printed":N}, {"reprint_from":N} or {"done":true}`)
		}
		return &queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: answer}}, nil
	})
}
