package log

import (
	"errors"
	"fmt"
	"io"

	"go.etcd.io/raft/v3/raftpb"

	"printq/log/crc32c"
)

func readHeader(s *segment) (h fileHeader, ok bool, err error) {
	var b [fileHeaderSize]byte
	if _, err := s.readAt(b[:], 0); errors.Is(err, io.EOF) {
		return h, false, nil
	} else if err != nil {
		return h, false, err
	}
	h, ok, err = decodeFileHeader(b[:])
	if err != nil {
		return h, false, fmt.Errorf("%s: %w", s.name, err)
	}
	return h, ok && h.generation == s.generation, nil
}

// openSealed reads the index of a sealed file. Where there is none it returns a *DamageError.
func openSealed(s *segment) (*raftpb.HardState, error) {
	if _, ok, err := readHeader(s); err != nil || !ok {
		return nil, orDamage(err, s, 0, "header does not check")
	}
	var foot [footerSize]byte
	at := s.size - footerSize
	if at < fileHeaderSize {
		return nil, s.damage(s.size, "file is too short")
	}
	if _, err := s.readAt(foot[:], at); err != nil {
		return nil, orDamage(tornAtEnd(err), s, at, "footer is missing")
	}
	seal, ok := decodeFooter(foot[:], s.seed)
	if !ok || seal < fileHeaderSize || seal > at-batchHeaderSize-recordHeaderSize {
		return nil, s.damage(at, "footer does not check")
	}
	data, err := readSeal(s, seal, at)
	if err != nil {
		return nil, orDamage(err, s, seal, "index does not check")
	}
	t, hard, err := decodeTable(data, seal)
	if err != nil {
		return nil, s.damage(seal, err.Error())
	}
	s.table, s.end = t, seal
	return hard, nil
}

func orDamage(err error, s *segment, at int64, reason string) error {
	if err == nil || errors.Is(err, errTorn) {
		return s.damage(at, reason)
	}
	return err
}

// readSeal returns the data of the one record of the batch from offset at to end.
func readSeal(s *segment, at, end int64) ([]byte, error) {
	b := make([]byte, end-at)
	if _, err := s.readAt(b, at); err != nil {
		return nil, tornAtEnd(err)
	}
	h, ok := decodeBatchHeader(b, s.seed, at)
	if !ok || h.count != 1 || int64(h.bytes) != end-at-batchHeaderSize {
		return nil, errTorn
	}
	b = b[batchHeaderSize:]
	r := decodeRecordHeader(b)
	data := b[recordHeaderSize:]
	if r.kind != recordTable || padded(int64(r.bytes)) != int64(len(data)) || crcOfCRC(0, r.crc) != h.sum {
		return nil, errTorn
	}
	data = data[:r.bytes]
	if crc32c.Update(headerCRC(b, s.seed), data) != r.crc {
		return nil, errTorn
	}
	return data, nil
}
