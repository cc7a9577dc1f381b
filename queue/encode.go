package queue

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// marshal is deterministic: records are compared by their bytes.
func marshal(m proto.Message) []byte {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("queue: encode record: %v", err)) // all text came out of decoded messages
	}
	return b
}

func (p *printer) encode() []byte { return marshal(p.message()) }
func (d *device) encode() []byte  { return marshal(d.message()) }
func (m *member) encode() []byte  { return marshal(m.message()) }

func (j *job) message() *Job {
	m := &Job{
		Id: j.id, Printer: j.printer.name, State: uint32(j.state), Reason: j.reason, Name: j.name, User: j.user, Format: j.format,
		Bytes: j.bytes, Sha256: append([]byte(nil), j.sha256[:]...), Pages: j.pages, Units: j.units, Printed: j.printed,
		Copies: uint32(j.copies), Priority: uint32(j.priority), Document: extentMessages(j.document.extents()), Ttl: j.ttl,
		Submitted: &queuepb.Position{Index: j.submitted.index, Term: j.submitted.term, Time: j.submitted.time},
		Start:     j.start, Stopping: uint32(j.stopping), DocumentGone: j.documentGone, Changed: j.changed,
		Created: j.created, More: j.more,
	}
	if j.bytes == 0 {
		m.Sha256 = nil
	}
	for i := range j.attempts {
		a := &j.attempts[i]
		m.Attempts = append(m.Attempts, &queuepb.Attempt{
			Token: a.token.message(), Number: a.number, Device: a.device, From: a.from, Printed: a.printed, Outcome: a.outcome,
			Remote: a.remote,
		})
	}
	if j.device != nil {
		m.Device = j.device.id
	}
	if k := j.idempotency; k != nil {
		m.Key, m.Fingerprint = k.key, append([]byte(nil), k.fingerprint[:]...)
	}
	if r := j.rare; r != nil {
		m.MoveTo, m.Open, m.Hold, m.DuplicateOf, m.Began = r.moveTo, r.open, r.hold, r.duplicateOf, r.began
		m.Ended, m.Of = r.ended, r.of
		m.Place, m.PageRanges, m.PartOf, m.Parts = r.place, r.pageRanges, r.partOf, slices.Clone(r.parts)
		if r.doubt != nil {
			m.InDoubt = &queuepb.Doubt{Copy: r.doubt.Copy, From: r.doubt.From, To: r.doubt.To, Last: r.doubt.Last, Why: r.doubt.Why}
		}
		m.Options = optionMessages(r.options)
	}
	return m
}

func (p *printer) message() *Printer {
	m := &Printer{
		Name: p.name, Settings: proto.Clone(p.settings).(*queuepb.PrinterSettings), Paused: p.paused, Created: p.created, Changed: p.changed,
		Rejecting: p.rejecting, HoldNew: p.holdNew, Default: p.isDefault,
	}
	if p.description != nil {
		m.Description = proto.Clone(p.description).(*queuepb.PrinterDescription)
	}
	for _, d := range p.devices {
		m.Devices = append(m.Devices, d.id)
	}
	return m
}

func (d *device) message() *Device {
	m := &Device{
		Id: d.id, Uri: d.uri, Printer: d.printer.name, Token: d.token.message(), Last: d.last.message(), Resumed: d.resumed,
		Identity: d.identity, Epoch: d.epoch, Adopt: d.adopt, Closing: d.closing, Recovering: d.recovering, Reason: d.reason,
		Detail: d.detail, Stopped: d.stopped, Known: d.known, Class: uint32(d.class), Skips: d.skips, About: d.about,
		Formats: slices.Clone(d.formats), Capabilities: slices.Clone(d.capabilities), Intended: d.flight.intended, Sent: d.flight.sent,
		Counts: d.flight.counts, Counter: d.flight.counter, Base: d.flight.base, BasePages: d.flight.basePages, Pages: d.flight.pages,
		Remote: d.flight.remote, Announced: d.flight.by.message(), Used: d.used, OutOfOrder: d.outOfOrder,
	}
	if d.job != nil {
		m.Job, m.Attempt, m.Progress = d.job.id, d.attempt, d.job.printed
	}
	return m
}

func (m *member) message() *Member { return &Member{Id: m.id, Http: m.http, Peer: m.peer} }

func (u *upload) encode() []byte {
	return marshal(&queuepb.Upload{Id: []byte(u.id), Chunks: extentMessages(u.chunks), Bytes: u.bytes, Touched: u.touched})
}

func (k *usedKey) encode() []byte {
	return marshal(&queuepb.Key{Job: k.job, Fingerprint: k.fingerprint[:], Ended: k.ended})
}

func (t Token) message() *queuepb.Token {
	if t == (Token{}) {
		return nil
	}
	return &queuepb.Token{Term: t.Term, Index: t.Index}
}

func tokenOf(m *queuepb.Token) Token { return Token{m.GetTerm(), m.GetIndex()} }

func extentMessages(list []Extent) []*queuepb.Extent {
	messages := make([]*queuepb.Extent, len(list))
	for i, x := range list {
		messages[i] = &queuepb.Extent{Index: x.Index, Offset: x.Offset, Length: x.Length}
	}
	return messages
}

func extentsOf(messages []*queuepb.Extent) []Extent {
	if len(messages) == 0 {
		return nil
	}
	list := make([]Extent, len(messages))
	for i, m := range messages {
		list[i] = Extent{m.GetIndex(), m.GetOffset(), m.GetLength()}
	}
	return list
}
