package printer

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"printq/printer/device"
	"printq/queue"
)

// The transcripts in testdata/core: what happens to a core, and what it then wants done.
//
//	lead term=T      it leads; the drive is as the last change said
//	change …         the device's state: token=(T,I) resumed closing=N adopt stopped removed reason=R uri=U
//	                 work=(JOB,ATTEMPT,UNITS,COPIES) printed=N start=N stopping. What is not said is as before; clear is none
//	                 class=CLASS others intended=N remote=ID next=(JOB,UNITS,COPIES,START)
//	result …         of the operation under way: ok, or err=KIND; mark=(ATTEMPT,COPY,PAGE) closed; class=CLASS window=N
//	                 prepares counter=N sent=(WHOLE,OUT) cut; id=ID; end=END out=N known
//	told sent=(WHOLE,OUT)  the operation under way has come so far
//	waits REASON     the operation under way waits for that; without: it goes on
//	wait D           time passes
//	busy, idle       many others print, or few
//	revoke, drain    as the methods are called
func TestCoreTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/core", func(t *testing.T, path string) {
		s := &script{t: t, core: NewCore(1, 7), now: time.Unix(0, 0), start: time.Unix(0, 0)}
		s.drive = queue.Drive{Device: 4, URI: "tray:/t", Printer: "p", Cluster: "c"}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			s.run(d)
			return s.step()
		})
	})
}

type script struct {
	t          *testing.T
	core       *Core
	drive      queue.Drive
	now, start time.Time
}

var scriptErrors = map[string]error{
	"stale":       device.ErrStale,
	"refused":     device.ErrRefused,
	"unreachable": device.ErrUnreachable,
	"full":        fmt.Errorf("%w: %w", device.ErrUnreachable, syscall.ENOSPC),
	"damaged":     ErrDocumentDamaged,
	"units":       errUnits,
	"not-leader":  ErrNotLeader,
	"other":       fmt.Errorf("something else"),
	"secret":      fmt.Errorf("%w: another secret is wanted", device.ErrUnreachable),
	"unclear":     device.ErrUnclear,
	"format":      device.ErrFormat,
}

var (
	scriptClasses = map[string]queue.Class{"fenced": queue.Fenced, "counted": queue.Counted, "whole-job": queue.WholeJob, "blind": queue.Blind}
	scriptEnds    = map[string]device.End{
		"open": device.Open, "completed": device.Completed, "canceled": device.Canceled, "aborted": device.Aborted,
		"untouched": device.Untouched, "gone": device.Gone,
	}
)

func (s *script) run(d *datadriven.TestData) {
	switch d.Cmd {
	case "lead":
		term := uint64(0)
		d.ScanArgs(s.t, "term", &term)
		s.core.Lead(term, s.drive)
	case "change":
		for _, a := range d.CmdArgs {
			s.set(a)
		}
		s.core.Change(s.drive)
	case "result":
		s.result(d)
	case "wait":
		for _, a := range d.CmdArgs {
			wait, err := time.ParseDuration(a.Key)
			if err != nil {
				s.t.Fatal(err)
			}
			s.now = s.now.Add(wait)
		}
	case "told":
		s.core.Told(s.core.op.ID, sentOf(s.t, d.CmdArgs[0]))
	case "waits":
		reason := ""
		if len(d.CmdArgs) > 0 {
			reason = d.CmdArgs[0].Key
		}
		s.core.Waits(s.core.op.ID, reason, reason)
	case "revoke":
		s.core.Revoke()
	case "busy", "idle":
		s.core.busy = d.Cmd == "busy"
	case "drain":
		s.core.Drain()
	default:
		d.Fatalf(s.t, "unknown command")
	}
}

func (s *script) set(a datadriven.CmdArg) {
	n := func(i int) (v uint64) { a.Scan(s.t, i, &v); return v }
	on := len(a.Vals) == 0 || a.Vals[0] != "false"
	w := queue.Work{}
	if s.drive.Work != nil {
		w = *s.drive.Work
	}
	switch a.Key {
	case "token":
		s.drive.Token, s.drive.Resumed, s.drive.Closing = queue.Token{Term: n(0), Index: n(1)}, false, 0
	case "resumed":
		s.drive.Resumed = on
		s.drive.Epoch = map[bool]string{true: "e"}[on]
	case "closing":
		s.drive.Closing = n(0)
	case "adopt":
		s.drive.Adopt = on
	case "stopped":
		s.drive.Stopped = on
	case "removed":
		s.drive.Removed = on
	case "reason":
		s.drive.Reason, s.drive.Detail = a.Vals[0], s.core.trouble.detail
	case "uri":
		s.drive.URI = a.Vals[0]
	case "clear":
		s.drive.Work = nil
	case "work":
		w = queue.Work{Job: n(0), Attempt: n(1), Units: int(n(2)), Copies: int(n(3))}
		s.drive.Work = &w
	case "printed":
		w.Printed = int(n(0))
		s.drive.Work = &w
	case "start":
		w.Start, w.Printed = int(n(0)), int(n(0))
		s.drive.Work = &w
	case "stopping":
		w.Stopping = true
		s.drive.Work = &w
	case "class":
		s.drive.Class = scriptClasses[a.Vals[0]]
	case "others":
		s.drive.Others = on
	case "intended":
		w.Intended = int(n(0))
		s.drive.Work = &w
	case "next":
		s.drive.Next = &queue.Work{Job: n(0), Units: int(n(1)), Copies: int(n(2)), Start: int(n(3))}
	case "remote":
		w.Remote = a.Vals[0]
		s.drive.Work = &w
	default:
		s.t.Fatalf("unknown argument %s", a.Key)
	}
}

