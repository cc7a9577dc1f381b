package queue

import (
	"encoding/binary"
	"slices"

	"printq/queue/queuepb"
)

// A kept thing is stored as one record. A record is written when it changed, counts in the digest, and can be gone.
type kept interface {
	rec() *record
	bucket() Bucket
	key() []byte
	encode() []byte
}

// A record is what the state knows about something's record in the store.
type record struct {
	sum    uint64 // its part of the digest, as of the last settling
	dirty  bool   // listed in State.dirty
	gone   bool   // to be deleted
	stored rank   // where a drain last put it
}

// A rank is a bucket's number in Buckets, from 1; 0: none. A million jobs hold one.
type rank uint8

func rankOf(b Bucket) rank { return rank(slices.Index(Buckets, b) + 1) }

func (r rank) bucket() Bucket { return Buckets[r-1] }

func (r *record) rec() *record { return r }

// A job that has not ended, or that ended and was not drained yet. A million of them are held: every field counts.
type job struct {
	record
	id           uint64
	printer      *printer
	state        JobState
	stopping     stopping
	priority     uint8
	copies       uint16
	documentGone bool
	created      bool  // without its document
	more         bool  // a further document may come
	turnSlot     int32 // in the printer's turns
	deadlineSlot int32 // in State.deadlines; of an open job, in State.opens

	units, pages uint32
	printed      uint32 // units out in the attempt that counts
	start        uint32 // the next attempt begins after this unit
	reason       string
	name, user   string
	format       string
	bytes        uint64
	sha256       [32]byte
	document     jobDocument
	submitted    position
	attempts     []attempt
	device       *device // it is bound to
	idempotency  *idempotency
	rare         *rare
	ttl          int64
	changed      uint64
}

// What few jobs have.
type rare struct {
	doubt   *queuepb.Doubt
	moveTo  string
	options []*queuepb.Option
	// Since when it waits for its document, 0: it does not; and whether it is to be held then.
	open int64
	hold bool
	// The job that it may be a duplicate of.
	duplicateOf uint64
	began       int64  // its first attempt; 0: not yet
	ended       int64  // 0: not yet
	of          uint64 // the job that it prints again; 0: none
	place       uint64 // see job.place; 0: by its id
	pageRanges  string
	partOf      uint64
	parts       []uint64
}

// An idempotency key, and what it was used for.
type idempotency struct {
	key         string
	fingerprint [32]byte
}

type position struct {
	index, term uint64
	time        int64
}

type attempt struct {
	token         Token
	number        uint64
	device        uint64
	from, printed uint32
	outcome       string
	remote        string
}

// What becomes of a job when its attempt has stopped (R9).
type stopping uint8

const (
	notStopping stopping = iota
	stopCancel
	stopHold
	stopMove
)

func (s stopping) String() string { return [...]string{"", "cancel", "hold", "move"}[s] }

// total is the number of units over all copies.
func (j *job) total() uint32 { return j.units * uint32(j.copies) }

// deadline is when a job that has not started is aborted.
func (j *job) deadline() int64 { return j.submitted.time + j.ttl }

// attempt is the last one; nil before the first.
func (j *job) attempt() *attempt {
	if len(j.attempts) == 0 {
		return nil
	}
	return &j.attempts[len(j.attempts)-1]
}

func (j *job) inDoubt() bool { return j.state == Held && j.reason == reasonInDoubt }

// seldom gives the fields that few jobs have, to be written.
func (j *job) seldom() *rare {
	if j.rare == nil {
		j.rare = new(rare)
	}
	return j.rare
}

func (j *job) bucket() Bucket {
	if j.state.Ended() {
		return Finished
	}
	return Live
}

func (j *job) key() []byte { return number(j.id) }

// A printer, with the jobs that wait for it.
type printer struct {
	record
	name     string
	settings *queuepb.PrinterSettings
	paused   bool
	// It takes no new jobs.
	rejecting   bool
	holdNew     bool
	isDefault   bool
	description *queuepb.PrinterDescription // nil: none
	times       *times
	devices     []*device // by id
	created     uint64
	changed     uint64
	turns       jobHeap
	counts      [Completed + 1]int // of live jobs, by state
	// Listed in turn.consider.
	considered bool
}

func (p *printer) bucket() Bucket { return Printers }
func (p *printer) key() []byte    { return []byte(p.name) }

type device struct {
	record
	id         uint64
	uri        string
	printer    *printer
	token      Token // the live claim
	last       Token // the highest ever
	resumed    bool
	known      bool // identity and epoch have been recorded
	identity   string
	epoch      string
	adopt      bool
	stopped    bool
	closing    uint64
	job        *job
	attempt    uint64
	recovering bool
	reason     string
	detail     string
	changed    uint64
	removed    bool

	class        Class
	skips        bool
	about        string
	formats      []string
	capabilities []byte
	flight       flight
	used         uint64 // the entry that last gave it a job
	outOfOrder   bool   // it gave a job back, and has not been resumed since
}

// A flight is what the log knows of an attempt on a device without a fence, beyond the recorded progress.
type flight struct {
	intended uint32 // units that may be out, over all copies
	by       Token  // the claim under which they were announced
	sent     uint32 // units that the device has taken whole
	// The device's counter stood at counter when base units, and basePages of the one after, were out.
	counts          bool
	counter         uint64
	base, basePages uint32
	pages           uint32 // of the unit after the recorded progress, known to be out
	remote          string // a spooler's id of the job
}

func (d *device) bucket() Bucket { return Devices }
func (d *device) key() []byte    { return number(d.id) }

// idle reports whether a job may be chosen for the device.
func (d *device) idle() bool {
	return d.token != Token{} && d.resumed && d.job == nil && d.closing == 0 && !d.stopped && !d.removed && !d.printer.paused && d.turn()
}

type upload struct {
	record
	id      string
	chunks  []Extent // Length 0: not there yet
	have    uint32
	bytes   uint64
	touched int64
}

func (u *upload) bucket() Bucket { return Uploads }
func (u *upload) key() []byte    { return []byte(u.id) }

type member struct {
	record
	id         uint64
	http, peer string
}

func (m *member) bucket() Bucket { return Members }
func (m *member) key() []byte    { return number(m.id) }

// A usedKey is the idempotency key of a finished job. It leaves memory when drained.
type usedKey struct {
	record
	idempotency
	job   uint64
	ended int64
}

func (k *usedKey) bucket() Bucket { return Keys }
func (k *usedKey) key() []byte    { return []byte(k.idempotency.key) }

// What is remembered of a job that has ended and was drained.
type finished struct {
	id       uint64
	ended    int64
	printer  string   // by name: the printer may be gone, or another by now
	document []Extent // nil once let go
	sum      uint64   // its record's
}

func (f *finished) number() uint64 { return f.id }

// When which job's key came to its last day.
type keyEnd struct {
	key   string
	job   uint64
	ended int64
}

func (k keyEnd) number() uint64 { return k.job }

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
