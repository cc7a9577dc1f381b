package sim

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// clients are the people and programs that print, and what they were promised.
type clients struct {
	w     *World
	wants []*want            // one for each submission of the plan
	jobs  map[uint64]*want   // by job id, once one of them was told it
	sums  map[[32]byte]*want // by document
	pages map[uint64][][]byte
	next  uint64
	// settings counts the changes of printers.
	settings int64
	tailed   uint64 // the last line that a tail has shown
}

// A want is one document that somebody wants printed, and asks for until the answer is sure.
type want struct {
	key      string
	printer  string
	doc      []byte
	pages    [][]byte
	copies   uint32
	ttl      time.Duration
	asked    time.Duration // when it was first asked for
	priority uint32
	hold     bool
	chunks   int // 0: inline
	upload   []byte
	missing  []uint32 // chunks not acknowledged
	tries    int
	job      uint64 // once acknowledged
	logged   uint64 // once in the log
	sum      string
	noKey    bool
	unsure   bool   // an answer was "unknown" before
	term     uint64 // when it was asked first
}

func (c *clients) init(w *World) {
	c.w, c.jobs, c.sums, c.pages = w, map[uint64]*want{}, map[[32]byte]*want{}, map[uint64][][]byte{}
}

// submit begins to want a document, as a step of the plan says.
func (c *clients) submit(s Step) {
	n := len(c.wants)
	x := &want{
		key: fmt.Sprint("key-", n), printer: fmt.Sprint("p", s.A%c.w.plan.Printers), copies: uint32(1 + s.B/4%2),
		noKey: c.w.mutant.NoKey, priority: []uint32{50, 50, 50, 80, 20}[s.C%5], hold: s.C%17 == 3, term: c.w.history.state.Term(),
	}
	for page := range 1 + s.B%4 {
		x.pages = append(x.pages, []byte(fmt.Sprintf("job %d page %d %s\n", n, page+1, strings.Repeat("x", s.C%300))))
	}
	x.doc = bytes.Join(x.pages, []byte("\f"))
	for i := range x.pages[:len(x.pages)-1] {
		x.pages[i] = append(x.pages[i], '\f')
	}
	if s.C%4 == 0 {
		x.chunks, x.upload = 2+s.C%3, fmt.Append(nil, "upload-", n)
	}
	x.sum = fmt.Sprintf("%x", sha256.Sum256(x.doc))
	if s.C%11 == 5 {
		x.ttl = 3*second + time.Duration(s.B%10_000)*time.Millisecond
	}
	x.asked = c.w.now
	c.wants = append(c.wants, x)
	c.sums[sha256.Sum256(x.doc)] = x
	c.try(x)
}

// try asks for a document once more.
func (c *clients) try(x *want) {
	m := c.w.anyone()
	if m == nil {
		c.again(x)
		return
	}
	x.tries++
	if x.chunks == 0 {
		c.order(m, x, x.doc)
		return
	}
	c.upload(m, x)
}

// order sends the submit itself.
func (c *clients) order(m *member, x *want, payload []byte) {
	o := c.w.ledger.begin(x.key, asked{do: doSubmit})
	m.ask(x.command(), payload, func(a node.Answer, err error) {
		c.w.ledger.end(o, a.Job, c.w.mutant.told(err))
		c.answered(x, a, err)
	})
}

// upload sends the chunks that are not known to be committed, and then the submit that names them.
func (c *clients) upload(m *member, x *want) {
	if x.missing == nil {
		x.missing = make([]uint32, 0, x.chunks)
		for i := range x.chunks {
			x.missing = append(x.missing, uint32(i))
		}
	}
	if len(x.missing) == 0 {
		c.order(m, x, nil)
		return
	}
	n := x.missing[0]
	m.ask(&queuepb.Command{Body: &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: x.upload, N: n}}}, x.chunk(n),
		func(_ node.Answer, err error) {
			if err != nil {
				c.again(x)
				return
			}
			x.missing = x.missing[1:]
			c.upload(m, x)
		})
}

func (x *want) chunk(n uint32) []byte {
	size := (len(x.doc) + x.chunks - 1) / x.chunks
	from := min(int(n)*size, len(x.doc)-1)
	return x.doc[from:min(from+size, len(x.doc))]
}

