package queue

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"time"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// Stats are the state's sizes.
type Stats struct {
	Pending, Held, Processing, Stopped int // live jobs
	InDoubt                            int // of Held, those that a person has to resolve
	Finished                           int
	Keys                               int           // idempotency keys of ended jobs
	KeyReach                           time.Duration // how far back they reach; 0: KeyRetain, as they should
	Void                               uint64        // commands without effect, ever
	Uploads                            int
	UploadBytes                        uint64
}

// Stats gives the sizes. It costs the same whatever they are.
func (s *State) Stats() Stats {
	c := s.counts
	stats := Stats{
		Pending: c[Pending], Held: c[Held], Processing: c[Processing], Stopped: c[Stopped], InDoubt: s.doubts, Finished: len(s.ended.byID),
		Keys: s.keys, Void: s.void, Uploads: len(s.uploads), UploadBytes: s.uploaded,
	}
	if s.keys >= MaxKeys {
		for oldest := range s.keyEnds.all() {
			if reach := time.Duration(s.time - oldest.ended); reach < KeyRetain {
				stats.KeyReach = max(reach, 1)
			}
			break
		}
	}
	return stats
}

// Counts are the jobs of a printer that have not ended, by state.
type Counts struct{ Pending, Held, Processing, Stopped int }

// Counts gives those of the printer of that name; zeros if there is none.
func (s *State) Counts(name string) Counts {
	p := s.printers[name]
	if p == nil {
		return Counts{}
	}
	return Counts{p.counts[Pending], p.counts[Held], p.counts[Processing], p.counts[Stopped]}
}

// Job gives the record of a job, live or ended; nil if there is none.
func (s *State) Job(id uint64, v View) (*Job, error) {
	if j := s.jobs.get(id); j != nil {
		if j.gone {
			return nil, nil
		}
		return j.message(), nil
	}
	raw, err := v.Get(Finished, number(id))
	if err != nil || raw == nil {
		return nil, err
	}
	m := new(Job)
	if err := proto.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("record of job %d: %w", id, err)
	}
	return m, nil
}

// LiveJobs gives the jobs that have not ended and whose id is at most from, newest first; from 0: all of them.
func (s *State) LiveJobs(from uint64) iter.Seq[*Job] {
	return func(yield func(*Job) bool) {
		i := len(s.order)
		if from != 0 {
			i = sort.Search(i, func(i int) bool { return s.order[i].id > from })
		}
		for _, j := range slices.Backward(s.order[:i]) {
			if !j.state.Ended() && !yield(j.message()) {
				return
			}
		}
	}
}

// Printer gives a printer; nil if there is none of that name.
func (s *State) Printer(name string) *Printer {
	p := s.printers[name]
	if p == nil {
		return nil
	}
	m := p.message()
	if p.paused {
		m.Reason = "paused"
	}
	for _, d := range p.devices {
		if m.Reason == "" {
			m.Reason = d.reason
		}
	}
	return m
}

// Takes reports whether a printer may take a format. What it does not take, every one of its devices has said that it does
// not; formats are those that they take. A format that is not known, or a printer that is not here yet, passes: the device
// has the last word.
func (s *State) Takes(name, format string) (formats []string, ok bool) {
	p := s.printers[name]
	if p == nil || format == "" || len(p.devices) == 0 {
		return nil, true
	}
	for _, d := range p.devices {
		if len(d.formats) == 0 || slices.Contains(d.formats, format) {
			return nil, true
		}
	}
	for _, d := range p.devices {
		formats = append(formats, d.formats...)
	}
	slices.Sort(formats)
	return slices.Compact(formats), false
}

// Printers gives all printers, by name. Reason is "paused", or what the first device that has one reports.
func (s *State) Printers() []*Printer {
	list := make([]*Printer, 0, len(s.printers))
	for _, name := range slices.Sorted(maps.Keys(s.printers)) {
		list = append(list, s.Printer(name))
	}
	return list
}

// Device gives a device; nil if there is none.
func (s *State) Device(id uint64) *Device {
	d := s.devices[id]
	if d == nil {
		return nil
	}
	return d.message()
}

