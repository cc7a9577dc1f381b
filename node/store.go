package node

import (
	"go.etcd.io/raft/v3/raftpb"

	"printq/log"
	"printq/queue"
)

// Store is state.db as the core sees it: the queue's records together with how far in the log they go.
type Store interface {
	queue.View
	// Head is what the last batch said.
	Head() Head
	// Each calls fn for every record of a bucket, in the order of the keys. Key and value are only valid in the call.
	Each(bucket queue.Bucket, fn func(key, value []byte) error) error
	// Lines reads up to limit lines from seq on.
	Lines(seq uint64, limit int) ([]queue.Line, error)
	// Commit writes a batch in one transaction and syncs it.
	Commit(b *Batch) error
}

// A Head says what a store holds: the effect of every entry up to Applied, under the configuration Conf. Base is the
// position below which raft will not ask the log; it is never above Applied.
type Head struct {
	Applied Position
	Conf    *raftpb.ConfState
	Base    log.Base
}

// A Batch is what many entries changed, written at once. Invariant: the changes and the head belong together, so that a
// store never holds the one without the other.
type Batch struct {
	Head
	Changes []queue.Change
	Lines   []queue.Line
	// Lines below this seq leave; 0: none.
	TrimLines uint64

	// The documents that nobody needs once this is durable.
	release []queue.Extent
}

// view reads what was drained so far: the batch that is being written, then the store.
type view struct{ c *Core }

func (v view) Get(bucket queue.Bucket, key []byte) ([]byte, error) {
	if b := v.c.writing; b != nil {
		if value, ok := queue.Find(b.Changes, bucket, key); ok {
			return value, nil
		}
	}
	return v.c.store.Get(bucket, key)
}
