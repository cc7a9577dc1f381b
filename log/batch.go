package log

import (
	"encoding/binary"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
)

// batch gathers the records of one write. Data above copyLimit is written from where it lies; the rest
// is collected, since a copy of it costs less than a buffer of its own.
type batch struct {
	seed    uint32
	count   uint32
	sum     uint32
	bytes   int64
	offsets []int64 // of the entries' records, from the batch's beginning

	head    [batchHeaderSize]byte
	scratch []byte
	done    int // bytes of scratch that are in bufs
	bufs    [][]byte
}

const (
	copyLimit = 4 << 10
	// maxBatch bounds what one Save writes. It keeps every length within 32 bits.
	maxBatch = 1 << 30
	// keepScratch is how large a buffer is kept from one batch to the next.
	keepScratch = 4 << 20
)

// batchSize is what the entries, and a hard state if there is one, take on disk.
func batchSize(entries []*raftpb.Entry, hs *raftpb.HardState) int64 {
	size := int64(batchHeaderSize)
	for _, e := range entries {
		size += recordSize(len(e.GetData()))
	}
	if hs != nil {
		size += recordSize(hardStateSize)
	}
	return size
}

func (b *batch) reset(seed uint32) {
	clear(b.bufs)
	if cap(b.scratch) > keepScratch {
		b.scratch = nil
	}
	*b = batch{
		seed: seed, scratch: b.scratch[:0], offsets: b.offsets[:0],
		bufs: append(b.bufs[:0], b.head[:]),
	}
	b.bufs[0] = b.head[:]
}

// addEntry adds an entry; sum is the CRC-32C of its data, nil where that is not known.
func (b *batch) addEntry(e *raftpb.Entry, sum *uint32) {
	b.offsets = append(b.offsets, batchHeaderSize+b.bytes)
	h := recordHeader{index: e.GetIndex(), term: e.GetTerm(), kind: recordEntry, typ: uint8(e.GetType())}
	if e.Type != nil {
		h.flags |= flagType
	}
	if e.Data != nil {
		h.flags |= flagData
	}
	b.add(h, e.GetData(), sum)
}

func (b *batch) addHardState(hs *raftpb.HardState) {
	b.add(recordHeader{kind: recordHardState}, encodeHardState(hs), nil)
}

func (b *batch) add(h recordHeader, data []byte, sum *uint32) {
	h.bytes = uint32(len(data))
	var head [recordHeaderSize]byte
	h.encode(head[:])
	crc := headerCRC(head[:], b.seed)
	if sum != nil && len(data) > copyLimit {
		crc = crc32c.Join(crc, *sum, len(data))
	} else {
		crc = crc32c.Update(crc, data)
	}
	binary.LittleEndian.PutUint32(head[:], crc)
	b.sum = crc32c.Update(b.sum, head[:4])

	b.scratch = append(b.scratch, head[:]...)
	if len(data) <= copyLimit {
		b.scratch = append(b.scratch, data...)
	} else {
		b.flush()
		b.bufs = append(b.bufs, data)
	}
	var zeros [8]byte
	b.scratch = append(b.scratch, zeros[:padded(int64(len(data)))-int64(len(data))]...)
	b.count++
	b.bytes += recordSize(len(data))
}

// flush makes a buffer of what was collected. A scratch that grows later leaves these bytes where they are.
func (b *batch) flush() {
	if b.done < len(b.scratch) {
		b.bufs = append(b.bufs, b.scratch[b.done:])
		b.done = len(b.scratch)
	}
}

// finish returns the batch as it is to be written at offset at, and its size.
func (b *batch) finish(at, synced int64) ([][]byte, int64) {
	b.flush()
	h := batchHeader{bytes: uint32(b.bytes), count: b.count, sum: b.sum, synced: uint64(synced)}
	h.encode(b.head[:], b.seed, at)
	return b.bufs, batchHeaderSize + b.bytes
}
