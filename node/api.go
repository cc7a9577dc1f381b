package node

import (
	"errors"
	"time"

	"printq/queue"
)

// The errors of a request, beside those of package queue. Each is wrapped with what to do.
var (
	// ErrNoQuorum: there is no leader or no majority. Nothing was proposed: it is safe to retry.
	ErrNoQuorum = errors.New("no quorum")
	// ErrUnknown: the request may or may not take effect. Retry with the same key.
	ErrUnknown = errors.New("outcome unknown")
	// ErrFull: too much is under way. Retry later.
	ErrFull = errors.New("too many requests are under way")
	// ErrDiskFull: documents are refused until there is space again; printing goes on.
	ErrDiskFull = errors.New("disk space is low")
	// ErrTooLarge: the document is larger than the limit.
	ErrTooLarge = errors.New("document is too large")
	// ErrEmpty: the document has no bytes.
	ErrEmpty = errors.New("document is empty")
	// ErrFormat: none of the printer's devices takes the document's format, as they have said.
	ErrFormat = errors.New("the document's format is not taken")
	// ErrStopping: this member is going down.
	ErrStopping = errors.New("member is stopping")
	// ErrTrimmed: the log lines asked for are no longer kept.
	ErrTrimmed = errors.New("log lines are no longer kept")
	// ErrDamaged: the bytes of a document do not match its SHA-256, on any member that could be asked.
	ErrDamaged = errors.New("document is damaged")
)

// A Position is where in the log an answer stands.
type Position struct {
	Index, Term uint64
}

// An Answer is what came of a request that was carried out.
type Answer struct {
	Position
	// The job made or acted on; 0 where it is about none.
	Job uint64
	// That job at this position, as Node.Job would give it; nil where it is about none, or the job could not be read.
	Status *JobStatus
	// The subscription made; 0: none.
	Subscription uint64
	// The same request had been carried out before.
	Repeated bool
}

// A Document has been received whole: inline, or as committed chunks of an upload.
type Document struct {
	Upload []byte
	Chunks uint32
	Inline []byte
	Bytes  int64
	SHA256 [32]byte

	whole []byte // Inline with room before it; nil: none
}

// A JobFilter selects jobs; zero fields select all.
type JobFilter struct {
	Printer string
	User    string
	States  []queue.JobState
	// Only jobs with a smaller id, newest first; 0: from the newest.
	Before uint64
	// At most so many; at least 1.
	Limit int
}

// A JobStatus is a job and, where it does not print now, what it waits for in one sentence.
type JobStatus struct {
	*queue.Job
	Waits string
}

// A PrinterStatus is a printer, its devices and its queue.
type PrinterStatus struct {
	*queue.Printer
	Settings queue.Settings
	Devices  []*queue.Device
	// When its state and its configuration last changed; zero: never.
	StateChanged, ConfigChanged time.Time
	// Jobs by state, the live ones.
	Pending, Held, Processing, Stopped int
}

// A MemberStatus is what this member knows of another, or of itself.
type MemberStatus struct {
	ID    uint64
	HTTP  string
	Peer  string
	Voter bool
	// Connected: its messages reach us.
	Connected bool
	// Entries that it is behind the leader, where we know; -1 where we do not.
	Lag int64
}

// A ClusterStatus is the cluster as this member sees it.
type ClusterStatus struct {
	Cluster string
	ID      uint64
	// 0: none known.
	Leader  uint64
	Term    uint64
	Applied uint64
	Commit  uint64
	Version uint32
	Members []MemberStatus
	// Seq and Chain of the last line.
	Seq   uint64
	Chain string
	// What this member has to say about itself: why it is not ready, or a warning. Empty: all is well.
	Alarms []string
	// How far back idempotency keys of finished jobs reach; 0: as far as they should.
	KeyReach time.Duration
}

// Stats are a member's counters, for metrics. All only grow but those that say so.
type Stats struct {
	Proposals, Refused, Resent uint64
	NotHeld                    uint64 // messages of raft's that named a document which was not held any more
	Void                       uint64
	Elections, Leading         uint64 // Leading: 1 or 0
	Applied, Commit, Term      uint64
	Batches                    uint64 // state.db transactions
	SnapshotsSent              uint64
	SnapshotsInstalled         uint64
	DocumentsRepaired          uint64
	Pending, Held, Processing  uint64 // now
	InDoubt                    uint64 // now, of Held
	Stopped, Finished          uint64 // now
	Inflight, InflightBytes    uint64 // now
	LogSegments, LogBytes      uint64 // now
	LogLiveBytes, CacheBytes   uint64 // now
	CacheHits, CacheMisses     uint64
	Syncs                      uint64
	SyncSeconds                float64
	SyncMaxSeconds             float64
	DiskFree                   uint64 // now
	KeyReach                   time.Duration
	Lines, OldestLine          uint64 // seq of the newest and the oldest line kept
}
