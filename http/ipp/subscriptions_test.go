package ipp

import (
	"slices"
	"strings"
	"testing"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/queue"
)

func subscribing(op goipp.Op, printer string, attrs goipp.Attributes, groups ...goipp.Attributes) *goipp.Message {
	m := message(op, printer, attrs...)
	m.Groups = goipp.Groups{{Tag: goipp.TagOperationGroup, Attrs: m.Operation}}
	for _, g := range groups {
		m.Groups.Add(goipp.Group{Tag: goipp.TagSubscriptionGroup, Attrs: g})
	}
	return m
}

func TestSubscriptions(t *testing.T) {
	pull, lease := keywords("notify-pull-method", "ippget"), integers("notify-lease-duration", 3600)
	for _, c := range []struct {
		name   string
		groups []goipp.Attributes
		want   goipp.Status
		made   int
	}{
		{"one", []goipp.Attributes{{pull, lease, keywords("notify-events", "job-completed", "printer-state-changed")}}, goipp.StatusOk, 1},
		{"by default", []goipp.Attributes{{pull}}, goipp.StatusOk, 1},
		{"none", nil, goipp.StatusErrorBadRequest, 0},
		{"two, one of them pushed", []goipp.Attributes{{pull}, {uris("notify-recipient-uri", "mailto:a@b")}}, goipp.StatusOkIgnoredSubscriptions, 1},
		{"pushed", []goipp.Attributes{{uris("notify-recipient-uri", "http://10.0.0.1/")}}, goipp.StatusErrorIgnoredAllSubscriptions, 0},
		{"another method", []goipp.Attributes{{keywords("notify-pull-method", "carrier-pigeon")}}, goipp.StatusErrorIgnoredAllSubscriptions, 0},
		{"unknown events", []goipp.Attributes{{pull, keywords("notify-events", "full-moon")}}, goipp.StatusErrorIgnoredAllSubscriptions, 0},
		{"some unknown events", []goipp.Attributes{{pull, keywords("notify-events", "full-moon", "job-created")}}, goipp.StatusOk, 1},
		{"events of another syntax", []goipp.Attributes{{pull, integers("notify-events", 3)}}, goipp.StatusErrorIgnoredAllSubscriptions, 0},
		{"a lease below 0", []goipp.Attributes{{pull, integers("notify-lease-duration", -1)}}, goipp.StatusErrorIgnoredAllSubscriptions, 0},
		{"much data", []goipp.Attributes{{pull, octets("notify-user-data", strings.Repeat("x", 64))}}, goipp.StatusErrorIgnoredAllSubscriptions, 0},
		{"too many", slices.Repeat([]goipp.Attributes{{pull}}, maxSubscriptions+1), goipp.StatusOkIgnoredSubscriptions, maxSubscriptions},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("office")
			a, _ := post(t, handler(t, f), subscribing(goipp.OpCreatePrinterSubscriptions, "office", nil, c.groups...), "")
			wantStatus(t, a, c.want)
			if len(f.subscriptions) != c.made {
				t.Errorf("%d were made, want %d", len(f.subscriptions), c.made)
			}
			if groups := a.Groups[1:]; c.want != goipp.StatusErrorBadRequest && len(groups) != len(c.groups) {
				t.Errorf("%d groups answer %d", len(groups), len(c.groups))
			}
		})
	}
}

func TestSubscriptionOperations(t *testing.T) {
	f := newFake("office", "store").submitted("office", "ann", queue.Pending)
	h := handler(t, f)
	pull := goipp.Attributes{keywords("notify-pull-method", "ippget"), octets("notify-user-data", "mine")}
	id := func(n int) goipp.Attribute { return integers("notify-subscription-id", n) }
	made, _ := post(t, h, subscribing(goipp.OpCreatePrinterSubscriptions, "office", nil, pull), "")
	wantStatus(t, made, goipp.StatusOk)
	made, _ = post(t, h, subscribing(goipp.OpCreateJobSubscriptions, "office", goipp.Attributes{integers("notify-job-id", 1)}, pull), "")
	wantStatus(t, made, goipp.StatusOk)
	made, _ = post(t, h, subscribing(goipp.OpCreateJob, "store", nil, pull), "")
	wantStatus(t, made, goipp.StatusOk)
	if len(f.subscriptions) != 3 || f.subscriptions[1].Job != 1 || f.subscriptions[2].Job != 2 || f.subscriptions[0].User != "ann" {
		t.Fatalf("made %v", f.subscriptions)
	}
	a := ask(t, h, goipp.OpGetSubscriptionAttributes, "office", id(1))
	wantStatus(t, a, goipp.StatusOk)
	if got := find(a.Subscription, "notify-events"); got == nil || got.Values.String() != defaultEvent {
		t.Errorf("it is %v", a.Subscription)
	}
	wantStatus(t, ask(t, h, goipp.OpGetSubscriptionAttributes, "office", id(9)), goipp.StatusErrorNotFound)
	wantStatus(t, ask(t, h, goipp.OpGetSubscriptionAttributes, "office"), goipp.StatusErrorBadRequest)
	for printer, want := range map[string]int{"office": 1, "store": 0} {
		a := ask(t, h, goipp.OpGetSubscriptions, printer)
		wantStatus(t, a, goipp.StatusOk)
		if n := len(a.Groups) - 1; n != want {
			t.Errorf("%s has %d subscriptions, want %d", printer, n, want)
		}
	}
	if a := ask(t, h, goipp.OpGetSubscriptions, "office", integers("notify-job-id", 1)); len(a.Groups) != 2 {
		t.Errorf("of the job: %v", a.Groups)
	}
	renew := func(lease int) *goipp.Message {
		a, _ := post(t, h, subscribing(goipp.OpRenewSubscription, "office", goipp.Attributes{id(1)}, goipp.Attributes{integers("notify-lease-duration", lease)}), "")
		return a
	}
	wantStatus(t, renew(60), goipp.StatusOk)
	wantStatus(t, renew(-1), goipp.StatusErrorBadRequest)
	wantStatus(t, ask(t, h, goipp.OpCancelSubscription, "office", id(1)), goipp.StatusOk)
	wantStatus(t, ask(t, h, goipp.OpCancelSubscription, "office", id(1)), goipp.StatusErrorNotFound)
}

