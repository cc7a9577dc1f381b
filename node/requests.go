package node

import (
	"fmt"
	"slices"
	"strings"

	"go.etcd.io/raft/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"printq/log/crc32c"
	"printq/queue"
	"printq/queue/queuepb"
)

// A request is one command on its way into the log, and back to whoever waits for it.
type request struct {
	// The marshalled command without session, seq and floor, which are joined to it when it is taken on.
	body    []byte
	payload []byte
	sum     uint32 // CRC-32C of the payload
	whole   []byte // see takeRoom
	// It brings bytes of a document, or announces them: refused while the disk is nearly full.
	document bool
	// What is submitted to which printer, if this is a submit: refused where the printer's devices do not take it.
	printer, format string
	// Called once, in the loop.
	done func(Answer, error)

	seq  uint64
	head []byte
	// The ticks at which it was last sent, and the wait before it is sent again.
	sentAt, wait uint64
	sends        int
}

func (r *request) size() int { return len(r.body) + len(r.payload) + 64 }

// requests are those of this member's clients until they are answered.
type requests struct {
	next    uint64
	pending map[uint64]*request
	// Of the pending ones, those that go to the leader with the next Step.
	forwards []*request
	bytes    int
	floor    uint64

	// stopped: this member is going, and takes on nothing more. answered is what was applied when nobody waited any more; 0: not yet.
	stopped  bool
	answered uint64
}

func (q *requests) init() {
	q.next, q.floor = 1, 1
	q.pending = map[uint64]*request{}
}

// Propose takes on a command of one of this member's clients, or refuses it at once. done is called once, from one of the
// core's methods, perhaps this one. What it returns gives the request up: the client waits no longer.
func (c *Core) Propose(now Instant, cmd *queuepb.Command, payload []byte, done func(Answer, error)) (abandon func()) {
	r, err := newRequest(cmd, payload, done)
	if err != nil {
		done(Answer{}, err)
		return func() {}
	}
	c.now = now
	c.submit(r)
	return func() { c.abandon(r) }
}

func newRequest(cmd *queuepb.Command, payload []byte, done func(Answer, error)) (*request, error) {
	if len(payload) > queue.MaxInline {
		return nil, fmt.Errorf("%w: %d bytes in one command, the limit is %d", ErrTooLarge, len(payload), queue.MaxInline)
	}
	body, err := proto.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", queue.ErrInvalid, err)
	}
	r := &request{body: body, payload: payload, sum: crc32c.Sum(payload), done: done}
	switch body := cmd.GetBody().(type) {
	case *queuepb.Command_Submit:
		r.document, r.printer, r.format = true, body.Submit.GetPrinter(), body.Submit.GetFormat()
	case *queuepb.Command_Chunk, *queuepb.Command_CreateJob, *queuepb.Command_AttachDocument:
		r.document = true
	}
	return r, nil
}

// submit takes on a request.
func (c *Core) submit(r *request) {
	q := &c.requests
	switch {
	case q.stopped:
		r.done(Answer{}, fmt.Errorf("%w: ask another member", ErrStopping))
		return
	case len(q.pending) >= c.cfg.MaxPending || q.bytes+r.size() > c.cfg.MaxPendingBytes:
		c.counts.refused++
		r.done(Answer{}, fmt.Errorf("%w on this member: retry in a second, or ask another one", ErrFull))
		return
	case r.document && c.alarms.lowDisk:
		c.counts.refused++
		r.done(Answer{}, fmt.Errorf("%w on member %d: free some, or ask another member", ErrDiskFull, c.id))
		return
	}
	if err := c.takes(r.printer, r.format); err != nil {
		r.done(Answer{}, err)
		return
	}
	r.seq = q.next
	q.next++
	q.pending[r.seq] = r
	q.bytes += r.size()
	r.wait = resendTicks
	r.head = c.sealed(r)
	c.dispatch(r)
}

// takes refuses what none of a printer's devices takes.
func (c *Core) takes(printer, format string) error {
	if formats, ok := c.queue.Takes(printer, format); !ok {
		return fmt.Errorf("%w: printer %s does not take %s: it takes %s", ErrFormat, printer, format, strings.Join(formats, ", "))
	}
	return nil
}

