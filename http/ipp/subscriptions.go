package ipp

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/queue"
	"printq/queue/queuepb"
)

// events are those that can be subscribed to (RFC 3995 §5.3.3), each from the lines of the log that say so.
var events = []string{
	"job-completed", "job-config-changed", "job-created", "job-progress", "job-state-changed", "job-stopped",
	"printer-config-changed", "printer-queue-order-changed", "printer-state-changed", "printer-stopped",
}

const (
	defaultEvent = "job-completed"
	// maxSubscriptions is how many one request may ask for.
	maxSubscriptions = 16
)

// A wish is one subscription that a request asks for: the command, or why there is none.
type wish struct {
	command     *queuepb.Subscribe
	status      goipp.Status
	unsupported goipp.Attributes
}

// wishOf reads a group of subscription attributes. Notifications are fetched, never sent: RFC 3996's ippget is the only way.
func (q *request) wishOf(group goipp.Attributes) *wish {
	w := &wish{command: &queuepb.Subscribe{Language: "en"}}
	refuse := func(status goipp.Status, attrs ...goipp.Attribute) *wish {
		w.status, w.unsupported = status, attrs
		return w
	}
	if a := find(group, "notify-recipient-uri"); a != nil {
		return refuse(goipp.StatusErrorURIScheme, *a)
	}
	if method, given, err := one[goipp.String](group, "notify-pull-method", goipp.TagKeyword); err != nil || given && method != "ippget" {
		return refuse(goipp.StatusErrorAttributesOrValues, *find(group, "notify-pull-method"))
	}
	asked, err := many[goipp.String](group, "notify-events", goipp.TagKeyword)
	if err != nil {
		return refuse(goipp.StatusErrorBadRequest)
	}
	other := goipp.Attribute{Name: "notify-events"}
	for _, e := range asked {
		if slices.Contains(events, string(e)) {
			w.command.Events = append(w.command.Events, string(e))
		} else if e != "none" {
			other.Values.Add(goipp.TagKeyword, e)
		}
	}
	if len(other.Values) > 0 {
		w.unsupported.Add(other)
	}
	if asked == nil {
		w.command.Events = []string{defaultEvent}
	}
	return w.terms(group)
}

// terms reads what a subscription may say beside its events.
func (w *wish) terms(group goipp.Attributes) *wish {
	lease, _, errLease := one[goipp.Integer](group, "notify-lease-duration", goipp.TagInteger)
	interval, _, errInterval := one[goipp.Integer](group, "notify-time-interval", goipp.TagInteger)
	data, _, errData := one[goipp.Binary](group, "notify-user-data", goipp.TagString)
	switch {
	case errLease != nil || errInterval != nil || errData != nil || lease < 0 || interval < 0 || len(data) > queue.MaxEvent:
		w.status = goipp.StatusErrorBadRequest
	case len(w.command.Events) == 0:
		w.status = goipp.StatusErrorAttributesOrValues
	}
	w.command.Lease = int64(lease) * int64(time.Second)
	if lease == 0 { // for ever: as long as may be
		w.command.Lease = int64(queue.MaxLease)
	}
	if find(group, "notify-lease-duration") == nil {
		w.command.Lease = 0
	}
	w.command.Interval, w.command.UserData = uint32(interval), data
	return w
}

func (h *Handler) createPrinterSubscriptions(ctx context.Context, q *request, t target) (*answer, error) {
	p, err := h.printer(ctx, target{printer: t.printer})
	if err != nil {
		return nil, err
	}
	return h.subscribe(ctx, q, func(m *queuepb.Subscribe) { m.Printer = p.Name })
}

func (h *Handler) createJobSubscriptions(ctx context.Context, q *request, t target) (*answer, error) {
	if t.job == 0 {
		if id, _, err := one[goipp.Integer](q.operation, "notify-job-id", goipp.TagInteger); err == nil {
			t.job = uint64(max(id, 0))
		}
	}
	j, err := h.jobOf(ctx, t)
	if err != nil {
		return nil, err
	}
	return h.subscribe(ctx, q, func(m *queuepb.Subscribe) { m.Job = j.Id })
}

