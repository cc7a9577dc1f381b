package queue

import (
	"crypto/sha256"
	"fmt"
	"math"
	"strings"

	"printq/queue/queuepb"
)

// A submission is what becomes a job: a Submit or a Reprint.
type submission struct {
	by, why              string
	printer, key         string
	name, user, format   string
	sha256               []byte
	bytes                uint64
	pages, units, copies uint32
	priority             uint32
	hold                 bool
	asked, ttl           int64 // as the request has it, and as it comes out
	document             []Extent
	open                 bool // no document yet
	pageRanges           string
	partOf               uint64
	of                   uint64
	start                uint32
	options              []*queuepb.Option
	print                [32]byte
}

// submit makes a job of an inline document, or of the chunks of an upload.
func (t *turn) submit(m *queuepb.Submit) (job uint64, repeated bool, err error) {
	c := &submission{
		printer: m.Printer, key: m.Key, name: m.Name, user: m.User, format: m.Format, sha256: m.Sha256, bytes: m.Bytes,
		pages: m.Pages, units: max(m.Units, 1), copies: max(m.Copies, 1), priority: m.Priority, hold: m.Hold, asked: m.Ttl, ttl: m.Ttl,
		options: m.Options,
	}
	if c.priority == 0 {
		c.priority = DefaultPriority
	}
	if err := c.check(); err != nil {
		return 0, false, err
	}
	if job, err := t.repeated(c); job != 0 || err != nil {
		return job, err == nil, err
	}
	p, err := t.taking(m.Printer)
	if err != nil {
		return 0, false, err
	}
	if c.ttl == 0 {
		c.ttl = p.settings.GetTtl()
	}
	if c.document, err = t.document(m.Upload, m.Chunks, m.Bytes); err != nil {
		return 0, false, err
	}
	if m.Chunks == 0 {
		t.result.Retain = append(t.result.Retain, c.document...)
	}
	c.name, c.key = strings.Clone(c.name), strings.Clone(c.key) // they stay, and are a part of all that came with them
	return t.make("submit", p, c).id, false, nil
}

func (c *submission) check() error {
	if err := c.checkDocument(); err != nil {
		return err
	}
	return c.checkTicket()
}

func invalid(what string, of uint64) error { return fmt.Errorf("%w: %s: %d", ErrInvalid, what, of) }

func (c *submission) checkDocument() error {
	switch {
	case len(c.sha256) != sha256.Size:
		return invalid("bytes of the document's SHA-256", uint64(len(c.sha256)))
	case c.bytes == 0:
		return fmt.Errorf("%w: the document is empty", ErrInvalid)
	case uint64(c.units)*uint64(c.copies) > math.MaxInt32:
		return invalid("units over all copies", uint64(c.units)*uint64(c.copies))
	case len(c.format) > MaxText:
		return invalid("bytes of the format, at most", MaxText)
	}
	return nil
}

func (c *submission) checkTicket() error {
	switch {
	case c.copies > MaxCopies:
		return invalid("copies", uint64(c.copies))
	case c.priority > 100:
		return invalid("priority, of 1 to 100", uint64(c.priority))
	case c.ttl < 0:
		return fmt.Errorf("%w: time to live is negative", ErrInvalid)
	case len(c.name) > MaxText || len(c.user) > MaxText:
		return invalid("bytes of name or user, at most", MaxText)
	case len(c.key) > MaxKey:
		return invalid("bytes of the idempotency key", uint64(len(c.key)))
	}
	return checkOptions(c.options)
}

// document finds where the document of a submit, or of an attach, lies. An upload that it names becomes the job's.
func (t *turn) document(upload []byte, chunks uint32, size uint64) ([]Extent, error) {
	if chunks == 0 {
		if uint64(t.payload.Length) != size || size > MaxInline {
			return nil, fmt.Errorf("%w: %d bytes inline, of %d; at most %d", ErrInvalid, t.payload.Length, size, MaxInline)
		}
		return []Extent{t.payload}, nil
	}
	u := t.uploads[string(upload)]
	switch {
	case t.payload.Length != 0:
		return nil, fmt.Errorf("%w: a document both inline and in chunks", ErrInvalid)
	case u == nil:
		return nil, fmt.Errorf("%w: no chunk of it is here; send the document again", ErrNoUpload)
	case u.have != chunks || len(u.chunks) != int(chunks) || u.bytes != size:
		return nil, fmt.Errorf("%w: %d chunks and %d bytes are here, of %d and %d", ErrNoUpload, u.have, u.bytes, chunks, size)
	}
	t.dropUpload(u)
	return u.chunks, nil
}

