package pages

// pclCounter counts the form feeds of PCL 5 that are not part of a binary payload, and a page that a reset or the end ejects.
// (HP, PCL 5 Printer Language Technical Reference, chapter 2: an escape sequence is two characters, or ESC, a parameterized
// character, a group character, and values with their characters, of which an upper-case one ends it.)
type pclCounter struct {
	state   pclState
	prefix  [2]byte // parameterized and group character
	value   int
	skip    int
	dirty   bool // there is something on the page
	count   int
	read    int64
	unknown bool
	start   [8]byte
}

type pclState uint8

const (
	pclText pclState = iota
	pclEscape
	pclGroup
	pclValue
)

func (c *pclCounter) write(p []byte) {
	for i := 0; i < len(p); i++ {
		if c.skip > 0 {
			n := min(c.skip, len(p)-i)
			c.skip -= n
			i += n - 1
			c.read += int64(n)
			continue
		}
		if c.read < int64(len(c.start)) {
			c.start[c.read] = p[i]
			c.unknown = c.unknown || c.read == 7 && string(c.start[:]) == ") HP-PCL" // PCL XL: a language of its own
		}
		c.read++
		c.byte(p[i])
	}
}

func (c *pclCounter) byte(b byte) {
	switch c.state {
	case pclText:
		switch {
		case b == 0x1b:
			c.state = pclEscape
		case b == '\f':
			c.count++
			c.dirty = false
		case b > ' ':
			c.dirty = true
		}
	case pclEscape:
		c.state = pclText
		if b == 'E' {
			c.eject()
		} else if b >= '!' && b <= '/' {
			c.prefix[0], c.value, c.state = b, 0, pclGroup
		}
	case pclGroup:
		c.prefix[1], c.state = b, pclValue
		if b >= '0' && b <= '9' || b == '-' || b == '+' || b >= '@' && b <= '^' { // no group character
			c.prefix[1] = 0
			c.parameter(b)
		}
	case pclValue:
		c.parameter(b)
	}
}

func (c *pclCounter) parameter(b byte) {
	switch {
	case b >= '0' && b <= '9':
		c.value = min(c.value*10+int(b-'0'), 1<<30)
	case b >= '@' && b <= '^':
		c.state = pclText
		c.command(b)
	case b >= '`' && b <= '~':
		c.command(b - 'a' + 'A')
	case b == 0x1b:
		c.state = pclEscape
	}
}

// command ends one value of the sequence: some carry that many bytes of payload.
func (c *pclCounter) command(b byte) {
	transparent := c.prefix == [2]byte{'&', 'p'} && b == 'X'
	raster := c.prefix == [2]byte{'*', 'b'} && (b == 'V' || b == 'W')
	if transparent || raster || b == 'W' {
		c.skip, c.dirty = c.value, c.dirty || raster || transparent
	}
	if c.prefix[0] == '%' && b == 'X' { // Universal Exit Language
		c.eject()
	}
	c.value = 0
}

func (c *pclCounter) eject() {
	if c.dirty {
		c.count++
	}
	c.dirty = false
}

func (c *pclCounter) pages() int {
	if c.unknown {
		return 0
	}
	if c.dirty {
		return c.count + 1
	}
	return c.count
}
