package queue

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// errRecords is wrapped by the errors of Load that are not the caller's.
var errRecords = errors.New("records do not fit together")

// Load makes the state of its records, as drains gave them. Each is called with a bucket, and must call fn with all of its
// records; the error of either ends Load. Without records the state is empty and of no cluster: use New for a first start.
func Load(each func(bucket Bucket, fn func(key, value []byte) error) error) (*State, error) {
	l := &loader{State: New("")}
	steps := []struct {
		bucket Bucket
		load   func(key, value []byte) error
	}{
		{Meta, l.meta},
		{Printers, l.printer},
		{Devices, l.device},
		{Live, l.job},
		{Finished, l.finished},
		{Keys, l.key},
		{Uploads, l.upload},
		{Sessions, l.session},
		{Members, l.member},
		{Times, l.times},
		{Unseen, l.unseenAnswer},
		{Subscriptions, l.subscription},
	}
	for _, step := range steps {
		l.bucket = step.bucket
		if err := each(step.bucket, step.load); err != nil {
			return nil, fmt.Errorf("load %s: %w", step.bucket, err)
		}
	}
	return l.finish()
}

type loader struct {
	*State
	bucket Bucket
	sum    uint64
	past   []*finished
	unseen []*unseen
	keys   []keyEnd
}

// read decodes a record, and counts it.
func (l *loader) read(r *record, key, value []byte, m proto.Message) error {
	if err := proto.Unmarshal(value, m); err != nil {
		return fmt.Errorf("%w: key %x: %w", errRecords, key, err)
	}
	l.count(r, key, value)
	return nil
}

// count notes that a record is in the store, and what it adds to the digest.
func (l *loader) count(r *record, key, value []byte) {
	r.stored = rankOf(l.bucket)
	if counted(l.bucket) {
		r.sum = recordSum(l.bucket, key, value)
		l.sum += r.sum
	}
}

func (l *loader) meta(_, value []byte) error {
	var m queuepb.Meta
	if err := proto.Unmarshal(value, &m); err != nil {
		return fmt.Errorf("%w: %w", errRecords, err)
	}
	if m.Version > Version {
		return fmt.Errorf("cluster version is %d: this program knows %d, install a newer one", m.Version, Version)
	}
	if len(m.Chain) != 32 {
		return fmt.Errorf("%w: chain hash of %d bytes", errRecords, len(m.Chain))
	}
	hex.Encode(l.chain[:], m.Chain)
	if m.Seq == 0 {
		copy(l.chain[:], New("").chain[:])
	}
	l.cluster, l.version, l.index, l.term, l.time = m.Cluster, m.Version, m.Index, m.Term, m.Time
	l.nextSubscription = max(m.NextSubscription, 1)
	l.nextJob, l.nextDevice, l.seq, l.void, l.digest, l.written = m.NextJob, m.NextDevice, m.Seq, m.Void, m.Digest, m.Index
	return nil
}

func (l *loader) printer(key, value []byte) error {
	var m Printer
	var r record
	if err := l.read(&r, key, value, &m); err != nil {
		return err
	}
	p := l.newPrinter(m.Name)
	p.record, p.settings, p.paused, p.created, p.changed = r, m.Settings, m.Paused, m.Created, m.Changed
	if p.settings == nil {
		p.settings = &queuepb.PrinterSettings{}
	}
	p.rejecting, p.holdNew, p.isDefault, p.description = m.Rejecting, m.HoldNew, m.Default, m.Description
	if p.isDefault {
		l.byDefault = p
	}
	return nil
}

func (l *loader) device(key, value []byte) error {
	var m Device
	var r record
	if err := l.read(&r, key, value, &m); err != nil {
		return err
	}
	p := l.printers[m.Printer]
	normal, err := normalURI(m.Uri)
	if p == nil || err != nil {
		return fmt.Errorf("%w: device %d at printer %q: %w", errRecords, m.Id, m.Printer, err)
	}
	d := &device{
		record: r, id: m.Id, uri: m.Uri, printer: p, token: tokenOf(m.Token), last: tokenOf(m.Last), resumed: m.Resumed,
		known: m.Known, identity: m.Identity, epoch: m.Epoch, adopt: m.Adopt, stopped: m.Stopped, closing: m.Closing,
		attempt: m.Attempt, recovering: m.Recovering, reason: m.Reason, detail: m.Detail, class: Class(m.Class), skips: m.Skips,
		about: m.About, formats: m.Formats, capabilities: m.Capabilities, used: m.Used, outOfOrder: m.OutOfOrder,
		flight: flight{
			intended: m.Intended, sent: m.Sent, counts: m.Counts, counter: m.Counter, base: m.Base, basePages: m.BasePages,
			pages: m.Pages, remote: m.Remote, by: tokenOf(m.Announced),
		},
	}
	p.devices = append(p.devices, d)
	l.devices[d.id], l.uris[normal] = d, d
	if d.identity != "" {
		l.names[d.identity] = d
	}
	return nil
}

