package queue

import (
	"fmt"

	"printq/queue/queuepb"
)

// An open job was made before its document came (IPP's Create-Job). It is held, with the reason job-incoming, has no turn,
// and no time to live runs: State.opens has it instead of State.deadlines.

// byOpen is the order in which open jobs are given up.
func byOpen(j *job) sortKey { return sortKey{number: moment(j.rare.open)} }

// incoming reports whether the job waits for its document.
func (j *job) incoming() bool { return j.rare != nil && j.rare.open != 0 }

// create makes a job without a document.
func (t *turn) create(m *queuepb.CreateJob) (job uint64, repeated bool, err error) {
	c := &submission{
		printer: m.Printer, key: m.Key, name: m.Name, user: m.User, copies: max(m.Copies, 1), priority: m.Priority, hold: m.Hold,
		asked: m.Ttl, ttl: m.Ttl, open: true, pageRanges: m.PageRanges, options: m.Options,
	}
	if c.priority == 0 {
		c.priority = DefaultPriority
	}
	if len(m.PageRanges) > MaxRanges {
		return 0, false, fmt.Errorf("%w: page ranges of %d bytes: at most %d", ErrInvalid, len(m.PageRanges), MaxRanges)
	}
	if err := c.checkTicket(); err != nil {
		return 0, false, err
	}
	if job, err := t.repeated(c); job != 0 || err != nil {
		return job, err == nil, err
	}
	p, err := t.taking(m.Printer)
	switch {
	case err != nil:
		return 0, false, err
	case len(t.opens.list) >= MaxOpen:
		return 0, false, fmt.Errorf("%w: %d jobs wait for their documents; try again later", ErrLimit, len(t.opens.list))
	}
	if c.ttl == 0 {
		c.ttl = p.settings.GetTtl()
	}
	return t.make("create", p, c).id, false, nil
}

// open lets a new job wait for its document.
func (t *turn) open(j *job, c *submission) {
	j.created = true
	r := j.seldom()
	r.open, r.hold, r.pageRanges = max(t.time, 1), c.hold, c.pageRanges
	t.opens.push(j)
	t.to(j, Held, reasonIncoming)
	t.begin("create", j.printer.name, j.id)
	t.str("state", j.state.String())
	t.str("reason", j.reason)
	t.str("name", j.name)
	t.str("user", j.user)
	t.num("copies", uint64(j.copies))
	t.num("priority", uint64(j.priority))
	if r.hold {
		t.flag("hold", true)
	}
	t.opt("ttl_ns", uint64(j.ttl))
	t.str("page_ranges", c.pageRanges)
	t.options("options", c.options)
	t.str("key", c.key)
	t.end()
}

// shut ends the wait for a document, and says whether the job was to be held after it.
func (t *turn) shut(j *job) (hold bool) {
	if !j.incoming() {
		return false
	}
	t.opens.remove(j)
	hold = j.rare.hold
	j.rare.open, j.rare.hold = 0, false
	return hold
}

// enter gives a job that has its document its turn, or holds it.
func (t *turn) enter(j *job, hold bool) {
	if j.ttl > 0 {
		t.deadlines.push(j)
	}
	switch {
	case j.rare != nil && j.rare.duplicateOf != 0:
		t.to(j, Held, reasonDuplicate)
	case hold:
		t.to(j, Held, reasonHold)
	case j.printer.holdNew:
		t.to(j, Held, reasonHeldNew)
	default:
		t.to(j, Pending, "")
	}
}

