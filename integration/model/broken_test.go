package model

import (
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/queue"
	"printq/queue/queuepb"
)

// shown is what a driver is told of its device. One with a bug is told what the log does not say yet.
func (m *model) shown(l *driver, d queue.Drive) queue.Drive {
	if d.Work == nil || !d.Resumed {
		return d
	}
	w := *d.Work
	switch m.bug {
	case noIntent:
		w.Intended = w.Units * w.Copies
	case intentLate: // sends what it has not announced, and announces it then
		if !l.used {
			w.Intended = w.Units * w.Copies
		}
	case intentHasty: // sends what it has proposed to announce
		for _, c := range l.pending {
			if i := c.GetIntent(); i != nil && i.Attempt == w.Attempt {
				w.Intended = int(i.Units)
			}
		}
	case documentEarly:
		if w.Remote == "" {
			w.Remote = l.made
		}
	}
	d.Work = &w
	return d
}

// tell tells a driver of an entry.
func (m *model) tell(l *driver, d queue.Drive) {
	l.told = d
	l.core.Change(m.shown(l, d))
}

// adds puts decisions beside those of the core that it never makes: the state machine has to know better.
func (l *driver) adds(list []*queuepb.Command) {
	for _, c := range list {
		switch b := c.Body.(type) {
		case *queuepb.Command_Intent:
			l.pending = append(slices.Clip(l.pending), yield(b.Intent))
		case *queuepb.Command_Remote:
			other := proto.CloneOf(c)
			other.GetRemote().Id += "0"
			l.pending = append(slices.Clip(l.pending), other)
		}
	}
}

// yield gives back what is just announced.
func yield(i *queuepb.Intent) *queuepb.Command {
	return &queuepb.Command{Term: i.Token.Term, Body: &queuepb.Command_Yield{Yield: &queuepb.Yield{Device: i.Device, Token: i.Token, Attempt: i.Attempt}}}
}