// subscribe makes what can be made of the subscriptions of a request, and says of each what came of it (RFC 3995 §11.1).
func (h *Handler) subscribe(ctx context.Context, q *request, about func(*queuepb.Subscribe)) (*answer, error) {
	if len(q.subscriptions) == 0 {
		return nil, badRequest("there is no group of subscription attributes")
	}
	groups, made, err := h.subscriptionsOf(ctx, q, about)
	if err != nil {
		return nil, err
	}
	a := okay(nil, groups...)
	switch {
	case made == 0:
		a.status = goipp.StatusErrorIgnoredAllSubscriptions
	case made < len(groups):
		a.status = goipp.StatusOkIgnoredSubscriptions
	}
	return a, nil
}

func (h *Handler) subscriptionsOf(ctx context.Context, q *request, about func(*queuepb.Subscribe)) (groups goipp.Groups, made int, err error) {
	user, err := q.user()
	if err != nil {
		return nil, 0, err
	}
	for i, group := range q.subscriptions {
		w := q.wishOf(group)
		if i >= maxSubscriptions {
			w.status = goipp.StatusErrorTooManySubscriptions
		}
		answer := goipp.Group{Tag: goipp.TagSubscriptionGroup}
		if w.status == 0 {
			w.command.User = user
			about(w.command)
			a, err := h.propose(ctx, &queuepb.Command{Body: &queuepb.Command_Subscribe{Subscribe: w.command}}, nil)
			switch {
			case errors.Is(err, queue.ErrLimit):
				w.status = goipp.StatusErrorTooManySubscriptions
			case err != nil:
				return nil, 0, err
			default:
				made++
				answer.Add(integers("notify-subscription-id", int(a.Subscription)))
			}
		}
		for _, u := range w.unsupported {
			answer.Add(u)
		}
		if w.status != 0 {
			answer.Add(enums("notify-status-code", int(w.status)))
		}
		if w.status == 0 && w.command.Job == 0 {
			lease := time.Duration(w.command.Lease)
			if lease == 0 {
				lease = queue.DefaultLease
			}
			answer.Add(integers("notify-lease-duration", int(min(lease, queue.MaxLease).Seconds())))
		}
		groups.Add(answer)
	}
	return groups, made, nil
}

// subscribeJob makes the subscriptions that came with a job. The job is made, whatever comes of them.
func (h *Handler) subscribeJob(ctx context.Context, q *request, a *answer, job uint64) {
	if len(q.subscriptions) == 0 {
		return
	}
	groups, made, err := h.subscriptionsOf(ctx, q, func(m *queuepb.Subscribe) { m.Job = job })
	if err != nil {
		h.options.Logger.Warn("the subscriptions that came with a job could not be made", "job", job, "error", err)
	}
	a.groups = append(a.groups, groups...)
	if made < len(q.subscriptions) && a.status == goipp.StatusOk {
		a.status = goipp.StatusOkIgnoredSubscriptions
	}
}

// subscriptionOf is the one that a request is about.
func (h *Handler) subscriptionOf(ctx context.Context, q *request) (*queue.Subscription, error) {
	id, given, err := one[goipp.Integer](q.operation, "notify-subscription-id", goipp.TagInteger)
	switch {
	case err != nil:
		return nil, err
	case !given || id < 1:
		return nil, badRequest("notify-subscription-id is missing: say which subscription")
	}
	if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	return h.node.Subscription(uint64(id))
}

func (h *Handler) getSubscriptionAttributes(ctx context.Context, q *request, _ target) (*answer, error) {
	w, err := wantedBy(q, "all")
	if err != nil {
		return nil, err
	}
	s, err := h.subscriptionOf(ctx, q)
	if err != nil {
		return nil, err
	}
	return okay(nil, h.describeSubscription(q, w, s)), nil
}

// getSubscriptions lists those of a printer, or with notify-job-id those of a job.
func (h *Handler) getSubscriptions(ctx context.Context, q *request, t target) (*answer, error) {
	w, err := wantedBy(q, "notify-subscription-id")
	if err != nil {
		return nil, err
	}
	job, _, err := one[goipp.Integer](q.operation, "notify-job-id", goipp.TagInteger)
	if err != nil {
		return nil, err
	}
	mine, _, err := one[goipp.Boolean](q.operation, "my-subscriptions", goipp.TagBoolean)
	if err != nil {
		return nil, err
	}
	limit, err := q.limit()
	if err != nil {
		return nil, err
	}
	user, err := q.user()
	if err != nil {
		return nil, err
	}
	p := ""
	if t.printer != "" {
		found, err := h.printer(ctx, t)
		if err != nil {
			return nil, err
		}
		p = found.Name
	} else if err := h.fresh(ctx); err != nil {
		return nil, err
	}
	all, err := h.node.Subscriptions()
	if err != nil {
		return nil, err
	}
	a := okay(nil)
	for _, s := range all {
		if s.Job == uint64(max(job, 0)) && (s.Job != 0 || p == "" || s.Printer == p) && (!bool(mine) || s.User == user) && len(a.groups) < limit {
			a.groups.Add(h.describeSubscription(q, w, s))
		}
	}
	return a, nil
}

