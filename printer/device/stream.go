package device

import (
	"context"
	"fmt"
	"io"

	"printq/queue"
)

// A Job is what a device without a fence is told of a job.
type Job struct {
	Cluster     string
	ID, Attempt uint64
	// As the client named them; both may be empty.
	Name, User string
	Format     string
	Options    map[string]string // IPP job template attributes by name (RFC 8011 §5.2)
	// Units per copy; Copies; Pages per copy, 0: not known.
	Units, Copies, Pages int
	// Units before the attempt's first, over all copies.
	Start int
	Bytes int64
}

// Total is the number of units over all copies.
func (j Job) Total() int { return j.Units * j.Copies }

// Title is the job's name at a device that keeps a list: nobody else's job has it, nor another attempt.
func (j Job) Title() string { return fmt.Sprintf("printq/%s/%d/%d", j.Cluster, j.ID, j.Attempt) }

// A Stream is a device that takes bytes and prints them: counted or blind.
type Stream interface {
	Device
	// Ready connects for a job, and makes sure that the device would take it now. Nothing of the job is sent. The driver
	// asks before the first Intent of an attempt under a claim. ErrUnreachable, ErrUsed, ErrFormat.
	Ready(context.Context, Job) (Readiness, error)
	// Send prints units in order, over the connection that Ready made, and never makes another: whoever opens the device after
	// us waits until that one is over, and may then rely on the log. Where it returns nil, either all are out or Stop was closed
	// before. ErrUnreachable says that nothing of the window was sent; the driver claims anew after any error.
	Send(context.Context, Window) (Sent, error)
}

// Readiness is what a device answers before a job.
type Readiness struct {
	Counts  bool
	Counter uint64
}

// A Window is units that were announced in the log: those after the first From of the attempt, up to To, over all copies.
type Window struct {
	Token queue.Token
	Job   Job
	// From is Job.Start on the first window of an attempt that is not a recovered one.
	From, To int
	// Pages of the unit after From that are out already, and are to run without being printed. Only where State.Skips.
	Pages int
	// Next gives the next unit. Each must be read to its end before the next. An error ends the window: that of
	// the first Next leaves the device untouched.
	Next func(context.Context) (Piece, error)
	// Told is called as the device takes and prints: never with less than before.
	Told func(Sent)
	// Waits is called when the device cannot go on for now, with a printer-state-reasons keyword (RFC 8011 §5.4.12) and a
	// sentence; with two empty strings when it goes on.
	Waits func(reason, detail string)
	// Stop is closed when no further unit is wanted. The unit at hand is finished, unless it is a whole document:
	// then it may be cut, and Sent.Unclear says so.
	Stop <-chan struct{}
}

// Last: the attempt ends with this window.
func (w *Window) Last() bool { return w.To == w.Job.Total() }

// A Piece is the bytes of one unit.
type Piece struct {
	Size int64
	Body io.Reader
}

// Sent is how far a device has come in an attempt, in units over all copies.
type Sent struct {
	// Whole units whose every byte the device has acknowledged (for TCP: its network stack).
	Whole int
	// Out units are known to have come out. On a blind device that is as much as Whole: nothing better is known.
	Out int
	// Unclear: the unit after Out was begun and cut off.
	Unclear bool
	// Broken: the device ended the connection. What it had acknowledged and did not call out may be gone, as if it had never been sent. Only
	// in Send's answer.
	Broken bool
}

// A Spooler is a device that takes whole jobs and keeps a record of them.
type Spooler interface {
	Device
	// Create finds the job by its Title at the device, or makes it there. It prints nothing. The driver uses the id
	// once the log has it; jobs that were made and not used are nobody's, and print nothing.
	Create(context.Context, Job) (id string, err error)
	// Follow sends the document, if the device has it not yet, and waits until the job has ended there, or Stop is closed.
	// It may be asked any number of times for one id, by any member: the document is printed once.
	Follow(context.Context, Sheet) (Outcome, error)
	// Cancel ends the job at the device, and answers how it ended; one that had ended before stays so.
	Cancel(context.Context, Sheet) (Outcome, error)
}

// A Sheet is a job at a spooler.
type Sheet struct {
	Token queue.Token
	ID    string // as Create gave it
	Job   Job
	// Taken: the log knows that the device has the whole document, because Told once said that of every unit (Sent.Whole).
	Taken bool
	// Document gives the units after Job.Start as one document, with the copies that remain to be made of it. It is called
	// at most once.
	Document func(context.Context) (Piece, int, error)
	// Told and Waits as in Window.
	Told  func(Sent)
	Waits func(reason, detail string)
	Stop  <-chan struct{}
}

// An End is how a job ended at a spooler.
type End uint8

// The ends.
const (
	// Open: it has not ended; Stop was closed before.
	Open End = iota
	// Completed: all is out.
	Completed
	// Canceled at the device, by us or by somebody there.
	Canceled
	// Aborted by the device.
	Aborted
	// Untouched: it is over, and the device says that nothing of it came out. It may be begun anew.
	Untouched
	// Gone: the device does not know the job (any more).
	Gone
)

// An Outcome is how a job stands at a spooler.
type Outcome struct {
	End End
	// Out units came out; exactly that many where Known.
	Out   int
	Known bool
	// Why, in the device's words; empty: it did not say.
	Detail string
}
