package ipp

import (
	"context"
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/queue/queuepb"
)

// settableOfJobs are the job attributes that can be set before a job prints.
var settableOfJobs = []string{
	"copies", "finishings", "job-hold-until", "job-name", "job-priority", "job-sheets", "media", "media-col", "number-up", "orientation-requested",
	"output-bin", "print-color-mode", "print-content-optimize", "print-quality", "print-rendering-intent", "print-scaling",
	"printer-resolution", "sides",
}

// setJobAttributes changes a job that waits. All that is asked is done, or nothing (RFC 3380 §4.2).
func (h *Handler) setJobAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	if len(q.job) == 0 {
		return nil, badRequest("there is no attribute to set")
	}
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	o, err := h.offersOf(j.Printer)
	if err != nil {
		return nil, err
	}
	m := &queuepb.SetJob{}
	var not, bad goipp.Attributes
	for _, a := range q.job {
		switch a.Name {
		case "job-name":
			name, err := text(q.job, a.Name)
			if err != nil || name == "" {
				bad.Add(a)
			}
			m.Name = &name
		case "copies", "job-priority", "job-hold-until":
			if len(a.Values) != 1 || o.unsupportedIn(goipp.Attributes{a}) != nil {
				bad.Add(a)
			} else {
				set(m, a)
			}
		default:
			if !slices.Contains(settableOfJobs, a.Name) {
				not.Add(missing(a.Name, goipp.TagNotSettable))
			} else if a.Values[0].T == goipp.TagDeleteAttr {
				m.Options = append(m.Options, &queuepb.Option{Name: a.Name})
			} else if wrong := o.unsupportedIn(goipp.Attributes{a}); wrong != nil {
				bad = append(bad, wrong...)
			}
		}
	}
	if m.Options, err = wishesToSet(m.Options, q.job, o); err != nil {
		return nil, err
	}
	switch {
	case not != nil:
		return nil, &failure{goipp.StatusErrorAttributesNotSettable, "not settable: see job-settable-attributes-supported", not}
	case bad != nil:
		return nil, unsupported(bad...)
	}
	if len(q.job) == 1 && m.Hold != nil {
		return h.holdOrRelease(ctx, q, t, *m.Hold)
	}
	_, err = h.act(ctx, q, t, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		m.Job, m.Cause = id, c
		return &queuepb.Command{Body: &queuepb.Command_SetJob{SetJob: m}}
	})
	return okay(nil), err
}

// wishesToSet are those of a request, with those that it takes away: of media-col, all that it may have said.
func wishesToSet(gone []*queuepb.Option, job goipp.Attributes, o *offers) ([]*queuepb.Option, error) {
	set, err := wishesIn(job, o)
	for _, x := range gone {
		names := []string{x.Name}
		if x.Name == "media-col" {
			names = []string{"media", "media-source", "media-type"}
		}
		for _, name := range names {
			if !slices.ContainsFunc(set, func(s *queuepb.Option) bool { return s.Name == name }) {
				set = append(set, &queuepb.Option{Name: name})
			}
		}
	}
	slices.SortFunc(set, func(a, b *queuepb.Option) int { return strings.Compare(a.Name, b.Name) })
	return set, err
}

// set takes an attribute whose value was found to be supported.
func set(m *queuepb.SetJob, a goipp.Attribute) {
	switch v := a.Values[0].V.(type) {
	case goipp.Integer:
		n := uint32(v)
		if a.Name == "copies" {
			m.Copies = &n
		} else {
			m.Priority = &n
		}
	default:
		hold := v.String() == "indefinite"
		m.Hold = &hold
	}
}

// holdOrRelease is for a job that may print already: it stops at the end of its page.
func (h *Handler) holdOrRelease(ctx context.Context, q *request, t target, hold bool) (*answer, error) {
	command := releaseCommand
	if hold {
		command = holdCommand
	}
	_, err := h.act(ctx, q, t, command)
	return okay(nil), err
}