func (l *loader) job(key, value []byte) error {
	j := l.plainJob(value)
	if j != nil {
		l.count(&j.record, key, value)
	} else {
		var m Job
		var r record
		if err := l.read(&r, key, value, &m); err != nil {
			return err
		}
		j = l.jobOf(&m)
		j.record = r
		j.user, j.format, j.reason = l.intern(j.user), l.intern(j.format), l.intern(j.reason)
		if d := l.devices[m.Device]; d != nil {
			j.device, d.job = d, j
		} else if m.Device != 0 {
			return fmt.Errorf("%w: job %d is at device %d", errRecords, m.Id, m.Device)
		}
	}
	if l.printers[j.printer.name] == nil || j.state.Ended() || j.state < Pending {
		return fmt.Errorf("%w: job %d at printer %q is %s", errRecords, j.id, j.printer.name, j.state)
	}
	l.admit(j)
	j.printer.counts[j.state]++
	l.counts[j.state]++
	if j.inDoubt() {
		l.doubts++
	}
	if j.state == Pending {
		j.printer.turns.push(j)
	}
	switch {
	case j.incoming():
		l.opens.push(j)
	case j.ttl > 0 && len(j.attempts) == 0:
		l.deadlines.push(j)
	}
	return nil
}

func (l *loader) finished(key, value []byte) error {
	var m Job
	var r record
	if err := l.read(&r, key, value, &m); err != nil {
		return err
	}
	f := &finished{id: m.Id, ended: m.Ended, printer: m.Printer, sum: r.sum}
	if !m.DocumentGone {
		f.document = extentsOf(m.Document)
	}
	l.past = append(l.past, f)
	return nil
}

func (l *loader) key(key, value []byte) error {
	var m queuepb.Key
	var r record
	if err := l.read(&r, key, value, &m); err != nil {
		return err
	}
	l.keys = append(l.keys, keyEnd{string(key), m.Job, m.Ended})
	return nil
}

func (l *loader) upload(key, value []byte) error {
	var m queuepb.Upload
	u := &upload{}
	if err := l.read(&u.record, key, value, &m); err != nil {
		return err
	}
	u.id, u.chunks, u.bytes, u.touched = string(m.Id), extentsOf(m.Chunks), m.Bytes, m.Touched
	for _, x := range u.chunks {
		if x.Length != 0 {
			u.have++
		}
	}
	l.uploads[u.id] = u
	l.uploaded += u.bytes
	return nil
}

func (l *loader) session(key, value []byte) error {
	var m queuepb.Session
	s := &session{}
	if err := l.read(&s.record, key, value, &m); err != nil {
		return err
	}
	s.id, s.member, s.floor, s.created, s.touched = m.Id, m.Member, m.Floor, m.Created, m.Touched
	s.answers = make(map[uint64]answer, len(m.Answers))
	for _, a := range m.Answers {
		s.answers[a.Seq] = answer{a.Job, a.Code, a.Detail, a.Subscription}
	}
	l.sessions[s.id] = s
	return nil
}

func (l *loader) member(key, value []byte) error {
	var m Member
	x := &member{}
	if err := l.read(&x.record, key, value, &m); err != nil {
		return err
	}
	x.id, x.http, x.peer = m.Id, m.Http, m.Peer
	l.members[x.id] = x
	return nil
}

// finish puts in the order of time what the records have by key, and checks the whole.
func (l *loader) finish() (*State, error) {
	slices.SortFunc(l.order, func(a, b *job) int { return cmp.Compare(a.id, b.id) })
	for _, p := range l.printers {
		slices.SortFunc(p.devices, func(a, b *device) int { return cmp.Compare(a.id, b.id) })
	}
	slices.SortFunc(l.past, func(a, b *finished) int { return cmp.Or(cmp.Compare(a.ended, b.ended), cmp.Compare(a.id, b.id)) })
	for _, f := range l.past {
		l.ended.add(f)
	}
	slices.SortFunc(l.keys, func(a, b keyEnd) int { return cmp.Or(cmp.Compare(a.ended, b.ended), cmp.Compare(a.job, b.job)) })
	for _, k := range l.keys {
		l.keyEnds.push(k)
	}
	l.State.keys = len(l.keys)
	l.firstJob = l.oldest()
	l.finishMore()
	if l.sum != l.digest {
		return nil, fmt.Errorf("%w: their digest is %016x, recorded as %016x", errRecords, l.sum, l.digest)
	}
	return l.State, nil
}

// oldest is the least id of a job.
func (l *loader) oldest() uint64 {
	first := max(l.nextJob, 1)
	if len(l.order) > 0 {
		first = min(first, l.order[0].id)
	}
	for _, f := range l.past {
		first = min(first, f.id)
	}
	return first
}

// jobOf is a job as its record has it, not bound to its device. A printer that is no more stands in by name.
func (s *State) jobOf(m *Job) *job {
	p := s.printers[m.Printer]
	if p == nil {
		p = &printer{name: m.Printer}
	}
	j := &job{
		id: m.Id, printer: p, state: JobState(m.State), stopping: stopping(m.Stopping), priority: uint8(m.Priority),
		copies: uint16(m.Copies), documentGone: m.DocumentGone, units: m.Units, pages: m.Pages, printed: m.Printed, start: m.Start,
		reason: m.Reason, name: m.Name, user: m.User, format: m.Format, bytes: m.Bytes, document: documentOf(extentsOf(m.Document)), ttl: m.Ttl,
		changed: m.Changed, created: m.Created, more: m.More,
		submitted: position{m.Submitted.GetIndex(), m.Submitted.GetTerm(), m.Submitted.GetTime()},
	}
	copy(j.sha256[:], m.Sha256)
	for _, a := range m.Attempts {
		j.attempts = append(j.attempts, attempt{tokenOf(a.Token), a.Number, a.Device, a.From, a.Printed, a.Outcome, a.Remote})
	}
	if m.Key != "" {
		j.idempotency = &idempotency{key: m.Key}
		copy(j.idempotency.fingerprint[:], m.Fingerprint)
	}
	j.rare = rareOf(m)
	return j
}
