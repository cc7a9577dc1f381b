package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"printq/queue"
)

// Applied is the position this member has applied.
func (n *Node) Applied() Position { return *n.applied.Load() }

// Job is a job as of what is applied here. queue.ErrNoJob: there is none.
func (n *Node) Job(id uint64) (status *JobStatus, err error) {
	if e := n.ask(context.Background(), func(c *Core) { status, err = c.job(id) }); e != nil {
		return nil, e
	}
	return status, err
}

func (c *Core) job(id uint64) (*JobStatus, error) {
	j, err := c.queue.Job(id, view{c})
	if err != nil {
		return nil, err
	}
	if j == nil {
		return nil, fmt.Errorf("%w: %d", queue.ErrNoJob, id)
	}
	return &JobStatus{Job: j, Waits: c.queue.Waits(id)}, nil
}

// Jobs are scanned by their ids, which are dense, a stretch at a time, so that the loop is never held for long.
const (
	scanStretch = 1024
	scanLimit   = 400_000
)

// Jobs lists jobs, newest first. It gives up the search after 400,000 jobs that the filter left out.
func (n *Node) Jobs(f JobFilter) ([]*JobStatus, error) {
	s := scan{JobFilter: f, next: f.Before}
	for !s.done && s.scanned < scanLimit {
		var err error
		if e := n.ask(context.Background(), func(c *Core) { err = s.stretch(c) }); e != nil {
			return nil, e
		}
		if err != nil {
			return nil, err
		}
	}
	return s.found, nil
}

type scan struct {
	JobFilter
	next    uint64
	scanned int
	found   []*JobStatus
	done    bool
}

func (s *scan) stretch(c *Core) error {
	if newest := c.queue.LastJob() + 1; s.next == 0 || s.next > newest {
		s.next = newest
	}
	first := c.queue.FirstJob()
	for range scanStretch {
		if s.next <= first || len(s.found) >= s.Limit {
			s.done = true
			return nil
		}
		s.next--
		if !c.queue.HasJob(s.next) {
			continue
		}
		s.scanned++
		j, err := c.queue.Job(s.next, view{c})
		if err != nil {
			return err
		}
		if j != nil && s.match(j) {
			s.found = append(s.found, &JobStatus{Job: j, Waits: c.queue.Waits(s.next)})
		}
	}
	return nil
}

func (s *scan) match(j *queue.Job) bool {
	return (s.Printer == "" || s.Printer == j.GetPrinter()) &&
		(s.User == "" || s.User == j.GetUser()) &&
		(len(s.States) == 0 || slices.Contains(s.States, queue.JobState(j.GetState())))
}

// WaitJob returns the job once an entry after index has changed it, or, when ctx ends, as it is.
func (n *Node) WaitJob(ctx context.Context, id, index uint64) (*JobStatus, error) {
	var w *jobWatch
	if err := n.ask(ctx, func(c *Core) { w = c.Watch(id, index) }); err != nil {
		return n.orCurrent(id, err)
	}
	select {
	case <-w.ready:
	case <-n.ended:
		return nil, ErrStopping
	case <-ctx.Done():
		n.post(func(c *Core) { c.Unwatch(w) })
	}
	return n.Job(id)
}

func (n *Node) orCurrent(id uint64, err error) (*JobStatus, error) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return n.Job(id)
	}
	return nil, err
}

// Takes refuses a format that none of a printer's devices takes, as far as they have said so, with ErrFormat. Propose does, too: this is
// for who wants to know before a document has come.
func (n *Node) Takes(printer, format string) (err error) {
	if e := n.ask(context.Background(), func(c *Core) { err = c.takes(printer, format) }); e != nil {
		return e
	}
	return err
}

// Printers lists the printers by name.
func (n *Node) Printers() (list []PrinterStatus, err error) {
	err = n.ask(context.Background(), func(c *Core) {
		for _, p := range c.queue.Printers() {
			list = append(list, c.printer(p))
		}
	})
	return list, err
}

// Printer is one of them. queue.ErrNoPrinter: there is none.
func (n *Node) Printer(name string) (*PrinterStatus, error) {
	var found *PrinterStatus
	if err := n.ask(context.Background(), func(c *Core) {
		if p := c.queue.Printer(name); p != nil {
			s := c.printer(p)
			found = &s
		}
	}); err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fmt.Errorf("%w: %q", queue.ErrNoPrinter, name)
	}
	return found, nil
}

func (c *Core) printer(p *queue.Printer) PrinterStatus {
	counts := c.queue.Counts(p.GetName())
	s := PrinterStatus{
		Printer: p, Settings: c.queue.Settings(p.GetName()),
		Pending: counts.Pending, Held: counts.Held, Processing: counts.Processing, Stopped: counts.Stopped,
	}
	s.StateChanged, s.ConfigChanged = c.queue.PrinterTimes(p.GetName())
	for _, id := range p.GetDevices() {
		if d := c.queue.Device(id); d != nil {
			s.Devices = append(s.Devices, d)
		}
	}
	return s
}

// Subscription is one of them. queue.ErrNoSubscription: there is none.
func (n *Node) Subscription(id uint64) (s *queue.Subscription, err error) {
	if err := n.ask(context.Background(), func(c *Core) { s = c.queue.Subscription(id) }); err != nil {
		return nil, err
	}
	if s == nil {
		return nil, fmt.Errorf("%w: %d", queue.ErrNoSubscription, id)
	}
	return s, nil
}

// Subscriptions lists them by id.
func (n *Node) Subscriptions() (list []*queue.Subscription, err error) {
	err = n.ask(context.Background(), func(c *Core) { list = c.queue.Subscriptions() })
	return list, err
}

