package lpd

import (
	"bytes"
	"slices"
	"strings"

	"printq/http/intake"
	"printq/queue"
)

// maxControl is the largest control file, and maxFiles how many data files one job may print (BSD's letters).
const (
	maxControl = 64 << 10
	maxFiles   = 52
)

// printLines are the codes of lines that print a file, each through another filter.
const printLines = "cdfglnoprtv"

// A control is a control file (RFC 1179 §7), as far as it matters here.
type control struct {
	name            string // of the file itself
	host, job, user string
	prints          []printed
}

// A printed file is a data file that the control file prints, so many times.
type printed struct {
	file   string
	source string
	copies uint32
}

func parseControl(name string, text []byte) (*control, error) {
	c := &control{name: name}
	var sources, removes []string
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		value := line[1:]
		switch code := line[0]; {
		case code == 'H':
			c.host = intake.Text(value)
		case code == 'J':
			c.job = intake.Text(value)
		case code == 'P':
			c.user = intake.Text(value)
		case code == 'N':
			sources = append(sources, intake.Text(value))
		case code == 'U':
			if file := strings.TrimSpace(string(value)); !slices.Contains(removes, file) && len(removes) <= maxFiles {
				removes = append(removes, file)
			}
		case strings.IndexByte(printLines, code) >= 0:
			if err := c.print(strings.TrimSpace(string(value))); err != nil {
				return nil, err
			}
		}
	}
	if len(c.prints) == 0 {
		// What is to be removed after it was printed. When CUPS's backend sends a job again, it leaves out the lines that print it.
		for _, file := range removes {
			if err := c.print(file); err != nil {
				return nil, err
			}
		}
	}
	if len(c.prints) == 0 {
		return nil, refuse("control file %s prints no file", name)
	}
	// N stands before or behind the lines that print its file, once for each. Where there are more or fewer, nobody knows whose
	// they are.
	if len(sources) == len(c.prints) {
		for i := range c.prints {
			c.prints[i].source = sources[i]
		}
	}
	return c, nil
}

func (c *control) print(file string) error {
	if file == "" || len(file) > maxFileName {
		return refuse("control file %s prints a file that it does not name", c.name)
	}
	for i := range c.prints {
		if p := &c.prints[i]; p.file == file {
			if p.copies++; p.copies > queue.MaxCopies {
				return refuse("control file %s prints %s more than %d times", c.name, file, queue.MaxCopies)
			}
			return nil
		}
	}
	if len(c.prints) == maxFiles {
		return refuse("control file %s prints more than %d files", c.name, maxFiles)
	}
	c.prints = append(c.prints, printed{file: file, copies: 1})
	return nil
}

// title is what the job of a file is called.
func (c *control) title(p printed, host string) string {
	switch {
	case p.source != "" && p.source != "(stdin)":
		return p.source
	case c.job != "":
		return c.job
	}
	return "lpd from " + host
}
