package queue

import "unicode/utf8"

// plainJob decodes the record of a job that waits and has nothing that few jobs have, without reflection: a million of them are read at
// a start. nil: it is another, or the record is not as it should be; protobuf then has the word.
func (l *loader) plainJob(value []byte) *job {
	j := new(job)
	w, valid := wire{rest: value}, true
	text := func() string {
		valid = valid && utf8.Valid(w.bytes)
		return string(w.bytes)
	}
	shared := func() string {
		if known, ok := l.known[string(w.bytes)]; ok {
			return known
		}
		if t := text(); valid {
			return l.intern(t)
		}
		return ""
	}
	for valid && w.next() {
		switch w.tag {
		case varintTag(1):
			j.id = w.value
		case bytesTag(2):
			j.printer = l.printers[string(w.bytes)]
		case varintTag(3):
			j.state = JobState(w.value)
		case bytesTag(4):
			j.reason = shared()
		case bytesTag(5):
			j.name = text()
		case bytesTag(6):
			j.user = shared()
		case bytesTag(7):
			j.format = shared()
		case varintTag(8):
			j.bytes = w.value
		case bytesTag(9):
			valid = len(w.bytes) == len(j.sha256)
			copy(j.sha256[:], w.bytes)
		case varintTag(10):
			j.pages = uint32(w.value)
		case varintTag(11):
			j.units = uint32(w.value)
		case varintTag(12):
			j.printed = uint32(w.value)
		case varintTag(13):
			j.copies = uint16(w.value)
		case varintTag(14):
			j.priority = uint8(w.value)
		case bytesTag(16):
			valid = j.submitted == position{} && j.submitted.decode(w.bytes)
		case bytesTag(19):
			var x Extent
			valid = x.decode(w.bytes)
			j.document.add(x)
		case varintTag(21):
			j.ttl = int64(w.value)
		case varintTag(22):
			j.start = uint32(w.value)
		case varintTag(29):
			j.changed = w.value
		default:
			return nil
		}
	}
	if !valid || w.broken || j.printer == nil {
		return nil
	}
	return j
}

func (p *position) decode(b []byte) bool {
	w := wire{rest: b}
	for w.next() {
		switch w.tag {
		case varintTag(1):
			p.index = w.value
		case varintTag(2):
			p.term = w.value
		case varintTag(3):
			p.time = int64(w.value)
		default:
			return false
		}
	}
	return !w.broken
}

func (x *Extent) decode(b []byte) bool {
	w := wire{rest: b}
	for w.next() {
		switch w.tag {
		case varintTag(1):
			x.Index = w.value
		case varintTag(2):
			x.Offset = uint32(w.value)
		case varintTag(3):
			x.Length = uint32(w.value)
		default:
			return false
		}
	}
	return !w.broken
}
