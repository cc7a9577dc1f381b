// Package api is printq's HTTP interface as JSON values: what a member answers and what it takes. A server fills them, a
// client reads them, and neither needs the other's packages.
//
// Times are RFC 3339 in UTC. Ids, indexes, pages and seqs are JSON numbers. Durations are strings as Go spells them
// ("30s", "24h"). A reader must accept fields that it does not know: fields are only ever added.
package api

import "time"

// The headers of every answer: where in the log the answer stands, and which member gave it.
const (
	HeaderIndex  = "Printq-Index"
	HeaderTerm   = "Printq-Term"
	HeaderMember = "Printq-Member"
	// HeaderRepeated is "true" on the answer to a submit whose key had been used for the same request before.
	HeaderRepeated = "Printq-Repeated"
	// HeaderKey is the request header that makes a submit safe to send again.
	HeaderKey = "Idempotency-Key"
)

// The media types that are not application/json.
const (
	TypeProblem = "application/problem+json"
	TypeNDJSON  = "application/x-ndjson"
	TypeSSE     = "text/event-stream"
)

// A Job as it stands after the entry that the answer's headers name.
type Job struct {
	ID      uint64 `json:"id"`
	Printer string `json:"printer"`
	// pending, held, processing, stopped, completed, canceled or aborted.
	State string `json:"state"`
	// Why it is held, stopped or aborted, as a keyword such as in-doubt; empty where there is nothing to say.
	Reason string `json:"reason,omitempty"`
	// What it waits for, as a sentence for people; empty while it prints and when it has ended.
	Waits  string `json:"waits,omitempty"`
	Name   string `json:"name"`
	User   string `json:"user"`
	Format string `json:"format"`
	Bytes  uint64 `json:"bytes"`
	// Lower-case hex; empty: the document has not come.
	SHA256 string `json:"sha256"`
	// Pages of one copy; 0: not known.
	Pages uint32 `json:"pages"`
	// Units of one copy: pages where pages stand alone, else 1.
	Units uint32 `json:"units"`
	// Units that are out, over all copies, in the attempt that counts.
	Printed  uint32 `json:"printed"`
	Copies   uint32 `json:"copies"`
	Priority uint32 `json:"priority"`
	// The job that this one reprints.
	Of uint64 `json:"of,omitempty"`
	// The job that this one may be once more: its client may not have got our answer. It is held until a person says.
	DuplicateOf uint64    `json:"duplicate_of,omitempty"`
	Submitted   Submitted `json:"submitted"`
	// How long it may wait to start; empty: the printer's setting.
	TTL string `json:"ttl,omitempty"`
	// The wishes it was submitted with, by the names in JobOptions.
	Options map[string]string `json:"options,omitempty"`
	// The units that nobody can know of, until a person resolves it. On a job that went on without a person, as its printer's settings
	// say, they may be doubled or missing.
	InDoubt  *Doubt    `json:"in_doubt,omitempty"`
	Attempts []Attempt `json:"attempts"`
	// What it becomes when its attempt has stopped: cancel, hold or move (to the printer MoveTo).
	Stopping string `json:"stopping,omitempty"`
	MoveTo   string `json:"move_to,omitempty"`
	// Its first attempt, and its end.
	Began time.Time `json:"began,omitzero"`
	Ended time.Time `json:"ended,omitzero"`
	// The document has been let go: it cannot be fetched or printed again.
	DocumentGone bool `json:"document_gone,omitempty"`
	// Index of the entry that last changed it: what a long poll waits to be passed.
	Changed uint64 `json:"changed"`
}

// Ended reports whether a job state is final.
func Ended(state string) bool {
	return state == "completed" || state == "canceled" || state == "aborted"
}

// Submitted says where in the log a job was made, and when.
type Submitted struct {
	Index uint64    `json:"index"`
	Term  uint64    `json:"term"`
	Time  time.Time `json:"time"`
}

// A Doubt is a range of units of one copy, both ends included.
type Doubt struct {
	Copy uint32 `json:"copy"`
	From uint32 `json:"from"`
	To   uint32 `json:"to"`
	// The last unit in doubt, over all copies.
	Last uint32 `json:"last,omitempty"`
	// What is known of how it came to this.
	Why string `json:"why,omitempty"`
}

// An Attempt is one printing of a job on one device.
type Attempt struct {
	// Term and log index of the claim under which it last went on.
	Token [2]uint64 `json:"token"`
	// Index of the entry that began it.
	Number uint64 `json:"number"`
	Device uint64 `json:"device"`
	From   uint32 `json:"from"`
	// Units out, over all copies.
	Printed uint32 `json:"printed"`
	// Empty while it goes on.
	Outcome string `json:"outcome"`
	// The device's own id of the job.
	Remote string `json:"remote,omitempty"`
}

// JobOptions are the wishes that a submit may have about the printing, as parameters of these names: IPP job template attributes (RFC 8011
// §5.2, PWG 5100.2, PWG 5100.13). A device that cannot heed one does not.
var JobOptions = []string{
	"finishings", "job-sheets", "media", "media-source", "media-type", "number-up", "orientation-requested", "output-bin", "page-ranges",
	"print-color-mode", "print-content-optimize", "print-quality", "print-rendering-intent", "print-scaling", "printer-resolution", "sides",
}

// Jobs is one page of a list, newest first.
type Jobs struct {
	Jobs []Job `json:"jobs"`
	// Give it as ?cursor= for the next page; empty: this was the last.
	Cursor string `json:"cursor,omitempty"`
}

// A BatchItem answers one document of a batch, in the order of the documents: Job where Status is 201, else Problem.
type BatchItem struct {
	Status  int      `json:"status"`
	Job     *Job     `json:"job,omitempty"`
	Problem *Problem `json:"problem,omitempty"`
}

// A LogLine is the part that every line of /v1/log has in common. Verify the chain over the line's bytes, not over this.
type LogLine struct {
	Seq     uint64    `json:"seq"`
	Index   uint64    `json:"index"`
	Term    uint64    `json:"term"`
	Time    time.Time `json:"time"`
	Type    string    `json:"type"`
	Printer string    `json:"printer,omitempty"`
	Job     uint64    `json:"job,omitempty"`
	Hash    string    `json:"hash"`
}

// A Bookmark is what an NDJSON log tail says in quiet times and at its end: every line up to Bookmark has been looked at,
// so that a reader goes on with ?from=Bookmark+1, whatever its filters let through.
type Bookmark struct {
	Bookmark uint64 `json:"bookmark"`
}

// A TailEnd is the last line of an NDJSON log tail that ends for a reason of the server's.
type TailEnd struct {
	Problem Problem `json:"problem"`
}