func (s *script) result(d *datadriven.TestData) {
	if s.core.op == nil {
		d.Fatalf(s.t, "no operation is under way")
	}
	r := Result{ID: s.core.op.ID}
	r.State = device.State{Epoch: "e", Cluster: "c", Identity: "id", Mark: device.Mark{Closed: true}}
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "err":
			r.Err = scriptErrors[a.Vals[0]]
			if r.Err == nil {
				d.Fatalf(s.t, "unknown error")
			}
		case "mark":
			m := device.Mark{}
			a.Scan(s.t, 0, &m.Attempt)
			a.Scan(s.t, 1, &m.Copy)
			a.Scan(s.t, 2, &m.Page)
			m.Closed = d.HasArg("closed")
			r.State.Mark, r.Mark = m, m
		case "class":
			r.State.Class, r.State.Epoch = scriptClasses[a.Vals[0]], ""
		case "prepares":
			r.State.Prepares = true
		case "window":
			a.Scan(s.t, 0, &r.State.Window)
		case "counter":
			a.Scan(s.t, 0, &r.State.Counter)
			r.State.Counts = true
			r.Ready = device.Readiness{Counts: true, Counter: r.State.Counter}
		case "sent":
			r.Sent = sentOf(s.t, a)
			r.Sent.Unclear = d.HasArg("cut")
		case "id":
			r.Remote = a.Vals[0]
		case "end":
			r.Outcome.End, r.Outcome.Known = scriptEnds[a.Vals[0]], d.HasArg("known")
		case "out":
			a.Scan(s.t, 0, &r.Outcome.Out)
		}
	}
	s.core.Result(s.now, r)
}

func sentOf(t *testing.T, a datadriven.CmdArg) (s device.Sent) {
	a.Scan(t, 0, &s.Whole)
	a.Scan(t, 1, &s.Out)
	return s
}

func (s *script) step() string {
	todo := s.core.Step(s.now)
	var b strings.Builder
	if op := todo.Operation; op != nil {
		fmt.Fprintln(&b, show(op))
	}
	if todo.Stop != 0 {
		fmt.Fprintln(&b, "stop it")
	}
	for _, c := range todo.Decisions {
		// The library varies the spaces on purpose.
		fmt.Fprintln(&b, "decide", strings.Join(strings.Fields(c.String()), " "))
	}
	if !todo.Wake.IsZero() {
		// Not exactly: there is jitter.
		fmt.Fprintf(&b, "wake in %v\n", todo.Wake.Sub(s.now).Round(100*time.Millisecond))
	}
	if s.core.Quiet() {
		fmt.Fprintln(&b, "quiet")
	}
	return b.String()
}

func show(op *Operation) string {
	switch op.Kind {
	case OpenDevice:
		return fmt.Sprintf("open %v adopt=%v", op.Opening.Token, op.Opening.Adopt)
	case CloseAttempt:
		return fmt.Sprintf("close %v %s attempt %d", op.Closing.Token, op.Closing.Epoch, op.Closing.Attempt)
	case ReadyDevice:
		return fmt.Sprintf("make ready for %s", op.job().Title())
	case SendWindow:
		return fmt.Sprintf("send %s after %d to %d of %d", op.job().Title(), op.From, op.To, op.job().Total())
	case CreateJob:
		return fmt.Sprintf("create %s", op.job().Title())
	case FollowJob, CancelJob:
		return map[Kind]string{FollowJob: "follow ", CancelJob: "cancel "}[op.Kind] + op.Remote
	}
	u, what := op.Unit, map[Kind]string{PrintUnit: "print", PrepareUnit: "prepare"}[op.Kind]
	return fmt.Sprintf("%s %v %s attempt %d job %d copy %d page %d of %d first=%v last=%v",
		what, u.Token, u.Epoch, u.Attempt, u.Job, u.Copy, u.Page, u.PerCopy, u.First, u.Last)
}
