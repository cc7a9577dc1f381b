package demo

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"printq/http/api"
	"printq/printer/pages"
)

// A source is a document to submit.
type source struct {
	name   string
	copies int
	data   []byte
	key    string
	// The pages it has; nil: to be told from what the server makes of its format.
	pages [][]byte
}

func text(name string, copies int, data string) *source {
	return &source{name: name, copies: copies, data: []byte(data), key: rand.Text(), pages: splitText([]byte(data))}
}

// binary is a document that only looks like a PDF: one unit, whatever is in it.
func binary(name string, size int) *source {
	data := make([]byte, size)
	rand.Read(data)
	copy(data, "%PDF-1.7\n")
	return &source{name: name, copies: 1, data: data, key: rand.Text(), pages: [][]byte{data}}
}

// splitText is the demo's own rule for pages, so that printq's is checked against another: a form feed ends a page, an empty
// rest is none.
func splitText(data []byte) [][]byte {
	parts := bytes.SplitAfter(data, []byte("\f"))
	if n := len(parts); n > 1 && len(parts[n-1]) == 0 {
		parts = parts[:n-1]
	}
	return parts
}

// long is the document in the middle of which the leader is killed.
func long() *source { return text("annual report", 1, report("annual report", 200)) }

// several are documents of many sizes.
func several() []*source {
	list := []*source{binary("photo.pdf", 300<<10), binary("book.pdf", 4<<20), binary("note.pdf", 700)}
	for i := range 10 {
		list = append(list, text(fmt.Sprintf("letter %d", i+1), 1+i%2, report(fmt.Sprintf("letter %d", i+1), 1+i)))
	}
	for i := range 25 {
		list = append(list, label(i+1))
	}
	return list
}

func label(n int) *source {
	return text(fmt.Sprintf("label %d", n), 1, fmt.Sprintf("LABEL %d\nprintq, this side up\n%s\n", n, rand.Text()))
}

func report(title string, pages int) string {
	var b strings.Builder
	for page := range pages {
		fmt.Fprintf(&b, "%s, page %d of %d\n\n", title, page+1, pages)
		for line := range 20 + page%30 {
			fmt.Fprintf(&b, "%3d  %s\n", line, strings.Repeat(string(rune('a'+(page+line)%26)), 10+(page*7+line*3)%60))
		}
		b.WriteByte('\f')
	}
	return b.String()
}

// read is the user's own files.
func read(files []string) ([]*source, error) {
	var list []*source
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		list = append(list, &source{name: filepath.Base(file), copies: 1, data: data, key: rand.Text()})
	}
	return list, nil
}

// document is what must come out of a source that became a job.
func (s *source) document(job *api.Job) (Document, error) {
	d := Document{Job: job.ID, Name: s.name, Copies: s.copies, Pages: s.pages}
	switch {
	case d.Pages != nil:
	case job.Units <= 1:
		d.Pages = [][]byte{s.data}
	case job.Format == pages.Text:
		d.Pages = splitText(s.data)
	default: // a format that the demo has no rule of its own for
		split := pages.Split(job.Format, int(job.Units), bytes.NewReader(s.data), int64(len(s.data)))
		for span, err := split.Next(); err != io.EOF; span, err = split.Next() {
			if err != nil {
				return d, err
			}
			page, err := io.ReadAll(span.Reader(bytes.NewReader(s.data)))
			if err != nil {
				return d, err
			}
			d.Pages = append(d.Pages, page)
		}
	}
	return d, nil
}
