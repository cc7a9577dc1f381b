package queue

import (
	"fmt"
	"maps"
	"slices"

	"printq/queue/queuepb"
)

// revoke begins a term: every claim is void, and jobs that were printing recover (R2).
func (t *turn) revoke() {
	t.term = t.entry.Term
	revoked, recovering := uint64(0), []uint64(nil)
	for _, id := range slices.Sorted(maps.Keys(t.devices)) {
		d := t.devices[id]
		if d.token == (Token{}) {
			continue
		}
		revoked++
		t.lose(d, Token{})
		if d.job != nil {
			recovering = append(recovering, d.job.id)
		}
	}
	if revoked > 0 {
		t.begin("term", "", 0)
		t.num("revoked", revoked)
		t.ids("recovering", recovering)
		t.end()
	}
}

// lose voids a device's claim, for the one that comes after it.
func (t *turn) lose(d *device, next Token) {
	d.token, d.resumed, d.closing = next, false, 0
	d.recovering = d.job != nil
	t.driven(d)
	t.show(d)
}

// claim gives a device a new token, and voids the older one (R3).
func (t *turn) claim(m *queuepb.Claim) error {
	d := t.devices[m.Device]
	switch {
	case !t.alone:
		return fmt.Errorf("%w: a claim must be alone in its entry", ErrVoid)
	case d == nil:
		return fmt.Errorf("%w: no device %d", ErrVoid, m.Device)
	}
	token := Token{t.entry.Term, t.entry.Index}
	d.last = token
	t.lose(d, token)
	t.aboutDevice("claim", d)
	t.token(token)
	t.end()
	return nil
}

func (t *turn) aboutDevice(kind string, d *device) {
	job := uint64(0)
	if d.job != nil {
		job = d.job.id
	}
	t.begin(kind, d.printer.name, job)
	t.num("device", d.id)
}

// held finds the device whose live claim is token (R5).
func (t *turn) held(id uint64, token *queuepb.Token) (*device, error) {
	d := t.devices[id]
	if d == nil {
		return nil, fmt.Errorf("%w: no device %d", ErrVoid, id)
	}
	if k := tokenOf(token); k != d.token || k == (Token{}) {
		return nil, fmt.Errorf("%w: token %d.%d is not the live one, %d.%d", ErrVoid, k.Term, k.Index, d.token.Term, d.token.Index)
	}
	return d, nil
}

// resume takes a device's answer to its claim (R4).
func (t *turn) resume(m *queuepb.Resume) error {
	d, err := t.held(m.Device, m.Token)
	if err != nil {
		return err
	}
	if d.resumed {
		return fmt.Errorf("%w: the claim has been resumed", ErrVoid)
	}
	if d.stopped {
		return fmt.Errorf("%w: the device is stopped, %s: printq printer adopt %s", ErrVoid, d.reason, d.printer.name)
	}
	if reason, detail := t.strange(d, m); reason != "" {
		t.stopDevice(d, reason, detail)
		return nil
	}
	if err := d.answerable(m); err != nil {
		return err
	}
	amnesia, before := d.epoch != "" && m.Epoch != d.epoch, d.class
	if before != Fenced { // what another device counts says nothing about what this one was given
		amnesia = d.known && m.Identity != d.identity
	}
	t.acquaint(d, m)
	t.propagate(d, m, amnesia, before)
	return nil
}

// strange says why a device may not be what it was, or whose it was. An adopted one may be anything but another's.
func (t *turn) strange(d *device, m *queuepb.Resume) (reason, detail string) {
	other := t.names[m.Identity]
	switch {
	case m.Identity != "" && other != nil && other != d:
		return "identity-in-use", fmt.Sprintf("it is the same device as %s, of printer %s", other.uri, other.printer.name)
	case d.adopt:
		return "", ""
	case m.Cluster != "" && m.Cluster != t.cluster:
		return "other-cluster", fmt.Sprintf("it was driven by cluster %s", m.Cluster)
	case d.known && m.Identity != d.identity:
		return "identity-changed", fmt.Sprintf("it was %q, and is %q", d.identity, m.Identity)
	}
	return "", ""
}

func (t *turn) stopDevice(d *device, reason, detail string) {
	d.stopped, d.adopt, d.reason, d.detail = true, false, reason, detail
	t.driven(d)
	t.aboutDevice("stopped", d)
	t.token(d.token)
	t.str("reason", reason)
	t.str("detail", detail)
	t.end()
}

// answerable checks the size and sense of an answer that will be kept.
func (d *device) answerable(m *queuepb.Resume) error {
	switch {
	case m.Class > uint32(Blind):
		return fmt.Errorf("%w: class %d of device is not known to version %d", ErrVoid, m.Class, Version)
	case len(m.About) > MaxText || len(m.Identity) > MaxText || len(m.Formats) > MaxFormats || len(m.Capabilities) > MaxCapability:
		return fmt.Errorf("%w: the device says too much about itself", ErrVoid)
	}
	for _, format := range m.Formats {
		if len(format) > MaxText {
			return fmt.Errorf("%w: the device says too much about itself", ErrVoid)
		}
	}
	return nil
}

// acquaint records who the device is, and that it answers.
func (t *turn) acquaint(d *device, m *queuepb.Resume) {
	if d.identity != m.Identity {
		if t.names[d.identity] == d {
			delete(t.names, d.identity)
		}
		d.identity = m.Identity
	}
	if d.identity != "" {
		t.names[d.identity] = d
	}
	d.known, d.epoch, d.adopt, d.stopped, d.resumed, d.outOfOrder = true, m.Epoch, false, false, true, false
	d.class, d.skips, d.about, d.formats, d.capabilities = Class(m.Class), m.Skips, m.About, m.Formats, m.Capabilities
	d.reason, d.detail = "", ""
	d.recovering = false
	t.offer(d.printer)
	t.driven(d)
}
