// Package zpl is what label printers say of themselves: the answer to ~HS ("ZPL II Programming Guide", Host Status Return).
//
// The answer is three lines of numbers, each between STX and ETX. There is nothing in it that says to which question it is: who asks counts.
// The [Reader] drops what it does not understand, and keeps at most [MaxLine] bytes.
package zpl

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Ask is the question. Inside of a label format it would be part of the label.
const Ask = "~HS\r\n"

// MaxLine is how long a line of the answer may be. The guide's are about 40 bytes.
const MaxLine = 128

// A Status is the state of a label printer.
type Status struct {
	NoLabels, Paused, HeadOpen, NoRibbon, TooCold, TooHot bool
	// Partial: a format has been begun and is not whole. Full: the receive buffer is.
	Partial, Full bool
	// Waiting: a label has to be taken away before the next (peel-off mode).
	Waiting bool
	// Formats in the receive buffer, and labels of the batch at hand that are still to come.
	Formats, Labels int
}

// Idle: nothing that the printer was sent is still to be printed.
func (s Status) Idle() bool { return !s.Stopped() && !s.Partial && s.Formats == 0 && s.Labels == 0 }

// Stopped: nothing comes out before somebody does something.
func (s Status) Stopped() bool { return s.Reason() != "" }

// Reason is the status as a printer-state-reasons keyword (RFC 8011 §5.4.12, PWG 5100.9); empty: nothing is to be said.
func (s Status) Reason() string {
	switch {
	case s.HeadOpen:
		return "cover-open"
	case s.NoLabels:
		return "media-empty"
	case s.NoRibbon:
		return "marker-supply-empty"
	case s.TooCold || s.TooHot:
		return "other"
	case s.Waiting:
		return "output-area-full"
	case s.Paused: // also for any of the above, which says more
		return "paused"
	}
	return ""
}

// String is the status as people read it.
func (s Status) String() string {
	for _, is := range []struct {
		so    bool
		words string
	}{
		{s.HeadOpen, "its head is open"},
		{s.NoLabels, "it has no labels"},
		{s.NoRibbon, "it has no ribbon"},
		{s.TooCold, "it is too cold"},
		{s.TooHot, "it is too hot"},
		{s.Waiting, "a label has to be taken away"},
		{s.Paused, "it is paused"},
	} {
		if is.so {
			return is.words
		}
	}
	return fmt.Sprintf("%d formats and %d labels are still to come", s.Formats, s.Labels)
}

// A Reader reads statuses.
type Reader struct{ from *bufio.Reader }

// NewReader reads from a printer.
func NewReader(from io.Reader) *Reader { return &Reader{from: bufio.NewReaderSize(from, MaxLine)} }

const (
	stx, etx = 2, 3
	// The fields of the first two lines, by which they are told from each other; the third says nothing that is wanted.
	first, second = 12, 11
)

// Next is the next status. The error is the stream's.
func (r *Reader) Next() (Status, error) {
	for line := []int(nil); ; {
		next, err := r.line()
		switch {
		case err != nil:
			return Status{}, err
		case len(line) == first && len(next) == second:
			return status(line, next), nil
		}
		line = next
	}
}

// line is the numbers of a line; none where it is not one.
func (r *Reader) line() ([]int, error) {
	var text []byte
	for in := false; ; {
		b, err := r.from.ReadByte()
		switch {
		case err != nil:
			return nil, err
		case b == stx:
			in, text = true, text[:0]
		case in && b == etx:
			return numbers(string(text)), nil
		case in && len(text) < MaxLine:
			text = append(text, b)
		default:
			in = false
		}
	}
}

func numbers(text string) (all []int) {
	for _, field := range strings.Split(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 0 {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// status takes the two lines apart. The guide's letters: b c d e f g h i j k l, then n o p q r s t u.
func status(one, two []int) Status {
	return Status{
		NoLabels: one[1] == 1, Paused: one[2] == 1, Formats: one[4], Full: one[5] == 1, Partial: one[7] == 1, TooCold: one[10] == 1, TooHot: one[11] == 1,
		HeadOpen: two[2] == 1, NoRibbon: two[3] == 1, Waiting: two[7] == 1, Labels: two[8],
	}
}