// attach gives an open job its document. The same once more, however late, changes nothing.
func (t *turn) attach(m *queuepb.AttachDocument) (repeated bool, err error) {
	j := t.find(m.Job)
	switch {
	case j == nil:
		return false, fmt.Errorf("%w: %d", ErrNoJob, m.Job)
	case !j.created:
		return false, fmt.Errorf("%w: job %d was made with its document", ErrState, j.id)
	case m.UnseenFor < 0 || m.UnseenFor > int64(MaxUnseenFor):
		return false, fmt.Errorf("%w: unseen_for: want 0 to %s", ErrInvalid, MaxUnseenFor)
	case j.bytes != 0:
		return t.further(j, m)
	case m.Number > 1:
		return false, fmt.Errorf("%w: job %d has no document: number %d does not follow", ErrState, j.id, m.Number)
	case !j.incoming():
		return false, fmt.Errorf("%w: job %d takes no document: it is %s, %s", ErrState, j.id, j.state, j.reason)
	}
	c := &submission{
		sha256: m.Sha256, bytes: m.Bytes, format: m.Format, pages: m.Pages, units: max(m.Units, 1), copies: uint32(j.copies),
		options: mergeOptions(j.wishList(), m.Options),
	}
	if err := c.checkDocument(); err != nil {
		return false, err
	}
	if err := checkOptions(c.options); err != nil {
		return false, err
	}
	document, err := t.document(m.Upload, m.Chunks, m.Bytes)
	if err != nil {
		return false, err
	}
	j.document = documentOf(document)
	if m.Chunks == 0 {
		t.result.Retain = append(t.result.Retain, document...)
	}
	j.more = !m.Last
	t.attached(j, c, m.UnseenFor)
	return false, nil
}

func (t *turn) attached(j *job, c *submission, unseenFor int64) {
	copy(j.sha256[:], c.sha256)
	j.bytes, j.format, j.pages, j.units = c.bytes, c.format, c.pages, c.units
	changed := !equalOptions(j.wishList(), c.options)
	j.wish(c.options)
	if of := t.expectSeen(j, unseenFor); of != 0 {
		j.seldom().duplicateOf = of
	}
	t.enter(j, t.shut(j))
	t.begin("attach", j.printer.name, j.id)
	t.str("state", j.state.String())
	t.str("reason", j.reason)
	t.str("format", j.format)
	t.num("bytes", j.bytes)
	t.hex("sha256", j.sha256[:])
	t.num("pages", uint64(j.pages))
	t.num("units", uint64(j.units))
	if j.rare != nil {
		t.opt("duplicate_of", j.rare.duplicateOf)
	}
	if changed {
		t.options("options", c.options)
	}
	t.end()
}

// discard lets go of an upload that nobody needs.
func (t *turn) discard(upload []byte) {
	u := t.uploads[string(upload)]
	if u == nil {
		return
	}
	for _, x := range u.chunks {
		if x.Length != 0 {
			t.result.Release = append(t.result.Release, x)
		}
	}
	t.dropUpload(u)
}

// closeJob says that no document follows: an open job that has none is aborted.
func (t *turn) closeJob(m *queuepb.CloseJob) error {
	j := t.find(m.Job)
	switch {
	case j == nil:
		return fmt.Errorf("%w: %d", ErrNoJob, m.Job)
	case j.incoming():
		t.to(j, Aborted, reasonNoDocument)
	case j.more:
		t.noMore(j)
	default:
		return nil
	}
	t.begin("close", j.printer.name, j.id)
	t.str("state", j.state.String())
	t.str("reason", j.reason)
	t.cause(m.Cause)
	t.end()
	return nil
}

// holdOpen remembers whether an open job is to be held when its document is there.
func (t *turn) holdOpen(kind string, j *job, hold bool, c *queuepb.Cause) {
	if j.rare.hold != hold {
		j.rare.hold = hold
		t.changed(j)
		t.acted(kind, j, c)
	}
}

// noDocument says why something cannot be done with an open job.
func noDocument(j *job) error {
	return fmt.Errorf("%w: job %d waits for its document", ErrState, j.id)
}

// waitOn lets an open job wait on: a piece of its document came.
func (t *turn) waitOn(id uint64) {
	if j := t.jobs.get(id); j != nil && j.incoming() && j.rare.open < t.time {
		t.opens.remove(j)
		j.rare.open = t.time
		t.opens.push(j)
		t.touch(j)
	}
}

// expireOpen aborts jobs whose document did not come.
func (t *turn) expireOpen(ids []uint64) {
	for _, id := range ids {
		if j := t.jobs.get(id); j != nil && j.incoming() && t.over(j.rare.open, int64(OpenIdle)) {
			t.to(j, Aborted, reasonOpen)
			t.begin("expire", j.printer.name, j.id)
			t.str("state", j.state.String())
			t.str("reason", j.reason)
			t.end()
		}
	}
}
