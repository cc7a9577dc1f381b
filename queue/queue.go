// Package queue is printq's state machine: what the log's entries mean.
//
// It is pure. [State.Apply] takes the next committed entry and changes the state by nothing but that entry: no clock, no
// randomness, no I/O, no goroutine, and no map order in anything it returns. Two members that applied the same entries
// hold equal state, byte for byte, and wrote equal lines. Time arrives inside entries.
//
// The caller's duties:
//
//  1. Apply every committed entry, in order, once, also empty ones and those of raft's own (with no data): the first entry
//     of a term revokes every claim (R2).
//  2. Drain now and then, and write the changes in one transaction together with the index and term of the last applied
//     entry. What was drained and not yet written must be found by the View.
//  3. Call from one goroutine. What is returned is the caller's: values and fresh slices, never pointers into the state.
package queue

import (
	"errors"
	"time"

	"printq/queue/queuepb"
)

// An Entry is one committed entry of the log.
type Entry struct {
	Index uint64
	Term  uint64
	// Data is as [Pack] made it; empty for the entries of raft's own. It is not kept.
	Data []byte
}

// A View reads the records that the state does not hold in memory (finished jobs and the keys of finished jobs), as they
// were drained so far, whether written or not. It returns nil where there is no record. What it returns is only read.
type View interface {
	Get(bucket Bucket, key []byte) ([]byte, error)
}

// A Bucket is one of the tables that the records lie in. The values are stored: they never change their meaning.
type Bucket string

// The buckets, their keys and records.
const (
	Live     Bucket = "live"     // job id, 8 bytes big-endian → queuepb.Job that has not ended
	Finished Bucket = "finished" // job id, 8 bytes big-endian → queuepb.Job that has
	Keys     Bucket = "keys"     // idempotency key → queuepb.Key
	Printers Bucket = "printers" // name → queuepb.Printer
	Devices  Bucket = "devices"  // device id, 8 bytes big-endian → queuepb.Device
	Uploads  Bucket = "uploads"  // upload id → queuepb.Upload
	Sessions Bucket = "sessions" // session, 8 bytes big-endian → queuepb.Session
	Members  Bucket = "members"  // member id, 8 bytes big-endian → queuepb.Member
	Times    Bucket = "times"    // printer's name → queuepb.PrinterTimes
	Unseen   Bucket = "unseen"   // job id, 8 bytes big-endian → queuepb.Unseen
	// Subscription id, 8 bytes big-endian → queuepb.Subscription.
	Subscriptions Bucket = "subscriptions"
	Meta          Bucket = "meta"  // "meta" → queuepb.Meta
	Lines         Bucket = "lines" // seq, 8 bytes big-endian → the line (written by the caller from Result.Lines)
)

// Buckets lists all of them.
var Buckets = []Bucket{Live, Finished, Keys, Printers, Devices, Uploads, Sessions, Members, Times, Unseen, Subscriptions, Meta, Lines}

// A Change is one record to write, or, with a nil Value, to delete.
type Change struct {
	Bucket Bucket
	Key    []byte
	Value  []byte
}

// A Line is one line of the committed job log, without its newline.
type Line struct {
	Seq  uint64
	JSON []byte
	// What it is about, for filters; Job 0 and Printer "" where it is about neither.
	Job     uint64
	Printer string
}

// A Result is what one entry did, beside changing the state.
type Result struct {
	// One per command that carried a session, in order.
	Outcomes []Outcome
	Lines    []Line
	// Devices whose Drive may differ from before, ascending.
	Devices []uint64
	// Jobs that changed, ascending.
	Jobs []uint64
	// Documents that this entry brought (or a reprint shares) and ones that nobody needs any longer: counted per entry.
	// A release takes effect only once the changes drained after it are durable.
	Retain, Release []Extent
	// Checkpoint is set where the entry held one.
	Checkpoint *Checkpoint
}

