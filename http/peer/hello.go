package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Whoever dials says hello, and gets one reply. Integers are big-endian.
//
//	hello                              reply
//	 0  4  magic "prnq"                 0  1  0: accepted, 1: refused
//	 4  2  protocol version             1  8  the answering member
//	 6  1  purpose                      9  8  its run
//	 7  1  length of the cluster id    17  2  length of the text
//	 8  8  from, 0: no member          19     why it was refused
//	16  8  to, 0: whoever it is
//	24  8  run of the sender
//	32  2  length of the address
//	34  4  length of the header
//	38     cluster id, address that the sender is reached at, header
//
// The first six bytes of hello and all of the reply are the same in every version, so that members of different versions can
// tell each other so.
const (
	magic       = "prnq"
	version     = 2
	helloSize   = 38
	replySize   = 19
	maxCluster  = 64
	maxAddress  = 512
	maxHeader   = 64 << 10
	maxRefusal  = 1 << 10
	statusOK    = 0
	statusRefus = 1
)

// A purpose is what a connection is for.
type purpose byte

const (
	urgent purpose = 1 // frames from the dialing member
	bulk   purpose = 2 // frames too
	stream purpose = 3 // the header names it; chunks come back
	probe  purpose = 4 // one answer comes back, as chunks
)

func (p purpose) String() string {
	switch p {
	case urgent:
		return "urgent"
	case bulk:
		return "bulk"
	case stream:
		return "stream"
	case probe:
		return "probe"
	}
	return fmt.Sprintf("purpose %d", byte(p))
}

type hello struct {
	purpose   purpose
	from, to  uint64
	run       uint64
	cluster   string
	advertise string
	header    []byte
}

// A reply accepts where refusal is empty.
type reply struct {
	id, run uint64
	refusal string
}

// errHello is a hello that can be answered, but not accepted; others are not of our protocol at all.
type errHello string

func (e errHello) Error() string { return string(e) }

var errMagic = errors.New("the other side does not speak printq's member protocol")

func (h hello) encode() ([]byte, error) {
	if len(h.cluster) > maxCluster || len(h.advertise) > maxAddress || len(h.header) > maxHeader {
		return nil, fmt.Errorf("hello is too long: cluster id %d bytes (limit %d), address %d (%d), header %d (%d)",
			len(h.cluster), maxCluster, len(h.advertise), maxAddress, len(h.header), maxHeader)
	}
	b := make([]byte, 0, helloSize+len(h.cluster)+len(h.advertise)+len(h.header))
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, version)
	b = append(b, byte(h.purpose), byte(len(h.cluster)))
	b = binary.BigEndian.AppendUint64(b, h.from)
	b = binary.BigEndian.AppendUint64(b, h.to)
	b = binary.BigEndian.AppendUint64(b, h.run)
	b = binary.BigEndian.AppendUint16(b, uint16(len(h.advertise)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(h.header)))
	b = append(b, h.cluster...)
	b = append(b, h.advertise...)
	return append(b, h.header...), nil
}

// readHello reads no byte beyond the hello.
func readHello(r io.Reader) (hello, error) {
	var fixed [helloSize]byte
	if _, err := io.ReadFull(r, fixed[:6]); err != nil {
		return hello{}, fmt.Errorf("read hello: %w", err)
	}
	if string(fixed[:4]) != magic {
		return hello{}, errMagic
	}
	if v := binary.BigEndian.Uint16(fixed[4:]); v != version {
		return hello{}, errHello(fmt.Sprintf("protocol version %d is not spoken here, only %d", v, version))
	}
	if _, err := io.ReadFull(r, fixed[6:]); err != nil {
		return hello{}, fmt.Errorf("read hello: %w", err)
	}
	h := hello{
		purpose: purpose(fixed[6]),
		from:    binary.BigEndian.Uint64(fixed[8:]),
		to:      binary.BigEndian.Uint64(fixed[16:]),
		run:     binary.BigEndian.Uint64(fixed[24:]),
	}
	cluster, address, header := int(fixed[7]), int(binary.BigEndian.Uint16(fixed[32:])), int64(binary.BigEndian.Uint32(fixed[34:]))
	if cluster > maxCluster || address > maxAddress || header > maxHeader {
		return hello{}, errHello("hello is too long")
	}
	rest := make([]byte, cluster+address+int(header))
	if _, err := io.ReadFull(r, rest); err != nil {
		return hello{}, fmt.Errorf("read hello: %w", err)
	}
	h.cluster, h.advertise, h.header = string(rest[:cluster]), string(rest[cluster:cluster+address]), rest[cluster+address:]
	return h, nil
}

func (r reply) encode() []byte {
	text := r.refusal[:min(len(r.refusal), maxRefusal)]
	b := make([]byte, 0, replySize+len(text))
	if text == "" {
		b = append(b, statusOK)
	} else {
		b = append(b, statusRefus)
	}
	b = binary.BigEndian.AppendUint64(b, r.id)
	b = binary.BigEndian.AppendUint64(b, r.run)
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// readReply reads no byte beyond the reply.
func readReply(r io.Reader) (reply, error) {
	var fixed [replySize]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return reply{}, fmt.Errorf("read reply to hello: %w", err)
	}
	n := int(binary.BigEndian.Uint16(fixed[17:]))
	if fixed[0] > statusRefus || n > maxRefusal || (fixed[0] == statusOK) != (n == 0) {
		return reply{}, errMagic
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return reply{}, fmt.Errorf("read reply to hello: %w", err)
	}
	return reply{id: binary.BigEndian.Uint64(fixed[1:]), run: binary.BigEndian.Uint64(fixed[9:]), refusal: string(text)}, nil
}
