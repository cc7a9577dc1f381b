package api

import (
	"fmt"
	"strings"
)

// A Problem is what went wrong (RFC 9457). Tell kinds apart by Type, never by Title or Detail.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// What happened, and what to do about it.
	Detail string `json:"detail"`
	// On a request that would change something: none (nothing was done: safe to repeat), unknown (repeat with the same
	// key) or done (it had been carried out: do not repeat).
	Outcome string `json:"outcome,omitempty"`
	// The oldest log line kept, where older ones were asked for.
	Oldest uint64 `json:"oldest,omitempty"`
	// The job that it is about.
	Job uint64 `json:"job,omitempty"`
}

// Error is the title and the detail.
func (p *Problem) Error() string {
	if len(p.Detail) >= len(p.Title) && strings.EqualFold(p.Detail[:len(p.Title)], p.Title) {
		return p.Detail // it says the title itself
	}
	return fmt.Sprintf("%s: %s", p.Title, p.Detail)
}

// The outcomes of a request that failed.
const (
	OutcomeNone    = "none"
	OutcomeUnknown = "unknown"
	OutcomeDone    = "done"
)

// The types of problems. The status in the comment is the usual one.
const (
	prefix = "urn:printq:problem:"

	ProblemInvalid      = prefix + "invalid"        // 400: the request is not well formed
	ProblemForeign      = prefix + "foreign"        // 403: Host or Origin is not this server's
	ProblemNoJob        = prefix + "no-job"         // 404
	ProblemNoPrinter    = prefix + "no-printer"     // 404
	ProblemNoRoute      = prefix + "no-route"       // 404: no such path
	ProblemMethod       = prefix + "method"         // 405
	ProblemTimeout      = prefix + "timeout"        // 408: the body came to a standstill
	ProblemState        = prefix + "state"          // 409: the job's or printer's state forbids it
	ProblemNotAccepting = prefix + "not-accepting"  // 409: the printer takes no new jobs
	ProblemTrimmed      = prefix + "trimmed"        // 410: log lines are no longer kept; see oldest
	ProblemDocumentGone = prefix + "document-gone"  // 410
	ProblemJobGone      = prefix + "job-gone"       // 410: carried out before, and the job has left since
	ProblemTooLarge     = prefix + "too-large"      // 413
	ProblemMediaType    = prefix + "media-type"     // 415
	ProblemRange        = prefix + "range"          // 416
	ProblemKeyReused    = prefix + "key-reused"     // 422
	ProblemEmpty        = prefix + "empty"          // 422: the document has no bytes
	ProblemInternal     = prefix + "internal"       // 500: a fault of the server
	ProblemDamaged      = prefix + "damaged"        // 500: no member has the document's bytes whole
	ProblemNoQuorum     = prefix + "no-quorum"      // 503: outcome none
	ProblemUnknown      = prefix + "unknown"        // 503: outcome unknown
	ProblemFull         = prefix + "full"           // 503: too much is under way; outcome none
	ProblemStopping     = prefix + "stopping"       // 503: the member goes down; outcome none
	ProblemNoUpload     = prefix + "upload-expired" // 503: the upload expired before it was whole; outcome none
	ProblemDiskFull     = prefix + "disk-full"      // 507: outcome none
)
