package raw

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"printq/http/intake"
)

// PJL (HP, Printer Job Language Technical Reference): lines that begin with @PJL, after the universal exit.
const (
	uel = "\x1b%-12345X"
	pjl = "@PJL"
	// maxLine is the longest line that is looked at, and maxPreamble how many bytes of them: what is longer is a document.
	maxLine     = 4 << 10
	maxPreamble = 64 << 10
)

// A preamble is the PJL in front of a document, without what was asked and answered.
type preamble struct {
	// The bytes that belong to the document.
	kept []byte
	name string
	// There is something for the printer: in kept, or behind it.
	prints bool
}

// readPreamble reads from r up to where the document begins, or the end. Answers go to w.
func readPreamble(r *bufio.Reader, w io.Writer) (*preamble, error) {
	p := new(preamble)
	for len(p.kept) < maxPreamble {
		exit, err := startsWith(r, uel)
		if err != nil {
			return nil, err
		}
		if exit {
			_, _ = r.Discard(len(uel))
			if !bytes.HasSuffix(p.kept, []byte(uel)) {
				p.kept = append(p.kept, uel...)
			}
			continue
		}
		line, more, err := p.line(r)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		if err := p.take(line, w); err != nil || p.prints {
			return p, err
		}
	}
	_, err := r.Peek(1)
	p.prints = p.prints || err == nil
	return p, unlessEnd(err)
}

// startsWith looks for text, and for no more bytes than that takes: the other side may wait for an answer.
func startsWith(r *bufio.Reader, text string) (bool, error) {
	for n := 1; n <= len(text); n++ {
		head, err := r.Peek(n)
		if err != nil {
			return false, unlessEnd(err)
		}
		if head[n-1] != text[n-1] {
			return false, nil
		}
	}
	return true, nil
}

// line reads the next PJL line; more is false where none stands.
func (p *preamble) line(r *bufio.Reader) (line []byte, more bool, err error) {
	is, err := startsWith(r, pjl)
	if err != nil {
		return nil, false, err
	}
	if !is && len(p.kept) > 0 { // blank lines may stand between commands
		next, err := r.Peek(1)
		is = err == nil && (next[0] == '\r' || next[0] == '\n')
	}
	if !is {
		return nil, false, nil
	}
	line, err = r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		p.kept, p.prints = append(p.kept, line...), true
		return nil, false, nil
	}
	return line, true, unlessEnd(err)
}

// take answers a line, or keeps it.
func (p *preamble) take(line []byte, w io.Writer) error {
	text, is := strings.CutPrefix(string(line), pjl)
	if text = strings.TrimSpace(text); !is && text != "" {
		p.kept, p.prints = append(p.kept, line...), true
		return nil
	}
	word, rest, _ := strings.Cut(text, " ")
	word, rest = strings.ToUpper(word), strings.TrimSpace(rest)
	switch word {
	case "ECHO":
		return answer(w, pjl+" ECHO "+rest)
	case "INFO":
		return answer(w, pjl+" INFO "+rest, info(rest)...)
	case "INQUIRE", "DINQUIRE":
		return answer(w, pjl+" "+word+" "+rest, `"?"`)
	case "JOB":
		p.call(value(rest, "NAME"))
	case "SET":
		p.call(value(rest, "JOBNAME"))
	case "", "COMMENT", "EOJ", "USTATUS", "USTATUSOFF":
	default:
		// ENTER, behind which the data stand, and what changes the printer without any.
		p.prints = true
	}
	p.kept = append(p.kept, line...)
	return nil
}

func (p *preamble) call(name string) {
	if name != "" {
		p.name = name
	}
}

// answer repeats the question, and ends with a form feed.
func answer(w io.Writer, question string, lines ...string) error {
	text := strings.Join(append([]string{question}, lines...), "\r\n") + "\r\n\f"
	if _, err := io.WriteString(w, text); err != nil {
		return fmt.Errorf("answer %.40q: %w", question, err)
	}
	return nil
}

func info(category string) []string {
	switch strings.ToUpper(category) {
	case "ID":
		return []string{`"printq"`}
	case "STATUS":
		return []string{"CODE=10001", `DISPLAY="READY"`, "ONLINE=TRUE"}
	}
	return []string{`"?"`}
}

// value is what an option is set to; options stand behind each other as NAME = "value", with or without spaces and quotes.
func value(options, name string) string {
	for options != "" {
		key, rest, found := strings.Cut(options, "=")
		if !found {
			return ""
		}
		words := strings.Fields(key)
		rest = strings.TrimLeft(rest, " \t")
		var v string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			v, options, _ = strings.Cut(quoted, `"`)
		} else {
			v, options, _ = strings.Cut(rest, " ")
		}
		if len(words) > 0 && strings.EqualFold(words[len(words)-1], name) {
			return intake.Text([]byte(v))
		}
	}
	return ""
}
