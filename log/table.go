package log

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sort"

	"go.etcd.io/raft/v3/raftpb"
)

// table says where the entries of one file lie: four bytes for each, and a run wherever the term changes or
// the indexes leave a gap. The indexes ascend.
type table struct {
	runs    []run
	offsets []uint32 // of the records, in units of 8 bytes
}

// run is a row of consecutive indexes of one term. at is the first one's place in offsets.
type run struct {
	first, term uint64
	at          uint32
}

// maxOffset is the highest offset that a table can express.
const maxOffset = 8 * math.MaxUint32

func (t *table) empty() bool { return len(t.offsets) == 0 }

func (t *table) first() uint64 { return t.runs[0].first }

func (t *table) last() uint64 {
	r := t.runs[len(t.runs)-1]
	return r.first + uint64(len(t.offsets)-1) - uint64(r.at)
}

// add appends an entry whose index is above all others.
func (t *table) add(index, term uint64, offset int64) {
	if t.empty() || t.last()+1 != index || t.runs[len(t.runs)-1].term != term {
		t.runs = append(t.runs, run{first: index, term: term, at: uint32(len(t.offsets))})
	}
	t.offsets = append(t.offsets, uint32(offset/8))
}

// cut forgets the entries from index on.
func (t *table) cut(index uint64) {
	if t.empty() || t.last() < index {
		return
	}
	n := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].first >= index })
	keep := uint32(0)
	if n < len(t.runs) {
		keep = t.runs[n].at
	} else {
		keep = uint32(len(t.offsets))
	}
	if n > 0 {
		r := t.runs[n-1]
		keep = uint32(min(uint64(keep), uint64(r.at)+index-r.first))
	}
	t.runs, t.offsets = t.runs[:n], t.offsets[:keep]
}

// find returns the place of an entry in offsets, and its term.
func (t *table) find(index uint64) (at int, term uint64, ok bool) {
	n := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].first > index })
	if n == 0 {
		return 0, 0, false
	}
	r, end := t.runs[n-1], uint64(len(t.offsets))
	if n < len(t.runs) {
		end = uint64(t.runs[n].at)
	}
	place := uint64(r.at) + index - r.first
	return int(place), r.term, place < end
}

// extent returns where the record at a place begins and a bound on where it ends. end is the end of
// the file's records.
func (t *table) extent(at int, end int64) (from, to int64) {
	from = 8 * int64(t.offsets[at])
	if at+1 < len(t.offsets) {
		return from, 8 * int64(t.offsets[at+1])
	}
	return from, end
}

// A table on disk, the data of a seal: the hard state as of the seal, the runs, the offsets.
//
//	0      8      16       24      28         32                   +24 each        +4 each
//	| term | vote | commit | runs  | offsets  | first, term, at, 0 | … | offset | … |
const (
	tableHeadSize = hardStateSize + 8
	runSize       = 24
	offsetSize    = 4
)

func (t *table) encode(hs *raftpb.HardState) []byte {
	b := make([]byte, 0, tableHeadSize+runSize*len(t.runs)+offsetSize*len(t.offsets))
	b = append(b, encodeHardState(hs)...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.runs)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(t.offsets)))
	for _, r := range t.runs {
		b = binary.LittleEndian.AppendUint64(b, r.first)
		b = binary.LittleEndian.AppendUint64(b, r.term)
		b = binary.LittleEndian.AppendUint32(b, r.at)
		b = binary.LittleEndian.AppendUint32(b, 0)
	}
	for _, o := range t.offsets {
		b = binary.LittleEndian.AppendUint32(b, o)
	}
	return b
}

var errTable = errors.New("index contradicts itself")

// decodeTable reads a table whose records end at end. It does not trust b although its CRC was right.
func decodeTable(b []byte, end int64) (t table, hs *raftpb.HardState, err error) {
	if len(b) < tableHeadSize {
		return t, nil, errTable
	}
	runs := int64(binary.LittleEndian.Uint32(b[hardStateSize:]))
	offsets := int64(binary.LittleEndian.Uint32(b[hardStateSize+4:]))
	if int64(len(b)) != tableHeadSize+runSize*runs+offsetSize*offsets {
		return t, nil, errTable
	}
	hs = decodeHardState(b)
	b = b[tableHeadSize:]
	t.runs = make([]run, runs)
	for i := range t.runs {
		t.runs[i] = run{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:])}
		b = b[runSize:]
	}
	t.offsets = make([]uint32, offsets)
	for i := range t.offsets {
		t.offsets[i] = binary.LittleEndian.Uint32(b[offsetSize*i:])
	}
	if !t.valid(end) {
		return table{}, nil, errTable
	}
	return t, hs, nil
}

// valid checks what the other methods rely on.
func (t *table) valid(end int64) bool {
	if (len(t.runs) == 0) != t.empty() || !slices.IsSorted(t.offsets) {
		return false
	}
	if t.empty() {
		return true
	}
	if 8*int64(t.offsets[0]) < fileHeaderSize || 8*int64(t.offsets[len(t.offsets)-1])+recordHeaderSize > end || t.runs[0].at != 0 {
		return false
	}
	for i := 1; i < len(t.runs); i++ {
		p, r := t.runs[i-1], t.runs[i]
		if r.at <= p.at || r.first < p.first || r.first-p.first < uint64(r.at-p.at) {
			return false
		}
	}
	r := t.runs[len(t.runs)-1]
	return int(r.at) < len(t.offsets) && r.first <= math.MaxUint64-uint64(len(t.offsets))
}

func encodeHardState(hs *raftpb.HardState) []byte {
	b := make([]byte, 0, hardStateSize)
	b = binary.LittleEndian.AppendUint64(b, hs.GetTerm())
	b = binary.LittleEndian.AppendUint64(b, hs.GetVote())
	return binary.LittleEndian.AppendUint64(b, hs.GetCommit())
}

// decodeHardState returns nil for a hard state that was never set.
func decodeHardState(b []byte) *raftpb.HardState {
	term, vote, commit := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	if term == 0 && vote == 0 && commit == 0 {
		return nil
	}
	return &raftpb.HardState{Term: &term, Vote: &vote, Commit: &commit}
}
