package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"printq/http/api"
)

// A LocalError is of the request itself: its body could not be read. No other server helps.
type LocalError struct{ Err error }

func (e *LocalError) Error() string { return e.Err.Error() }
func (e *LocalError) Unwrap() error { return e.Err }

// A busyError is a problem with the time after which to try again.
type busyError struct {
	*api.Problem
	after time.Duration
}

func (e *busyError) Unwrap() error { return e.Problem }

const maxProblem = 64 << 10

// readProblem makes one also of an answer that is none: a proxy's, or of something that is not printq.
func readProblem(resp *http.Response) error {
	p := &api.Problem{}
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	if json.Unmarshal(body, p) != nil || p.Title == "" {
		p = &api.Problem{Title: resp.Status, Detail: fmt.Sprintf("%s is not the answer of a printq server", resp.Request.URL.Redacted())}
		if resp.StatusCode >= 500 {
			p.Outcome = api.OutcomeUnknown
		}
	}
	p.Status = resp.StatusCode
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
	return &busyError{p, time.Duration(max(0, min(seconds, 60))) * time.Second}
}

// A failure is what is known of a request that has failed at least once.
type failure struct {
	last error
	// Some attempt may have been carried out.
	unknown bool
	// How long the servers asked to wait.
	after time.Duration
}

// add returns the error to give up with, or nil where another attempt may help.
func (f *failure) add(r *Request, err error) error {
	f.last = err
	var local *LocalError
	if errors.As(err, &local) {
		return local
	}
	var busy *busyError
	if errors.As(err, &busy) {
		f.last = busy.Problem
		f.after = max(f.after, busy.after)
		return f.answered(r, busy.Problem)
	}
	if notSent(err) {
		return nil
	}
	f.unknown = f.unknown || r.Method != http.MethodGet
	if !r.repeatable() {
		return f.ended(r, nil)
	}
	return nil
}

func (f *failure) answered(r *Request, p *api.Problem) error {
	if p.Status != http.StatusServiceUnavailable && p.Status != http.StatusBadGateway && p.Status != http.StatusGatewayTimeout {
		return p
	}
	if r.Method == http.MethodGet || p.Outcome == api.OutcomeNone {
		return nil
	}
	f.unknown = true
	if !r.repeatable() {
		return f.ended(r, nil)
	}
	return nil
}

// notSent: the connection could not be made, so the request is nowhere.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// ended is the error when no more attempts are made, because of err or, where it is nil, of the time.
func (f *failure) ended(r *Request, err error) error {
	if err != nil {
		if r.Method == http.MethodGet {
			return err
		}
		f.unknown = true // the attempt that was interrupted
	} else if err = f.last; err == nil {
		err = errors.New("there was no time to try")
	}
	var p *api.Problem
	switch {
	case f.unknown && r.Key != "":
		return fmt.Errorf("%w: it may have been carried out or not: repeat it with --key %s, which cannot do it twice (%w)", ErrUnknown, r.Key, plain(err))
	case f.unknown:
		return fmt.Errorf("%w: it may have been carried out or not: look before you repeat it (%w)", ErrUnknown, plain(err))
	case errors.As(err, &p):
		return p
	}
	return fmt.Errorf("%w: is it running, and is --server (or PRINTQ_SERVER) right? (%w)", ErrNoServer, plain(err))
}

// plain leaves out the method and URL that net/http puts before its errors.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// OneLine is an error for a line of its own.
func OneLine(err error) string {
	var lines []string
	for _, l := range strings.Split(err.Error(), "\n") {
		if l = strings.TrimSpace(l); l != "" {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "; ")
}
