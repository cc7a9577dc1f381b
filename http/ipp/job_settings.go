package ipp

import (
	"context"

	"github.com/OpenPrinting/goipp"

	"printq/queue/queuepb"
)

// settableOfJobs are the job attributes that can be set before a job prints.
var settableOfJobs = []string{"copies", "job-hold-until", "job-name", "job-priority"}

// setJobAttributes changes a job that waits. All that is asked is done, or nothing (RFC 3380 §4.2).
func (h *Handler) setJobAttributes(ctx context.Context, q *request, t target) (*answer, error) {
	if len(q.job) == 0 {
		return nil, badRequest("there is no attribute to set")
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
			if len(a.Values) != 1 || unsupportedIn(goipp.Attributes{a}) != nil {
				bad.Add(a)
			} else {
				set(m, a)
			}
		default:
			not.Add(missing(a.Name, goipp.TagNotSettable))
		}
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
	_, err := h.act(ctx, q, t, func(id uint64, c *queuepb.Cause) *queuepb.Command {
		m.Job, m.Cause = id, c
		return &queuepb.Command{Body: &queuepb.Command_SetJob{SetJob: m}}
	})
	return okay(nil), err
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
