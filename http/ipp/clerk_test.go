package ipp

import (
	"bytes"
	"fmt"
	"slices"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

const incoming = "job-incoming"

// clerk does what the queue is to do with a front end's commands, in its simplest form; the index is 0 where it knows none.
func (f *fake) clerk(cmd *queuepb.Command, payload []byte) (a node.Answer, err error) {
	done := func(job uint64, err error) (node.Answer, error) {
		f.asked = append(f.asked, cmd)
		return node.Answer{Position: node.Position{Index: 1, Term: 1}, Job: job}, err
	}
	switch c := cmd.Body.(type) {
	case *queuepb.Command_CreateJob:
		m := c.CreateJob
		a, err := f.submit(&queuepb.Submit{Printer: m.Printer, Name: m.Name, User: m.User, Copies: m.Copies, Priority: m.Priority}, nil)
		if err == nil {
			j := f.jobs[a.Job-1]
			j.State, j.Reason, j.Open, j.Created, j.PageRanges = uint32(queue.Held), incoming, 1, true, m.PageRanges
		}
		return done(a.Job, err)
	case *queuepb.Command_AttachDocument:
		return done(c.AttachDocument.Job, f.attach(c.AttachDocument, payload))
	case *queuepb.Command_CloseJob:
		j, err := f.job(c.CloseJob.Job)
		if err == nil && j.Open != 0 {
			j := f.jobs[j.Id-1]
			j.State, j.Reason, j.Open = uint32(queue.Aborted), "no-document", 0
		}
		if err == nil {
			f.jobs[j.Id-1].More = false
		}
		return done(c.CloseJob.Job, err)
	case *queuepb.Command_SetJob:
		_, err := f.job(c.SetJob.Job)
		return done(c.SetJob.Job, err)
	case *queuepb.Command_Reorder:
		_, err := f.job(c.Reorder.Job)
		return done(c.Reorder.Job, err)
	case *queuepb.Command_Resolve:
		return done(c.Resolve.Job, nil)
	case *queuepb.Command_Seen:
		return done(0, nil)
	case *queuepb.Command_Subscribe:
		m := c.Subscribe
		s := &queue.Subscription{
			Id: uint64(len(f.subscriptions)) + 1, Printer: m.Printer, Job: m.Job, User: m.User, Events: m.Events, Lease: m.Lease,
			UserData: m.UserData, Seq: uint64(len(f.lines)),
		}
		f.subscriptions = append(f.subscriptions, s)
		a, err := done(0, nil)
		a.Subscription = s.Id
		return a, err
	case *queuepb.Command_Renew:
		f.subscriptions[c.Renew.Subscription-1].Lease = c.Renew.Lease
		return done(0, nil)
	case *queuepb.Command_Unsubscribe:
		f.subscriptions[c.Unsubscribe.Subscription-1].Id = 0
		return done(0, nil)
	}
	return f.settings(cmd, done)
}

func (f *fake) settings(cmd *queuepb.Command, done func(uint64, error) (node.Answer, error)) (node.Answer, error) {
	var name string
	var set func(*queue.Printer)
	switch c := cmd.Body.(type) {
	case *queuepb.Command_SetAccepting:
		name, set = c.SetAccepting.Printer, func(p *queue.Printer) { p.Rejecting = !c.SetAccepting.Accepting }
	case *queuepb.Command_HoldNew:
		name, set = c.HoldNew.Printer, func(p *queue.Printer) { p.HoldNew = c.HoldNew.Hold }
	case *queuepb.Command_SetDefault:
		name, set = c.SetDefault.Printer, func(p *queue.Printer) { p.Default = true }
	case *queuepb.Command_DescribePrinter:
		name, set = c.DescribePrinter.Printer, func(p *queue.Printer) {
			p.Description = &queuepb.PrinterDescription{Info: c.DescribePrinter.GetInfo(), Media: c.DescribePrinter.GetMedia(), Location: c.DescribePrinter.GetLocation()}
		}
	default:
		return node.Answer{}, nil
	}
	p := f.printers[name]
	if p == nil {
		return done(0, fmt.Errorf("%w: %q", queue.ErrNoPrinter, name))
	}
	set(p.Printer)
	return done(0, nil)
}

func (f *fake) attach(m *queuepb.AttachDocument, payload []byte) error {
	if _, err := f.job(m.Job); err != nil {
		return err
	}
	j := f.jobs[m.Job-1]
	switch {
	case j.Bytes != 0 && bytes.Equal(j.Sha256, m.Sha256) && m.Number < 2:
		return nil
	case j.Bytes != 0 && j.More:
		a, err := f.submit(&queuepb.Submit{Printer: j.Printer, Name: j.Name, User: j.User, Bytes: m.Bytes, Sha256: m.Sha256, Format: m.Format}, payload)
		j.Parts, j.More = append(j.Parts, a.Job), !m.Last
		return err
	case j.Open == 0:
		return fmt.Errorf("%w: job %d takes no document", queue.ErrState, j.Id)
	}
	j.Sha256, j.Bytes, j.Format, j.Pages, j.Units, j.Open, j.More = m.Sha256, m.Bytes, m.Format, m.Pages, m.Units, 0, !m.Last
	j.State, j.Reason = uint32(queue.Pending), ""
	f.docs[j.Id] = payload
	if m.Chunks > 0 {
		f.docs[j.Id] = f.upload
	}
	return nil
}

func (f *fake) Subscription(id uint64) (*queue.Subscription, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.IndexFunc(f.subscriptions, func(s *queue.Subscription) bool { return s.Id == id }); i >= 0 {
		return f.subscriptions[i], nil
	}
	return nil, fmt.Errorf("%w: %d", queue.ErrNoSubscription, id)
}

func (f *fake) Subscriptions() (all []*queue.Subscription, err error) {
	for _, s := range f.subscriptions {
		if s.Id != 0 {
			all = append(all, s)
		}
	}
	return all, f.errs["Subscriptions"]
}

func (f *fake) Lines(seq uint64, limit int) ([]queue.Line, error) {
	if err := f.errs["Lines"]; err != nil {
		return nil, err
	}
	if seq > uint64(len(f.lines)) {
		return nil, nil
	}
	lines := f.lines[seq-1:]
	return lines[:min(limit, len(lines))], nil
}

// logged adds lines to the log.
func (f *fake) logged(lines ...string) {
	for _, l := range lines {
		f.lines = append(f.lines, queue.Line{Seq: uint64(len(f.lines)) + 1, JSON: fmt.Appendf(nil, `{"seq":%d,"time":"2026-01-02T03:04:05.000000Z",%s}`, len(f.lines)+1, l)})
	}
}
