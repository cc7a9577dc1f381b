package intake_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"printq/http/intake"
	"printq/http/intake/intaketest"
	"printq/queue"
)

// A socket tells of its error once, and of an end after that, as Linux does.
type socket struct {
	io.Reader
	err error
}

func (s *socket) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err == io.EOF && s.err != nil {
		err, s.err = s.err, nil
	}
	return n, err
}

// TestBroken: a body that breaks makes no document, wherever it does.
func TestBroken(t *testing.T) {
	reset := errors.New("connection reset by peer")
	for _, size := range []int{0, 1, 1023, 1024, 1025, 5000, queue.MaxInline, 2 * queue.MaxInline} {
		n := intaketest.New("labels")
		doc, err := intake.Receive(t.Context(), n, &socket{strings.NewReader(strings.Repeat("x", size)), reset}, 1<<30)
		if !errors.Is(err, reset) {
			t.Errorf("after %d bytes: %v, %v", size, doc, err)
		}
		doc, err = intake.Receive(t.Context(), n, &socket{strings.NewReader(strings.Repeat("x", size)), nil}, 1<<30)
		if size > 0 && (err != nil || doc.Bytes != int64(size)) {
			t.Errorf("%d bytes: %v, %v", size, doc, err)
		}
	}
}
