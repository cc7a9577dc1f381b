package sim

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"printq/log"
	"printq/printer"
	"printq/printer/device"
	"printq/printer/pages"
	"printq/queue"
)

// unit reads one unit of a job's document, as printer's hand and node.Node's Document do: verified, and from another member
// where our own bytes fail.
func (m *member) unit(w *queue.Work, number int) ([]byte, error) {
	doc, err := m.document(w)
	if err != nil {
		return nil, err
	}
	split := pages.Split(w.Format, w.Units, bytes.NewReader(doc), int64(len(doc)))
	for i := 1; ; i++ {
		span, err := split.Next()
		if err != nil {
			m.w.violated(12, "job %d has no unit %d: %v", w.Job, number, err)
		}
		if i == number {
			return readAll(span.Reader(bytes.NewReader(doc))), nil
		}
	}
}

func (m *member) document(w *queue.Work) ([]byte, error) {
	doc, err := m.read(w)
	if err == nil {
		return doc, nil
	}
	m.w.counts.add("damaged document found")
	unasked := false
	for _, other := range m.w.members {
		switch {
		case other == m || other.lost:
		case !other.up || other.paused || m.w.net.cuts(m, other):
			unasked = true
		default:
			if doc, err := other.read(w); err == nil {
				m.w.counts.add("document taken from another member")
				return doc, nil
			}
		}
	}
	if unasked { // not known to be damaged everywhere
		return nil, fmt.Errorf("%w: %w", device.ErrUnreachable, err)
	}
	return nil, printer.ErrDocumentDamaged
}

// read reads the member's own bytes.
func (m *member) read(w *queue.Work) (doc []byte, err error) {
	for _, x := range w.Document {
		part := make([]byte, x.Length)
		if _, err := m.log.ReadAt(x.Index, part, int64(x.Offset)); err != nil {
			if errors.Is(err, log.ErrNotFound) && m.applied >= x.Index && m.w.history.needs(w) {
				m.w.violated(12, "member %d has let go of entry %d, which job %d needs", m.id, x.Index, w.Job)
			}
			return nil, err
		}
		doc = append(doc, part...)
	}
	if sha256.Sum256(doc) != w.SHA256 && !m.w.mutant.NoHash {
		if !m.flipped {
			m.w.violated(12, "member %d has other bytes of job %d", m.id, w.Job)
		}
		return nil, errors.New("its SHA-256 differs from the one that was committed")
	}
	return doc, nil
}

// needs reports whether the job has not ended.
func (h *history) needs(w *queue.Work) bool {
	j, err := h.state.Job(w.Job, nil)
	return err == nil && j != nil && !queue.JobState(j.State).Ended()
}
