package pjl

import (
	"bufio"
	"io"
	"strings"
)

// Bounds of what is kept of a printer's words. More is read and dropped.
const (
	MaxLine  = 512
	MaxLines = 16
)

// A Message is an answer, or what a printer says unasked: a line that begins with @PJL and those after it, up to a form feed
// ("Response Syntax", chapter 7).
type Message struct {
	// Head is what follows "@PJL ", with single spaces between its words.
	Head  string
	Lines []string
}

// A Reader reads messages. What is between them is dropped.
type Reader struct {
	from *bufio.Reader
	// next is a head that was read while looking for the end of the message before, which some models do not mark.
	next string
}

// NewReader reads from a printer.
func NewReader(from io.Reader) *Reader { return &Reader{from: bufio.NewReaderSize(from, MaxLine)} }

const prefix = "@PJL "

// Next is the next message. The error is the stream's; a message that it cut off is dropped.
func (r *Reader) Next() (Message, error) {
	m := Message{Head: r.next}
	r.next = ""
	for m.Head == "" {
		line, _, err := r.line()
		if err != nil {
			return Message{}, err
		}
		m.Head = head(line)
	}
	for !m.whole() {
		line, fed, err := r.line()
		if err != nil {
			return Message{}, err
		}
		if r.next = head(line); r.next != "" {
			return m, nil
		}
		if line != "" && len(m.Lines) < MaxLines {
			m.Lines = append(m.Lines, line)
		}
		if fed {
			return m, nil
		}
	}
	return m, nil
}

// whole: nothing more belongs to the message, so that no form feed is waited for which some models leave out.
func (m Message) whole() bool {
	last := ""
	if len(m.Lines) > 0 {
		last = m.Lines[len(m.Lines)-1]
	}
	switch {
	case strings.HasPrefix(m.Head, "ECHO "):
		return true
	case m.Head == "USTATUS PAGE", m.Head == "INFO PAGECOUNT":
		return last != ""
	case m.Head == "INFO STATUS", m.Head == "USTATUS DEVICE":
		return strings.HasPrefix(last, "ONLINE")
	}
	return last == "?" || last == `"?"`
}

// head is what a line says after @PJL, wherever that stands: what another host's questions left behind need not end in a
// line.
func head(line string) string {
	at := strings.LastIndex(line, prefix)
	if at < 0 {
		return ""
	}
	return strings.Join(strings.Fields(line[at+len(prefix):]), " ")
}

// line reads up to a line feed or a form feed, and says whether it was the latter. Of a long line the end is kept: there a head
// may stand after garbage.
func (r *Reader) line() (text string, fed bool, err error) {
	var kept []byte
	for {
		b, err := r.from.ReadByte()
		if err != nil {
			return "", false, err
		}
		if b == '\n' || b == '\f' {
			return strings.TrimSpace(string(kept)), b == '\f', nil
		}
		if len(kept) == 2*MaxLine {
			kept = kept[:copy(kept, kept[MaxLine:])]
		}
		kept = append(kept, b)
	}
}
