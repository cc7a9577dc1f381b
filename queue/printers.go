package queue

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// setPrinter makes a printer, or changes its settings. One that has them already does not change.
func (t *turn) setPrinter(m *queuepb.SetPrinter) error {
	settings, err := settingsOf(m)
	if err != nil {
		return err
	}
	p := t.printers[m.Name]
	if p != nil && proto.Equal(p.settings, settings) {
		return nil
	}
	uris, err := t.free(m.Name, settings.Devices)
	if err != nil {
		return err
	}
	if err := p.canLose(uris); err != nil {
		return err
	}
	if p == nil {
		p = t.newPrinter(m.Name)
		p.created = t.entry.Index
	}
	p.settings, p.changed = settings, t.entry.Index
	t.configured(p)
	t.setDevices(p, uris)
	t.touch(p)
	t.offer(p)
	t.aboutPrinter(p, m.Cause)
	return nil
}

// settingsOf checks settings, and spells defaults in one way.
func settingsOf(m *queuepb.SetPrinter) (*queuepb.PrinterSettings, error) {
	in := m.Settings
	s := &queuepb.PrinterSettings{
		Devices: slices.Clone(in.GetDevices()), InDoubt: in.GetInDoubt(), Ttl: in.GetTtl(), Keep: in.GetKeep(), Retention: in.GetRetention(),
		Pool: in.GetPool(), Offers: optionMessages(in.GetOffers()),
	}
	if err := checkOptions(s.Offers); err != nil {
		return nil, err
	}
	if s.Pool == "balanced" {
		s.Pool = poolBalanced
	}
	if s.InDoubt == "hold" {
		s.InDoubt = ""
	}
	switch {
	case s.Ttl < 0 || s.Keep < 0 || s.Retention < 0:
		return nil, fmt.Errorf("%w: ttl, keep and retention must not be negative", ErrInvalid)
	case s.InDoubt != "" && s.InDoubt != "reprint" && s.InDoubt != "skip":
		return nil, fmt.Errorf("%w: in_doubt %q: want hold, reprint or skip", ErrInvalid, s.InDoubt)
	case s.Pool != poolBalanced && s.Pool != poolOrdered && s.Pool != poolStandby:
		return nil, fmt.Errorf("%w: pool %q: want balanced, ordered or standby", ErrInvalid, s.Pool)
	case len(s.Devices) > MaxDevices:
		return nil, fmt.Errorf("%w: %d devices, at most %d", ErrInvalid, len(s.Devices), MaxDevices)
	}
	return s, printerName(m.Name)
}

// free checks that devices are nobody else's, and gives their URIs by what is normal of them.
func (t *turn) free(printer string, devices []string) (map[string]string, error) {
	uris := make(map[string]string, len(devices))
	for _, uri := range devices {
		normal, err := normalURI(uri)
		if err != nil {
			return nil, err
		}
		if before, twice := uris[normal]; twice {
			return nil, fmt.Errorf("%w: %s and %s are one device", ErrInvalid, before, uri)
		}
		if d := t.uris[normal]; d != nil && d.printer.name != printer {
			return nil, fmt.Errorf("%w: %s is a device of printer %s", ErrState, uri, d.printer.name)
		}
		uris[normal] = uri
	}
	return uris, nil
}

// canLose checks that no device that is not among uris has a job.
func (p *printer) canLose(uris map[string]string) error {
	if p == nil {
		return nil
	}
	for _, d := range p.devices {
		normal, _ := normalURI(d.uri)
		if _, stays := uris[normal]; !stays && d.job != nil {
			return fmt.Errorf("%w: device %s is at job %d: wait, or move or cancel the job first", ErrState, d.uri, d.job.id)
		}
	}
	return nil
}

func (t *turn) setDevices(p *printer, uris map[string]string) {
	for _, d := range slices.Clone(p.devices) {
		normal, _ := normalURI(d.uri)
		if uri, stays := uris[normal]; !stays {
			t.removeDevice(d)
		} else if uri != d.uri {
			d.uri = uri
			t.driven(d)
		}
	}
	for _, uri := range p.settings.Devices {
		normal, _ := normalURI(uri)
		if t.uris[normal] != nil {
			continue
		}
		d := &device{id: t.nextDevice, uri: uri, printer: p}
		t.nextDevice++
		t.devices[d.id], t.uris[normal] = d, d
		p.devices = append(p.devices, d)
		t.driven(d)
	}
	slices.SortFunc(p.devices, func(a, b *device) int { return cmp.Compare(a.id, b.id) })
}

