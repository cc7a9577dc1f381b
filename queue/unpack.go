package queue

import (
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

// A submit is decoded by hand: there are more of them than of all other commands together, and protobuf's own way, by reflection, took
// four allocations and as long as a submit's effect on the state. Whatever is not a plain submit is left to protobuf.
// FuzzUnpack compares the two.

// An unpacker decodes entries. What it gives is good until it decodes the next: it uses the memory again.
type unpacker struct {
	batch queuepb.Batch
	plain []plainSubmit
}

// A plainSubmit is a command with its body, in one piece.
type plainSubmit struct {
	command queuepb.Command
	body    queuepb.Command_Submit
	submit  queuepb.Submit
}

// maxPlain bounds the memory that is used again: an entry seldom has more commands.
const maxPlain = 1024

// decode decodes the head of an entry.
func (u *unpacker) decode(head []byte) (*queuepb.Batch, error) {
	if batch := u.plainBatch(head); batch != nil {
		return batch, nil
	}
	batch := new(queuepb.Batch)
	return batch, proto.Unmarshal(head, batch)
}

// take gives memory for n submits, and for a batch of so many commands.
func (u *unpacker) take(n, commands int) (*queuepb.Batch, []plainSubmit) {
	if cap(u.plain) < n || cap(u.plain) > maxPlain {
		u.plain = make([]plainSubmit, n)
	}
	clear(u.plain)
	u.plain = u.plain[:n]
	list := u.batch.Commands
	if cap(list) < commands || cap(list) > maxPlain {
		list = make([]*queuepb.Command, 0, commands)
	}
	u.batch.Time, u.batch.Commands = 0, list[:0]
	return &u.batch, u.plain
}

// plainBatch decodes a head in which at least one command is a plain submit; nil: there is none, or something is amiss.
func (u *unpacker) plainBatch(head []byte) *queuepb.Batch {
	submits, others := countCommands(head)
	if submits == 0 {
		return nil
	}
	batch, plain := u.take(submits, submits+others)
	text := string(head) // which the texts of all submits share
	for w := (wire{rest: head}); w.next(); {
		if w.tag == varintTag(1) {
			batch.Time = int64(w.value)
			continue
		}
		at := len(head) - len(w.rest) - len(w.bytes)
		if len(plain) > 0 && plain[0].decode(w.bytes, text[at:at+len(w.bytes)]) {
			batch.Commands = append(batch.Commands, &plain[0].command)
			plain = plain[1:]
			continue
		}
		c := new(queuepb.Command)
		if proto.Unmarshal(w.bytes, c) != nil {
			return nil
		}
		batch.Commands = append(batch.Commands, c)
	}
	return batch
}

// countCommands tells how many commands a head has that may be plain submits, and how many others; zeros where it has anything else.
func countCommands(head []byte) (submits, others int) {
	w := wire{rest: head}
	for w.next() {
		switch w.tag {
		case varintTag(1):
		case bytesTag(2):
			if isSubmit(w.bytes) {
				submits++
			} else {
				others++
			}
		default:
			return 0, 0
		}
	}
	if w.broken {
		return 0, 0
	}
	return submits, others
}

func isSubmit(command []byte) bool {
	w := wire{rest: command}
	for w.next() {
		if w.tag == bytesTag(16) {
			return true
		}
	}
	return false
}

// decode takes a command that is a plain submit; text is the same as a string. Where it reports false, p is as it was.
func (p *plainSubmit) decode(b []byte, text string) bool {
	c := &p.command
	ok := func() bool {
		w := wire{rest: b}
		for w.next() {
			switch w.tag {
			case 1<<3 | 1:
				c.Session = w.value
			case varintTag(2):
				c.Seq = w.value
			case varintTag(3):
				c.Floor = w.value
			case varintTag(4):
				c.Member = w.value
			case varintTag(5):
				c.Term = w.value
			case varintTag(6):
				c.Payload = uint32(w.value)
			case bytesTag(16):
				at := len(b) - len(w.rest) - len(w.bytes)
				if c.Body != nil || !plainFields(&p.submit, w.bytes, text[at:at+len(w.bytes)]) {
					return false
				}
				p.body.Submit, c.Body = &p.submit, &p.body
			default:
				return false
			}
		}
		return !w.broken && c.Body != nil
	}()
	if !ok {
		*p = plainSubmit{}
	}
	return ok
}

// plainFields takes the fields of a submit without options.
func plainFields(m *queuepb.Submit, b []byte, text string) bool {
	w := wire{rest: b}
	valid := true
	str := func() string {
		at := len(b) - len(w.rest) - len(w.bytes)
		s := text[at : at+len(w.bytes)]
		valid = valid && utf8.ValidString(s)
		return s
	}
	for valid && w.next() {
		switch w.tag {
		case bytesTag(1):
			m.Printer = str()
		case bytesTag(2):
			m.Key = str()
		case bytesTag(3):
			m.Upload = w.bytes
		case varintTag(4):
			m.Chunks = uint32(w.value)
		case varintTag(5):
			m.Bytes = w.value
		case bytesTag(6):
			m.Sha256 = w.bytes
		case bytesTag(7):
			m.Format = str()
		case varintTag(8):
			m.Pages = uint32(w.value)
		case varintTag(9):
			m.Units = uint32(w.value)
		case varintTag(10):
			m.Copies = uint32(w.value)
		case varintTag(11):
			m.Priority = uint32(w.value)
		case varintTag(12):
			m.Hold = w.value != 0
		case varintTag(13):
			m.Ttl = int64(w.value)
		case bytesTag(14):
			m.Name = str()
		case bytesTag(15):
			m.User = str()
		default:
			return false
		}
	}
	return valid && !w.broken
}
