// Package device is what the driver asks of a device: the contract between the two, and rule R8 as code ([Fence]).
//
// A device has the last word about what comes out (rule R7 of the design). It keeps a mark durably, and compares every request
// with it. The driver's duties:
//
//  1. Open with a token that is its live claim before anything else, and give the state that Open answered to the log.
//  2. One request at a time.
//  3. After an error, a request may or may not have had its effect. Where the device is fenced it may simply be made again.
package device

import (
	"context"
	"errors"
	"io"

	"printq/queue"
)

// The errors of a device. Each is wrapped with the reason; any other error is about the request itself (its body) or the
// context.
var (
	// ErrStale: a higher token has been opened. Only a newer claim helps.
	ErrStale = errors.New("stale token")
	// ErrRefused: the token was not opened, the epoch is another, or the attempt and unit are not what may come next.
	ErrRefused = errors.New("refused")
	// ErrUnreachable: the device cannot be talked to or cannot store what it must. Trying again later may help.
	ErrUnreachable = errors.New("device cannot be reached")
)

// A Device is one fenced device. Its methods honour their context, but what has begun to be recorded may be finished: they
// answer what is true.
type Device interface {
	// Open raises the fence to the token, drops a unit that was not finished, and answers what the device remembers. A device of
	// another cluster is not opened, unless it is to be adopted: the State says which cluster's it is, and every other
	// request will be refused.
	Open(context.Context, Opening) (State, error)
	// Print prints the unit, once: a unit at or before the mark of its attempt is acknowledged and not printed again. When it
	// returns nil the unit is out and durably in the mark.
	Print(context.Context, Unit) error
	// Close ends an attempt, also one that the device has not seen: no unit of it will be printed from now on. It answers
	// the mark.
	Close(context.Context, Closing) (Mark, error)
	// Release lets go of files and connections. The next request opens them again.
	Release() error
}

// An Opening is a request to open a token.
type Opening struct {
	Token   queue.Token
	Cluster string
	// Adopt: take the device over from another cluster.
	Adopt bool
}

// State is what a device remembers, and who it is.
type State struct {
	Mark     Mark
	Epoch    string
	Cluster  string
	Identity string
}

// A Mark is the unit that was finished last. The zero Mark is that of a device that has printed nothing: it is closed.
type Mark struct {
	Attempt    uint64
	Copy, Page int
	Closed     bool
}

// Units is how many units of the attempt are out, where a copy has that many units.
func (m Mark) Units(perCopy int) int {
	if m.Copy == 0 {
		return 0
	}
	return (m.Copy-1)*perCopy + m.Page
}

// A Unit is a request to print one unit.
type Unit struct {
	Token   queue.Token
	Epoch   string
	Attempt uint64
	Job     uint64
	// Copy and Page count from 1; a document whose pages do not stand alone is page 1.
	Copy, Page int
	// PerCopy is how many units a copy has.
	PerCopy int
	// First and Last unit of the attempt. The first may be any unit of a job that goes on in the middle.
	First, Last bool
	// Ext names the format, as the end of a file name.
	Ext  string
	Size int64
	Body io.Reader
}

// A Closing is a request to close an attempt.
type Closing struct {
	Token   queue.Token
	Epoch   string
	Attempt uint64
}
