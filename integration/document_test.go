package integration

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A document is what a client sends, and the pages that must come out of it.
type document struct {
	printer, name string
	// Made anew for each document, so that sending it again prints it once.
	key    string
	copies int
	data   body
	pages  []body
	// Once it was acknowledged.
	job   uint64
	acked time.Time
}

// textOf is a document of pages that a form feed ends, each unlike any other page of any other document.
func textOf(printer, name string, pages, copies int) *document {
	d := &document{printer: printer, name: name, key: rand.Text(), copies: copies}
	var all []byte
	for page := range pages {
		var b bytes.Buffer
		fmt.Fprintf(&b, "%s (%s), page %d of %d\n\n", name, d.key, page+1, pages)
		for line := range 5 + page%30 {
			fmt.Fprintf(&b, "%3d  %s\n", line, strings.Repeat(string(rune('a'+(page+line)%26)), 10+(page*7+line*3)%60))
		}
		b.WriteByte('\f')
		d.pages = append(d.pages, inMemory(b.Bytes()))
		all = append(all, b.Bytes()...)
	}
	d.data = inMemory(all)
	return d
}

// label is a document of one page of so many bytes.
func label(printer string, n, size int) *document {
	d := &document{printer: printer, name: fmt.Sprintf("label %d", n), key: rand.Text(), copies: 1}
	text := fmt.Sprintf("%s %s\n", d.name, d.key)
	d.data = inMemory([]byte(text + strings.Repeat(".", max(0, size-len(text)-1)) + "\n"))
	d.pages = []body{d.data}
	return d
}

// pdfLike begins as a PDF does and goes on as nothing that anybody could cut: one unit.
func pdfLike(printer, name string, size int64, seed uint64) *document {
	data := noise("%PDF-1.7\n", size, seed)
	return &document{printer: printer, name: name, key: rand.Text(), copies: 1, data: data, pages: []body{data}}
}

// assorted is a mixture, by n: mostly labels, letters of several pages and copies, and now and then one that is too large for
// one log entry.
func assorted(printer string) func(n int) *document {
	return func(n int) *document {
		switch {
		case n%50 == 49:
			return pdfLike(printer, fmt.Sprintf("picture %d", n), 300<<10, uint64(n))
		case n%5 == 4:
			return textOf(printer, fmt.Sprintf("letter %d", n), 1+n%9, 1+n%2)
		}
		return label(printer, n, 200+n%800)
	}
}

// request is the plainest way to send it.
func (d *document) request() *request {
	q := url.Values{"name": {d.name}}
	if d.copies != 1 {
		q.Set("copies", strconv.Itoa(d.copies))
	}
	return &request{
		method: http.MethodPost, path: jobsPath(d.printer), query: q, key: d.key,
		contentType: "application/octet-stream", body: d.data,
	}
}

func jobsPath(printer string) string { return "/v1/printers/" + url.PathEscape(printer) + "/jobs" }
