package printer

import (
	"time"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// A decision is a kind of command that a Core proposes. One of each kind is waited for at a time.
type decision uint8

const (
	claim decision = iota
	resume
	printed
	done
	closed
	report
	intent
	remote
	doubtful
	yield
	decisions // their number
)

// A proposal was made, and its effect has not been seen yet.
type proposal struct {
	command *queuepb.Command
	tries   int
	again   time.Time
}

// propose makes a decision, or makes it again if it has had no effect for too long. The caller goes on calling it until it
// sees the effect.
func (t *turn) propose(d decision, command *queuepb.Command) {
	command.Term = t.term
	p := &t.proposals[d]
	same := p.command != nil && proto.Equal(p.command, command)
	if same && t.now.Before(p.again) {
		t.wake(p.again)
		return
	}
	if same {
		p.tries++
	} else {
		p.tries = 0
	}
	p.command = command
	p.again = t.now.Add(doubled(firstPropose, p.tries))
	t.wake(p.again)
	t.todo.Decisions = append(t.todo.Decisions, command)
}

// report tells the log what the device waits for, when that has changed.
func (t *turn) report() {
	want := t.trouble
	if want == (trouble{}) && (!ours(t.drive.Reason) || !t.healthy()) {
		return // nothing to say, or not known to be over
	}
	same := want.reason == t.drive.Reason && want.detail == t.drive.Detail
	if t.renewed = t.renewed && !same; same || want.reason == t.drive.Reason && want.reason != reasonMember && !t.renewed {
		t.proposals[report] = proposal{}
		return
	}
	r := &queuepb.Report{Device: t.drive.Device, Reason: want.reason, Detail: want.detail}
	if t.drive.Token.Term == t.term {
		r.Token = t.token()
	}
	t.propose(report, &queuepb.Command{Body: &queuepb.Command_Report{Report: r}})
}

// healthy: the device has answered, and does not have us wait now.
func (t *turn) healthy() bool {
	return t.session.token == t.drive.Token && !t.session.broken && t.retry.count == 0 && t.drive.Token.Term == t.term
}

// ours: a Core reported it, of this member or another. The state machine has reasons of its own, for which it stops a device.
func ours(reason string) bool {
	switch reason {
	case "", "identity-in-use", "other-cluster", "identity-changed":
		return false
	}
	return true
}
