package node

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"printq/log"
	"printq/queue"
	"printq/queue/queuepb"
)

// Options say who a member is and where it keeps its data. Zero limits stand for their defaults.
type Options struct {
	ID uint64
	// The data directory; made where it is missing. One process at a time.
	Dir string
	// The peer addresses of the cluster's first members, by id. Needed once, while the directory is empty.
	Members map[uint64]string
	// Where clients and members reach this member.
	HTTP, Peer string
	// The time of a tick; 50 ms. Heartbeats take 2 ticks, an election 20 to 40.
	Tick time.Duration
	// Free disk space below which new documents are refused, in bytes; 1 GiB.
	LowDisk uint64
	// The longest that a request waits for its outcome; 30 s.
	RequestTimeout time.Duration
	// Entries kept for slow members; 10,000.
	RetainEntries uint64
	// Bytes of a log segment; 64 MiB.
	SegmentBytes int64
	// Opens a directory of log files; log.OSDir. A benchmark makes its syncs as slow as those of other disks.
	LogFS  func(dir string) log.FS
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	setDefault(&o.Tick, 50*time.Millisecond)
	setDefault(&o.LowDisk, 1<<30)
	setDefault(&o.RequestTimeout, 30*time.Second)
	if o.LogFS == nil {
		o.LogFS = log.OSDir
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.ID == 0 {
		return o, errors.New("a member's id is a number from 1: say --id N")
	}
	if o.Dir == "" {
		return o, errors.New("a member needs a data directory: say --data DIR")
	}
	return o, nil
}

// A FinishingDriver is a Driver that can be asked to come to rest.
type FinishingDriver interface {
	Driver
	// Finish starts no further unit, and returns when the one in flight has ended and is recorded, or the context ends.
	// The next Lead begins anew.
	Finish(ctx context.Context) error
}

// A Node is one member with its I/O.
type Node struct {
	cfg    Options
	logger *slog.Logger
	began  time.Time
	inbox  *inbox
	tail   *tail
	dir    *dir

	transport Transport
	driver    FinishingDriver

	// What is known before there is a core, and the core's leadership for those outside the loop.
	mu       sync.Mutex // guards the four below
	waiting  string
	probe    *probe
	log      *log.Log
	store    *boltStore
	manifest *manifest

	staging  staging
	leading  atomic.Uint64 // the term this member leads in; 0: it does not
	leader   atomic.Uint64
	applied  atomic.Pointer[Position]
	changed  signal // leadership changed
	repaired atomic.Uint64
	free     atomic.Uint64

	writes  chan *Batch
	started chan struct{}
	ended   chan struct{}
	work    sync.WaitGroup // the goroutines that run started
	// Ends with the loop.
	background context.Context
}

// New checks the options. Nothing is touched before Run.
func New(o Options) (*Node, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	n := &Node{
		cfg: o, logger: o.Logger.With("member", o.ID), began: time.Now(), inbox: newInbox(),
		writes: make(chan *Batch, 1), started: make(chan struct{}), ended: make(chan struct{}),
	}
	n.tail = newTail(func() { n.post((*Core).beHeard) })
	n.changed.init()
	n.applied.Store(&Position{})
	return n, nil
}

// Run is the member's life. It returns when ctx ends, after handing over leadership, or with the error that ended it; by
// then everything it started has ended. The transport must already answer probes.
func (n *Node) Run(ctx context.Context, transport Transport, driver FinishingDriver) (err error) {
	n.transport, n.driver = transport, driver
	defer close(n.ended)
	if err := n.checkFirst(); err != nil {
		return err
	}
	if n.dir, err = openDir(n.cfg.Dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.dir.Close()) }()
	m, err := n.manifestOrBirth(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := n.open(m); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	core, err := n.newCore()
	if err != nil {
		return err
	}
	return n.run(ctx, core)
}

// checkFirst finds what is wrong with a first start before anything is made.
func (n *Node) checkFirst() error {
	empty, err := (&dir{path: n.cfg.Dir}).empty()
	if err != nil || !empty {
		return err
	}
	return checkList(n.cfg.ID, n.cfg.Members)
}

func (n *Node) manifestOrBirth(ctx context.Context) (*manifest, error) {
	m, err := n.dir.manifest()
	if errors.Is(err, fs.ErrNotExist) {
		m, err = n.bootstrap(ctx, n.dir)
	}
	if err != nil {
		return nil, err
	}
	if m.Member != n.cfg.ID {
		return nil, fmt.Errorf("data directory %s belongs to member %d, not %d: give --data another directory, or --id %d",
			n.cfg.Dir, m.Member, n.cfg.ID, m.Member)
	}
	if len(n.cfg.Members) > 0 && list(n.cfg.Members) != list(m.Birth.Members) {
		n.logger.Warn("--cluster differs from the list that the cluster was formed with; the log's word counts",
			"given", list(n.cfg.Members), "formed", list(m.Birth.Members))
	}
	if err := n.checkCluster(ctx, m); err != nil {
		return nil, err
	}
	n.setProbe(m.probe())
	n.setWaiting("reading the log")
	return m, nil
}

func (n *Node) open(m *manifest) error {
	if err := n.dir.sweep(m.Generation); err != nil {
		return fmt.Errorf("tidy data directory: %w", err)
	}
	if _, err := os.Stat(n.dir.state(m.Generation)); err != nil {
		return fmt.Errorf("data directory %s is incomplete: %w", n.cfg.Dir, err)
	}
	store, err := openStore(n.dir.state(m.Generation))
	if err != nil {
		return err
	}
	if err := store.renew(); err != nil {
		return errors.Join(err, store.Close())
	}
	lg, err := log.Open(n.cfg.LogFS(n.dir.logs(m.Generation)), store.Head().Base, log.Options{SegmentBytes: n.cfg.SegmentBytes})
	if err != nil {
		return errors.Join(fmt.Errorf("open log: %w", err), store.Close())
	}
	n.mu.Lock()
	n.log, n.store, n.manifest = lg, store, m
	n.mu.Unlock()
	return nil
}

func (n *Node) newCore() (*Core, error) {
	n.transport.SetCluster(n.manifest.Cluster, n.manifest.Birth.Members)
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails
	core, err := NewCore(Config{
		ID: n.cfg.ID, HTTP: n.cfg.HTTP, Peer: n.cfg.Peer, RetainEntries: n.cfg.RetainEntries,
		Logger: n.logger, Seed: binary.LittleEndian.Uint64(seed[:]),
	}, n.log, n.store, port{n}, n.driver)
	if err != nil {
		return nil, err
	}
	return core, nil
}

func (n *Node) close() error {
	n.staging.discard()
	n.mu.Lock()
	defer n.mu.Unlock()
	return errors.Join(n.log.Close(), n.store.Close())
}

func (n *Node) setWaiting(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.waiting != text {
		n.waiting = text
		if text != "" {
			n.logger.Info("waiting", "for", text)
		}
	}
}

func (n *Node) setProbe(p *probe) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.probe = p
}

