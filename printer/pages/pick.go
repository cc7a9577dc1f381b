package pages

import "io"

// Pick reads of a document only the pages that want says, numbered from 1; ok is false where pages of the format do not stand
// alone. A document that is not what its format says is one page from where it breaks off.
func Pick(format string, document io.Reader, want func(page int) bool) (r io.Reader, ok bool) {
	p := &picker{document: document, want: want, page: 1, block: make([]byte, splitBlock)}
	switch Canonical(format) {
	case Text:
		p.scan = new(textScanner)
	case PWG:
		p.scan, p.head = newRasterScanner(pwgFormat()), int64(len(pwgSync))
	default:
		return nil, false
	}
	return p, true
}

type picker struct {
	document io.Reader
	want     func(page int) bool
	scan     scanner
	head     int64 // bytes before the first page, which are always wanted
	page     int   // that the next byte belongs to
	off      int64 // of the next byte
	block    []byte
	picked   []byte // read, and not handed on yet
	err      error
}

func (p *picker) Read(out []byte) (int, error) {
	for len(p.picked) == 0 && p.err == nil {
		var n int
		n, p.err = p.document.Read(p.block)
		p.pick(p.block[:n])
	}
	if len(p.picked) == 0 {
		return 0, p.err
	}
	n := copy(out, p.picked)
	p.picked = p.picked[n:]
	return n, nil
}

// pick moves the wanted bytes of a block together.
func (p *picker) pick(block []byte) {
	var ends []int64
	p.scan.write(block, func(u Span) { ends = append(ends, u.Off+u.Len) })
	kept := block[:0]
	take := func(to int64, wanted bool) {
		n := to - p.off
		if wanted {
			kept = append(kept, block[:n]...)
		}
		block, p.off = block[n:], to
	}
	if p.off < p.head {
		take(min(p.head, p.off+int64(len(block))), true)
	}
	for _, end := range ends {
		take(end, p.want(p.page))
		p.page++
	}
	take(p.off+int64(len(block)), p.want(p.page))
	p.picked = kept
}
