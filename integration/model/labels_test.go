package model

import (
	"fmt"
	"strings"

	"printq/printer"
	"printq/printer/device"
	"printq/queue"
	"printq/queue/queuepb"
)

func (m *model) say(format string, args ...any) string {
	if !m.tracing {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// What stands in labels is made into text only where a trace is wanted.
type (
	said struct{ *queuepb.Command }
	// A request, the leader that waits for the answer (0: nobody), and the answer.
	exchange struct {
		request
		leader uint64
		printer.Result
	}
)

func (c said) String() string {
	switch b := c.Body.(type) {
	case *queuepb.Command_Submit:
		r := b.Submit
		return fmt.Sprintf("submit {%d units, %d copies, to %s}", r.Units, r.Copies, r.Printer)
	case *queuepb.Command_Claim:
		return fmt.Sprintf("claim of device %d", b.Claim.Device)
	case *queuepb.Command_Resume:
		r, k := b.Resume, b.Resume.Mark
		if c := queue.Class(r.Class); c != queue.Fenced {
			return fmt.Sprintf("resume of device %d, %v, %v, counter %d; before, %v: %d out, %d taken, clear %v", r.Device, token(r.Token), c, r.Counter,
				token(r.Before), r.Units, r.Sent, r.Clear)
		}
		mark := device.Mark{Attempt: k.GetAttempt(), Copy: int(k.GetCopy()), Page: int(k.GetPage()), Closed: k.GetClosed()}
		return fmt.Sprintf("resume of device %d, %v, %s", r.Device, token(r.Token), markText(mark, r.Epoch))
	case *queuepb.Command_Printed:
		r := b.Printed
		return fmt.Sprintf("device %d attempt %d has printed %d, %v", r.Device, r.Attempt, r.Units, token(r.Token))
	case *queuepb.Command_Done:
		r := b.Done
		return fmt.Sprintf("device %d attempt %d is done%s at %d, %v", r.Device, r.Attempt, map[bool]string{true: " (stopped)"}[r.Stopped], r.Units, token(r.Token))
	case *queuepb.Command_Intent:
		r := b.Intent
		return fmt.Sprintf("device %d attempt %d announces %d units (the counter was %d at %d), %v", r.Device, r.Attempt, r.Units, r.Counter, r.Base, token(r.Token))
	case *queuepb.Command_Remote:
		r := b.Remote
		return fmt.Sprintf("device %d attempt %d is %s there, %v", r.Device, r.Attempt, r.Id, token(r.Token))
	case *queuepb.Command_Doubtful:
		r := b.Doubtful
		return fmt.Sprintf("device %d attempt %d is doubtful after %d (%s), %v", r.Device, r.Attempt, r.Units, r.Why, token(r.Token))
	case *queuepb.Command_Yield:
		r := b.Yield
		return fmt.Sprintf("device %d gives back attempt %d, %v", r.Device, r.Attempt, token(r.Token))
	case *queuepb.Command_Closed:
		r := b.Closed
		return fmt.Sprintf("device %d attempt %d is closed, %v", r.Device, r.Attempt, token(r.Token))
	}
	r := c.ProtoReflect()
	f := r.WhichOneof(r.Descriptor().Oneofs().Get(0))
	return fmt.Sprintf("%s {%v}", f.Name(), r.Get(f).Message().Interface())
}

func token(t *queuepb.Token) string { return fmt.Sprintf("token (%d,%d)", t.GetTerm(), t.GetIndex()) }

func markText(m device.Mark, epoch string) string {
	if m.Attempt == 0 {
		return "no mark, epoch " + epoch
	}
	return fmt.Sprintf("mark: attempt %d, copy %d page %d, %s, epoch %s", m.Attempt, m.Copy, m.Page, map[bool]string{true: "closed", false: "open"}[m.Closed], epoch)
}

func (r request) String() string {
	t := fmt.Sprintf("token (%d,%d)", r.Token.Term, r.Token.Index)
	switch r.Kind {
	case printer.OpenDevice:
		return "open, " + t
	case printer.CloseAttempt:
		return fmt.Sprintf("close of attempt %d, %s", r.Closing.Attempt, t)
	}
	if r.Kind >= printer.ReadyDevice {
		what := map[printer.Kind]string{
			printer.ReadyDevice: "ready", printer.SendWindow: "window", printer.CreateJob: "create", printer.FollowJob: "document", printer.CancelJob: "cancel",
		}[r.Kind]
		return fmt.Sprintf("%s of job %d attempt %d %s, unit %d, %s", what, r.Work.Job, r.Work.Attempt, r.Remote, r.unit, t)
	}
	u := r.Unit
	return fmt.Sprintf("job %d attempt %d copy %d page %d, %s", u.Job, u.Attempt, u.Copy, u.Page, t)
}

func (x exchange) String() string {
	out := fmt.Sprintf("device %d gets %s", x.device, x.request)
	if x.leader != 0 {
		out += fmt.Sprintf(" of leader %d", x.leader)
	}
	switch {
	case x.Err != nil:
		return fmt.Sprintf("%s: %v", out, x.Err)
	case x.State.Epoch != "":
		return fmt.Sprintf("%s: %s", out, markText(x.State.Mark, x.State.Epoch))
	}
	return out + ": ok"
}

func (s *state) String() string {
	out := &strings.Builder{}
	for i, t := range s.trays {
		fmt.Fprintf(out, "tray %d: ", i)
		for _, p := range t.paper {
			fmt.Fprintf(out, "[job %d attempt %d unit %d%s] ", p.job, p.attempt, p.unit, map[bool]string{true: ", torn"}[p.torn])
		}
		fmt.Fprintf(out, "%s; ", markText(t.Mark, t.Epoch))
	}
	for _, j := range s.node.jobs {
		fmt.Fprintf(out, "job %d %v %q at %s, printed %d of %d; ", j.Id, queue.JobState(j.State), j.Reason, j.Printer, j.Printed, j.Units*j.Copies)
	}
	return out.String()
}

// opened: the device has answered the live token, and the log does not know the answer yet.
func opened(op *printer.Operation, r printer.Result, d queue.Drive) bool {
	return op.Kind == printer.OpenDevice && r.Err == nil && d.Token == op.Token && !d.Resumed
}
