package http

import (
	"errors"
	"fmt"
	nethttp "net/http"
	"os"
	"strings"

	"github.com/gorilla/mux"

	"printq/http/api"
	"printq/node"
	"printq/queue"
)

// The errors of this package's own. Each is wrapped with what to do.
var (
	errInvalid   = errors.New("invalid request")
	errNoRoute   = errors.New("no such path")
	errForeign   = errors.New("foreign host or origin")
	errMediaType = errors.New("unsupported media type")
	errStalled   = errors.New("the body came to a standstill")
	errJobGone   = errors.New("the request was carried out")
	errDone      = errors.New("the request was carried out, but not answered")
	errRange     = errors.New("the range lies beyond the document's end: see Content-Range")
	errGone      = errors.New("the client has left")
	errBusy      = fmt.Errorf("this member answers as many requests as it may: %w: wait a second, or ask another member",
		node.ErrFull)
)

// A methodError says which methods the path has.
type methodError struct{ allow []string }

func (e *methodError) Error() string {
	return "this path takes " + strings.Join(e.allow, ", ") + ": see /openapi.json"
}

// A trimmedError says where the log begins now.
type trimmedError struct{ oldest uint64 }

func (e *trimmedError) Error() string {
	return fmt.Sprintf("the log begins at seq %d here: ask with from=%d or from=beginning", e.oldest, e.oldest)
}

func (e *trimmedError) Unwrap() error { return node.ErrTrimmed }

// A jobError names the job that an error is about.
type jobError struct {
	job uint64
	error
}

func (e *jobError) Unwrap() error { return e.error }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errInvalid}, args...)...)
}

func noRoute(r *nethttp.Request) error {
	return fmt.Errorf("%w: %s: see /openapi.json", errNoRoute, r.URL.Path)
}

func wrongMethod(m *mux.Router, r *nethttp.Request) error { return &methodError{allowed(m, r)} }

// A kind is what an error looks like from outside. Outcome: of a request that changes something.
type kind struct {
	is      error
	status  int
	kind    string
	title   string
	outcome string
}

const none = api.OutcomeNone

// kinds is matched from the top: what says most stands first.
var kinds = []kind{
	{errJobGone, 410, api.ProblemJobGone, "The job has left", api.OutcomeDone},
	{errDone, 500, api.ProblemInternal, "Internal error", api.OutcomeDone},
	{node.ErrUnknown, 503, api.ProblemUnknown, "Outcome unknown", api.OutcomeUnknown},
	{node.ErrNoQuorum, 503, api.ProblemNoQuorum, "No quorum", none},
	{node.ErrFull, 503, api.ProblemFull, "Too much is under way", none},
	{node.ErrStopping, 503, api.ProblemStopping, "The member is stopping", none},
	{node.ErrDiskFull, 507, api.ProblemDiskFull, "Disk space is low", none},
	{node.ErrTooLarge, 413, api.ProblemTooLarge, "Too large", none},
	{node.ErrEmpty, 422, api.ProblemEmpty, "The document is empty", none},
	{node.ErrTrimmed, 410, api.ProblemTrimmed, "Log lines are no longer kept", ""},
	{node.ErrDamaged, 500, api.ProblemDamaged, "The document is damaged", ""},
	{queue.ErrNoJob, 404, api.ProblemNoJob, "No such job", none},
	{queue.ErrNoPrinter, 404, api.ProblemNoPrinter, "No such printer", none},
	{queue.ErrState, 409, api.ProblemState, "The state forbids it", none},
	{queue.ErrVoid, 409, api.ProblemState, "The state forbids it", none},
	{queue.ErrKeyReused, 422, api.ProblemKeyReused, "The key stands for another request", none},
	{queue.ErrNoUpload, 503, api.ProblemNoUpload, "The upload expired", none},
	{queue.ErrDocumentGone, 410, api.ProblemDocumentGone, "The document is no longer kept", none},
	{queue.ErrNotAccepting, 409, api.ProblemNotAccepting, "The printer does not accept jobs", none},
	{queue.ErrLimit, 503, api.ProblemFull, "Too much is under way", none},
	{queue.ErrNoSubscription, 404, api.ProblemNoRoute, "No such subscription", none},
	{queue.ErrInvalid, 400, api.ProblemInvalid, "Invalid request", none},
	{errInvalid, 400, api.ProblemInvalid, "Invalid request", none},
	{errNoRoute, 404, api.ProblemNoRoute, "No such path", none},
	{errForeign, 403, api.ProblemForeign, "Foreign host or origin", none},
	{errRange, 416, api.ProblemRange, "Range not satisfiable", none},
	{errStalled, 408, api.ProblemTimeout, "The body came to a standstill", none},
	{node.ErrFormat, 415, api.ProblemMediaType, "Unsupported media type", none},
	{errMediaType, 415, api.ProblemMediaType, "Unsupported media type", none},
	{os.ErrDeadlineExceeded, 408, api.ProblemTimeout, "The body came to a standstill", none},
}

// problemOf is the one place where errors become answers.
func problemOf(err error, changes bool) api.Problem {
	p := api.Problem{
		Type: api.ProblemInternal, Title: "Internal error", Status: 500, Detail: err.Error(),
		Outcome: api.OutcomeUnknown,
	}
	var method *methodError
	switch k := kindOf(err); {
	case k != nil:
		p.Type, p.Title, p.Status, p.Outcome = k.kind, k.title, k.status, k.outcome
	case errors.As(err, &method):
		p.Type, p.Title, p.Status, p.Outcome = api.ProblemMethod, "Method not allowed", 405, none
	}
	if !changes {
		p.Outcome = ""
	}
	var job *jobError
	if errors.As(err, &job) {
		p.Job = job.job
	}
	var trimmed *trimmedError
	if errors.As(err, &trimmed) {
		p.Oldest = trimmed.oldest
	}
	return p
}

func kindOf(err error) *kind {
	for i := range kinds {
		if errors.Is(err, kinds[i].is) {
			return &kinds[i]
		}
	}
	return nil
}
