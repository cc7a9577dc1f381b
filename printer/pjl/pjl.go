// Package pjl is the part of HP's Printer Job Language that a spooler needs: commands to write, and a reader of what the printer
// says ("Printer Job Language Technical Reference Manual", chapters 4 to 7 and appendix D).
//
// It is a codec: bytes in, messages out, no clock and no connection. A printer is no peer to be trusted, and many speak it badly.
// So the [Reader] drops what it does not understand, keeps at most [MaxLine] bytes of a line and [MaxLines] lines of a message, and
// fails only as the stream below it does. Nothing that is written can break out of its line, whatever name or option it is made of.
package pjl

import (
	"fmt"
	"strings"
)

// UEL ends what is being printed, whatever its language, and goes back to PJL.
const UEL = "\x1b%-12345X"

const (
	// MaxName is how much of a text in quotes is written: what models are known to keep (chapter 5, JOB).
	MaxName = 80
	newline = "\r\n"
)

// Commands are PJL lines on their way to a printer. The zero value is empty. Each method adds a line and returns the whole.
type Commands []byte

// Begin leaves the language in which the printer is.
func Begin() Commands { return Commands(UEL + "@PJL" + newline) }

// Line adds a command as it stands. The words must not hold what a client sent.
func (c Commands) Line(words string) Commands { return append(c, "@PJL "+words+newline...) }

// Echo asks for the words back: what the printer says before them answers nothing that was asked after.
func (c Commands) Echo(words string) Commands { return c.Line("ECHO " + clean(words)) }

// Info asks for a category: ID, STATUS, PAGECOUNT.
func (c Commands) Info(category string) Commands { return c.Line("INFO " + category) }

// Job begins a job. From start on its pages come out, those before run in the non-printing mode; 0: all of them come out.
func (c Commands) Job(name string, start int) Commands {
	words := fmt.Sprintf("JOB NAME=\"%s\"", clean(name))
	if start > 1 {
		words += fmt.Sprintf(" START=%d", start)
	}
	return c.Line(words)
}

// EndJob ends it.
func (c Commands) EndJob(name string) Commands {
	return c.Line(fmt.Sprintf("EOJ NAME=\"%s\"", clean(name)))
}

// Report asks for, or no longer for, what the printer says unasked: of pages, jobs and its own state.
func (c Commands) Report(on bool) Commands {
	if !on {
		return c.Line("USTATUSOFF")
	}
	// One line each: a printer that lacks one of them drops the line.
	return c.Line("USTATUS DEVICE = ON").Line("USTATUS JOB = ON").Line("USTATUS PAGE = ON")
}

// Set gives a variable a value until the job's end. The value is dropped unless it is a plain word.
func (c Commands) Set(variable, value string) Commands {
	if !plain(variable) || !plain(value) {
		return c
	}
	return c.Line("SET " + variable + " = " + value)
}

// Enter gives the next byte to a language; an empty one leaves it to the printer to find out.
func (c Commands) Enter(language string) Commands {
	if language == "" {
		return c
	}
	return c.Line("ENTER LANGUAGE = " + language)
}

func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < ' ' || r > '~':
			return '.'
		}
		return r
	}, text)
	return text[:min(len(text), MaxName)]
}

func plain(word string) bool {
	return word != "" && len(word) <= MaxName && strings.IndexFunc(word, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	}) < 0
}
