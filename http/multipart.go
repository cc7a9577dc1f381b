package http

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"path"
	"strings"

	"printq/node"
	"printq/queue"
)

// parts reads a multipart body, part by part.
func parts(body io.Reader, contentType string) (*multipart.Reader, error) {
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(mediaType, "multipart/") || params["boundary"] == "" {
		return nil, fmt.Errorf("%w: %q: send multipart/form-data or multipart/mixed with a boundary (curl -F file=@FILE)",
			errMediaType, contentType)
	}
	return multipart.NewReader(body, params["boundary"]), nil
}

// skipRest reads what may stand behind the last part, so that the body is seen to end.
func skipRest(body io.Reader) { _, _ = io.CopyN(io.Discard, body, 64<<10) }

// isFile tells documents from the fields beside them.
func isFile(p *multipart.Part) bool {
	return p.FormName() == "" || p.FormName() == "file" || p.FileName() != ""
}

// receiveForm takes the one document of a form. Fields count wherever they stand, but a format must come before the
// document, because pages are counted as it arrives.
func (s *Server) receiveForm(ctx context.Context, body io.Reader, contentType string, t *ticket) (*received, error) {
	mr, err := parts(body, contentType)
	if err != nil {
		return nil, err
	}
	var doc *received
	for {
		p, err := mr.NextPart()
		if err == io.EOF {
			skipRest(body)
			break
		}
		if err != nil {
			return nil, unread(err)
		}
		switch file := isFile(p); {
		case file && doc != nil:
			return nil, invalid("the form has more than one file: send them to jobs:batch, or one by one")
		case file:
			t.describe(p)
			doc, err = s.receive(ctx, p, -1, t.format)
		case doc != nil && p.FormName() == "format":
			err = invalid("the field format stands after the file: put it before")
		default:
			err = t.field(p)
		}
		if err != nil {
			return nil, err
		}
	}
	if doc == nil {
		return nil, invalid("the form has no file: add a part named file (curl -F file=@FILE)")
	}
	return doc, nil
}

// describe takes what the part's header says of its document, where the request did not say it.
func (t *ticket) describe(p *multipart.Part) {
	if name := path.Base(strings.ReplaceAll(p.FileName(), `\`, "/")); t.name == "" && name != "." && checkText("name", name) == nil {
		t.name = name
	}
	if t.format == "" {
		t.format = formatOf(p.Header.Get("Content-Type"))
	}
}

func (t *ticket) field(p *multipart.Part) error {
	value, err := readPart(p, queue.MaxText, new(bytes.Buffer))
	if err != nil {
		return err
	}
	return t.set(p.FormName(), string(value))
}

// readPart reads a part that may have so many bytes, by way of a buffer that serves for many.
func readPart(p *multipart.Part, limit int, buf *bytes.Buffer) ([]byte, error) {
	buf.Reset()
	if _, err := buf.ReadFrom(io.LimitReader(p, int64(limit)+1)); err != nil {
		return nil, unread(err)
	}
	if buf.Len() > limit {
		return nil, fmt.Errorf("part %q: %w: it may have %d bytes", p.FormName(), node.ErrTooLarge, limit)
	}
	return bytes.Clone(buf.Bytes()), nil
}
