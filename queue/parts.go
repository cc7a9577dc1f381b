package queue

import (
	"bytes"
	"fmt"

	"printq/queue/queuepb"
)

// A created job may get more than one document. Each further one becomes a job of its own, right after it, and each names the
// other: what is printed, held, moved and recovered is a document.

// isThere looks whether the document is one that the created job has, of its own or as a part.
func (t *turn) isThere(j *job, m *queuepb.AttachDocument) (repeated bool, err error) {
	have := 1 + len(j.parts())
	switch {
	case int(m.Number) == have+1:
		return false, nil
	case int(m.Number) > have+1:
		return false, fmt.Errorf("%w: job %d has %d documents: number %d does not follow", ErrState, j.id, have, m.Number)
	case j.has(m) && m.Number <= 1:
		return true, nil
	}
	for i, id := range j.parts() {
		if part := t.find(id); part != nil && part.has(m) && (m.Number == 0 || int(m.Number) == i+2) {
			return true, nil
		}
	}
	if m.Number != 0 {
		return false, fmt.Errorf("%w: document %d of job %d is another one", ErrState, m.Number, j.id)
	}
	return false, nil
}

// has reports whether the document is the job's.
func (j *job) has(m *queuepb.AttachDocument) bool {
	return j.bytes == m.Bytes && bytes.Equal(j.sha256[:], m.Sha256)
}

func (j *job) parts() []uint64 {
	if j.rare == nil {
		return nil
	}
	return j.rare.parts
}

// further takes a document for a created job that has one: as a repeat, or as a job of its own.
func (t *turn) further(j *job, m *queuepb.AttachDocument) (repeated bool, err error) {
	repeated, err = t.isThere(j, m)
	switch {
	case err != nil:
		return false, err
	case repeated:
		t.discard(m.Upload)
		if m.Last && j.more {
			t.noMore(j)
		}
		return true, nil
	case !j.more:
		return false, fmt.Errorf("%w: job %d takes no further document", ErrState, j.id)
	case j.state == Canceled || j.state == Aborted:
		return false, fmt.Errorf("%w: job %d is %s", ErrState, j.id, j.state)
	case len(j.parts()) >= MaxParts:
		return false, fmt.Errorf("%w: job %d has %d documents", ErrLimit, j.id, 1+len(j.parts()))
	case t.printers[j.printer.name] == nil:
		return false, fmt.Errorf("%w: %q", ErrNoPrinter, j.printer.name)
	}
	return false, t.part(j, m)
}

// part makes a job of a further document.
func (t *turn) part(j *job, m *queuepb.AttachDocument) error {
	c := &submission{
		printer: j.printer.name, name: j.name, user: j.user, copies: uint32(j.copies), priority: uint32(j.priority), ttl: j.ttl,
		hold: j.state == Held && j.reason != reasonHeldNew, sha256: m.Sha256, bytes: m.Bytes, format: m.Format, pages: m.Pages, units: max(m.Units, 1), partOf: j.id,
		// Whether its pages could be cut is said of each document.
		options: mergeOptions(j.wishList(), append([]*queuepb.Option{{Name: optionPageRanges}}, m.Options...)),
	}
	err := c.checkDocument()
	if err == nil {
		err = checkOptions(c.options)
	}
	if err != nil {
		return err
	}
	if c.document, err = t.document(m.Upload, m.Chunks, m.Bytes); err != nil {
		return err
	}
	if m.Chunks == 0 {
		t.result.Retain = append(t.result.Retain, c.document...)
	}
	part := t.make("part", t.printers[j.printer.name], c)
	r := j.seldom()
	r.parts = append(r.parts, part.id)
	j.more = !m.Last
	t.rewrite(j)
	return nil
}

// noMore notes that no further document comes.
func (t *turn) noMore(j *job) {
	j.more = false
	t.rewrite(j)
}

// rewrite notes a change of a job that may have ended and left memory.
func (t *turn) rewrite(j *job) {
	t.jobs.put(j)
	t.changed(j)
}