// sealed joins who asks to a command: fields of one message may be joined in any order.
func (c *Core) sealed(r *request) []byte {
	const (
		fieldCommands, fieldSession, fieldSeq, fieldFloor, fieldMember, fieldPayload = 2, 1, 2, 3, 4, 6
	)
	who := make([]byte, 0, 64)
	who = protowire.AppendFixed64(protowire.AppendTag(who, fieldSession, protowire.Fixed64Type), c.session)
	who = protowire.AppendVarint(protowire.AppendTag(who, fieldSeq, protowire.VarintType), r.seq)
	who = protowire.AppendVarint(protowire.AppendTag(who, fieldFloor, protowire.VarintType), c.requests.floor)
	who = protowire.AppendVarint(protowire.AppendTag(who, fieldMember, protowire.VarintType), c.id)
	if len(r.payload) > 0 {
		who = protowire.AppendVarint(protowire.AppendTag(who, fieldPayload, protowire.VarintType), uint64(len(r.payload)))
	}
	head := make([]byte, 0, len(who)+len(r.body)+8)
	head = protowire.AppendTag(head, fieldCommands, protowire.BytesType)
	head = protowire.AppendVarint(head, uint64(len(who)+len(r.body)))
	return append(append(head, who...), r.body...)
}

// abandon gives up a request whose client waits no longer, with the error that says what is known of it.
func (c *Core) abandon(r *request) {
	if c.requests.pending[r.seq] != r {
		return
	}
	err := fmt.Errorf("%w: no leader answered in time; nothing was stored: retry", ErrNoQuorum)
	if r.sends > 0 {
		err = fmt.Errorf("%w: it was proposed, and nobody answered in time; retry with the same idempotency key", ErrUnknown)
	}
	c.finish(r, Answer{}, err)
}

func (c *Core) finish(r *request, a Answer, err error) {
	q := &c.requests
	delete(q.pending, r.seq)
	q.bytes -= r.size()
	for q.floor < q.next && q.pending[q.floor] == nil {
		q.floor++
	}
	r.done(a, err)
}

// answer passes the outcomes of an applied entry to those of our clients who wait for them.
func (c *Core) answer(outcomes []queue.Outcome, at Position) {
	for _, o := range outcomes {
		if o.Session != c.session {
			continue
		}
		if r := c.requests.pending[o.Seq]; r != nil {
			a := Answer{Position: at, Job: o.Job, Subscription: o.Subscription, Repeated: o.Repeated}
			if o.Job != 0 && o.Err == nil {
				a.Status, _ = c.job(o.Job) // whoever needs it asks again, and is told why
			}
			c.finish(r, a, o.Err)
		}
	}
}

// dispatch sends a request on its way: into our own log, or to the leader.
func (c *Core) dispatch(r *request) {
	switch c.lead {
	case raft.None:
		return
	case c.id:
		c.proposals.push(proposal{head: r.head, payload: r.payload, sum: r.sum, whole: r.takeRoom()})
	default:
		c.requests.forwards = append(c.requests.forwards, r)
		return
	}
	r.went(c)
}

// went notes that a request is on its way.
func (r *request) went(c *Core) {
	if r.sends > 0 {
		c.counts.resent++
	}
	r.sends++
	r.sentAt = c.ticks
}

// forward sends the leader what has queued up for it: labels by the connection where documents do not hold them up, with as much
// in a frame as is written at once.
func (c *Core) forward() {
	var labels, documents []*request
	for _, r := range c.requests.forwards {
		switch {
		case c.requests.pending[r.seq] != r: // given up since
		case r.size() <= small:
			labels = append(labels, r)
		default:
			documents = append(documents, r)
		}
	}
	c.requests.forwards = nil
	c.forwardAll(labels, true)
	c.forwardAll(documents, false)
}

