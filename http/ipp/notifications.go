package ipp

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

const (
	// eventLines is how many lines of the log are looked through for one subscription: what is older is gone for it.
	eventLines = 4096
	// eventStretch are read at once.
	eventStretch = 512
	// eventInterval is when it is worth asking again.
	eventInterval = 5 * time.Second
)

// A logLine is what of a line of the log makes an event.
type logLine struct {
	Seq     uint64    `json:"seq"`
	Time    time.Time `json:"time"`
	Type    string    `json:"type"`
	Printer string    `json:"printer"`
	Job     uint64    `json:"job"`
	State   string    `json:"state"`
	Reason  string    `json:"reason"`
	Printed uint64    `json:"printed"`
}

// ofTypes are the events that a line of some type is, beside those that its state makes.
var ofTypes = map[string][]string{
	"submit": {"job-created", "job-state-changed"}, "create": {"job-created", "job-state-changed"},
	"reprint": {"job-created", "job-state-changed"}, "part": {"job-created", "job-state-changed"},
	"attach": {"job-state-changed"}, "close": {"job-state-changed"}, "cancel": {"job-state-changed"}, "hold": {"job-state-changed"},
	"release": {"job-state-changed"}, "move": {"job-state-changed"}, "resolve": {"job-state-changed"},
	"start": {"job-state-changed", "printer-state-changed"}, "done": {"job-state-changed", "printer-state-changed"},
	"resume": {"job-state-changed", "printer-state-changed"}, "printed": {"job-progress"}, "job-set": {"job-config-changed"},
	"job-reordered": {"printer-queue-order-changed"}, "report": {"printer-state-changed"}, "claim": {"printer-state-changed"},
	"stopped": {"printer-stopped", "printer-state-changed"}, "printer-paused": {"printer-stopped", "printer-state-changed"},
	"printer-resumed": {"printer-state-changed"}, "printer-set": {"printer-config-changed"}, "printer-described": {"printer-config-changed"},
	"printer-accepting": {"printer-config-changed", "printer-state-changed"}, "printer-rejecting": {"printer-config-changed", "printer-state-changed"},
	"new-jobs-held": {"printer-config-changed"}, "new-jobs-released": {"printer-config-changed"}, "expire": {"job-state-changed"},
}

// events are those that a line is, the most telling first.
func (l *logLine) events() (list []string) {
	if l.Job == 0 && l.Printer == "" {
		return nil
	}
	switch l.State {
	case "completed", "canceled", "aborted":
		list = append(list, "job-completed")
	case "stopped":
		list = append(list, "job-stopped")
	}
	return append(list, ofTypes[l.Type]...)
}

// of picks the event that a subscription asks for; empty: none.
func (l *logLine) of(s *queue.Subscription) string {
	if s.Job != 0 && l.Job != s.Job || s.Printer != "" && l.Printer != s.Printer {
		return ""
	}
	for _, e := range l.events() {
		if slices.Contains(s.Events, e) {
			return e
		}
	}
	return ""
}

// getNotifications answers with the events of subscriptions (RFC 3996 §5), out of the log. An event's number is that of its
// line after the subscription's own: they grow, with gaps, and are the same on every member.
func (h *Handler) getNotifications(ctx context.Context, q *request, _ target) (*answer, error) {
	ids, err := many[goipp.Integer](q.operation, "notify-subscription-ids", goipp.TagInteger)
	if err != nil {
		return nil, err
	}
	from, err := many[goipp.Integer](q.operation, "notify-sequence-numbers", goipp.TagInteger)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || len(ids) > maxSubscriptions || len(from) > len(ids) {
		return nil, badRequest("notify-subscription-ids has %d ids: name 1 to %d", len(ids), maxSubscriptions)
	}
	if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	a := okay(nil)
	a.operation = goipp.Attributes{
		integers("printer-up-time", upTime(time.Now())), integers("notify-get-interval", int(eventInterval.Seconds())),
	}
	found := 0
	for i, id := range ids {
		s, err := h.node.Subscription(uint64(max(id, 0)))
		if errors.Is(err, queue.ErrNoSubscription) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found++
		first := uint64(1)
		if i < len(from) {
			first = uint64(max(from[i], 1))
		}
		groups, err := h.eventsOf(q, s, first)
		if err != nil {
			return nil, err
		}
		a.groups = append(a.groups, groups[:min(len(groups), maxJobs-len(a.groups))]...)
	}
	if found == 0 {
		return nil, fail(goipp.StatusErrorNotFound, "none of the %d subscriptions is there: its lease is over, or its job has ended", len(ids))
	}
	return a, nil
}