// An Outcome answers the member that asked for a command.
type Outcome struct {
	Session, Seq uint64
	// The job made or acted on; 0 where it is about none.
	Job uint64
	// The subscription made; 0: none.
	Subscription uint64
	// Repeated: the request had been carried out before; Job is that one's.
	Repeated bool
	// nil, or one of this package's errors, wrapped with the reason.
	Err error
}

// An Extent is a piece of a document: Length bytes at Offset of the data of the entry at Index.
type Extent struct {
	Index          uint64
	Offset, Length uint32
}

// A Checkpoint is what members compare: equal index, equal chain and digest.
type Checkpoint struct {
	Index  uint64
	Chain  [32]byte
	Digest uint64
}

// The reasons for which a command has no effect. Each is wrapped with what was asked and what to do.
var (
	// ErrNoJob: no such job, or it has left by retention.
	ErrNoJob = errors.New("no such job")
	// ErrNoPrinter: no such printer.
	ErrNoPrinter = errors.New("no such printer")
	// ErrState: the job's or printer's state forbids it.
	ErrState = errors.New("the state forbids it")
	// ErrKeyReused: the idempotency key stands for another request.
	ErrKeyReused = errors.New("idempotency key was used for another request")
	// ErrNoUpload: chunks are missing: the upload expired, or was never whole.
	ErrNoUpload = errors.New("the upload is not whole")
	// ErrInvalid: the command itself is not well formed.
	ErrInvalid = errors.New("invalid command")
	// ErrVoid: a decision whose tag, token or attempt is not the live one (R1, R5).
	ErrVoid = errors.New("void")
	// ErrNotAccepting: the printer takes no new jobs.
	ErrNotAccepting = errors.New("the printer does not accept jobs")
	// ErrLimit: there is as much of that as may be.
	ErrLimit = errors.New("the limit is reached")
	// ErrNoSubscription: no such subscription, or its lease is over.
	ErrNoSubscription = errors.New("no such subscription")
	// ErrDocumentGone: the document was let go.
	ErrDocumentGone = errors.New("the document is no longer kept")
)

// A Token is a claim's name: the term, and the log index of the claim. Tokens are ordered by term, then index; the zero
// Token is none.
type Token struct {
	Term, Index uint64
}

// Less reports whether t was given before u.
func (t Token) Less(u Token) bool {
	return t.Term < u.Term || t.Term == u.Term && t.Index < u.Index
}

// A JobState is one of IPP's seven (RFC 8011 §5.3.7, with its numbers).
type JobState uint32

// The states.
const (
	Pending    JobState = 3
	Held       JobState = 4 // pending-held
	Processing JobState = 5
	Stopped    JobState = 6 // processing-stopped: bound to a device that cannot go on now
	Canceled   JobState = 7
	Aborted    JobState = 8
	Completed  JobState = 9
)

// String is the state as §8 of the design spells it: pending held processing stopped canceled aborted completed.
func (s JobState) String() string {
	switch s {
	case Pending:
		return "pending"
	case Held:
		return "held"
	case Processing:
		return "processing"
	case Stopped:
		return "stopped"
	case Canceled:
		return "canceled"
	case Aborted:
		return "aborted"
	case Completed:
		return "completed"
	}
	return "unknown"
}

// Ended reports whether the state is final.
func (s JobState) Ended() bool { return s >= Canceled && s <= Completed }

// A Drive is all that the driver of one device needs to know of the state: a value, taken after an entry.
type Drive struct {
	Device  uint64
	URI     string
	Printer string
	Cluster string
	// The live claim; zero: none in this term.
	Token Token
	// The claim's Resume has been applied.
	Resumed bool
	// What the device answered when it was first resumed; empty: never, or to be adopted anew.
	Identity, Epoch string
	Adopt           bool
	// The attempt to close at the device before anything else; 0: none.
	Closing uint64
	// The reason last reported, or for which the device was stopped.
	Reason, Detail string
	// The device answered with another identity or cluster: a claim is not resumed before Adopt.
	Stopped bool
	// Removed: the device is gone from the configuration. Nothing is to be done with it any more.
	Removed bool
	// What the device can say about what came out; known once it is Resumed.
	Class Class
	// Others: the printer has more devices, which could take a job that this one cannot begin.
	Others bool
	Work   *Work
	// Next is the job whose turn came next when this was said, if no other device can take it. Its Attempt is 0: it may never
	// have one.
	Next *Work
}