func (x *want) command() *queuepb.Command {
	sum, key := sha256.Sum256(x.doc), x.key
	if x.noKey && x.tries > 1 {
		key = fmt.Sprint(key, "-", x.tries)
	}
	return &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: x.printer, Key: key, Bytes: uint64(len(x.doc)), Sha256: sum[:], Format: "text/plain",
		Pages: uint32(len(x.pages)), Units: uint32(len(x.pages)), Copies: x.copies, Priority: x.priority, Hold: x.hold, Ttl: int64(x.ttl),
		Chunks: uint32(x.chunks), Upload: x.upload,
	}}}
}

func (c *clients) again(x *want) {
	c.w.after(c.w.between(50*time.Millisecond, 800*time.Millisecond), func() { c.try(x) })
}

func (c *clients) answered(x *want, a node.Answer, err error) {
	w := c.w
	switch {
	case err == nil:
		c.promised(x, a)
	case errors.Is(err, queue.ErrNoPrinter), errors.Is(err, node.ErrNoQuorum), errors.Is(err, node.ErrFull), errors.Is(err, node.ErrDiskFull),
		errors.Is(err, node.ErrUnknown), errors.Is(err, errDied), errors.Is(err, node.ErrStopping), errors.Is(err, queue.ErrVoid):
		if errors.Is(err, node.ErrUnknown) || errors.Is(err, errDied) {
			x.unsure = true
		}
		c.again(x)
	default:
		w.violated(2, "submit of %s is refused: %v", x.key, err)
	}
}

// promised: a job is a job, however often it is acknowledged (invariant 2).
func (c *clients) promised(x *want, a node.Answer) {
	w := c.w
	w.trace.note(12, a.Job, a.Index)
	w.trace.say(w.now, "client: %s is job %d", x.key, a.Job)
	if x.job != 0 && x.job != a.Job {
		w.violated(2, "%s was acknowledged as job %d and as %d", x.key, x.job, a.Job)
	}
	if other := c.jobs[a.Job]; other != nil && other != x {
		w.violated(2, "job %d was acknowledged for %s and for %s", a.Job, other.key, x.key)
	}
	if x.unsure && x.term != a.Term {
		w.counts.add("race: submit at a leader change with a retry")
	}
	if x.job != a.Job {
		o := c.w.ledger.begin(jobName(a.Job), asked{do: doSubmit, hold: x.hold})
		o.call = x.asked
		c.w.ledger.end(o, a.Job, nil)
	}
	x.job = a.Job
	c.jobs[a.Job] = x
	if w.often(8) && x.tries < 20 { // a client that did not get the answer asks again
		w.counts.add("acknowledged twice under one key")
		c.again(x)
	}
}

// submitted: the log has a job of a document. Each is asked for under one key, so it is one job (invariant 2).
func (c *clients) submitted(job uint64, sum string) {
	for _, x := range c.wants {
		if x.sum != sum {
			continue
		}
		if x.logged != 0 {
			c.w.violated(2, "%s has become job %d and job %d", x.key, x.logged, job)
		}
		x.logged = job
		c.pages[job] = x.pages
	}
}

// wantOf is whose document a job prints first; nil: a reprint's.
func (c *clients) wantOf(j *queue.Job) *want {
	if j == nil || j.Of != 0 {
		return nil
	}
	return c.sums[[32]byte(j.Sha256)]
}

// wantLogged is whose document the log made a job of; nil: a reprint's.
func (c *clients) wantLogged(job uint64) *want {
	for _, x := range c.wants {
		if x.logged == job {
			return x
		}
	}
	return nil
}

// waiting gives the first pages of the documents of jobs that have not ended.
func (c *clients) waiting() (docs [][]byte) {
	for j := range c.w.history.state.LiveJobs(0) {
		if pages := c.pages[j.Id]; len(pages) > 0 {
			docs = append(docs, pages[0][:min(12, len(pages[0]))])
		}
	}
	return docs
}

// page is what a page of a job should look like; nil: not known.
func (c *clients) page(job uint64, page int) []byte {
	if pages := c.pages[job]; page >= 1 && page <= len(pages) {
		return pages[page-1]
	}
	return nil
}
