package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"

	"go.etcd.io/bbolt"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/log"
	"printq/queue"
)

// boltStore is state.db: one bbolt bucket for each of the queue's, and one named "raft" for the head.
type boltStore struct {
	db     *bbolt.DB
	head   Head
	mapped int // records that were written since pages were given back
}

var raftBucket = []byte("raft")

var errNoHead = errors.New("state.db holds no head")

// openStore opens state.db. A new file holds no head before its first Commit.
func openStore(path string) (*boltStore, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:         time.Second,
		NoFreelistSync:  true,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapAhead(),
	})
	if err != nil {
		return nil, fmt.Errorf("open state %q: %w", path, err)
	}
	s := &boltStore{db: db}
	if err := s.readHead(); err != nil && !errors.Is(err, errNoHead) {
		_ = db.Close()
		return nil, fmt.Errorf("read state %q: %w", path, err)
	}
	return s, nil
}

// mapAhead is how many addresses are mapped before a file is that large. A map that has to grow in a commit costs a copy of all that
// the commit has touched, and waits for the readers. On Windows the file would be made as large.
func mapAhead() int {
	if runtime.GOOS == "windows" || strconv.IntSize < 64 {
		return 0
	}
	return 1 << 30
}

// renew makes durable what was read at open, before anything is built on it. Where the process before ended because the sync of a meta
// page failed, the kernel may show the new page to us and never write it: the disk then has the two before it, and the next commit
// overwrites what they point to. All else that bbolt reads was synced before its meta page was written. So a meta page is written
// anew, for the same pages, by a commit that changes nothing: in the other place of the two, so that either will do if this one fails.
func (s *boltStore) renew() error {
	if err := s.db.Update(func(*bbolt.Tx) error { return nil }); err != nil {
		return fmt.Errorf("make state %q durable: %w", s.db.Path(), err)
	}
	return nil
}

func (s *boltStore) readHead() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		h, err := headOf(tx)
		if err == nil {
			s.head = h
		}
		return err
	})
}

func headOf(tx *bbolt.Tx) (Head, error) {
	b := tx.Bucket(raftBucket)
	if b == nil {
		return Head{}, errNoHead
	}
	h := Head{Conf: new(raftpb.ConfState)}
	var ok bool
	if h.Applied, ok = getPosition(b.Get([]byte("applied"))); !ok {
		return h, errors.New("the applied position is not readable")
	}
	base, ok := getPosition(b.Get([]byte("base")))
	if !ok {
		return h, errors.New("the log's base is not readable")
	}
	h.Base = log.Base{Index: base.Index, Term: base.Term}
	if err := proto.Unmarshal(b.Get([]byte("conf")), h.Conf); err != nil {
		return h, fmt.Errorf("read configuration: %w", err)
	}
	return h, nil
}

func putPosition(p Position) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, p.Index), p.Term)
}

func getPosition(b []byte) (Position, bool) {
	if len(b) != 16 {
		return Position{}, false
	}
	return Position{Index: binary.BigEndian.Uint64(b), Term: binary.BigEndian.Uint64(b[8:])}, true
}

func (s *boltStore) Head() Head { return s.head }

func (s *boltStore) Get(bucket queue.Bucket, key []byte) (value []byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket([]byte(bucket)); b != nil {
			value = bytes.Clone(b.Get(key))
		}
		return nil
	})
	return value, err
}

func (s *boltStore) Each(bucket queue.Bucket, fn func(key, value []byte) error) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket([]byte(bucket)); b != nil {
			read := 0
			defer unmapRead(tx)
			return b.ForEach(func(k, v []byte) error {
				if read++; read%mappedRecords == 0 {
					unmapRead(tx)
				}
				return fn(k, v)
			})
		}
		return nil
	})
}

// mappedRecords is how many are read or written until the pages that were mapped for it are given back.
const mappedRecords = 64 << 10

func (s *boltStore) Commit(b *Batch) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if err := putHead(tx, b.Head); err != nil {
			return err
		}
		if err := putChanges(tx, b.Changes); err != nil {
			return err
		}
		if s.mapped += len(b.Changes) + len(b.Lines); s.mapped >= mappedRecords {
			s.mapped = 0
			unmapRead(tx)
		}
		return putLines(tx, b.Lines, b.TrimLines)
	})
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	s.head = b.Head
	return nil
}

func putHead(tx *bbolt.Tx, h Head) error {
	b, err := tx.CreateBucketIfNotExists(raftBucket)
	if err != nil {
		return err
	}
	conf, err := proto.Marshal(h.Conf)
	if err != nil {
		return err
	}
	return errors.Join(
		b.Put([]byte("applied"), putPosition(h.Applied)),
		b.Put([]byte("base"), putPosition(Position{Index: h.Base.Index, Term: h.Base.Term})),
		b.Put([]byte("conf"), conf),
	)
}

func putChanges(tx *bbolt.Tx, changes []queue.Change) error {
	var b *bbolt.Bucket
	var name queue.Bucket
	for _, c := range changes {
		if b == nil || c.Bucket != name {
			var err error
			if b, err = tx.CreateBucketIfNotExists([]byte(c.Bucket)); err != nil {
				return err
			}
			// Ids grow: pages are filled, not halved.
			b.FillPercent = 0.9
			name = c.Bucket
		}
		if c.Value == nil {
			if err := b.Delete(c.Key); err != nil {
				return err
			}
		} else if err := b.Put(c.Key, c.Value); err != nil {
			return err
		}
	}
	return nil
}

// writeTo writes a consistent copy of the whole store.
func (s *boltStore) writeTo(w io.Writer) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		_, err := tx.WriteTo(w)
		return err
	})
}

func (s *boltStore) Close() error { return s.db.Close() }
