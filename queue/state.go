package queue

import (
	"encoding/hex"
	"slices"
	"time"
)

// State is what the entries applied so far amount to.
type State struct {
	cluster     string
	version     uint32
	index, term uint64
	time        int64 // state time: the highest seen, Unix nanoseconds
	nextJob     uint64
	firstJob    uint64 // see FirstJob
	nextDevice  uint64
	seq         uint64
	chain       [64]byte // the last line's hash, in hex
	void        uint64
	digest      uint64

	jobs      jobTable // live ones, and ended ones not yet drained
	order     []*job   // live ones by id, with some that ended
	live      int
	counts    [Completed + 1]int // live jobs by state
	doubts    int                // of them, held in doubt
	deadlines jobHeap            // jobs with a time to live that have not started
	opens     jobHeap            // jobs that wait for their documents
	printers  map[string]*printer
	devices   map[uint64]*device
	uris      map[string]*device // by normalURI
	names     map[string]*device // by identity
	byDefault *printer           // where none is named; nil: none
	members   map[uint64]*member
	uploads   map[string]*upload
	uploaded  uint64 // bytes of open uploads
	sessions  map[uint64]*session

	liveKeys map[string]*job
	usedKeys map[string]*usedKey // of ended jobs, not yet drained
	keyEnds  fifo[keyEnd]
	keys     int // of ended jobs

	ended  ended
	unseen unseens

	subscriptions    map[uint64]*subscription
	nextSubscription uint64

	dirty   []kept
	written uint64 // the index of the last drain, or neverWritten

	// Of the turn at hand, kept for the next: what all its lines have in common, the lines, and the one being built.
	stamp, text, scratch []byte

	known    map[string]string // see intern
	unpacker unpacker
}

// neverWritten makes the first Drain of a new state give its meta record.
const neverWritten = 1<<64 - 1

// New is the state before the first entry.
func New(cluster string) *State {
	s := &State{
		cluster: cluster, version: Version, nextJob: 1, firstJob: 1, nextDevice: 1, written: neverWritten,
		deadlines: jobHeap{key: byDeadline, slot: deadlineSlot}, opens: jobHeap{key: byOpen, slot: deadlineSlot},
		unseen:        unseens{byPrint: make(map[[32]byte]*unseen), byJob: make(map[uint64]*unseen)},
		subscriptions: make(map[uint64]*subscription), nextSubscription: 1,
		printers: make(map[string]*printer), devices: make(map[uint64]*device),
		uris: make(map[string]*device), names: make(map[string]*device), members: make(map[uint64]*member),
		uploads: make(map[string]*upload), sessions: make(map[uint64]*session), liveKeys: make(map[string]*job),
		known:    make(map[string]string),
		usedKeys: make(map[string]*usedKey), ended: ended{byID: make(map[uint64]*finished)},
	}
	for i := range s.chain {
		s.chain[i] = '0'
	}
	return s
}

// Index is that of the last entry applied.
func (s *State) Index() uint64 { return s.index }

// Term is the highest that an applied entry carried.
func (s *State) Term() uint64 { return s.term }

// Time is state time: the highest that an entry brought. It is zero before the first.
func (s *State) Time() time.Time {
	if s.time == 0 {
		return time.Time{}
	}
	return time.Unix(0, s.time).UTC()
}

// Seq is the number of the last line.
func (s *State) Seq() uint64 { return s.seq }

// Chain is the hash of the last line; zero before the first.
func (s *State) Chain() (sum [32]byte) {
	hex.Decode(sum[:], s.chain[:])
	return sum
}

// Version is the cluster version that entries are applied by.
func (s *State) Version() uint32 { return s.version }

// Cluster is the cluster's id.
func (s *State) Cluster() string { return s.cluster }

// touch notes that the record of k changed.
func (s *State) touch(k kept) {
	if r := k.rec(); !r.dirty {
		r.dirty = true
		s.dirty = append(s.dirty, k)
	}
}

// erase notes that the record of k is to go.
func (s *State) erase(k kept) {
	k.rec().gone = true
	s.touch(k)
}

func (s *State) newPrinter(name string) *printer {
	p := &printer{name: name, turns: jobHeap{key: byTurn, slot: turnSlot}, times: &times{printer: name}}
	s.printers[name] = p
	return p
}

// admit adds a live job.
func (s *State) admit(j *job) {
	if s.live < len(s.order)/2 && len(s.order) > 64 {
		s.order = slices.DeleteFunc(s.order, func(j *job) bool { return j.state.Ended() })
	}
	s.jobs.put(j)
	s.order = append(s.order, j)
	s.live++
	if j.idempotency != nil {
		s.liveKeys[j.idempotency.key] = j
	}
}
