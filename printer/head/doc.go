// Package head is a print head: the fence (rule R8) beside a printer that has none. A small machine at the printer runs a [Server]; the
// cluster's members talk to it through a [Device], which is fenced like a tray.
//
// The head alone drives its printer. It keeps its mark in a store that is synced before each step that cannot be taken back, and so
// knows, whenever it is killed, one of three things about a unit: it was never begun, it is out, or it was begun and nobody can say.
// The last is in the mark (Mark.Unclear): the head refuses to go on with the attempt, and the log names the unit as in doubt. Where the
// printer counts its pages, its counter decides if it did not move.
//
// The protocol is JSON over HTTPS, one request at a time:
//
//	POST /v1/open    Open    → State        raises the fence, answers the mark
//	POST /v1/print   Unit in the header Printq-Unit, the unit's bytes as the body → 204
//	POST /v1/close   Close   → State
//	GET  /v1/status  → Status               for people and for scripts
//
// Every request carries the head's secret (Authorization: Bearer). An error is a [Problem]. A unit's bytes are taken whole before the
// first goes to the printer: a connection that breaks tears no page. A unit that takes longer than [Patience] goes on without
// its request; the same request again waits for it.
//
// The head's certificate is its own. Its identity is the SHA-256 of its public key: the log records it at the first resume, and
// another one stops the printer until it is adopted.
package head

import (
	"errors"
	"fmt"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// Limits.
const (
	// Patience is how long a request waits for the printer before it is answered with what the printer waits for.
	Patience = 5 * time.Second
	// MaxUnit is the most bytes of a unit. They lie in the data directory until the unit is out.
	MaxUnit = 4 << 30
	maxJSON = 64 << 10
)

// Token is a claim's, [term, index].
type Token [2]uint64

func tokenOf(t queue.Token) Token { return Token{t.Term, t.Index} }

func (t Token) queue() queue.Token { return queue.Token{Term: t[0], Index: t[1]} }

// Open is the body of /v1/open.
type Open struct {
	Token   Token  `json:"token"`
	Cluster string `json:"cluster"`
	Adopt   bool   `json:"adopt,omitempty"`
}

// Close is the body of /v1/close.
type Close struct {
	Token   Token  `json:"token"`
	Epoch   string `json:"epoch"`
	Attempt uint64 `json:"attempt"`
}

// Unit is the header Printq-Unit of /v1/print, as JSON.
type Unit struct {
	Token   Token  `json:"token"`
	Epoch   string `json:"epoch"`
	Attempt uint64 `json:"attempt"`
	Job     uint64 `json:"job"`
	Copy    int    `json:"copy"`
	Page    int    `json:"page"`
	PerCopy int    `json:"per_copy"`
	First   bool   `json:"first,omitempty"`
	Last    bool   `json:"last,omitempty"`
	Format  string `json:"format,omitempty"`
	Size    int64  `json:"size"`
}

// Mark is what the head remembers of the paper.
type Mark struct {
	Attempt uint64 `json:"attempt"`
	Copy    int    `json:"copy"`
	Page    int    `json:"page"`
	Closed  bool   `json:"closed"`
	// The unit after it was begun, and nobody can say whether it came out.
	Unclear bool `json:"unclear,omitempty"`
}

// State answers an open and a close.
type State struct {
	Mark    Mark     `json:"mark"`
	Epoch   string   `json:"epoch"`
	Cluster string   `json:"cluster"`
	About   string   `json:"about,omitempty"`
	Formats []string `json:"formats,omitempty"`
}

// Status is for people.
type Status struct {
	Version  string `json:"version"`
	Identity string `json:"identity"`
	Device   string `json:"device"`
	State
	Token Token `json:"token"`
	// What the printer waits for; empty: nothing.
	Reason string `json:"reason,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// A Problem is an error's answer. Kind is stale, refused, waits or failed.
type Problem struct {
	Kind   string `json:"kind"`
	Reason string `json:"reason,omitempty"` // waits: a printer-state-reasons keyword
	Detail string `json:"detail"`
}

// problemOf and errorOf are each other's reverse, as far as a driver tells errors apart.
func problemOf(err error) (status int, p Problem) {
	var trouble *device.Trouble
	switch p.Detail = err.Error(); {
	case errors.Is(err, device.ErrStale):
		p.Kind = "stale"
		return 409, p
	case errors.Is(err, device.ErrRefused):
		p.Kind = "refused"
		return 409, p
	case errors.As(err, &trouble):
		p.Kind, p.Reason = "waits", trouble.Reason
		return 503, p
	}
	p.Kind = "failed"
	return 500, p
}

func errorOf(p Problem) error {
	switch p.Kind {
	case "stale":
		return fmt.Errorf("%w: the head says: %s", device.ErrStale, p.Detail)
	case "refused":
		return fmt.Errorf("%w: the head says: %s", device.ErrRefused, p.Detail)
	case "waits":
		return &device.Trouble{Reason: p.Reason, Detail: p.Detail}
	}
	return fmt.Errorf("the head says: %s", p.Detail)
}

func markOf(m device.Mark) Mark {
	return Mark{Attempt: m.Attempt, Copy: m.Copy, Page: m.Page, Closed: m.Closed, Unclear: m.Unclear}
}

func (m Mark) device() device.Mark {
	return device.Mark{Attempt: m.Attempt, Copy: m.Copy, Page: m.Page, Closed: m.Closed, Unclear: m.Unclear}
}
