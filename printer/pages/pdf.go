package pages

import (
	"bytes"
	"compress/zlib"
	"io"
)

const (
	pdfMaxDepth = 64        // nested dictionaries that are told apart
	pdfMaxToken = 64        // bytes of a name or number that matter
	pdfMaxZip   = 1 << 20   // of an object stream, compressed
	pdfMaxUnzip = 16 << 20  // and not
	pdfMaxPages = 1_000_000 // more is no count to believe
)

// newPDFScanner counts; it never cuts.
func newPDFScanner() scanner { return &whole{count: &pdfCounter{lexer: pdfLexer{}}} }

// pdfCounter counts the pages of a PDF in one pass: dictionaries with /Type /Page, in the file and in its object streams (ISO
// 32000-1 §7.5.7). It prefers the /Count of the last page tree root it saw (/Type /Pages without /Parent), which an
// incremental update replaces. What it cannot read (an encrypted or too large object stream) makes the count unknown. It is only a
// count: nothing depends on it.
type pdfCounter struct {
	lexer   pdfLexer
	stack   []pdfDict
	last    pdfDict // the dictionary that ended last: a stream's, if one follows
	key     string
	leaves  int
	root    int
	unknown bool

	inStream bool
	tail     []byte // of the stream: what may be the beginning of "endstream"
	zip      []byte // an object stream's bytes
	keep     bool
	nested   bool // this one reads an object stream
}

// pdfDict is what matters of one dictionary.
type pdfDict struct {
	kind   string // its /Type
	count  int
	parent bool
	flate  bool
	params bool
}

var endstream = []byte("endstream")

func (c *pdfCounter) write(p []byte) {
	for len(p) > 0 {
		if c.inStream {
			p = c.stream(p)
		} else {
			p = p[c.lexer.next(p, c.token):]
			if c.lexer.stream {
				c.lexer = pdfLexer{}
				c.begin()
			}
		}
	}
}

// token takes one token: a name with its slash, a delimiter, or a word.
func (c *pdfCounter) token(t string) {
	switch t {
	case "<<":
		if len(c.stack) == pdfMaxDepth {
			c.stack = c.stack[:0]
		}
		c.stack = append(c.stack, pdfDict{})
		c.key = ""
		return
	case ">>":
		c.endDict()
		c.key = ""
		return
	}
	if len(c.stack) == 0 {
		return
	}
	d := &c.stack[len(c.stack)-1]
	if c.key == "" && t[0] == '/' {
		switch t {
		case "/Type", "/Count", "/Filter":
			c.key = t
		case "/Parent":
			d.parent = true
		case "/DecodeParms":
			d.params = true
		}
		return
	}
	c.value(d, t)
}

func (c *pdfCounter) value(d *pdfDict, t string) {
	switch c.key {
	case "/Type":
		d.kind = t
	case "/Count":
		d.count = pdfNumber(t)
	case "/Filter":
		if t == "[" {
			return
		}
		d.flate = t == "/FlateDecode"
	}
	c.key = ""
}

func pdfNumber(t string) int {
	n := 0
	for _, b := range []byte(t) {
		if b < '0' || b > '9' || n > pdfMaxPages {
			return 0
		}
		n = n*10 + int(b-'0')
	}
	return n
}

func (c *pdfCounter) endDict() {
	if len(c.stack) == 0 {
		return
	}
	c.last = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
	switch {
	case c.last.kind == "/Page":
		c.leaves++
	case c.last.kind == "/Pages" && !c.last.parent && c.last.count > 0:
		c.root = c.last.count
	}
}

func (c *pdfCounter) begin() {
	if c.nested { // an object stream holds no streams
		return
	}
	c.inStream, c.tail, c.zip = true, c.tail[:0], nil
	c.keep = c.last.kind == "/ObjStm"
	c.stack = c.stack[:0]
}

// stream skips to the end of a stream, and keeps the bytes of an object stream. It returns what stands after it.
func (c *pdfCounter) stream(p []byte) []byte {
	joint := append(c.tail, p[:min(len(p), len(endstream))]...)
	if i := bytes.Index(joint, endstream); i >= 0 && i < len(c.tail) {
		rest := p[i+len(endstream)-len(c.tail):]
		c.take(c.tail[:i])
		c.end()
		return rest
	}
	if i := bytes.Index(p, endstream); i >= 0 {
		c.take(c.tail)
		c.take(p[:i])
		c.end()
		return p[i+len(endstream):]
	}
	all := append(c.tail, p...)
	cut := max(0, len(all)-len(endstream)+1)
	c.take(all[:cut])
	c.tail = append([]byte(nil), all[cut:]...)
	return nil
}

func (c *pdfCounter) take(p []byte) {
	if !c.keep {
		return
	}
	if len(c.zip)+len(p) > pdfMaxZip {
		c.unknown, c.keep, c.zip = true, false, nil
		return
	}
	c.zip = append(c.zip, p...)
}

func (c *pdfCounter) end() {
	c.inStream, c.tail = false, nil
	if !c.keep {
		return
	}
	inner := &pdfCounter{nested: true}
	if err := inner.unzip(c.zip, c.last); err != nil {
		c.unknown = true
	}
	c.leaves += inner.leaves
	if inner.root > 0 {
		c.root = inner.root
	}
	c.zip, c.keep = nil, false
}

func (c *pdfCounter) unzip(zip []byte, d pdfDict) error {
	zip = bytes.TrimLeft(zip, "\r\n")
	if !d.flate {
		c.write(zip)
		return nil
	}
	if d.params {
		return zlib.ErrDictionary
	}
	r, err := zlib.NewReader(bytes.NewReader(zip))
	if err != nil {
		return err
	}
	_, err = io.Copy(writerFunc(c.write), io.LimitReader(r, pdfMaxUnzip))
	return err
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func (c *pdfCounter) pages() int {
	switch {
	case c.root > 0:
		return c.root
	case c.unknown:
		return 0
	}
	return c.leaves
}
