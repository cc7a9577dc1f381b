package queue

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"printq/queue/queuepb"
)

// A store is what drains have written: the View, and what Load reads.
type store map[Bucket]map[string][]byte

func (s store) Get(b Bucket, key []byte) ([]byte, error) { return s[b][string(key)], nil }

func (s store) write(changes []Change) {
	for _, c := range changes {
		if s[c.Bucket] == nil {
			s[c.Bucket] = map[string][]byte{}
		}
		if c.Value == nil {
			delete(s[c.Bucket], string(c.Key))
			continue
		}
		s[c.Bucket][string(c.Key)] = c.Value
	}
}

func (s store) each(b Bucket, fn func(key, value []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(s[b])) {
		if err := fn([]byte(key), s[b][key]); err != nil {
			return err
		}
	}
	return nil
}

// A world is one member's state, fed by a test.
type world struct {
	testing.TB
	*State
	store store
	at    uint64 // index of the last entry
	epoch uint64 // term of the next
	now   time.Time
	log   []Entry
	lines []string
}

var dawn = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func newWorld(tb testing.TB) *world {
	return &world{TB: tb, State: New("c1"), store: store{}, at: 1, epoch: 1, now: dawn}
}

// entry applies one entry of commands; none: an empty one.
func (w *world) entry(cmds ...*queuepb.Command) Result {
	w.Helper()
	return w.packed(nil, cmds...)
}

func (w *world) packed(payload []byte, cmds ...*queuepb.Command) Result {
	w.Helper()
	w.at++
	e := Entry{Index: w.at, Term: w.epoch}
	var list []Packed
	for _, c := range cmds {
		p := Packed{Head: Encode(c)}
		if c.Payload > 0 {
			p.Payload, payload = payload[:c.Payload], payload[c.Payload:]
		}
		list = append(list, p)
	}
	if len(list) > 0 {
		e.Data = Pack(w.now.UnixNano(), list)
	}
	return w.replay(e)
}

func (w *world) replay(e Entry) Result {
	w.Helper()
	w.at, w.log = e.Index, append(w.log, e)
	r, err := w.Apply(e, w.store)
	if err != nil {
		w.Fatal(err)
	}
	for _, l := range r.Lines {
		w.lines = append(w.lines, string(l.JSON))
	}
	return r
}

// drain writes what changed, and goes on with what Load makes of it.
func (w *world) drain() {
	w.Helper()
	w.store.write(w.Drain())
	s, err := Load(w.store.each)
	if err != nil {
		w.Fatal(err)
	}
	if a, b := w.Digest(), s.Digest(); a != b {
		w.Fatalf("digest %x before, %x after a reload", a, b)
	}
	w.State = s
}

// ask applies one fact, as a request of its own.
func (w *world) ask(body *queuepb.Command) (uint64, error) {
	w.Helper()
	body.Session, body.Seq = 77, w.at
	out := w.entry(body).Outcomes[0]
	return out.Job, out.Err
}

func (w *world) must(cmd *queuepb.Command) uint64 {
	w.Helper()
	job, err := w.ask(cmd)
	if err != nil {
		w.Fatal(err)
	}
	return job
}

// setUp makes a printer p with one device, 1, whose claim is resumed.
func setUp(tb testing.TB, settings *queuepb.PrinterSettings) *world {
	tb.Helper()
	w := newWorld(tb)
	if settings == nil {
		settings = &queuepb.PrinterSettings{}
	}
	if settings.Devices == nil {
		settings.Devices = []string{"tray:/a"}
	}
	w.must(setPrinter("p", settings))
	w.takeOver(1, &queuepb.Mark{Closed: true}, "e1")
	return w
}

// takeOver claims a device in the present term, and resumes it with a mark.
func (w *world) takeOver(device uint64, mark *queuepb.Mark, epoch string) Result {
	w.Helper()
	w.entry(w.tag(claim(device)))
	return w.entry(w.tag(resume(device, w.Drive(device).Token, mark, epoch)))
}

func (w *world) tag(c *queuepb.Command) *queuepb.Command {
	c.Term = w.epoch
	return c
}

func (w *world) job(id uint64) *Job {
	w.Helper()
	j, err := w.State.Job(id, w.store)
	if err != nil || j == nil {
		w.Fatalf("job %d: %v, %v", id, j, err)
	}
	return j
}

// is checks a job's state and reason.
func (w *world) is(id uint64, state JobState, reason string) {
	w.Helper()
	if j := w.job(id); JobState(j.State) != state || j.Reason != reason {
		w.Errorf("job %d is %s %q, want %s %q", id, JobState(j.State), j.Reason, state, reason)
	}
}

// Commands, short.

func submit(printer string, units, copies uint32) *queuepb.Command {
	sum := sha256.Sum256([]byte("x"))
	return &queuepb.Command{Payload: 1, Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: printer, Bytes: 1, Sha256: sum[:], Units: units, Copies: copies, Format: "text/plain", Name: "n", User: "u",
	}}}
}

func (w *world) submit(printer string, units, copies uint32) uint64 {
	w.Helper()
	return w.send(submit(printer, units, copies))
}

// send applies a submit of one byte.
func (w *world) send(c *queuepb.Command) uint64 {
	w.Helper()
	c.Session, c.Seq = 77, w.at
	out := w.packed([]byte("x"), c).Outcomes[0]
	if out.Err != nil {
		w.Fatal(out.Err)
	}
	return out.Job
}

func setPrinter(name string, s *queuepb.PrinterSettings) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{Name: name, Settings: s}}}
}

func claim(device uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Claim{Claim: &queuepb.Claim{Device: device}}}
}

func resume(device uint64, t Token, mark *queuepb.Mark, epoch string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Resume{Resume: &queuepb.Resume{
		Device: device, Token: t.message(), Mark: mark, Epoch: epoch, Identity: fmt.Sprintf("tray-%d", device), Cluster: "c1",
	}}}
}

func (w *world) printed(device uint64, units uint32) Result {
	w.Helper()
	d := w.Drive(device)
	return w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{
		Device: device, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: units,
	}}}))
}

func (w *world) done(device uint64, units uint32, stopped bool, failure string) Result {
	w.Helper()
	d := w.Drive(device)
	return w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Done{Done: &queuepb.Done{
		Device: device, Token: d.Token.message(), Attempt: d.Work.Attempt, Units: units, Stopped: stopped, Failure: failure,
	}}}))
}

func cancelJob(id uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: id}}}
}

func holdJob(id uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Hold{Hold: &queuepb.Hold{Job: id}}}
}

func releaseJob(id uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Release{Release: &queuepb.Release{Job: id}}}
}

func moveJob(id uint64, printer string, force bool) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: id, Printer: printer, Force: force}}}
}

func reprintJob(id uint64, from uint32) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: id, From: from}}}
}