// Members gives where the members are reached, by id.
func (s *State) Members() []*Member {
	list := make([]*Member, 0, len(s.members))
	for _, m := range s.members {
		list = append(list, m.message())
	}
	slices.SortFunc(list, func(a, b *Member) int { return cmp.Compare(a.Id, b.Id) })
	return list
}

// SettingsOf gives the settings of p with the defaults filled in.
func SettingsOf(p *queuepb.PrinterSettings) Settings {
	inDoubt := p.GetInDoubt()
	if inDoubt == "" {
		inDoubt = "hold"
	}
	pool := p.GetPool()
	if pool == poolBalanced {
		pool = "balanced"
	}
	return Settings{
		Devices: slices.Clone(p.GetDevices()), InDoubt: inDoubt, Pool: pool, TTL: time.Duration(p.GetTtl()),
		Keep:      time.Duration(orDefault(p.GetKeep(), DefaultKeep)),
		Retention: time.Duration(orDefault(p.GetRetention(), DefaultRetain)),
		Offers:    byName(p.GetOffers()),
	}
}

// Settings gives those of the printer of that name with the defaults filled in; the defaults if there is none.
func (s *State) Settings(name string) Settings { return SettingsOf(s.printers[name].set()) }

// Drives gives what the drivers of all devices need to know, by device.
func (s *State) Drives() []Drive {
	list := make([]Drive, 0, len(s.devices))
	for _, id := range slices.Sorted(maps.Keys(s.devices)) {
		list = append(list, s.Drive(id))
	}
	return list
}

// Drive gives what the driver of a device needs to know.
func (s *State) Drive(id uint64) Drive {
	d := s.devices[id]
	if d == nil {
		return Drive{Device: id, Cluster: s.cluster, Removed: true}
	}
	drive := Drive{
		Device: id, URI: d.uri, Printer: d.printer.name, Cluster: s.cluster, Token: d.token, Resumed: d.resumed,
		Identity: d.identity, Epoch: d.epoch, Adopt: d.adopt, Closing: d.closing, Reason: d.reason, Detail: d.detail, Stopped: d.stopped,
		Class: d.class, Others: len(d.printer.devices) > 1,
	}
	if j := d.job; j != nil {
		w := j.work()
		w.Attempt, w.Stopping, w.Start = d.attempt, j.stopping != notStopping, int(j.attempt().from)
		w.Intended, w.Sent, w.PagesOut, w.Remote = int(d.flight.intended), int(d.flight.sent), int(d.flight.pages), d.flight.remote
		drive.Work = w
		if next := d.printer.turns.first(); next != nil && !drive.Others {
			drive.Next = next.work()
		}
	}
	return drive
}

// work is what a driver needs to know of a job, but for the attempt.
func (j *job) work() *Work {
	return &Work{
		Job: j.id, Units: int(j.units), Copies: int(j.copies), Printed: int(j.printed), Start: int(j.start),
		Name: j.name, User: j.user, Format: j.format, Bytes: int64(j.bytes), SHA256: j.sha256, Document: slices.Clone(j.document.extents()),
		Pages: int(j.pages), Options: j.wishes(),
	}
}

// wishes are a job's options by name; nil if it has none.
func (j *job) wishes() map[string]string { return byName(j.wishList()) }

func byName(options []*queuepb.Option) map[string]string {
	if len(options) == 0 {
		return nil
	}
	names := make(map[string]string, len(options))
	for _, o := range options {
		names[o.GetName()] = o.GetValue()
	}
	return names
}

// Documents gives every extent that is still needed: those of live jobs, of open uploads, and what is kept for reprint. An
// extent that several jobs share is given once for each.
func (s *State) Documents() iter.Seq[Extent] {
	return func(yield func(Extent) bool) {
		for _, j := range s.order {
			if !j.state.Ended() && !all(j.document.extents(), yield) {
				return
			}
		}
		for f := range s.ended.all.all() {
			if !all(f.document, yield) {
				return
			}
		}
		for _, id := range slices.Sorted(maps.Keys(s.uploads)) {
			if !all(s.uploads[id].chunks, yield) {
				return
			}
		}
	}
}

func all(list []Extent, yield func(Extent) bool) bool {
	for _, x := range list {
		if x.Length != 0 && !yield(x) {
			return false
		}
	}
	return true
}
