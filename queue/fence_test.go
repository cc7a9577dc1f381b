package queue

import "printq/queue/queuepb"

// A tray is a device as rule R8 has it, simulated: a mark, and the paper that came out. What is set in broken is left out of
// the rule, to show that the checks notice.
type tray struct {
	epoch  int
	high   Token
	mark   mark
	paper  []sheet
	broken string
}

// A mark here counts units over all copies.
type mark struct {
	attempt uint64
	units   int
	closed  bool
}

type sheet struct {
	attempt, job uint64
	unit         int
}

// A letter is a request to a device, on its way.
type letter struct {
	kind          string // open, page or close
	from          *leader
	device        uint64
	token         Token
	epoch         int
	attempt, job  uint64
	unit          int
	first, copies int // the attempt's first unit; all units
}

// A reply is what the device says to it.
type reply struct {
	refused bool
	epoch   int
	mark    mark
}

func (d *tray) receive(l letter) reply {
	r := func(refused bool) reply { return reply{refused, d.epoch, d.mark} }
	if l.kind == "open" {
		if l.token.Less(d.high) {
			return r(true)
		}
		d.high = l.token
		return r(false)
	}
	if d.broken != "token" && (l.token != d.high || l.epoch != d.epoch) {
		return r(true)
	}
	if l.kind == "close" {
		return r(d.close(l))
	}
	return r(d.page(l))
}

func (d *tray) close(l letter) (refused bool) {
	switch {
	case l.attempt == d.mark.attempt:
		d.mark.closed = true
	case l.attempt > d.mark.attempt && d.broken != "tombstone":
		d.mark = mark{l.attempt, 0, true}
	}
	return false
}

func (d *tray) page(l letter) (refused bool) {
	same := l.attempt == d.mark.attempt
	switch {
	case d.broken == "repeat" && same && !d.mark.closed && l.unit <= d.mark.units:
	case l.attempt < d.mark.attempt && d.broken != "order":
		return true
	case same && l.unit <= d.mark.units:
		return false
	case same && (d.mark.closed && d.broken != "closed" || l.unit != max(d.mark.units, l.first-1)+1):
		return true
	case !same && (!d.mark.closed && d.broken != "open" || l.unit != l.first):
		return true
	}
	d.paper = append(d.paper, sheet{l.attempt, l.job, l.unit})
	d.mark = mark{l.attempt, l.unit, l.unit == l.copies}
	return false
}

// A leader drives one device for one term, and does not stop when its term is over. It sees the state as of some entry.
type leader struct {
	term   uint64
	device uint64
	view   Drive
	asked  Token // the claim is asked for beside this one
	claims int

	// The session with the device, under one token.
	token  Token
	broken bool
	reply  reply
	acked  mark // what the device acknowledged
	shut   mark // what it closed, and how far that had come
}

// act is what the leader would do next: a request to the device, or a proposal; neither: nothing.
func (l *leader) act() (*letter, *queuepb.Command) {
	v := l.view
	if v.Token.Term != l.term || l.broken && l.token == v.Token {
		if l.claims > 0 && l.asked == v.Token {
			return nil, nil
		}
		l.asked, l.claims = v.Token, l.claims+1
		return nil, claim(l.device)
	}
	send := letter{kind: "open", from: l, device: l.device, token: v.Token, epoch: l.reply.epoch}
	if l.token != v.Token {
		return &send, nil
	}
	if !v.Resumed {
		return nil, resume(l.device, v.Token, l.message(), epochName(l.reply.epoch))
	}
	if v.Closing != 0 {
		if l.shut.attempt == v.Closing {
			return nil, &queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{Device: l.device, Token: v.Token.message(), Attempt: v.Closing}}}
		}
		send.kind, send.attempt = "close", v.Closing
		return &send, nil
	}
	if v.Work == nil {
		return nil, nil
	}
	return l.work(send)
}

func (l *leader) work(send letter) (*letter, *queuepb.Command) {
	v, k := l.view, l.view.Work
	total, have := k.Units*k.Copies, k.Printed
	shut := k.Stopping && l.shut.attempt == k.Attempt
	if shut {
		have = max(have, l.shut.units)
	} else if l.acked.attempt == k.Attempt {
		have = max(have, l.acked.units)
	}
	end := &queuepb.Done{Device: l.device, Token: v.Token.message(), Attempt: k.Attempt, Units: uint32(have), Stopped: k.Stopping}
	send.attempt, send.job, send.first, send.copies = k.Attempt, k.Job, k.Start+1, total
	switch {
	case shut, have >= total:
		return nil, &queuepb.Command{Body: &queuepb.Command_Done{Done: end}}
	case k.Stopping:
		send.kind = "close"
		return &send, nil
	case have > k.Printed:
		return nil, &queuepb.Command{Body: &queuepb.Command_Printed{Printed: &queuepb.Printed{
			Device: l.device, Token: v.Token.message(), Attempt: k.Attempt, Units: uint32(have),
		}}}
	}
	send.kind, send.unit = "page", have+1
	return &send, nil
}

// hear takes a device's reply to a letter.
func (l *leader) hear(m letter, r reply) {
	switch {
	case m.token != l.view.Token:
	case m.kind == "open" && l.token != m.token:
		l.token, l.broken, l.reply, l.acked = m.token, r.refused, r, mark{}
		l.shut = mark{}
	case m.token != l.token:
	case r.refused:
		l.broken = true
	case m.kind == "close":
		l.shut = mark{attempt: m.attempt}
		if r.mark.attempt == m.attempt {
			l.shut.units = r.mark.units
		}
	case m.kind == "page" && (l.acked.attempt != m.attempt || l.acked.units < m.unit):
		l.acked = mark{m.attempt, m.unit, false}
	}
}

// message is the mark as the device reports it: by copy and page. Jobs here have two pages a copy, or one.
func (l *leader) message() *queuepb.Mark {
	k := l.reply.mark
	m := &queuepb.Mark{Attempt: k.attempt, Closed: k.closed}
	if k.units > 0 {
		per := 2
		if w := l.view.Work; w != nil {
			per = w.Units
		}
		m.Copy, m.Page = uint32((k.units-1)/per+1), uint32((k.units-1)%per+1)
	}
	return m
}

func epochName(n int) string { return string(rune('a' + n)) }
