package queue

import (
	"cmp"
	"fmt"
	"slices"

	"printq/queue/queuepb"
)

func (l *loader) times(key, value []byte) error {
	p := l.printers[string(key)]
	if p == nil {
		return fmt.Errorf("%w: times of printer %q", errRecords, key)
	}
	var m queuepb.PrinterTimes
	err := l.read(&p.times.record, key, value, &m)
	p.times.state, p.times.config = m.State, m.Config
	return err
}

func (l *loader) unseenAnswer(key, value []byte) error {
	var m queuepb.Unseen
	u := &unseen{}
	if err := l.read(&u.record, key, value, &m); err != nil {
		return err
	}
	u.job, u.until, u.index = m.Job, m.Until, m.Index
	copy(u.print[:], m.Print)
	l.unseen = append(l.unseen, u)
	return nil
}

func (l *loader) subscription(key, value []byte) error {
	s := &subscription{Subscription: new(queuepb.Subscription)}
	err := l.read(&s.record, key, value, s.Subscription)
	l.subscriptions[s.Id] = s
	return err
}

// finishMore is finish for what came later.
func (l *loader) finishMore() {
	slices.SortFunc(l.unseen, func(a, b *unseen) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.job, b.job)) })
	for _, u := range l.unseen {
		l.State.unseen.add(u)
	}
	for _, p := range l.printers {
		p.times.last = p.state()
	}
}

// rareOf is what of a job's record few have; nil: this one has nothing.
func rareOf(m *Job) *rare {
	if m.InDoubt == nil && m.MoveTo == "" && m.Open == 0 && m.DuplicateOf == 0 && m.Began == 0 && m.Place == 0 && m.PageRanges == "" &&
		m.PartOf == 0 && len(m.Parts) == 0 && len(m.Options) == 0 && m.Ended == 0 && m.Of == 0 {
		return nil
	}
	return &rare{
		doubt: m.InDoubt, moveTo: m.MoveTo, open: m.Open, hold: m.Hold, duplicateOf: m.DuplicateOf, began: m.Began, place: m.Place,
		ended: m.Ended, of: m.Of, pageRanges: m.PageRanges, partOf: m.PartOf, parts: slices.Clone(m.Parts), options: m.Options,
	}
}
