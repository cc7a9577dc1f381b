package http

import (
	"encoding/hex"
	"fmt"
	"mime"
	nethttp "net/http"
	"time"

	"printq/printer/pages"
	"printq/queue"
)

// document answers with the bytes, or a range of them. They are somebody's upload: nothing may take them for a page of ours.
func (s *Server) document(w *response, r *nethttp.Request) error {
	job, err := s.findJob(w, r, parseQuery(r, "consistency"))
	if err != nil {
		return err
	}
	if job.DocumentGone {
		return &jobError{job.Id, fmt.Errorf("%w: job %d: submit it anew, or set the printer's keep higher",
			queue.ErrDocumentGone, job.Id)}
	}
	doc, err := s.node.OpenDocument(r.Context(), job.Job)
	if err != nil {
		return &jobError{job.Id, err}
	}
	defer doc.Close()
	h := w.Header()
	h.Set("Content-Type", job.Format)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment",
		map[string]string{"filename": fmt.Sprintf("job-%d.%s", job.Id, pages.Ext(job.Format))}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("ETag", `"`+hex.EncodeToString(job.Sha256)+`"`)
	h.Set("Cache-Control", "private, no-cache")
	c := &content{response: w}
	nethttp.ServeContent(c, r, "", time.Time{}, doc)
	return c.err
}

// A content turns what ServeContent refuses (a range beyond the end) into a problem.
type content struct {
	*response
	err error
}

func (c *content) WriteHeader(status int) {
	switch {
	case status < 400:
		c.response.WriteHeader(status)
	case status == nethttp.StatusRequestedRangeNotSatisfiable:
		c.err = errRange
	default:
		c.err = fmt.Errorf("serve the document: status %d", status)
	}
}

func (c *content) Write(p []byte) (int, error) {
	if c.err != nil {
		return len(p), nil
	}
	return c.response.Write(p)
}