func TestNotifications(t *testing.T) {
	f := newFake("office", "store")
	h := handler(t, f)
	f.logged(`"type":"submit","printer":"office","job":1,"state":"pending"`)
	events := func(list ...string) {
		a, _ := post(t, h, subscribing(goipp.OpCreatePrinterSubscriptions, "office", nil, goipp.Attributes{keywords("notify-events", list...)}), "")
		wantStatus(t, a, goipp.StatusOk)
	}
	events("job-completed", "printer-state-changed")
	events("job-state-changed", "job-progress")
	f.logged(
		`"type":"start","printer":"office","job":1`,
		`"type":"printed","printer":"office","job":1,"printed":1`,
		`"type":"submit","printer":"store","job":2,"state":"pending"`,
		`"type":"done","printer":"office","job":1,"state":"completed"`,
		`"type":"seen","jobs":[1]`,
		`"type":"checkpoint"`,
	)
	get := func(attrs ...goipp.Attribute) []string {
		t.Helper()
		a := ask(t, h, goipp.OpGetNotifications, "office", attrs...)
		wantStatus(t, a, goipp.StatusOk)
		if find(a.Operation, "notify-get-interval") == nil || find(a.Operation, "printer-up-time") == nil {
			t.Errorf("it answers %v", a.Operation)
		}
		var got []string
		for _, g := range a.Groups[1:] {
			if g.Tag != goipp.TagEventNotificationGroup {
				t.Errorf("group %v", g.Tag)
			}
			text := ""
			for _, name := range []string{"notify-subscription-id", "notify-sequence-number", "notify-subscribed-event", "job-state"} {
				if a := find(g.Attrs, name); a != nil {
					text += a.Values[0].V.String() + " "
				}
			}
			got = append(got, strings.TrimSpace(text))
		}
		return got
	}
	one := []string{"1 1 printer-state-changed 5", "1 4 job-completed 9"}
	two := []string{"2 1 job-state-changed 5", "2 2 job-progress", "2 4 job-state-changed 9"}
	if got := get(integers("notify-subscription-ids", 1)); !slices.Equal(got, one) {
		t.Errorf("got %q", got)
	}
	if got := get(integers("notify-subscription-ids", 1, 2, 99)); !slices.Equal(got, append(slices.Clone(one), two...)) {
		t.Errorf("got %q", got)
	}
	if got := get(integers("notify-subscription-ids", 2), integers("notify-sequence-numbers", 3)); !slices.Equal(got, two[2:]) {
		t.Errorf("got %q", got)
	}
	if got := get(integers("notify-subscription-ids", 2), integers("notify-sequence-numbers", 100)); got != nil {
		t.Errorf("got %q", got)
	}
	for name, attrs := range map[string]goipp.Attributes{
		"none":            nil,
		"of a bad syntax": {keywords("notify-subscription-ids", "1")},
		"too many":        {integers("notify-subscription-ids", make([]int, maxSubscriptions+1)...)},
		"more numbers":    {integers("notify-subscription-ids", 1), integers("notify-sequence-numbers", 1, 1)},
	} {
		t.Run(name, func(t *testing.T) {
			wantStatus(t, ask(t, h, goipp.OpGetNotifications, "office", attrs...), goipp.StatusErrorBadRequest)
		})
	}
	wantStatus(t, ask(t, h, goipp.OpGetNotifications, "office", integers("notify-subscription-ids", 99)), goipp.StatusErrorNotFound)
	f.failing("Lines", node.ErrTrimmed)
	if got := get(integers("notify-subscription-ids", 1)); got != nil {
		t.Errorf("lines that are gone: %q", got)
	}
}