// Lines returns up to limit lines of the committed job log, from seq on. ErrTrimmed: the line is no longer kept.
func (n *Node) Lines(seq uint64, limit int) ([]queue.Line, error) { return n.tail.read(seq, limit) }

// WaitLines returns when the line with that seq exists.
func (n *Node) WaitLines(ctx context.Context, seq uint64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-n.ended:
			cancel(ErrStopping)
		case <-ctx.Done():
		}
	}()
	if err := n.tail.wait(ctx, seq); err != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Started is closed once the member's directory is its own and its log is read.
func (n *Node) Started() <-chan struct{} { return n.started }

// Ready returns nil when this member serves requests: it is running and knows a leader. Else the error says what it
// waits for.
func (n *Node) Ready() error {
	select {
	case <-n.ended:
		return ErrStopping
	case <-n.started:
	default:
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.waiting == "" {
			return errors.New("this member is starting")
		}
		return errors.New(n.waiting)
	}
	if n.leader.Load() == 0 {
		return errors.New("there is no leader: a majority of the members must be up and reach each other")
	}
	if n.applied.Load().Term == 0 {
		return errors.New("this member is reading its log")
	}
	return nil
}

// Cluster is the cluster as this member sees it.
func (n *Node) Cluster() ClusterStatus {
	s := ClusterStatus{ID: n.cfg.ID}
	if err := n.ask(context.Background(), func(c *Core) { s = c.cluster() }); err != nil {
		if reason := n.Ready(); reason != nil {
			s.Alarms = append(s.Alarms, reason.Error())
		}
	}
	return s
}

func (c *Core) cluster() ClusterStatus {
	st := c.raw.BasicStatus()
	chain := c.queue.Chain()
	s := ClusterStatus{
		Cluster: c.queue.Cluster(), ID: c.id, Leader: c.lead, Term: c.term,
		Applied: c.batch.applied.Index, Commit: st.GetCommit(), Version: c.queue.Version(),
		Seq: c.queue.Seq(), Chain: hex.EncodeToString(chain[:]), Alarms: c.texts(), KeyReach: c.queue.Stats().KeyReach,
	}
	addrs := map[uint64]*queue.Member{}
	for _, m := range c.queue.Members() {
		addrs[m.GetId()] = m
	}
	for _, id := range c.members() {
		m := MemberStatus{ID: id, Voter: slices.Contains(c.conf.GetVoters(), id), Lag: -1}
		if a := addrs[id]; a != nil {
			m.HTTP, m.Peer = a.GetHttp(), a.GetPeer()
		}
		m.Connected, m.Lag = c.lag(id, st.GetCommit())
		s.Members = append(s.Members, m)
	}
	slices.SortFunc(s.Members, func(a, b MemberStatus) int { return int(a.ID) - int(b.ID) })
	return s
}

// lag is how many committed entries a member has not got: by raft's own count where this member leads, by the other's word,
// up to a second old, where it does not. -1: not known.
func (c *Core) lag(id, commit uint64) (connected bool, entries int64) {
	p := c.peer(id)
	switch {
	case id == c.id:
		return true, int64(commit - c.batch.applied.Index)
	case !p.connected:
		return false, -1
	case id == c.lead:
		return true, 0
	case c.lead == c.id:
		match := c.raw.Status().Progress[id].Match
		return true, max(0, int64(commit)-int64(match))
	case p.heard == 0:
		return true, -1
	}
	return true, max(0, int64(c.batch.applied.Index)-int64(p.status.Applied))
}

// Stats are this member's counters.
func (n *Node) Stats() Stats {
	var s Stats
	if err := n.ask(context.Background(), func(c *Core) { s = c.stats() }); err != nil {
		return s
	}
	s.OldestLine, s.Lines = n.tail.bounds()
	s.DiskFree, s.DocumentsRepaired = n.free.Load(), n.repaired.Load()
	n.logStats(&s)
	return s
}

func (c *Core) stats() Stats {
	q := c.queue.Stats()
	s := Stats{
		Proposals: c.counts.proposals, Refused: c.counts.refused, Resent: c.counts.resent, NotHeld: c.counts.notHeld, Elections: c.counts.elections,
		Batches: c.counts.batches, SnapshotsSent: c.counts.snapshotsSent, SnapshotsInstalled: c.counts.snapshotsInstalled,
		Applied: c.batch.applied.Index, Commit: c.raw.BasicStatus().GetCommit(), Term: c.term,
		Inflight: uint64(len(c.requests.pending)), InflightBytes: uint64(c.requests.bytes),
		Void: q.Void, Pending: uint64(q.Pending), Held: uint64(q.Held), InDoubt: uint64(q.InDoubt), Processing: uint64(q.Processing),
		Stopped: uint64(q.Stopped), Finished: uint64(q.Finished), KeyReach: q.KeyReach,
	}
	if c.lead == c.id {
		s.Leading = 1
	}
	return s
}

func (n *Node) logStats(s *Stats) {
	st := n.documents().Stats()
	s.LogSegments, s.LogBytes, s.LogLiveBytes = uint64(st.Segments+st.Carries), uint64(st.Bytes), uint64(st.LiveBytes)
	s.CacheBytes, s.CacheHits, s.CacheMisses = uint64(st.CacheBytes), st.CacheHits, st.CacheMisses
	s.Syncs, s.SyncSeconds, s.SyncMaxSeconds = st.Syncs, st.SyncTotal.Seconds(), st.SyncMax.Seconds()
}