func (c *Core) forwardAll(requests []*request, urgent bool) {
	for len(requests) > 0 {
		var group []forwarded
		n, bytes := 0, 0
		for ; n < len(requests) && (n == 0 || bytes+requests[n].size() <= packBytes); n++ {
			r := requests[n]
			group = append(group, forwarded{seq: r.seq, head: r.head, payload: r.payload, sum: r.sum})
			bytes += r.size()
		}
		if !c.port.Send(c.lead, encodeForward(group, urgent)) {
			return // not even the connection has it: it goes as soon as there is one
		}
		for _, r := range requests[:n] {
			r.went(c)
		}
		requests = requests[n:]
	}
}

// dispatchAll sends everything again, in order, because there is another leader: whatever the old one had is repeated at
// most, and a repeat is recognised by its session and seq.
func (c *Core) dispatchAll() {
	for _, seq := range c.requests.seqs() {
		c.dispatch(c.requests.pending[seq])
	}
}

func (q *requests) seqs() []uint64 {
	seqs := make([]uint64, 0, len(q.pending))
	for seq := range q.pending {
		seqs = append(seqs, seq)
	}
	slices.Sort(seqs)
	return seqs
}

// resend sends again what nobody has answered for long: raft and the transport may lose a request without a word.
func (c *Core) resend() {
	if c.lead == raft.None || c.ticks%4 != 0 || len(c.requests.pending) == 0 {
		return
	}
	for _, seq := range c.requests.seqs() {
		r := c.requests.pending[seq]
		switch {
		case slices.Contains(c.requests.forwards, r):
		case r.sends == 0:
			c.dispatch(r)
		case c.lead != c.id && c.ticks-r.sentAt >= r.wait:
			r.wait = min(2*r.wait, 8*resendTicks)
			c.dispatch(r)
		}
	}
}

// hurry makes resend send all again that waits for an answer.
func (q *requests) hurry() {
	for _, r := range q.pending {
		r.sentAt = 0
	}
}

// forwarded takes on another member's requests, or says which it does not take.
func (c *Core) forwarded(from uint64, body []byte) error {
	requests, err := decodeForward(body)
	if err != nil || c.lead != c.id {
		return err // not the leader: the sender sends again once it knows who is
	}
	for _, r := range requests {
		switch {
		case c.proposals.bytes+len(r.payload) > c.cfg.MaxPendingBytes:
			c.counts.refused++
			c.port.Send(from, encodeRefuse(refusal{r.seq, refuseFull}))
		case c.alarms.lowDisk && len(r.payload) > 0:
			c.counts.refused++
			c.port.Send(from, encodeRefuse(refusal{r.seq, refuseDisk}))
		default:
			c.proposals.push(proposal{head: r.head, payload: r.payload, sum: r.sum, whole: r.whole, member: from, seq: r.seq})
		}
	}
	return nil
}

func (c *Core) refused(body []byte) error {
	f, err := decodeRefuse(body)
	if err != nil {
		return err
	}
	r := c.requests.pending[f.seq]
	if r == nil {
		return nil
	}
	c.counts.refused++
	switch {
	case r.sends > 1:
		// It had been sent before, so an earlier copy may still be on its way.
		err = fmt.Errorf("%w: the leader is busy; retry with the same idempotency key", ErrUnknown)
	case f.full == refuseDisk:
		err = fmt.Errorf("%w on the leader: free some; printing goes on", ErrDiskFull)
	default:
		err = fmt.Errorf("%w at the leader: retry in a second", ErrFull)
	}
	c.finish(r, Answer{}, err)
	return nil
}

// Quiesce refuses requests from now on; those that wait are answered as they come.
func (c *Core) Quiesce() { c.requests.stopped = true }

// settle writes what was applied, and reports whether this member owes nothing any more: its requests have their answers,
// and what was applied by then is in the store. Where the others go on, there is always something newer to apply.
func (c *Core) settle() bool {
	if len(c.requests.pending) > 0 {
		return false
	}
	if c.requests.answered == 0 {
		c.requests.answered = c.batch.applied.Index
	}
	c.flush(true)
	return c.batch.durable.Applied.Index >= c.requests.answered
}

// abandonAll answers everything that still waits, at the end.
func (c *Core) abandonAll() {
	for _, seq := range c.requests.seqs() {
		c.abandon(c.requests.pending[seq])
	}
	c.reads.abandon(fmt.Errorf("%w: ask another member", ErrStopping))
	c.wakeAll()
}
