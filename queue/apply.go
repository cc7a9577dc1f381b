package queue

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"printq/queue/queuepb"
)

// A turn is the application of one entry.
type turn struct {
	*State
	entry   Entry
	view    View
	result  Result
	payload Extent // of the command at hand
	alone   bool   // the command at hand is the entry's only one
	made    uint64 // the subscription that it made

	consider []*printer // that may have a job for an idle device
	line     Line       // being built
	broken   error      // the view's
}

// Apply makes the state what it is after the entry e. An error is fatal to the member: the entry is not one that this
// version can read, or the view failed; the state must not be used any more.
func (s *State) Apply(e Entry, v View) (Result, error) {
	if e.Index <= s.index {
		return Result{}, fmt.Errorf("apply entry %d: %d was applied before", e.Index, s.index)
	}
	batch, offset := &queuepb.Batch{}, 0
	if len(e.Data) > 0 {
		var err error
		if batch, offset, err = s.unpacker.unpack(e.Data); err != nil {
			return Result{}, fmt.Errorf("apply entry %d: %w", e.Index, err)
		}
	}
	t := &turn{State: s, entry: e, view: v, alone: len(batch.Commands) == 1}
	s.stamp, s.text = s.stamp[:0], s.text[:0]
	t.index = e.Index
	t.time = max(t.time, batch.Time)
	if n := len(batch.Commands); n > 1 {
		t.result = Result{Outcomes: make([]Outcome, 0, n), Lines: make([]Line, 0, n), Jobs: make([]uint64, 0, n)}
	}
	if e.Term > t.term {
		t.revoke()
	}
	for _, c := range batch.Commands {
		t.payload = Extent{e.Index, uint32(offset), c.Payload}
		offset += int(c.Payload)
		t.command(c)
		if t.broken != nil {
			return Result{}, fmt.Errorf("apply entry %d: %w", e.Index, t.broken)
		}
	}
	t.choose()
	t.noteStates()
	slices.Sort(t.result.Devices)
	slices.Sort(t.result.Jobs)
	t.handOver()
	return t.result, nil
}

// command carries out one command, and answers whoever waits for it.
func (t *turn) command(c *queuepb.Command) {
	if c.Session == 0 {
		t.perform(c)
		return
	}
	out := Outcome{Session: c.Session, Seq: c.Seq}
	s := t.session(c)
	switch a, known := s.answers[c.Seq]; {
	case c.Seq < s.floor:
		out.Err = fmt.Errorf("%w: request %d was answered before", ErrVoid, c.Seq)
	case known:
		out.Job, out.Subscription, out.Err, out.Repeated = a.job, a.subscription, a.err(), true
	case len(s.answers) >= MaxAnswers:
		out.Err = fmt.Errorf("%w: %d requests of the session are not done with", ErrVoid, len(s.answers))
		t.voided(c, out.Err)
	default:
		t.made = 0
		out.Job, out.Repeated, out.Err = t.perform(c)
		out.Subscription = t.made
		if _, chunk := c.Body.(*queuepb.Command_Chunk); !chunk {
			s.answers[c.Seq] = answerOf(out)
		}
	}
	t.result.Outcomes = append(t.result.Outcomes, out)
}

// perform carries out one command: a fact in any term, a decision only in its own (R1).
func (t *turn) perform(c *queuepb.Command) (job uint64, repeated bool, err error) {
	switch b := c.Body.(type) {
	case *queuepb.Command_Submit:
		job, repeated, err = t.submit(b.Submit)
	case *queuepb.Command_Chunk:
		repeated, err = t.chunk(b.Chunk)
	case *queuepb.Command_Reprint:
		job, repeated, err = t.reprint(b.Reprint)
	case *queuepb.Command_Cancel:
		job, err = b.Cancel.Job, t.cancel(b.Cancel)
	case *queuepb.Command_Hold:
		job, err = b.Hold.Job, t.hold(b.Hold)
	case *queuepb.Command_Release:
		job, err = b.Release.Job, t.release(b.Release)
	case *queuepb.Command_Move:
		job, err = b.Move.Job, t.move(b.Move)
	case *queuepb.Command_Resolve:
		job, err = b.Resolve.Job, t.resolve(b.Resolve)
	case *queuepb.Command_SetPrinter:
		err = t.setPrinter(b.SetPrinter)
	case *queuepb.Command_RemovePrinter:
		err = t.removePrinter(b.RemovePrinter)
	case *queuepb.Command_PausePrinter:
		err = t.pause(b.PausePrinter.Name, true, b.PausePrinter.Cause)
	case *queuepb.Command_ResumePrinter:
		err = t.pause(b.ResumePrinter.Name, false, b.ResumePrinter.Cause)
	case *queuepb.Command_AdoptPrinter:
		err = t.adopt(b.AdoptPrinter)
	case *queuepb.Command_CreateJob:
		job, repeated, err = t.create(b.CreateJob)
	case *queuepb.Command_AttachDocument:
		job = b.AttachDocument.Job
		repeated, err = t.attach(b.AttachDocument)
	case *queuepb.Command_CloseJob:
		job, err = b.CloseJob.Job, t.closeJob(b.CloseJob)
	case *queuepb.Command_SetJob:
		job, err = b.SetJob.Job, t.setJob(b.SetJob)
	case *queuepb.Command_SetAccepting:
		err = t.setAccepting(b.SetAccepting)
	case *queuepb.Command_SetDefault:
		err = t.setDefault(b.SetDefault)
	case *queuepb.Command_DescribePrinter:
		err = t.describe(b.DescribePrinter)
	case *queuepb.Command_HoldNew:
		err = t.holdNew(b.HoldNew)
	case *queuepb.Command_Reorder:
		job, err = b.Reorder.Job, t.reorder(b.Reorder)
	case *queuepb.Command_Seen:
		err = t.seen(b.Seen)
	case *queuepb.Command_Subscribe:
		err = t.subscribe(b.Subscribe)
	case *queuepb.Command_Renew:
		err = t.renew(b.Renew)
	case *queuepb.Command_Unsubscribe:
		err = t.unsubscribe(b.Unsubscribe)
	case *queuepb.Command_SetMember:
		err = t.setMember(b.SetMember)
	default:
		if c.Term != t.entry.Term {
			err = fmt.Errorf("%w: tagged with term %d, committed in term %d", ErrVoid, c.Term, t.entry.Term)
			break
		}
		err = t.decide(c)
	}
	if errors.Is(err, ErrVoid) {
		t.voided(c, err)
	}
	return job, repeated, err
}