func (n *Node) documents() *log.Log {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.log
}

// others are the members that we know addresses of, without this one.
func (n *Node) others() (ids []uint64) {
	err := n.ask(context.Background(), func(c *Core) {
		for _, id := range c.members() {
			if id != c.id {
				ids = append(ids, id)
			}
		}
	})
	if err != nil {
		return nil
	}
	return ids
}

// Leads reports whether this member leads in the term, as the loop last saw it (R6).
func (n *Node) Leads(term uint64) bool { return term != 0 && n.leading.Load() == term }

// Decide proposes a driver's decision if this member still leads in the term. It never blocks for long, and what it
// proposes may be lost without a word. A claim is put alone into its entry.
func (n *Node) Decide(term uint64, cmd *queuepb.Command) bool {
	if !n.Leads(term) {
		return false
	}
	cmd.Term = term
	_, alone := cmd.GetBody().(*queuepb.Command_Claim)
	head := queue.Encode(cmd)
	return n.inbox.put(event{fn: func(c *Core) error { c.Decide(term, head, alone); return nil }})
}

// A signal tells waiters that something changed.
type signal struct {
	mu sync.Mutex
	ch chan struct{}
}

func (s *signal) init() { s.ch = make(chan struct{}) }

func (s *signal) wait() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ch
}

func (s *signal) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.ch)
	s.ch = make(chan struct{})
}
