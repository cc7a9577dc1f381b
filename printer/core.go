package printer

import (
	"context"
	"errors"
	"math/rand/v2"
	"syscall"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// The reasons that a Core reports: printer-state-reasons keywords (RFC 8011 §5.4.12), and one of our own.
const (
	reasonConnecting = "connecting-to-device"
	reasonFull       = "spool-area-full"
	reasonTimedOut   = "timed-out"
	reasonOther      = "other"
	reasonMember     = "waiting-for-member"
)

// Why an attempt cannot go on, as Done.failure.
const (
	failureDamaged = "document-damaged"
	failureFormat  = "document-format-error"
)

const (
	firstRetry   = 100 * time.Millisecond // after an operation failed; doubles
	lastRetry    = 30 * time.Second
	firstPropose = time.Second // after a decision showed no effect; doubles to lastRetry
	silence      = 30 * time.Second
)

// A Core decides what the driver of one device does next. It does no I/O, reads no clock and starts no goroutine: it is told what
// happened (Lead, Change, Revoke, Drain, Result), and then Step says what is to be done. The caller's duties:
//
//  1. Call Step after each of them, and at Todo.Wake; from one goroutine.
//  2. Run every Operation that Step returns, and give its Result, always, even long after the leadership was lost: there is no second one
//     before. Its context ends with the leadership.
//  3. Before an operation that prints, ask whether this member still leads in the operation's term; if not, answer ErrNotLeader.
//  4. Propose every decision that Step returns. It may be lost.
type Core struct {
	member uint64
	random *rand.Rand

	term  uint64
	reign uint64 // counts the Leads
	leads bool
	drain bool
	busy  bool // so many other devices print that nothing is gained by preparing
	drive queue.Drive
	only  uint64 // the member that reaches the device, as its URI says; 0: any

	session  session
	before   *before // of the claim before this one, if it was ours in this reign and broke
	op       *Operation
	sequence uint64 // of operations
	// retry is when an operation that failed may be tried again, reclaim when a refused session may be claimed anew.
	retry, reclaim backoff
	trouble        trouble
	renewed        bool // the log's reason is that of an earlier URI
	proposals      [decisions]proposal

	stats Stats
}

// A session is what the device answered to one token.
type session struct {
	token queue.Token
	state device.State
	// adopt: the device was opened to be adopted.
	adopt bool
	// broken: the device refused something. Only a new token helps.
	broken bool
	// What the device acknowledged last, and closed last, under this token.
	acked, closed progress
	failed        failure
	// unclear is the attempt that was cut off, or whose closing leaves a unit in doubt.
	unclear uint64
	// prepared is the job whose first unit it was given ahead.
	prepared uint64
	// Of a stream: what it took whole, and the attempt that it is ready for.
	taken progress
	ready readiness
	// Of a spooler: the job that it made, and how it ended.
	made  made
	ended ended
}

// A before is what is known of an attempt from a claim that broke: it outlives the claim, since nobody else drove the device.
type before struct {
	token   queue.Token
	attempt uint64
	units   int
	sent    int  // units that the device took whole, and has not lost since
	clear   bool // nothing after units was begun
}

type readiness struct {
	attempt     uint64
	base, pages int // units out then, and pages of the one after
	device.Readiness
}

type made struct {
	attempt uint64
	id      string
}

type ended struct {
	attempt uint64
	device.Outcome
}

type progress struct {
	attempt uint64
	units   int
}

type failure struct {
	attempt uint64
	reason  string
}

type trouble struct{ reason, detail string }

type backoff struct {
	count int
	until time.Time
}

// ErrNotLeader is the result of an operation that was not run because this member does not lead in its term.
var ErrNotLeader = errors.New("this member does not lead")

// errUnits: the document does not have the units that the log says.
var errUnits = errors.New("document has other units than were counted")

// A Kind of operation.
type Kind uint8

// The kinds.
const (
	OpenDevice Kind = iota + 1
	PrintUnit
	CloseAttempt
	PrepareUnit // it has no error that matters
	// Of a device without a fence.
	ReadyDevice
	SendWindow
	CreateJob
	FollowJob
	CancelJob
)

// paged: the operation brings one unit to the device, and ends.
func (k Kind) paged() bool { return k == PrintUnit || k == PrepareUnit }

// waits: the operation tells by itself what it waits for.
func (k Kind) waits() bool { return k == SendWindow || k == FollowJob }

// An Operation is one request to the device.
type Operation struct {
	ID      uint64
	Kind    Kind
	Term    uint64
	Token   queue.Token
	Opening device.Opening // OpenDevice
	Closing device.Closing // CloseAttempt
	// PrintUnit, PrepareUnit: all of the unit but Ext, Size and Body, which are those of the Number-th unit of Work's document.
	Unit   device.Unit
	Number int // within a copy, from 1
	Work   *queue.Work
	// SendWindow: units after From, up to To; Pages of the first are out.
	From, To, Pages int
	Remote          string // FollowJob, CancelJob
	Taken           bool   // FollowJob: the log knows that the device has the whole document
	Spelled         bool   // of a spooler: it is given every copy's units, since it makes none by itself
	Cluster         string

	// What the shell hears from a device while the operation runs, and how it stops it.
	told  func(device.Sent)
	waits func(reason, detail string)
	stop  chan struct{}

	stopped bool // Todo.Stop was said

	started time.Time
	// reign is the Lead under which it began: a result of an earlier one says nothing about this one, even in the same term.
	reign uint64
}

// A Result answers an operation.
type Result struct {
	ID      uint64
	State   device.State     // OpenDevice
	Mark    device.Mark      // CloseAttempt
	Ready   device.Readiness // ReadyDevice
	Sent    device.Sent      // SendWindow
	Remote  string           // CreateJob
	Outcome device.Outcome   // FollowJob, CancelJob
	Err     error
}

// NewCore is the Core of one device at that member. The seed is of the jitter between retries.
func NewCore(member, seed uint64) *Core {
	return &Core{member: member, random: rand.New(rand.NewPCG(member, seed))}
}

// Lead says that this member leads in that term, its own entry is applied, and the device's state is d. Everything known from before is
// forgotten.
func (c *Core) Lead(term uint64, d queue.Drive) {
	c.reset()
	c.reign++
	c.term, c.leads = term, true
	c.set(d)
}

// Change says that the device's state is d after another entry.
func (c *Core) Change(d queue.Drive) {
	if d.URI != c.drive.URI {
		if d.Class != queue.Fenced && c.session.token == d.Token {
			c.session.broken = true // the device is made anew, and knows nothing of what was learned when it was opened
		}
		// Somebody sees to it: it is tried at once, and is not known to be well before.
		c.retry, c.reclaim, c.trouble, c.renewed = backoff{count: min(c.retry.count, 1)}, backoff{}, trouble{}, true
	}
	c.set(d)
}

func (c *Core) set(d queue.Drive) {
	if d.URI != c.drive.URI {
		c.only = Member(d.URI)
	}
	c.drive = d
}

// Revoke says that the leadership is lost.
func (c *Core) Revoke() { c.reset() }

func (c *Core) reset() {
	c.leads, c.drain, c.renewed = false, false, false
	c.session, c.before, c.retry, c.reclaim, c.trouble = session{}, nil, backoff{}, backoff{}, trouble{}
	c.proposals = [decisions]proposal{}
}

// Drain says that nothing new is to be begun: what is under way is recorded. The next Lead ends it.
func (c *Core) Drain() { c.drain = true }

// Quiet reports whether nothing is under way and all that the device acknowledged is recorded.
func (c *Core) Quiet() bool {
	if c.op != nil || c.owed() {
		return false
	}
	w := c.drive.Work
	return !c.leads || w == nil || c.have() <= w.Printed && !c.out() && c.session.closed.attempt != w.Attempt
}

// Stats of this device.
func (c *Core) Stats() Stats { return c.stats }

// have is how many units of the attempt are known to be out.
func (c *Core) have() int {
	w := c.drive.Work
	if c.session.acked.attempt == w.Attempt {
		return max(w.Printed, c.session.acked.units)
	}
	return w.Printed
}

// out: the attempt is all out.
func (c *Core) out() bool { return c.have() >= c.drive.Work.Units*c.drive.Work.Copies }

// Result says what came of an operation. One of an earlier leadership or token changes nothing.
func (c *Core) Result(now time.Time, r Result) {
	if c.op == nil || c.op.ID != r.ID {
		return
	}
	op := c.op
	c.op = nil
	c.count(op, r.Err)
	if !c.leads || op.reign != c.reign || op.Token != c.drive.Token {
		return
	}
	if op.Kind == PrepareUnit {
		c.session.prepared = op.Work.Job // or not
		return
	}
	if op.Kind == SendWindow {
		c.told(op, r.Sent) // also of a window that ended in an error: units before it are out
	}
	switch {
	case r.Err == nil:
		c.succeeded(now, op, r)
	case op.Kind == SendWindow && !untouched(r.Err):
		c.breakOff(now, op, r, false)
	case op.Kind == SendWindow && !errors.Is(r.Err, ErrDocumentDamaged) && !errors.Is(r.Err, errUnits) && !errors.Is(r.Err, device.ErrFormat):
		c.breakOff(now, op, r, true)
	case errors.Is(r.Err, device.ErrStale), errors.Is(r.Err, device.ErrRefused), errors.Is(r.Err, errClass):
		c.session.token, c.session.broken = op.Token, true
		c.delay(&c.reclaim, now)
	case errors.Is(r.Err, ErrNotLeader), errors.Is(r.Err, context.Canceled):
		c.reset() // the next Lead begins anew
	case op.Work != nil && op.Kind != CancelJob && errors.Is(r.Err, ErrDocumentDamaged):
		c.session.failed = failure{op.Work.Attempt, failureDamaged}
	case op.Work != nil && op.Kind != CancelJob && (errors.Is(r.Err, errUnits) || errors.Is(r.Err, device.ErrFormat)):
		c.session.failed = failure{op.Work.Attempt, failureFormat}
	default:
		c.session.ready = readiness{}
		c.delay(&c.retry, now)
		c.worry(reasonOf(r.Err), r.Err.Error())
	}
}

func (c *Core) succeeded(now time.Time, op *Operation, r Result) {
	c.retry = backoff{}
	if queue.Blocking(c.trouble.reason) { // what does not block, the device takes back by itself
		c.trouble = trouble{}
	}
	switch op.Kind {
	case OpenDevice:
		c.session = session{token: op.Token, state: r.State, adopt: op.Opening.Adopt}
	case PrintUnit:
		c.reclaim = backoff{}
		c.session.acked = progress{op.Unit.Attempt, (op.Unit.Copy-1)*op.Work.Units + op.Unit.Page}
	case CloseAttempt:
		c.reclaim = backoff{}
		c.session.closed = progress{attempt: op.Closing.Attempt}
		if op.Work != nil && r.Mark.Attempt == op.Closing.Attempt {
			c.session.closed.units = r.Mark.Units(op.Work.Units)
			if r.Mark.Unclear {
				c.session.unclear = op.Closing.Attempt
			}
		}
	case ReadyDevice:
		c.session.ready = readiness{op.Work.Attempt, op.From, op.Pages, r.Ready}
	case SendWindow:
		c.reclaim = backoff{}
		if r.Sent.Unclear {
			c.session.unclear = op.Work.Attempt
		}
	case CreateJob:
		c.session.made = made{op.Work.Attempt, r.Remote}
	case FollowJob, CancelJob:
		c.told(op, device.Sent{Out: min(r.Outcome.Out, op.Work.Units*op.Work.Copies)})
		if r.Outcome.End != device.Open {
			c.session.ended = ended{op.Work.Attempt, r.Outcome}
		}
		if r.Outcome.End == device.Untouched { // it will be begun anew, and may end so again
			c.delay(&c.reclaim, now)
		} else {
			c.reclaim = backoff{}
		}
	}
}

// breakOff ends a claim in the middle of a window. Nothing more is sent before a new one: what was announced under this one went to a
// connection that was made before, and an older leader's must not be mistaken for ours.
func (c *Core) breakOff(now time.Time, op *Operation, r Result, clear bool) {
	c.before = &before{token: op.Token, attempt: op.Work.Attempt, clear: clear}
	if c.drive.Work != nil && c.drive.Work.Attempt == op.Work.Attempt {
		c.before.units, c.before.sent = c.have(), c.session.taken.units
		if r.Sent.Broken {
			c.before.sent = c.before.units
		}
	}
	c.session.token, c.session.broken = op.Token, true
	c.delay(&c.reclaim, now)
	c.worry(reasonOf(r.Err), r.Err.Error())
}

// untouched: the error says that the device got nothing of a window.
func untouched(err error) bool {
	return errors.Is(err, device.ErrUnreachable) || errors.Is(err, device.ErrUsed) || errors.Is(err, device.ErrFormat) ||
		!errors.Is(err, device.ErrUnclear) && (errors.Is(err, ErrDocumentDamaged) || errors.Is(err, errUnits))
}

func (c *Core) count(op *Operation, err error) {
	s := &c.stats
	switch {
	case op.Kind == PrepareUnit: // it says nothing about the device
		return
	case err == nil:
		switch op.Kind {
		case OpenDevice:
			s.Opens++
		case PrintUnit:
			s.Units++
		case CloseAttempt:
			s.Closes++
		case SendWindow:
			s.Units += uint64(max(0, op.To-op.From))
		case FollowJob:
			s.Units++
		}
		s.LastError = ""
		return
	case errors.Is(err, ErrNotLeader), errors.Is(err, context.Canceled):
		s.Abandoned++
		return
	case errors.Is(err, device.ErrStale), errors.Is(err, device.ErrRefused):
		s.Refusals++
	default:
		s.Errors++
	}
	s.LastError = err.Error()
}

// delay doubles a backoff. A fifth of it is jitter.
func (c *Core) delay(b *backoff, now time.Time) {
	d := doubled(firstRetry, b.count)
	b.count++
	b.until = now.Add(d - time.Duration(c.random.Int64N(int64(d)/5)))
}

func doubled(d time.Duration, times int) time.Duration {
	return min(d<<min(times, 10), lastRetry)
}

// worry takes up a reason to report. As long as it stays, so does the detail, which would only make noise.
func (c *Core) worry(reason, detail string) {
	if c.trouble.reason != reason {
		c.trouble = trouble{reason, detail}
	}
}

func reasonOf(err error) string {
	var trouble *device.Trouble
	switch {
	case errors.As(err, &trouble) && trouble.Reason != "":
		return trouble.Reason
	case errors.Is(err, device.ErrUsed):
		return reasonConnecting
	case !errors.Is(err, device.ErrUnreachable):
		return reasonOther
	case errors.Is(err, syscall.ENOSPC):
		return reasonFull
	}
	return reasonConnecting
}
