package pages

import "bytes"

// textScanner: a form feed ends a page and belongs to it; an empty rest is no page.
type textScanner struct {
	start, at int64
	ended     int
}

func (t *textScanner) write(p []byte, unit func(Span)) {
	for {
		i := bytes.IndexByte(p, '\f')
		if i < 0 {
			t.at += int64(len(p))
			return
		}
		t.at += int64(i + 1)
		p = p[i+1:]
		unit(Span{Off: t.start, Len: t.at - t.start})
		t.start = t.at
		t.ended++
	}
}

func (t *textScanner) rest() (Span, bool) {
	return Span{Off: t.start, Len: t.at - t.start}, t.at > t.start
}

func (t *textScanner) pages() int {
	if t.at > t.start {
		return t.ended + 1
	}
	return t.ended
}

func (t *textScanner) broken() bool { return false }
