package ipp

import (
	"context"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// A state is job-state (RFC 8011 §5.3.7).
type state int

const (
	pending    state = 3
	held       state = 4
	processing state = 5
	stopped    state = 6
	canceled   state = 7
	aborted    state = 8
	completed  state = 9
)

func (s state) ended() bool { return s >= canceled && s <= completed }

// looked are the attributes of a job that are asked for.
var looked = []string{
	"job-id", "job-name", "job-state", "job-state-reasons", "job-state-message", "job-impressions-completed",
	"job-media-sheets-completed", "job-k-octets", "number-of-documents", "time-at-processing",
}

// A standing is how a job stands at the printer, in the printer's words. Numbers are -1 where it does not say.
type standing struct {
	id          int
	name        string
	state       state
	reasons     []string
	message     string
	impressions int
	sheets      int
	octets      int // in units of 1024, rounded up
	documents   int
	never       bool // it says that it has not begun to process the job
	began       bool // it says when it did
	gone        bool // the printer has no such job, or the id is another's
}

func stands(g group) *standing {
	count := func(name string) int {
		if n, ok := g.number(name); ok && n >= 0 {
			return n
		}
		return -1
	}
	at, said := g.number("time-at-processing")
	return &standing{
		id: count("job-id"), name: g.text("job-name"), state: state(count("job-state")),
		reasons: g.reasons("job-state-reasons"), message: clip(g.text("job-state-message"), 255),
		impressions: count("job-impressions-completed"), sheets: count("job-media-sheets-completed"),
		octets: count("job-k-octets"), documents: count("number-of-documents"),
		never: g.none("time-at-processing"), began: said && at != 0,
	}
}

// look asks for a job.
func (c *client) look(ctx context.Context, id int) (*standing, error) {
	m, err := c.ask(ctx, request{op: goipp.OpGetJobAttributes, operation: goipp.Attributes{
		integer("job-id", id), user(), keywords("requested-attributes", looked...),
	}})
	if err != nil {
		return nil, err
	}
	return stands(group(m.Job)), nil
}

// touched: something of the job may have come out already.
func (s *standing) touched() bool {
	return s.impressions > 0 || s.sheets > 0 || s.began || s.state == processing || s.state == stopped
}

// incoming: the printer waits for the document, or for the rest of it.
func (s *standing) incoming() bool {
	for _, r := range []string{"job-incoming", "job-data-insufficient"} {
		if slices.Contains(s.reasons, r) {
			return true
		}
	}
	return false
}

// empty: the printer says that the job has no document.
func (s *standing) empty() bool {
	switch {
	case s.state.ended(), s.documents > 0, s.octets > 0, s.impressions > 0, s.sheets > 0:
		return false
	case s.documents == 0:
		return true
	}
	return s.incoming() && (s.state == held || s.state == pending)
}

// same: nothing has changed since.
func (s *standing) same(other *standing) bool {
	return other != nil && s.state == other.state && s.impressions == other.impressions && s.sheets == other.sheets &&
		s.octets == other.octets && s.documents == other.documents && slices.Equal(s.reasons, other.reasons)
}

// why is the printer's account of the state.
func (s *standing) why() string {
	words := strings.Join(s.reasons, ", ")
	if s.message != "" && words != "" {
		words += ": "
	}
	return clip(words+s.message, 500)
}
