package pages

import "bytes"

// whole is the scanner of a format whose pages do not stand alone: no units, only a count.
type whole struct{ count pageCounter }

type pageCounter interface {
	write(p []byte)
	pages() int
}

func (w *whole) write(p []byte, _ func(Span)) { w.count.write(p) }
func (w *whole) rest() (Span, bool)           { return Span{}, false }
func (w *whole) pages() int                   { return w.count.pages() }
func (w *whole) broken() bool                 { return false }

type one struct{}

func (one) write([]byte) {}
func (one) pages() int   { return 1 }

type unknown struct{}

func (unknown) write([]byte) {}
func (unknown) pages() int   { return 0 }

// psCounter counts the %%Page: comments of a document that says it conforms (Adobe TN 5001), those of embedded documents left out.
type psCounter struct {
	line       []byte // the beginning of the current one
	lines      int
	conforming bool
	depth      int
	count      int
}

// psLine is how much of a line matters.
const psLine = 20

func (c *psCounter) write(p []byte) {
	for len(p) > 0 {
		i := bytes.IndexAny(p, "\r\n")
		if i < 0 {
			c.add(p)
			return
		}
		c.add(p[:i])
		c.ended()
		p = p[i+1:]
	}
}

func (c *psCounter) add(p []byte) {
	c.line = append(c.line, p[:min(len(p), psLine-len(c.line))]...)
}

func (c *psCounter) ended() {
	line := c.line
	c.line = c.line[:0]
	c.lines++
	switch {
	case c.lines == 1:
		// A PJL wrapper may stand in front: the %! is then not the line's beginning.
		c.conforming = bytes.HasPrefix(line, []byte("%!PS-Adobe")) || bytes.HasPrefix(line, []byte("\x1b%-12345X"))
	case bytes.HasPrefix(line, []byte("%%BeginDocument:")):
		c.depth++
	case bytes.HasPrefix(line, []byte("%%EndDocument")):
		c.depth = max(c.depth-1, 0)
	case bytes.HasPrefix(line, []byte("%%Page:")) && c.depth == 0:
		c.count++
	}
}

func (c *psCounter) pages() int {
	if !c.conforming {
		return 0
	}
	return c.count
}
