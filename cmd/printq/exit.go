package main

import (
	"errors"
	"fmt"
	"net/http"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

// The exit codes, as the design has them. Scripts rely on them.
const (
	exitOK       = 0
	exitError    = 1
	exitUsage    = 2
	exitNotFound = 3
	exitRefused  = 4
	exitConflict = 5
	exitNoQuorum = 6
	exitUnknown  = 7
	exitWait     = 8
	exitAborted  = 9
)

// A usageError is in the command line, not in the world.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// errWait and errAborted are what can come of submit --wait.
var (
	errWait    = errors.New("wait timed out")
	errAborted = errors.New("job did not complete")
)

// A silentError has been reported already: it only carries the exit code.
type silentError struct{ err error }

func (e *silentError) Error() string { return e.err.Error() }
func (e *silentError) Unwrap() error { return e.err }

func isSilent(err error) bool {
	var s *silentError
	return errors.As(err, &s)
}

func exitCode(err error) int {
	var wrong *usageError
	var problem *api.Problem
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &wrong):
		return exitUsage
	case errors.Is(err, errWait):
		return exitWait
	case errors.Is(err, errAborted):
		return exitAborted
	case errors.Is(err, client.ErrUnknown):
		return exitUnknown
	case errors.Is(err, client.ErrNoServer):
		return exitNoQuorum
	case errors.As(err, &problem):
		return problemCode(problem)
	}
	return exitError
}

func problemCode(p *api.Problem) int {
	switch p.Type {
	case api.ProblemInvalid:
		return exitUsage
	case api.ProblemKeyReused:
		return exitConflict
	case api.ProblemJobGone, api.ProblemDocumentGone, api.ProblemTrimmed:
		return exitNotFound
	}
	switch {
	case p.Outcome == api.OutcomeUnknown:
		return exitUnknown
	case p.Status == http.StatusNotFound:
		return exitNotFound
	case p.Status == http.StatusConflict:
		return exitConflict
	case p.Status == http.StatusServiceUnavailable:
		return exitNoQuorum
	case p.Status >= 400 && p.Status < 500, p.Status == http.StatusInsufficientStorage:
		return exitRefused
	}
	return exitError
}
