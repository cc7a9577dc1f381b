package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"go.etcd.io/bbolt"
	"go.etcd.io/raft/v3/raftpb"
	"google.golang.org/protobuf/proto"

	"printq/log"
	"printq/queue"
)

// boltStore is state.db: one bbolt bucket for each of the queue's, and one named "raft" for the head.
type boltStore struct {
	db   *bbolt.DB
	head Head
}

var raftBucket = []byte("raft")

var errNoHead = errors.New("state.db holds no head")

// openStore opens state.db. A new file holds no head before its first Commit.
func openStore(path string) (*boltStore, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{
		Timeout:        time.Second,
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
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
			return b.ForEach(fn)
		}
		return nil
	})
}

// Lines reads lines; what they are about, for the filters, is read from the line itself.
func (s *boltStore) Lines(seq uint64, limit int) (lines []queue.Line, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(queue.Lines))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, v := c.Seek(binary.BigEndian.AppendUint64(nil, seq)); k != nil && len(lines) < limit; k, v = c.Next() {
			line, err := parseLine(v)
			if err != nil {
				return err
			}
			lines = append(lines, line)
		}
		return nil
	})
	return lines, err
}

// oldestLine is the seq of the oldest line kept; 0: there is none.
func (s *boltStore) oldestLine() (seq uint64) {
	_ = s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket([]byte(queue.Lines)); b != nil {
			if k, _ := b.Cursor().First(); len(k) == 8 {
				seq = binary.BigEndian.Uint64(k)
			}
		}
		return nil
	})
	return seq
}

// A stored line is its seq, the job and the printer it is about, and then the line as it is served.
func storeLine(l queue.Line) []byte {
	b := make([]byte, 0, len(l.JSON)+len(l.Printer)+12)
	b = binary.AppendUvarint(b, l.Seq)
	b = binary.AppendUvarint(b, l.Job)
	b = binary.AppendUvarint(b, uint64(len(l.Printer)))
	return append(append(b, l.Printer...), l.JSON...)
}

func parseLine(v []byte) (queue.Line, error) {
	v = bytes.Clone(v)
	var l queue.Line
	for _, field := range []*uint64{&l.Seq, &l.Job} {
		x, n := binary.Uvarint(v)
		if n <= 0 {
			return l, errors.New("a stored line is not readable")
		}
		*field, v = x, v[n:]
	}
	size, n := binary.Uvarint(v)
	if n <= 0 || size > uint64(len(v)-n) {
		return l, fmt.Errorf("stored line %d is not readable", l.Seq)
	}
	v = v[n:]
	l.Printer, l.JSON = string(v[:size]), v[size:]
	return l, nil
}

func (s *boltStore) Commit(b *Batch) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		if err := putHead(tx, b.Head); err != nil {
			return err
		}
		if err := putChanges(tx, b.Changes); err != nil {
			return err
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

func putLines(tx *bbolt.Tx, lines []queue.Line, trim uint64) error {
	b, err := tx.CreateBucketIfNotExists([]byte(queue.Lines))
	if err != nil {
		return err
	}
	b.FillPercent = 0.95
	for _, l := range lines {
		if err := b.Put(binary.BigEndian.AppendUint64(nil, l.Seq), storeLine(l)); err != nil {
			return err
		}
	}
	c := b.Cursor()
	for k, _ := c.First(); len(k) == 8 && binary.BigEndian.Uint64(k) < trim; k, _ = c.First() {
		if err := c.Delete(); err != nil {
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