// decide carries out a decision of the entry's own term.
func (t *turn) decide(c *queuepb.Command) error {
	switch b := c.Body.(type) {
	case *queuepb.Command_Claim:
		return t.claim(b.Claim)
	case *queuepb.Command_Resume:
		return t.resume(b.Resume)
	case *queuepb.Command_Printed:
		return t.printed(b.Printed)
	case *queuepb.Command_Done:
		return t.done(b.Done)
	case *queuepb.Command_Closed:
		return t.closed(b.Closed)
	case *queuepb.Command_Report:
		return t.report(b.Report)
	case *queuepb.Command_Expire:
		return t.expire(b.Expire)
	case *queuepb.Command_Checkpoint:
		return t.checkpoint()
	case *queuepb.Command_RaiseVersion:
		return t.raise(b.RaiseVersion)
	case *queuepb.Command_Intent:
		return t.intent(b.Intent)
	case *queuepb.Command_Remote:
		return t.remote(b.Remote)
	case *queuepb.Command_Doubtful:
		return t.doubtful(b.Doubtful)
	case *queuepb.Command_Yield:
		return t.yield(b.Yield)
	}
	return fmt.Errorf("%w: the command is not known to version %d", ErrVoid, Version)
}

// voided writes down that a command had no effect.
func (t *turn) voided(c *queuepb.Command, why error) {
	t.void++
	what, printer, device := "unknown", "", uint64(0)
	m := c.ProtoReflect()
	if field := m.WhichOneof(m.Descriptor().Oneofs().ByName("body")); field != nil {
		what = string(field.Name())
		if b, ok := m.Get(field).Message().Interface().(interface{ GetDevice() uint64 }); ok {
			if device = b.GetDevice(); t.devices[device] != nil {
				printer = t.devices[device].printer.name
			}
		}
	}
	t.begin("void", printer, 0)
	t.str("what", what)
	t.str("why", strings.TrimPrefix(why.Error(), ErrVoid.Error()+": "))
	t.opt("device", device)
	t.end()
}

// changed notes that a job changed, for its record and for those who wait.
func (t *turn) changed(j *job) {
	if j.changed != t.entry.Index {
		j.changed = t.entry.Index
		t.result.Jobs = append(t.result.Jobs, j.id)
	}
	t.touch(j)
}

// driven notes that a device's Drive may differ from before.
func (t *turn) driven(d *device) {
	if d.changed != t.entry.Index {
		d.changed = t.entry.Index
		t.result.Devices = append(t.result.Devices, d.id)
	}
	t.touch(d)
}

func (t *turn) checkpoint() error {
	digest := t.Digest()
	t.begin("checkpoint", "", 0)
	t.hex("digest", number(digest))
	t.end()
	t.result.Checkpoint = &Checkpoint{Index: t.entry.Index, Chain: t.Chain(), Digest: digest}
	return nil
}

func (t *turn) raise(c *queuepb.RaiseVersion) error {
	switch {
	case c.Version > Version:
		t.broken = fmt.Errorf("cluster version is raised to %d: this program knows %d, install a newer one", c.Version, Version)
	case c.Version > t.version:
		t.version = c.Version
		t.begin("version", "", 0)
		t.num("version", uint64(c.Version))
		t.end()
	}
	return nil
}
