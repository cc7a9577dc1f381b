package lpd

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Commands (RFC 1179 §5) and the subcommands of receiving a job (§6).
const (
	printWaiting = 1
	receiveJob   = 2
	shortState   = 3
	longState    = 4
	removeJobs   = 5

	subAbort   = 1
	subControl = 2
	subData    = 3
)

// maxCommand is the longest line of a command.
const maxCommand = 1 << 10

// A refusal is what a client is told; the connection ends with it.
type refusal struct{ error }

func refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

func (r refusal) Unwrap() error { return r.error }

var errCommand = errors.New("not a command of RFC 1179")

// A command is one line, without its newline.
type command struct {
	code  byte
	queue string
	// Who asks, and what is listed or removed: users, and numbers of jobs.
	agent string
	list  []string
}

func parseCommand(line []byte) (c command, err error) {
	if len(line) == 0 || line[0] < printWaiting || line[0] > removeJobs {
		return c, refuse("%w: %.20q", errCommand, line)
	}
	words := strings.Fields(string(line[1:]))
	if len(words) == 0 {
		return c, refuse("%w: it names no queue", errCommand)
	}
	c.code, c.queue, c.list = line[0], words[0], words[1:]
	if c.code == removeJobs {
		if len(c.list) == 0 {
			return c, refuse("%w: it does not say who removes jobs", errCommand)
		}
		c.agent, c.list = c.list[0], c.list[1:]
	}
	return c, nil
}

// A file is what a subcommand announces: size bytes under a name.
type file struct {
	code byte
	size int64
	name string
}

// maxFileName is the longest name of a file.
const maxFileName = 255

func parseFile(line []byte) (f file, err error) {
	if len(line) == 1 && line[0] == subAbort {
		return file{code: subAbort}, nil
	}
	if len(line) == 0 || line[0] != subControl && line[0] != subData {
		return f, refuse("%w: %.20q in a job", errCommand, line)
	}
	size, name, _ := strings.Cut(strings.TrimLeft(string(line[1:]), " "), " ")
	f = file{code: line[0], name: strings.TrimSpace(name)}
	if f.size, err = strconv.ParseInt(size, 10, 64); err != nil || f.size < 0 || f.name == "" || len(f.name) > maxFileName {
		return f, refuse("%w: it announces a file as %.80q: want its size and its name", errCommand, line[1:])
	}
	return f, nil
}
