// Package device is what the driver asks of a device: the contract between the two, and rule R8 as code ([Fence]).
//
// Devices differ in what they can say about the paper, and each is of one [queue.Class]. A [Fenced] one keeps a mark durably,
// compares every request with it, and so has the last word about what comes out (rule R7 of the design). A [Stream] takes bytes and
// knows no terms: it is counted where it can be asked how many pages it has ever printed, else blind. A [Spooler] takes a whole job
// and keeps a record of it that can be asked for. Which one a device is may show only when it is opened.
//
// The driver's duties:
//
//  1. Open with a token that is its live claim before anything else, and give the state that Open answered to the log.
//  2. One request at a time.
//  3. After an error, a request may or may not have had its effect. Where the device is fenced it may simply be made again. Elsewhere
//     only [ErrUnreachable] says that nothing of it had: after any other error the device must be opened under a new claim, and the
//     log says what is in doubt.
//  4. Nothing is sent to a Stream that was not announced in the log before (Intent), and no document to a Spooler before the log
//     knows the device's id of the job (Remote).
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
	// ErrUnreachable: the device cannot be talked to or cannot store what it must. Trying again later may help. From a device
	// without a fence it also says that nothing of the request has come out, or ever will.
	ErrUnreachable = errors.New("device cannot be reached")
	// ErrUnclear: the connection was lost, or the device stopped answering, with part of the request on its way.
	ErrUnclear = errors.New("the outcome is not clear")
	// ErrFormat: the device does not take the document's format, or found it broken.
	ErrFormat = errors.New("the device does not take the document")
	// ErrUsed: the device is fine, and at work for somebody else.
	ErrUsed = errors.New("the device is in use")
)

// A Trouble is an ErrUnreachable that says what the device waits for, as a printer-state-reasons keyword (RFC 8011 §5.4.12) and a
// sentence.
type Trouble struct{ Reason, Detail string }

func (t *Trouble) Error() string { return t.Detail }

// Unwrap makes a Trouble an ErrUnreachable.
func (t *Trouble) Unwrap() error { return ErrUnreachable }

// A Device is at least opened and let go. What else it does follows from State.Class: it is then a Fenced, a Stream or a Spooler.
// Its methods honour their context, but what has begun to be recorded may be finished: they answer what is true.
type Device interface {
	// Open makes sure that requests under older tokens are over, as far as the device can, and answers what the device
	// remembers. A fenced one raises its fence to the token, and drops a unit that was not finished; one of another cluster is not
	// opened, unless it is to be adopted: the State says which cluster's it is, and every other request will be refused. A
	// counted one has come to rest before it answers: what it was still printing is in its counter. It keeps no connection.
	Open(context.Context, Opening) (State, error)
	// Release lets go of files and connections. The next request opens them again.
	Release() error
}

// Fenced is a device with a mark.
type Fenced interface {
	Device
	// Print prints the unit, once: a unit at or before the mark of its attempt is acknowledged and not printed again. When it
	// returns nil the unit is out and durably in the mark.
	Print(context.Context, Unit) error
	// Close ends an attempt, also one that the device has not seen: no unit of it will be printed from now on. It answers
	// the mark.
	Close(context.Context, Closing) (Mark, error)
}

// A Preparer is a Fenced that can take a unit's bytes before it is known whether they will print.
type Preparer interface {
	Fenced
	// Prepare takes the first unit of a job that may print next; its Attempt is not known yet, and 0. Nothing comes out. It
	// may have been for nothing, and its error means nothing: Print does what is left to do.
	Prepare(context.Context, Unit) error
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
	Class queue.Class
	// Of a fenced device; a closed mark on others, which keep none.
	Mark    Mark
	Epoch   string
	Cluster string
	// Identity is what tells the device from any other, for ever; empty: it cannot say.
	Identity string
	// Counter is how many pages the device has ever printed; Counts says that it knows.
	Counts  bool
	Counter uint64
	// Prepares: it is a Preparer, and gains by it.
	Prepares bool
	// Skips: it can be given a document again without printing its first pages (Window.Pages).
	Skips bool
	// Window is how many units a Stream is given at once; 0: all of an attempt.
	Window int
	// Copies that the device makes of one document by itself, at most; 0: it is given every unit of every copy.
	Copies int
	// About says for people what the device is and how that was found out: one sentence, at most 1023 bytes.
	About string
	// Formats that it takes, as MIME types; empty: it does not say.
	Formats []string
	// Capabilities are its IPP printer attributes, encoded as RFC 8010 §3 has it: a response's whole message, at most 64 KiB;
	// nil: none.
	Capabilities []byte
}

// A Mark is the unit that was finished last. The zero Mark is that of a device that has printed nothing: it is closed.
type Mark struct {
	Attempt    uint64
	Copy, Page int
	Closed     bool
	// Unclear: the unit after it was begun, and nobody can say whether it came out.
	Unclear bool
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
	// Ext names the format, as the end of a file name; Format is its MIME type.
	Ext, Format string
	Size        int64
	Body        io.Reader
}

// A Closing is a request to close an attempt.
type Closing struct {
	Token   queue.Token
	Epoch   string
	Attempt uint64
}