func (h *Handler) describeSubscription(q *request, w wanted, s *queue.Subscription) goipp.Group {
	l := &list{
		template: []goipp.Attribute{
			keywords("notify-events", s.Events...), keywords("notify-pull-method", "ippget"), charsets("notify-charset", "utf-8"),
			languages("notify-natural-language", "en"), integers("notify-time-interval", int(s.Interval)),
			goipp.MakeAttr("notify-user-data", goipp.TagString, goipp.Binary(s.UserData)),
		},
		description: []goipp.Attribute{
			integers("notify-subscription-id", int(s.Id)), names("notify-subscriber-user-name", s.User),
			integers("notify-printer-up-time", upTime(time.Now())), uris("notify-printer-uri", q.base.printer(s.Printer)),
		},
	}
	if s.Job != 0 {
		l.description = append(l.description, integers("notify-job-id", int(s.Job)))
	} else {
		l.description = append(l.description, integers("notify-lease-expiration-time", upTime(time.Unix(0, s.Until))))
		l.template = append(l.template, integers("notify-lease-duration", int(time.Duration(s.Lease).Seconds())))
	}
	picked := goipp.Attributes{}
	for _, a := range append(l.description, l.template...) {
		template := slices.ContainsFunc(l.template, func(x goipp.Attribute) bool { return x.Name == a.Name })
		if w["all"] || w[a.Name] || template && w["subscription-template"] || !template && w["subscription-description"] {
			picked.Add(a)
		}
	}
	return goipp.Group{Tag: goipp.TagSubscriptionGroup, Attrs: picked}
}

func (h *Handler) renewSubscription(ctx context.Context, q *request, _ target) (*answer, error) {
	s, err := h.subscriptionOf(ctx, q)
	if err != nil {
		return nil, err
	}
	group := goipp.Attributes{}
	if len(q.subscriptions) > 0 {
		group = q.subscriptions[0]
	}
	lease, given, err := one[goipp.Integer](group, "notify-lease-duration", goipp.TagInteger)
	if err != nil {
		return nil, err
	}
	if lease < 0 {
		return nil, badRequest("notify-lease-duration is %d: it must be at least 0", lease)
	}
	length := time.Duration(lease) * time.Second
	if given && lease == 0 {
		length = queue.MaxLease
	}
	if _, err := h.propose(ctx, &queuepb.Command{Body: &queuepb.Command_Renew{Renew: &queuepb.Renew{Subscription: s.Id, Lease: int64(length)}}}, nil); err != nil {
		return nil, err
	}
	if s, err = h.node.Subscription(s.Id); err != nil {
		return nil, err
	}
	return okay(nil, goipp.Group{Tag: goipp.TagSubscriptionGroup, Attrs: goipp.Attributes{
		integers("notify-lease-duration", int(time.Duration(s.Lease).Seconds())),
	}}), nil
}

func (h *Handler) cancelSubscription(ctx context.Context, q *request, _ target) (*answer, error) {
	s, err := h.subscriptionOf(ctx, q)
	if err != nil {
		return nil, err
	}
	_, err = h.propose(ctx, &queuepb.Command{Body: &queuepb.Command_Unsubscribe{Unsubscribe: &queuepb.Unsubscribe{Subscription: s.Id}}}, nil)
	return okay(nil), err
}

// subscriptionAbilities are what a client may ask for.
func subscriptionAbilities() []goipp.Attribute {
	return []goipp.Attribute{
		keywords("notify-events-default", defaultEvent), keywords("notify-events-supported", append([]string{"none"}, events...)...),
		integers("notify-lease-duration-default", int(queue.DefaultLease.Seconds())),
		between("notify-lease-duration-supported", 0, int(queue.MaxLease.Seconds())),
		integers("notify-max-events-supported", len(events)), keywords("notify-pull-method-supported", "ippget"),
		keywords("notify-attributes-supported", "notify-subscription-id"), integers("ippget-event-life", int(queue.EventLife.Seconds())),
	}
}
