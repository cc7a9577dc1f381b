package node

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
	"google.golang.org/protobuf/encoding/protowire"

	"printq/queue"
)

// The lines of a batch lie in groups, one record each: to put a record into state.db costs more than to write a line's bytes.
//
//	the seq of its first line, 8 bytes big-endian → 0x00 | for each line: uvarint: length | the stored line
//
// A stored line is its seq, the job and the printer it is about, and then the line as it is served. One that stands alone, as it did
// before there were groups, is a record without the 0x00: no seq is zero.
const (
	groupMark = 0
	// groupBytes is how large a group gets. The last page of the lines is written anew with each batch: large groups would make it
	// large, where few lines come at a time.
	groupBytes = 8 << 10
)

// appendLine adds a stored line.
func appendLine(b []byte, l queue.Line) []byte {
	b = binary.AppendUvarint(b, l.Seq)
	b = binary.AppendUvarint(b, l.Job)
	b = binary.AppendUvarint(b, uint64(len(l.Printer)))
	return append(append(b, l.Printer...), l.JSON...)
}

// lineBytes is how much appendLine adds.
func lineBytes(l queue.Line) int {
	return protowire.SizeVarint(l.Seq) + protowire.SizeVarint(l.Job) + protowire.SizeBytes(len(l.Printer)) + len(l.JSON)
}

// lineGroup gives the record of as many of the lines as it holds; rest are those after them.
func lineGroup(lines []queue.Line) (group []byte, rest []queue.Line) {
	n, size := 0, 1
	for ; n < len(lines); n++ {
		more := protowire.SizeBytes(lineBytes(lines[n]))
		if n > 0 && size+more > groupBytes {
			break
		}
		size += more
	}
	group = append(make([]byte, 0, size), groupMark)
	for _, l := range lines[:n] {
		group = binary.AppendUvarint(group, uint64(lineBytes(l)))
		group = appendLine(group, l)
	}
	return group, lines[n:]
}

var errStoredLine = errors.New("a stored line is not readable")

// eachLine calls fn for the lines of a record, which it must not keep, until fn returns false.
func eachLine(record []byte, fn func(l queue.Line) bool) error {
	if len(record) == 0 || record[0] != groupMark {
		l, err := parseLine(record)
		if err == nil {
			fn(l)
		}
		return err
	}
	for rest := record[1:]; len(rest) > 0; {
		stored, after, err := takeBytes(rest)
		if err != nil {
			return errStoredLine
		}
		l, err := parseLine(stored)
		if err != nil {
			return err
		}
		if !fn(l) {
			return nil
		}
		rest = after
	}
	return nil
}

// parseLine reads a stored line, which the line then shares.
func parseLine(v []byte) (queue.Line, error) {
	var l queue.Line
	for _, field := range []*uint64{&l.Seq, &l.Job} {
		x, n := binary.Uvarint(v)
		if n <= 0 {
			return l, errStoredLine
		}
		*field, v = x, v[n:]
	}
	printer, json, err := takeBytes(v)
	if err != nil {
		return l, fmt.Errorf("%w: line %d", errStoredLine, l.Seq)
	}
	l.Printer, l.JSON = string(printer), json
	return l, nil
}

// putLines adds lines, and lets go of those below trim: groups of which all lines are.
func putLines(tx *bbolt.Tx, lines []queue.Line, trim uint64) error {
	b, err := tx.CreateBucketIfNotExists([]byte(queue.Lines))
	if err != nil {
		return err
	}
	b.FillPercent = 0.95
	for rest := lines; len(rest) > 0; {
		var group []byte
		first := rest[0].Seq
		group, rest = lineGroup(rest)
		if err := b.Put(lineKey(first), group); err != nil {
			return err
		}
	}
	c := b.Cursor()
	for {
		oldest, _ := c.First()
		next, _ := c.Next()
		if oldest == nil || next == nil || lineSeq(next) > trim {
			return nil
		}
		if err := b.Delete(oldest); err != nil {
			return err
		}
	}
}

func lineKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// lineSeq is lineKey undone; 0: not a key of lines.
func lineSeq(key []byte) uint64 {
	if len(key) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}

// Lines reads lines; what they are about, for the filters, is read from the line itself.
func (s *boltStore) Lines(seq uint64, limit int) (lines []queue.Line, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte(queue.Lines))
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, v := seekLine(c, seq); k != nil && len(lines) < limit; k, v = c.Next() {
			err := eachLine(bytes.Clone(v), func(l queue.Line) bool {
				if l.Seq >= seq {
					lines = append(lines, l)
				}
				return len(lines) < limit
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return lines, err
}

// seekLine goes to the record in which the line of that seq is, or else to the one after it.
func seekLine(c *bbolt.Cursor, seq uint64) (key, record []byte) {
	switch key, record = c.Seek(lineKey(seq)); {
	case key == nil:
		return c.Last()
	case lineSeq(key) == seq:
		return key, record
	}
	if before, record := c.Prev(); before != nil {
		return before, record
	}
	return c.First()
}

// oldestLine is the seq of the oldest line kept; 0: there is none.
func (s *boltStore) oldestLine() (seq uint64) {
	_ = s.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket([]byte(queue.Lines)); b != nil {
			k, _ := b.Cursor().First()
			seq = lineSeq(k)
		}
		return nil
	})
	return seq
}