// Work is the job that a device is bound to.
type Work struct {
	Job     uint64
	Attempt uint64
	// Units per copy, and copies: the attempt is out when Printed reaches Units*Copies.
	Units, Copies int
	Printed       int
	// Pages of a copy; 0: not known.
	Pages   int
	Options map[string]string
	// On a device without a fence: units that were announced, and that are known to be taken whole, over all copies; pages of
	// the unit after Printed that are out; the device's own id of the job.
	Intended, Sent, PagesOut int
	Remote                   string
	// Close the attempt at the device and say Done{stopped} (R9).
	Stopping bool
	// Units before the attempt's first: it begins with unit Start+1 (a resolved job goes on in the middle). Printed, and the
	// copy and page of a mark, count from the beginning of the job all the same: unit = (copy-1)*Units + page.
	Start    int
	Name     string
	User     string
	Format   string
	Bytes    int64
	SHA256   [32]byte
	Document []Extent
}

// Settings of a printer, with the defaults filled in.
type Settings struct {
	Devices   []string
	InDoubt   string
	Pool      string
	TTL       time.Duration
	Keep      time.Duration
	Retention time.Duration
	// What its devices can do, as whoever set it up says: values that commas part, by the name of a job template attribute.
	Offers map[string]string
}

// Limits and defaults of the state machine. They are part of its meaning: changing one needs a new cluster version.
const (
	MaxInline       = 256 << 10 // bytes of a document that travels inside its submit, and of a chunk
	MaxChunks       = 1 << 14   // chunks of one upload: 4 GiB
	MaxCopies       = 9999
	MaxText         = 1023 // bytes of a name, user, reason or format (IPP's longest: RFC 8011 §5.1)
	MaxKey          = 255
	DefaultPriority = 50
	DefaultKeep     = time.Hour
	DefaultRetain   = 24 * time.Hour
	KeyRetain       = 24 * time.Hour
	UploadIdle      = 10 * time.Minute
	MaxFinished     = 100_000
	MaxKeys         = 1_000_000

	MaxPrinterName = 127            // bytes
	MaxDevices     = 64             // devices of one printer
	MaxUploads     = 4096           // open uploads
	MaxUploadID    = 64             // bytes of an upload's id
	MaxAnswers     = 1 << 16        // answers kept for one session
	MaxSessions    = 4              // sessions kept of one member
	MaxAttempts    = 100            // attempts kept in a job's record, the newest
	SessionIdle    = 24 * time.Hour // after which a session is forgotten
	MaxOptions     = 32             // options of one job
	MaxFormats     = 128            // formats that a device says it takes
	MaxCapability  = 64 << 10       // bytes of a device's IPP attributes

	OpenIdle         = 5 * time.Minute // for which a job waits for its document, or for the next piece of it
	MaxOpen          = 8192            // jobs that wait for their documents
	MaxParts         = 100             // further documents of one job
	MaxRanges        = 255             // bytes that name pages
	MaxUnseenFor     = time.Hour
	MaxUnseen        = 1 << 16 // answers that clients may not have got
	MaxSeen          = 1024    // jobs in one Seen
	MaxSubscriptions = 1000
	MaxEvents        = 32 // of one subscription
	MaxEvent         = 63 // bytes of an event's name, of a subscription's user data and language
	DefaultLease     = 24 * time.Hour
	MaxLease         = 7 * 24 * time.Hour
	EventLife        = 5 * time.Minute // for which a job's subscriptions outlive it
)

// Version is the cluster version this code can act by.
const Version = 1

// Job and Printer are the records, as read.
type (
	Job     = queuepb.Job
	Printer = queuepb.Printer
	Device  = queuepb.Device
	Member  = queuepb.Member

	Subscription = queuepb.Subscription
)