func (t *turn) removeDevice(d *device) {
	normal, _ := normalURI(d.uri)
	delete(t.uris, normal)
	delete(t.devices, d.id)
	if t.names[d.identity] == d {
		delete(t.names, d.identity)
	}
	d.removed = true
	d.printer.devices = slices.DeleteFunc(d.printer.devices, func(x *device) bool { return x == d })
	t.driven(d)
	t.erase(d)
}

func (t *turn) aboutPrinter(p *printer, c *queuepb.Cause) {
	t.begin("printer-set", p.name, 0)
	t.field("devices")
	b := append(t.scratch, '[')
	for i, d := range p.devices {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"id":%d,"uri":`, d.id)
		b = append(appendString(b, d.uri), '}')
	}
	t.scratch = append(b, ']')
	t.str("in_doubt", p.settings.InDoubt)
	if p.settings.Pool != poolBalanced {
		t.str("pool", p.settings.Pool)
	}
	t.opt("ttl_ns", uint64(p.settings.Ttl))
	t.opt("keep_ns", uint64(p.settings.Keep))
	t.opt("retention_ns", uint64(p.settings.Retention))
	t.options("offers", p.settings.Offers)
	t.cause(c)
	t.end()
}

func (t *turn) removePrinter(m *queuepb.RemovePrinter) error {
	p := t.printers[m.Name]
	if p == nil {
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Name)
	}
	if n := p.live(); n > 0 {
		return fmt.Errorf("%w: printer %s has %d jobs that have not ended: move or cancel them first", ErrState, p.name, n)
	}
	for _, d := range slices.Clone(p.devices) {
		t.removeDevice(d)
	}
	delete(t.printers, p.name)
	if t.byDefault == p {
		t.byDefault = nil
	}
	t.erase(p)
	t.erase(p.times)
	t.named("printer-removed", p, m.Cause)
	return nil
}

// live is the number of jobs that have not ended.
func (p *printer) live() int {
	return p.counts[Pending] + p.counts[Held] + p.counts[Processing] + p.counts[Stopped]
}

func (t *turn) named(kind string, p *printer, c *queuepb.Cause) {
	t.begin(kind, p.name, 0)
	t.cause(c)
	t.end()
}

// pause lets the job at hand finish, and nothing new is chosen before resume.
func (t *turn) pause(name string, pause bool, c *queuepb.Cause) error {
	p := t.printers[name]
	switch {
	case p == nil:
		return fmt.Errorf("%w: %q", ErrNoPrinter, name)
	case p.paused == pause:
		return nil
	}
	p.paused = pause
	t.touch(p)
	t.offer(p)
	t.named(map[bool]string{true: "printer-paused", false: "printer-resumed"}[pause], p, c)
	return nil
}

// adopt accepts whatever identity and cluster the printer's devices answer with next.
func (t *turn) adopt(m *queuepb.AdoptPrinter) error {
	p := t.printers[m.Name]
	if p == nil {
		return fmt.Errorf("%w: %q", ErrNoPrinter, m.Name)
	}
	changed := false
	for _, d := range p.devices {
		if d.adopt {
			continue
		}
		changed, d.adopt = true, true
		if d.stopped {
			d.stopped, d.reason, d.detail = false, "", ""
		}
		t.driven(d)
	}
	if changed {
		t.named("printer-adopted", p, m.Cause)
	}
	return nil
}

// setMember records where a member is reached.
func (t *turn) setMember(m *queuepb.SetMember) error {
	if m.Id == 0 || len(m.Http) > MaxText || len(m.Peer) > MaxText {
		return fmt.Errorf("%w: member %d", ErrInvalid, m.Id)
	}
	x := t.members[m.Id]
	if x == nil {
		x = &member{id: m.Id}
		t.members[m.Id] = x
	} else if x.http == m.Http && x.peer == m.Peer {
		return nil
	}
	x.http, x.peer = m.Http, m.Peer
	t.touch(x)
	t.begin("member-set", "", 0)
	t.num("member", x.id)
	t.str("http", x.http)
	t.str("peer", x.peer)
	t.end()
	return nil
}
