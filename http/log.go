package http

import (
	"errors"
	nethttp "net/http"
	"strconv"
	"strings"

	"printq/http/api"
	"printq/node"
)

// log answers with the committed job log: what is there, or with follow also what comes.
func (s *Server) log(w *response, r *nethttp.Request) error {
	q := parseQuery(r, "consistency", "from", "follow", "printer", "job", "format")
	t := &tail{
		server: s, w: w, follow: q.flag("follow"), sse: q.sse(r),
		printer: q.text("printer"), job: q.number("job", 1, 1<<63, 0),
	}
	from, newest := q.from(r)
	if err := s.read(w, r, q); err != nil {
		return err
	}
	stats := s.node.Stats()
	switch {
	case newest && t.follow:
		from = stats.Lines + 1
	case newest || from == 0:
		from = max(stats.OldestLine, 1)
	}
	t.seq, t.last = from, stats.Lines
	// Before anything is written, so that what is trimmed can be said with a status.
	if from <= stats.Lines {
		if _, err := s.node.Lines(from, 1); err != nil {
			return s.trimmed(err)
		}
	}
	t.begin()
	if r.Method == nethttp.MethodHead {
		return nil
	}
	if t.follow {
		defer s.feed.join()()
	}
	return t.run(r.Context())
}

// from is the first seq that is asked for; 0: the oldest kept; newest: nothing was said. What a browser sends when it
// connects anew comes before what the address says.
func (q *query) from(r *nethttp.Request) (seq uint64, newest bool) {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		n, err := strconv.ParseUint(id, 10, 63)
		if err != nil {
			q.fail("Last-Event-ID is %q: it must be the seq of the last line that was read", id)
		}
		return n + 1, false
	}
	if q.values.Get("from") == "beginning" {
		return 0, false
	}
	return q.number("from", 1, 1<<63, 0), !q.has("from")
}

func (q *query) sse(r *nethttp.Request) bool {
	switch q.values.Get("format") {
	case "sse":
		return true
	case "ndjson":
		return false
	case "":
		return strings.Contains(r.Header.Get("Accept"), api.TypeSSE)
	}
	q.fail("format is %q: it must be ndjson or sse", q.values.Get("format"))
	return false
}

// trimmed adds to the node's error where the log begins now.
func (s *Server) trimmed(err error) error {
	if errors.Is(err, node.ErrTrimmed) {
		return &trimmedError{s.node.Stats().OldestLine}
	}
	return err
}
