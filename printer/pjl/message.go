package pjl

import (
	"strconv"
	"strings"
)

// Echo is the words that the printer gives back.
func (m Message) Echo() (string, bool) { return strings.CutPrefix(m.Head, "ECHO ") }

// Unknown: the printer does not know what it was asked.
func (m Message) Unknown() bool {
	return len(m.Lines) > 0 && strings.Trim(m.Lines[0], `"`) == "?"
}

// ID is the printer's model, as it names it.
func (m Message) ID() (string, bool) {
	if m.Head != "INFO ID" || len(m.Lines) == 0 || m.Unknown() {
		return "", false
	}
	return strings.Trim(m.Lines[0], `"`), true
}

// PageCount is the printer's counter: a bare number, or after "PAGECOUNT=".
func (m Message) PageCount() (uint64, bool) {
	if m.Head != "INFO PAGECOUNT" || len(m.Lines) == 0 {
		return 0, false
	}
	text := m.Lines[0]
	if _, value, ok := strings.Cut(text, "="); ok {
		text = value
	}
	n, err := strconv.ParseUint(strings.Trim(text, " \t\""), 10, 64)
	return n, err == nil
}

// Page is how many pages of the job are out, as USTATUS PAGE has it.
func (m Message) Page() (int, bool) {
	if m.Head != "USTATUS PAGE" || len(m.Lines) == 0 {
		return 0, false
	}
	n, err := strconv.Atoi(m.Lines[0])
	return n, err == nil && n >= 0
}

// A JobEvent is what became of a job.
type JobEvent int

// Events of a job.
const (
	JobStarted JobEvent = iota
	JobEnded            // all pages before its EOJ are out
	JobCanceled
)

// Job is what USTATUS JOB says, and the name of the job; empty: it was not told.
func (m Message) Job() (event JobEvent, name string, ok bool) {
	if m.Head != "USTATUS JOB" || len(m.Lines) == 0 {
		return 0, "", false
	}
	switch strings.ToUpper(m.Lines[0]) {
	case "START":
	case "END":
		event = JobEnded
	case "CANCELED", "CANCELLED":
		event = JobCanceled
	default:
		return 0, "", false
	}
	return event, m.value("NAME"), true
}

// value is that of the line NAME=value, without its quotes.
func (m Message) value(name string) string {
	for _, line := range m.Lines {
		if key, value, ok := strings.Cut(line, "="); ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}

// Status is the printer's own, as INFO STATUS, USTATUS DEVICE and USTATUS TIMED have it.
func (m Message) Status() (Status, bool) {
	switch m.Head {
	case "INFO STATUS", "USTATUS DEVICE", "USTATUS TIMED":
	default:
		return Status{}, false
	}
	code, err := strconv.Atoi(m.value("CODE"))
	return Status{
		Code: code, Display: m.value("DISPLAY"), Offline: strings.EqualFold(m.value("ONLINE"), "FALSE"),
	}, err == nil && code > 0
}
