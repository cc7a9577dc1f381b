// Package printer prints: it drives devices by what the log has decided.
//
// For each device there is a [Core] that decides what is to be done next, from the state's [queue.Drive] and from what the device
// answered. It is pure and can be stepped. The [Driver] is the shell around all of them: it runs their operations and hands
// their decisions to the [Log].
//
// The rules it keeps (§3 of the design):
//
//   - R6: it acts only on what its caller gives to Lead and Changed: entries applied live, while this member leads. Every operation's context
//     ends with the leadership, and before each unit it asks [Log.Leads] again.
//   - R7: every unit goes to the device with the token and the attempt, and the device has the last word. A refusal only makes the
//     driver claim anew.
//   - A decision may be lost without a word. What shows no effect is proposed again.
//
// The devices are in packages of their own; [Open] knows their URIs. Package pages knows where a document's units end.
package printer

import (
	"context"
	"errors"
	"io"

	"printq/queue"
	"printq/queue/queuepb"
)

// ErrDocumentDamaged: nobody has the document as it was submitted. The attempt cannot go on.
var ErrDocumentDamaged = errors.New("document is damaged")

// A Log is the driver's view of the log. Its methods are safe for concurrent use.
type Log interface {
	// Decide proposes a decision, in that term only: if this member leads in another term, or in none, it does nothing and
	// returns false. It never blocks, and what it accepted may still be lost.
	Decide(term uint64, decision *queuepb.Command) bool
	// Leads reports whether this member leads in that term, now.
	Leads(term uint64) bool
	// Document opens the document of a job, verified. An error that is ErrDocumentDamaged ends the attempt; after any other
	// it is asked again later.
	Document(context.Context, *queue.Work) (Document, error)
}

// A Document is a job's document. It is closed once, when no operation reads it any more. (An alias, so that who makes one need
// not import this package.)
type Document = interface {
	io.ReaderAt
	Size() int64
	Close() error
}
