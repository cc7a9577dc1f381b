package model

import (
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
		if l.sent == 0 && l.op == nil {
			w.Intended = w.Printed + 1
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

// yield gives back what is just announced.
func yield(i *queuepb.Intent) *queuepb.Command {
	return &queuepb.Command{Term: i.Token.Term, Body: &queuepb.Command_Yield{Yield: &queuepb.Yield{Device: i.Device, Token: i.Token, Attempt: i.Attempt}}}
}
