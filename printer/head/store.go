package head

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"printq/printer/device"
)

// A store is what a head remembers: one record, replaced as a whole in a transaction that is synced before it returns. A process holds it
// alone.
type store struct {
	db     *bbolt.DB
	record record
}

// record is what is kept.
type record struct {
	Epoch   string `json:"epoch"`
	Cluster string `json:"cluster"`
	High    Token  `json:"high"`
	Mark    Mark   `json:"mark"`
	// The unit that was begun and has not ended; nil: none.
	Begun *begun `json:"begun,omitempty"`
}

// begun is a unit from the moment before its first byte goes to the printer.
type begun struct {
	Unit Unit `json:"unit"`
	// The printer's page counter then; Counts: it has one.
	Counts  bool   `json:"counts,omitempty"`
	Counter uint64 `json:"counter,omitempty"`
}

var (
	bucket = []byte("head")
	key    = []byte("record")
)

// openStore opens DIR/head.db, and makes it with a new epoch where it is missing: a head that forgot what it printed is another one.
func openStore(dir string) (*store, error) {
	path := filepath.Join(dir, "head.db")
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, NoFreelistSync: true})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, fmt.Errorf("%s is in use: another head runs with this directory", path)
	} else if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s := &store{db: db}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *store) load() error {
	var raw []byte
	err := s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(bucket); b != nil {
			raw = append(raw, b.Get(key)...)
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("read the head's record: %w", err)
	case raw == nil:
		return s.save(record{Epoch: rand.Text(), Mark: Mark{Closed: true}})
	}
	if err := json.Unmarshal(raw, &s.record); err != nil {
		return fmt.Errorf("read the head's record: %w", err)
	}
	return s.renew()
}

// renew makes durable what was read: after a sync that failed, it may be what the kernel shows and the disk does not have. A commit
// that changes nothing writes the page anew that says where everything is, and nothing else: all it points to is synced (and there is
// no list of free pages to be written, which might overwrite what the page on the disk points to).
func (s *store) renew() error {
	if err := s.db.Update(func(*bbolt.Tx) error { return nil }); err != nil {
		return fmt.Errorf("make the head's record durable: %w", err)
	}
	return nil
}

// save makes r the record, durably. After an error the head must not go on: what is on disk is not known.
func (s *store) save(r record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the head's record: %w", err)
	}
	err = s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		if err != nil {
			return err
		}
		return b.Put(key, raw)
	})
	if err != nil {
		return fmt.Errorf("store the head's record: %w", err)
	}
	s.record = r
	return nil
}

func (s *store) close() error { return s.db.Close() }

// fence is the record as rule R8 has it. A unit that was begun and has not ended makes the mark unclear: that of its own attempt, which
// the mark may not have seen before.
func (r *record) fence() device.Fence {
	f := device.Fence{Epoch: r.Epoch, Cluster: r.Cluster, High: r.High.queue(), Mark: r.Mark.device()}
	if b := r.Begun; b != nil {
		if b.Unit.Attempt > f.Mark.Attempt {
			f.Mark = device.Mark{Attempt: b.Unit.Attempt}
		}
		f.Mark.Unclear = true
	}
	return f
}

// keep takes over what a fence decided.
func (r *record) keep(f device.Fence) {
	r.Epoch, r.Cluster, r.High, r.Mark = f.Epoch, f.Cluster, tokenOf(f.High), markOf(f.Mark)
}