// eventsOf are the events of a subscription from a number on.
func (h *Handler) eventsOf(q *request, s *queue.Subscription, first uint64) (groups goipp.Groups, err error) {
	newest := h.node.Cluster().Seq
	seq := s.Seq + first
	if newest > eventLines {
		seq = max(seq, newest-eventLines+1)
	}
	for seq <= newest {
		lines, err := h.node.Lines(seq, eventStretch)
		if errors.Is(err, node.ErrTrimmed) || err == nil && len(lines) == 0 {
			return groups, nil
		}
		if err != nil {
			return nil, err
		}
		for _, raw := range lines {
			var l logLine
			if err := json.Unmarshal(raw.JSON, &l); err != nil {
				return nil, err
			}
			if event := l.of(s); event != "" {
				groups.Add(h.event(q, s, event, &l))
			}
		}
		seq = lines[len(lines)-1].Seq + 1
	}
	return groups, nil
}

var jobStates = map[string]queue.JobState{
	"pending": queue.Pending, "held": queue.Held, "processing": queue.Processing, "stopped": queue.Stopped, "canceled": queue.Canceled,
	"aborted": queue.Aborted, "completed": queue.Completed,
}

// event is the group of one notification.
func (h *Handler) event(q *request, s *queue.Subscription, event string, l *logLine) goipp.Group {
	g := goipp.Group{Tag: goipp.TagEventNotificationGroup, Attrs: goipp.Attributes{
		charsets("notify-charset", "utf-8"), languages("notify-natural-language", "en"),
		uris("notify-printer-uri", q.base.printer(l.Printer)), integers("notify-subscription-id", int(s.Id)),
		integers("notify-sequence-number", int(l.Seq-s.Seq)), keywords("notify-subscribed-event", event),
		texts("notify-text", l.sentence()), integers("printer-up-time", upTime(l.Time)), dateTime("printer-current-time", l.Time),
		names("printer-name", l.Printer),
	}}
	if len(s.UserData) > 0 {
		g.Add(goipp.MakeAttr("notify-user-data", goipp.TagString, goipp.Binary(s.UserData)))
	}
	if p, err := h.node.Printer(l.Printer); err == nil {
		state, reasons, _ := stateOf(p)
		g.Add(enums("printer-state", state))
		g.Add(keywords("printer-state-reasons", reasons...))
		g.Add(boolean("printer-is-accepting-jobs", !p.Rejecting))
	}
	if l.Job == 0 {
		return g
	}
	g.Add(integers("notify-job-id", int(l.Job)))
	g.Add(integers("job-id", int(l.Job)))
	state := jobStates[l.State]
	if l.Type == "start" {
		state = queue.Processing
	}
	if state != 0 {
		g.Add(enums("job-state", int(state)))
		g.Add(keywords("job-state-reasons", reasonsOf(&queue.Job{State: uint32(state), Reason: l.Reason})...))
	}
	return g
}

// sentence says what happened, to people.
func (l *logLine) sentence() string {
	what := l.Type
	if l.State != "" {
		what += ": " + l.State
	}
	if l.Reason != "" {
		what += " (" + l.Reason + ")"
	}
	if l.Job == 0 {
		return "Printer " + l.Printer + ": " + what
	}
	return "Job " + number(l.Job) + " at " + l.Printer + ": " + what
}