// make adds a job, and writes its line.
func (t *turn) make(kind string, p *printer, c *submission) *job {
	j := &job{
		id: t.nextJob, printer: p, name: c.name, user: t.intern(c.user), format: t.intern(c.format), bytes: c.bytes, pages: c.pages, units: c.units,
		copies: uint16(c.copies), priority: uint8(c.priority), document: documentOf(c.document), start: c.start, printed: c.start,
		ttl: c.ttl, submitted: position{t.entry.Index, t.entry.Term, t.time},
	}
	t.nextJob++
	copy(j.sha256[:], c.sha256)
	if c.key != "" {
		j.idempotency = &idempotency{c.key, c.print}
	}
	if len(c.options) > 0 {
		j.seldom().options = optionMessages(c.options)
	}
	if c.partOf != 0 {
		j.seldom().partOf = c.partOf
	}
	if c.of != 0 {
		j.seldom().of = c.of
	}
	t.admit(j)
	if c.open {
		t.open(j, c)
		return j
	}
	t.enter(j, c.hold)
	t.submitted(kind, j, c)
	return j
}

func (t *turn) submitted(kind string, j *job, c *submission) {
	t.begin(kind, j.printer.name, j.id)
	t.str("state", j.state.String())
	t.str("reason", j.reason)
	t.str("name", j.name)
	t.str("user", j.user)
	t.str("format", j.format)
	t.num("bytes", j.bytes)
	t.hex("sha256", j.sha256[:])
	t.num("pages", uint64(j.pages))
	t.num("units", uint64(j.units))
	t.num("copies", uint64(j.copies))
	t.num("priority", uint64(j.priority))
	t.opt("ttl_ns", uint64(j.ttl))
	t.str("key", c.key)
	t.options("options", c.options)
	t.opt("part_of", c.partOf)
	if c.of != 0 {
		t.num("of", c.of)
		t.num("from", uint64(j.start)+1)
		t.str("by", c.by)
		t.str("why", c.why)
	}
	t.end()
}

// chunk takes a piece of an upload.
func (t *turn) chunk(m *queuepb.Chunk) (repeated bool, err error) {
	u := t.uploads[string(m.Upload)]
	switch {
	case len(m.Upload) == 0 || len(m.Upload) > MaxUploadID || m.N >= MaxChunks || t.payload.Length == 0 || t.payload.Length > MaxInline:
		return false, fmt.Errorf("%w: chunk %d of %d bytes: want 1 to %d bytes, at most %d chunks", ErrInvalid, m.N, t.payload.Length, MaxInline, MaxChunks)
	case u == nil && len(t.uploads) >= MaxUploads:
		return false, fmt.Errorf("%w: %d uploads are open; try again later", ErrState, len(t.uploads))
	case u == nil:
		u = &upload{id: string(m.Upload)}
		t.uploads[u.id] = u
	case int(m.N) < len(u.chunks) && u.chunks[m.N].Length != 0:
		return true, nil
	}
	for int(m.N) >= len(u.chunks) {
		u.chunks = append(u.chunks, Extent{})
	}
	u.chunks[m.N] = t.payload
	u.have++
	u.bytes += uint64(t.payload.Length)
	u.touched = t.time
	t.uploaded += uint64(t.payload.Length)
	t.result.Retain = append(t.result.Retain, t.payload)
	t.waitOn(m.Job)
	t.touch(u)
	return false, nil
}

func (t *turn) dropUpload(u *upload) {
	delete(t.uploads, u.id)
	t.uploaded -= u.bytes
	t.erase(u)
}
