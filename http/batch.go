package http

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	nethttp "net/http"
	"strconv"

	"printq/http/api"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// The limits of a batch. Each document travels inside its command.
const (
	maxBatch      = 1000
	maxBatchBytes = 16 << 20
)

// An item is one document of a batch: its command, or why there is none.
type item struct {
	command *queuepb.Command
	payload []byte
	err     error
}

// batch submits each part as a job of its own. Nothing is submitted before the whole body was read and found within the
// limits; after that each document has its own outcome. With an Idempotency-Key, document n (from 1) has the key KEY/n; a
// part may bring its own in its header.
func (s *Server) batch(w *response, r *nethttp.Request) error {
	t, err := newTicket(r)
	if err != nil {
		return err
	}
	if t.wait > 0 {
		return invalid("a batch cannot wait: poll its jobs")
	}
	items, err := readBatch(s.openBody(w, r), r.Header.Get("Content-Type"), t)
	if err != nil {
		return err
	}
	answers := make([]api.BatchItem, len(items))
	w.at = s.submitBatch(r.Context(), items, answers)
	body := append(make([]byte, 0, 640*len(answers)), '[')
	for i := range answers {
		if i > 0 {
			body = append(body, ',')
		}
		if body, err = answers[i].AppendJSON(body); err != nil {
			return err
		}
	}
	w.body(nethttp.StatusOK, typeJSON, append(body, "]\n"...))
	return nil
}

func readBatch(body io.Reader, contentType string, t *ticket) ([]item, error) {
	mr, err := parts(body, contentType)
	if err != nil {
		return nil, err
	}
	var items []item
	var buf bytes.Buffer
	total := 0
	for {
		p, err := mr.NextPart()
		if err == io.EOF {
			skipRest(body)
			break
		}
		if err != nil {
			return nil, unread(err)
		}
		if !isFile(p) {
			if err := t.field(p); err != nil {
				return nil, err
			}
			continue
		}
		if len(items) == maxBatch {
			return nil, fmt.Errorf("more than %d documents: %w: send them in several batches", maxBatch, node.ErrTooLarge)
		}
		document, err := readPart(p, queue.MaxInline, &buf)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w: submit large documents one by one", len(items)+1, err)
		}
		if total += len(document); total > maxBatchBytes {
			return nil, fmt.Errorf("more than %d bytes: %w: send them in several batches", maxBatchBytes, node.ErrTooLarge)
		}
		items = append(items, newItem(*t, p, document, len(items)+1))
	}
	if len(items) == 0 {
		return nil, invalid("the batch has no documents: each is a part of its own")
	}
	return items, nil
}

// newItem makes the command of document n; t is its own copy.
func newItem(t ticket, p *multipart.Part, document []byte, n int) item {
	t.describe(p)
	if key := p.Header.Get(api.HeaderKey); key != "" {
		t.key = key
	} else if t.key != "" {
		t.key += "/" + strconv.Itoa(n)
	}
	if err := checkKey(t.key); err != nil {
		return item{err: err}
	}
	doc, err := inspect(&node.Document{Inline: document}, t.format)
	if err != nil {
		return item{err: err}
	}
	return item{command: t.command(doc), payload: document}
}

// submitBatch fills in the answers and says where the last of them stands.
func (s *Server) submitBatch(ctx context.Context, items []item, answers []api.BatchItem) (last node.Position) {
	var commands []*queuepb.Command
	var payloads [][]byte
	for _, it := range items {
		if it.err == nil {
			commands, payloads = append(commands, it.command), append(payloads, it.payload)
		}
	}
	ctx, cancel := s.committing(ctx)
	defer cancel()
	var given []node.Answer
	var errs []error
	if len(commands) > 0 {
		given, errs = s.node.ProposeAll(ctx, commands, payloads)
	}
	next := 0
	for i, it := range items {
		if it.err == nil {
			if given[next].Index > last.Index {
				last = given[next].Position
			}
			it.err = outcomeOf(errs[next])
			if it.err == nil {
				answers[i], it.err = s.batchJob(given[next])
			}
			next++
		}
		if it.err != nil {
			p := problemOf(it.err, true)
			answers[i] = api.BatchItem{Status: p.Status, Problem: &p}
		}
	}
	return last
}

func (s *Server) batchJob(answer node.Answer) (api.BatchItem, error) {
	status, err := s.acted(answer)
	if err != nil {
		return api.BatchItem{}, gone(answer.Job, err)
	}
	job := jobOf(status)
	return api.BatchItem{Status: nethttp.StatusCreated, Job: &job}, nil
}
