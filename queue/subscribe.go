package queue

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// A subscription says which events somebody asks for (RFC 3995). The events are the lines of the log that follow it; nothing
// is kept for it beside.
type subscription struct {
	record
	*queuepb.Subscription
}

func (s *subscription) bucket() Bucket { return Subscriptions }
func (s *subscription) key() []byte    { return number(s.Id) }
func (s *subscription) encode() []byte { return marshal(s.Subscription) }

// subscribe makes a subscription.
func (t *turn) subscribe(m *queuepb.Subscribe) error {
	if err := checkSubscribe(m); err != nil {
		return err
	}
	switch {
	case len(t.subscriptions) >= MaxSubscriptions:
		return fmt.Errorf("%w: there are %d subscriptions", ErrLimit, len(t.subscriptions))
	case m.Printer != "" && t.printers[m.Printer] == nil:
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Printer)
	}
	if m.Job != 0 {
		if _, err := t.actable(m.Job); err != nil {
			return err
		}
	}
	t.made = t.nextSubscription
	t.nextSubscription++
	s := &subscription{Subscription: &queuepb.Subscription{
		Id: t.made, Printer: m.Printer, Job: m.Job, User: m.User, Events: slices.Clone(m.Events), Interval: m.Interval,
		UserData: slices.Clone(m.UserData), Language: m.Language, Seq: t.seq + 1, Made: t.time,
	}}
	t.lease(s, m.Lease)
	t.subscriptions[s.Id] = s
	t.begin("subscribed", s.Printer, s.Job)
	t.num("subscription", s.Id)
	t.str("user", s.User)
	t.opt("lease_ns", uint64(s.Lease))
	t.end()
	return nil
}

func checkSubscribe(m *queuepb.Subscribe) error {
	long := func(s string) bool { return len(s) > MaxEvent }
	switch {
	case m.Printer != "" && m.Job != 0:
		return fmt.Errorf("%w: a subscription is a printer's or a job's", ErrInvalid)
	case len(m.Events) == 0 || len(m.Events) > MaxEvents || slices.ContainsFunc(m.Events, long):
		return fmt.Errorf("%w: %d events: want 1 to %d, of at most %d bytes", ErrInvalid, len(m.Events), MaxEvents, MaxEvent)
	case len(m.User) > MaxText || len(m.UserData) > MaxEvent || len(m.Language) > MaxEvent:
		return fmt.Errorf("%w: user, user_data or language is too long", ErrInvalid)
	case m.Lease < 0:
		return fmt.Errorf("%w: lease is negative", ErrInvalid)
	}
	return nil
}

// lease begins a lease. A job's subscription has none: it lasts as long as the job.
func (t *turn) lease(s *subscription, lasts int64) {
	if s.Job == 0 {
		s.Lease = min(orDefault(lasts, DefaultLease), int64(MaxLease))
		s.Until = t.time + s.Lease
	}
	t.touch(s)
}

func (t *turn) subscribed(id uint64) (*subscription, error) {
	if s := t.subscriptions[id]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %d", ErrNoSubscription, id)
}

func (t *turn) renew(m *queuepb.Renew) error {
	s, err := t.subscribed(m.Subscription)
	switch {
	case err != nil:
		return err
	case s.Job != 0:
		return fmt.Errorf("%w: subscription %d lasts as long as job %d", ErrState, s.Id, s.Job)
	case m.Lease < 0:
		return fmt.Errorf("%w: lease is negative", ErrInvalid)
	}
	t.lease(s, m.Lease)
	t.begin("subscription-renewed", s.Printer, s.Job)
	t.num("subscription", s.Id)
	t.num("lease_ns", uint64(s.Lease))
	t.end()
	return nil
}

func (t *turn) unsubscribe(m *queuepb.Unsubscribe) error {
	s, err := t.subscribed(m.Subscription)
	if err != nil {
		return err
	}
	t.dropSubscription(s)
	t.begin("unsubscribed", s.Printer, s.Job)
	t.num("subscription", s.Id)
	t.end()
	return nil
}

func (t *turn) dropSubscription(s *subscription) {
	delete(t.subscriptions, s.Id)
	t.erase(s)
}

// outlived reports whether a subscription is to go at a time: its lease is over, or its job has ended a while ago.
func (s *State) outlived(x *subscription, at int64) bool {
	if x.Job == 0 {
		return at >= x.Until
	}
	if f := s.ended.byID[x.Job]; f != nil {
		return at-f.ended >= int64(EventLife)
	}
	return !s.HasJob(x.Job)
}

// dueSubscriptions are those that are to go, by id.
func (s *State) dueSubscriptions(at int64) (due []uint64) {
	for _, id := range slices.Sorted(maps.Keys(s.subscriptions)) {
		if s.outlived(s.subscriptions[id], at) {
			due = append(due, id)
		}
	}
	return due
}

func (t *turn) expireSubscriptions(ids []uint64) (done []uint64) {
	for _, id := range ids {
		if s := t.subscriptions[id]; s != nil && t.outlived(s, t.time) {
			t.dropSubscription(s)
			done = append(done, id)
		}
	}
	return done
}

// Subscription gives a subscription; nil: there is none.
func (s *State) Subscription(id uint64) *Subscription {
	if x := s.subscriptions[id]; x != nil {
		return proto.Clone(x.Subscription).(*Subscription)
	}
	return nil
}

// Subscriptions gives all of them, by id.
func (s *State) Subscriptions() []*Subscription {
	list := make([]*Subscription, 0, len(s.subscriptions))
	for _, id := range slices.Sorted(maps.Keys(s.subscriptions)) {
		list = append(list, s.Subscription(id))
	}
	return list
}
