package model

import (
	"fmt"

	"printq/printer"
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
	said    struct{ *queuepb.Command }
	request struct{ *printer.Operation }
	answer  printer.Result
)

func (c said) String() string {
	b := c.ProtoReflect()
	f := b.WhichOneof(b.Descriptor().Oneofs().Get(0))
	return fmt.Sprintf("%s {%v}", f.Name(), b.Get(f).Message().Interface())
}

func (op request) String() string {
	t := fmt.Sprintf("token (%d,%d)", op.Token.Term, op.Token.Index)
	switch op.Kind {
	case printer.OpenDevice:
		return "open, " + t
	case printer.CloseAttempt:
		return fmt.Sprintf("close of attempt %d, %s", op.Closing.Attempt, t)
	}
	u := op.Unit
	return fmt.Sprintf("job %d attempt %d copy %d page %d, %s", u.Job, u.Attempt, u.Copy, u.Page, t)
}

func (r answer) String() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	if r.State.Epoch != "" {
		return fmt.Sprintf("ok, mark %+v of epoch %s", r.State.Mark, r.State.Epoch)
	}
	return "ok"
}

func (s *state) String() string {
	out := fmt.Sprintf("paper %v; mark %+v, highest %v", s.paper, s.fence.Mark, s.fence.High)
	for _, j := range s.node.jobs {
		out += fmt.Sprintf("; job %d %v %q printed %d of %d", j.Id, queue.JobState(j.State), j.Reason, j.Printed, j.Units*j.Copies)
	}
	return out
}
