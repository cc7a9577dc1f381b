package queue

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// reprint makes a new job of an ended one; they share the document.
func (t *turn) reprint(m *queuepb.Reprint) (job uint64, repeated bool, err error) {
	old := t.find(m.Job)
	if old == nil {
		return 0, false, fmt.Errorf("%w: %d", ErrNoJob, m.Job)
	}
	c := &submission{
		printer: m.Printer, key: m.Key, name: old.name, user: old.user, format: old.format, sha256: old.sha256[:], bytes: old.bytes,
		pages: old.pages, units: old.units, copies: uint32(old.copies), priority: uint32(old.priority), of: old.id, start: max(m.From, 1) - 1,
		by: m.Cause.GetBy(), why: m.Cause.GetWhy(),
	}
	if old.rare != nil {
		c.options = old.rare.options
	}
	if c.printer == "" {
		c.printer = old.printer.name
	}
	if len(c.key) > MaxKey {
		return 0, false, fmt.Errorf("%w: idempotency key of %d bytes", ErrInvalid, len(c.key))
	}
	if job, err := t.repeated(c); job != 0 || err != nil {
		return job, err == nil, err
	}
	p, err := t.taking(c.printer)
	switch {
	case !old.state.Ended():
		return 0, false, fmt.Errorf("%w: job %d is %s: only an ended job can be printed again", ErrState, old.id, old.state)
	case err != nil:
		return 0, false, err
	case old.documentGone:
		return 0, false, fmt.Errorf("%w: job %d ended at %s", ErrDocumentGone, old.id, stamp(old.rare.ended))
	case old.bytes == 0:
		return 0, false, fmt.Errorf("%w: job %d got no document", ErrState, old.id)
	case c.start >= old.units:
		return 0, false, fmt.Errorf("%w: from page %d: job %d has %d that can be printed alone", ErrInvalid, m.From, old.id, old.units)
	}
	c.ttl = p.settings.GetTtl()
	c.document = slices.Clone(old.document.extents())
	t.result.Retain = append(t.result.Retain, c.document...)
	return t.make("reprint", p, c).id, false, nil
}

// find finds a job, wherever it lies; nil if there is none.
func (t *turn) find(id uint64) *job {
	if j := t.jobs.get(id); j != nil {
		if j.gone {
			return nil
		}
		return j
	}
	raw := t.get(Finished, number(id))
	if raw == nil {
		return nil
	}
	var m Job
	if err := proto.Unmarshal(raw, &m); err != nil {
		t.broken = fmt.Errorf("record of job %d: %w", id, err)
		return nil
	}
	j := t.jobOf(&m)
	j.stored, j.sum = rankOf(Finished), recordSum(Finished, number(id), raw)
	return j
}
