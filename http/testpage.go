package http

import (
	"bytes"
	"fmt"
	nethttp "net/http"

	"github.com/gorilla/mux"

	"printq/http/api"
	"printq/node"
	"printq/printer/pages"
	"printq/queue"
)

// testPrinter submits a page of text that says where it came from.
func (s *Server) testPrinter(w *response, r *nethttp.Request) error {
	var v api.Cause
	if err := s.readJSON(w, r, &v); err != nil {
		return err
	}
	if _, err := causeOf(v); err != nil {
		return err
	}
	t := &ticket{
		printer: mux.Vars(r)["printer"], key: r.Header.Get(api.HeaderKey), name: "printq test page", user: v.By,
		copies: 1, priority: queue.DefaultPriority,
	}
	if err := checkKey(t.key); err != nil {
		return err
	}
	doc, err := inspect(&node.Document{Inline: testPage(t.printer, s.options.Member)}, pages.Text)
	if err != nil {
		return err
	}
	answer, err := s.propose(r.Context(), t.command(doc), doc.Inline)
	if err != nil {
		return err
	}
	return s.submitted(w, r, answer, 0)
}

// testPage is the same for the same printer and member, so that a repeat under one key is a repeat.
func testPage(printer string, member uint64) []byte {
	var page bytes.Buffer
	fmt.Fprintf(&page, "printq test page\r\n\r\nprinter  %s\r\nmember   %d\r\n\r\n", printer, member)
	for c := byte('!'); c <= '~'; c++ {
		page.WriteByte(c)
		if (c-'!')%47 == 46 {
			page.WriteString("\r\n")
		}
	}
	page.WriteString("\r\nIf every line above is whole, this printer works.\r\n\f")
	return page.Bytes()
}
