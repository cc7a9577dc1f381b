package log

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
)

// found is what a scan of an unsealed segment came upon.
type found struct {
	table  table
	hard   *raftpb.HardState // nil: none
	end    int64             // of the batches that check
	erase  int64             // up to here, bytes after end must be erased; 0: nothing to erase
	marked bool              // the last batch is empty
	synced int64             // up to here, the last batch says, the file was synced before it
}

// scanner reads the batches of one segment in order, with memory that does not depend on what the
// file says.
type scanner struct {
	seg  *segment
	size int64
	at   int64
	r    *bufio.Reader
	found
}

// errTorn: what lies here is no batch, or not a whole one.
var errTorn = errors.New("does not check")

const scanBuffer = 256 << 10

// scan reads a segment whose header checked. It returns a *DamageError if a batch that does not
// check had been synced.
func scan(s *segment) (found, error) {
	c := &scanner{seg: s, size: s.size, at: fileHeaderSize}
	c.r = bufio.NewReaderSize(io.NewSectionReader(s, c.at, c.size-c.at), scanBuffer)
	for {
		c.end = c.at
		err := c.batch()
		if errors.Is(err, errTorn) {
			break
		}
		if err != nil {
			return found{}, err
		}
	}
	var err error
	c.erase, err = evidence(s, c.end, c.at)
	return c.found, err
}

// batch reads one batch and, once all of it has checked, takes over what it says.
func (c *scanner) batch() error {
	begin := c.at
	var head [batchHeaderSize]byte
	if err := c.read(head[:]); err != nil {
		return err
	}
	h, ok := decodeBatchHeader(head[:], c.seg.seed, begin)
	if !ok || int64(h.bytes) > c.size-c.at || int64(h.count)*recordHeaderSize > int64(h.bytes) {
		c.at = begin
		return errTorn
	}
	var entries []placed
	var hard *raftpb.HardState
	var sum uint32
	end := c.at + int64(h.bytes)
	for range h.count {
		record := c.at
		r, data, err := c.record(end)
		if err != nil {
			c.at = record
			return err
		}
		sum = crcOfCRC(sum, r.crc)
		switch r.kind {
		case recordEntry:
			entries = append(entries, placed{r.index, r.term, record})
		case recordHardState:
			hard = decodeHardState(data)
		default: // a seal that was not finished
			c.at = begin
			return errTorn
		}
	}
	if c.at != end || sum != h.sum {
		c.at = begin
		return errTorn
	}
	c.marked, c.synced = h.count == 0, int64(h.synced)
	if hard != nil {
		c.hard = hard
	}
	return c.take(entries)
}

type placed struct {
	index, term uint64
	at          int64
}

func (c *scanner) take(entries []placed) error {
	for _, e := range entries {
		if e.index == 0 || !c.table.empty() && e.index > c.table.last()+1 {
			return c.seg.damage(e.at, "entry leaves a gap")
		}
		c.table.cut(e.index)
		c.table.add(e.index, e.term, e.at)
	}
	return nil
}

// record reads one record that ends at end or before. Only a hard state's data is returned.
func (c *scanner) record(end int64) (recordHeader, []byte, error) {
	var head [recordHeaderSize]byte
	if end-c.at < recordHeaderSize {
		return recordHeader{}, nil, errTorn
	}
	if err := c.read(head[:]); err != nil {
		return recordHeader{}, nil, err
	}
	h := decodeRecordHeader(head[:])
	if padded(int64(h.bytes)) > end-c.at {
		return h, nil, errTorn
	}
	crc := headerCRC(head[:], c.seg.seed)
	var small [hardStateSize]byte
	data := small[:0]
	if h.kind == recordHardState && h.bytes == hardStateSize {
		data = small[:]
		if err := c.read(data); err != nil {
			return h, nil, err
		}
		crc = crc32c.Update(crc, data)
	} else if err := c.check(int64(h.bytes), &crc); err != nil {
		return h, nil, err
	}
	if crc != h.crc || h.kind == recordHardState && h.bytes != hardStateSize {
		return h, nil, errTorn
	}
	return h, data, c.check(padded(int64(h.bytes))-int64(h.bytes), nil)
}

func (c *scanner) read(p []byte) error {
	n, err := io.ReadFull(c.r, p)
	c.at += int64(n)
	return tornAtEnd(err)
}

// check passes over n bytes and adds them to crc.
func (c *scanner) check(n int64, crc *uint32) error {
	for n > 0 {
		p, err := c.r.Peek(int(min(n, scanBuffer)))
		if err != nil {
			return tornAtEnd(err)
		}
		if crc != nil {
			*crc = crc32c.Update(*crc, p)
		}
		n -= int64(len(p))
		c.at += int64(len(p))
		if _, err := c.r.Discard(len(p)); err != nil {
			return err
		}
	}
	return nil
}

// tornAtEnd: a batch that the file is too short for is torn; an error of the disk stays one.
func tornAtEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

func crcOfCRC(sum, crc uint32) uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], crc)
	return crc32c.Update(sum, b[:])
}

// evidence looks for batch headers from offset end on, where a batch begins that does not check.
// If one says that the bad batch had been synced, that is damage, at offset bad. Otherwise
// evidence returns the end of the last one, or 0 if there is none.
func evidence(s *segment, end, bad int64) (last int64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(s, end, s.size-end), scanBuffer)
	for at := end; ; at += 8 {
		p, err := r.Peek(batchHeaderSize)
		if errors.Is(err, io.EOF) {
			return last, nil
		}
		if err != nil {
			return 0, err
		}
		if h, ok := decodeBatchHeader(p, s.seed, at); ok {
			if h.synced > uint64(end) {
				return 0, s.damage(bad, "a later batch says that this one had been synced")
			}
			last = at + batchHeaderSize
		}
		if _, err := r.Discard(8); err != nil {
			return 0, err
		}
	}
}
