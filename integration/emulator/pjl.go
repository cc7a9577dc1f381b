package emulator

import (
	"strconv"
	"strings"
	"time"
)

// settings are what PJL commands leave behind; they live as long as the connection.
type settings struct {
	status map[string]string // USTATUS: DEVICE, JOB and PAGE
	timed  time.Duration     // USTATUS TIMED; 0: off
	set    map[string]string // SET and DEFAULT
}

func newSettings() settings {
	return settings{
		status: map[string]string{"DEVICE": "OFF", "JOB": "OFF", "PAGE": "OFF"},
		set:    map[string]string{"COPIES": "1", "DUPLEX": "OFF", "PAPER": "A4"},
	}
}

// A command is a PJL line, taken apart (chapter 2).
type command struct {
	line, name, words string            // words: what follows the name
	options           map[string]option // by upper-case name
	bad               bool              // a syntax error: all of it is ignored
}

type option struct {
	text   string
	quoted bool
}

// text is an option that has to be in quotes; number one that must not.
func (c command) text(name string) string { return c.options[name].text }

func (c command) number(name string, otherwise int) int {
	o, ok := c.options[name]
	n, err := strconv.Atoi(o.text)
	if !ok || o.quoted || err != nil || n < 1 {
		return otherwise // a value that cannot be is left out of account
	}
	return n
}

// parse takes a line apart that begins with @PJL.
func parse(line string) command {
	c := command{line: line, options: map[string]option{}}
	rest := strings.TrimLeft(strings.TrimPrefix(line, "@PJL"), " \t")
	end := strings.IndexAny(rest, " \t")
	if end < 0 {
		end = len(rest)
	}
	c.name, c.words = strings.ToUpper(rest[:end]), strings.TrimLeft(rest[end:], " \t")
	if c.name == "ECHO" || c.name == "COMMENT" {
		return c
	}
	for rest = c.words; rest != "" && !c.bad; rest = strings.TrimLeft(rest, " \t") {
		rest = c.option(rest)
	}
	return c
}

// option takes one of "NAME", "NAME = value", "NAME = "text"" or "NAME : value" off the line.
func (c *command) option(rest string) string {
	end := strings.IndexAny(rest, " \t=:")
	if end < 0 {
		end = len(rest)
	}
	name := strings.ToUpper(rest[:end])
	rest = strings.TrimLeft(rest[end:], " \t")
	if rest == "" || rest[0] != '=' && rest[0] != ':' {
		c.bad = name == ""
		c.options[name] = option{}
		return rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if quoted, ok := strings.CutPrefix(rest, `"`); ok {
		text, after, closed := strings.Cut(quoted, `"`)
		c.bad = name == "" || !closed
		c.options[name] = option{text, true}
		return after
	}
	if end = strings.IndexAny(rest, " \t"); end < 0 {
		end = len(rest)
	}
	c.bad = name == "" || end == 0
	c.options[name] = option{rest[:end], false}
	return rest[end:]
}

// command obeys a line.
func (i *interpreter) command(line string) {
	if i.s.p.options.PJL == PJLSkipped {
		if parse(line).name == "ENTER" {
			i.begin("")
		}
		return
	}
	c := parse(line)
	if c.bad {
		i.s.complain(20001, "GENERIC SYNTAX ERROR")
		return
	}
	switch c.name {
	case "", "COMMENT", "RESET", "INITIALIZE":
	case "ECHO":
		i.s.answer("ECHO " + c.words)
	case "ENTER":
		i.enter(c)
	case "JOB":
		i.job.begin(c)
	case "EOJ":
		i.job.end(c)
	case "SET", "DEFAULT":
		i.s.assign(c)
	case "INFO":
		i.s.info(c)
	case "INQUIRE", "DINQUIRE":
		i.s.inquire(c)
	case "USTATUS":
		i.s.ustatus(c)
	case "USTATUSOFF":
		i.s.statusOff()
	default:
		i.s.unknown(c)
	}
}

// enter is ENTER LANGUAGE: the document begins with the byte after this line.
func (i *interpreter) enter(c command) {
	language := strings.ToUpper(c.options["LANGUAGE"].text)
	switch language {
	case "PCL", "POSTSCRIPT", "PDF", "PCLXL", "URF", "PWG", "ZPL":
	case "AUTO":
	default:
		i.s.complain(20004, "UNSUPPORTED PERSONALITY")
		return
	}
	i.begin(language)
}
