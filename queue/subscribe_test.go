package queue

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"printq/queue/queuepb"
)

func subscribeTo(printer string, job uint64, events ...string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Subscribe{Subscribe: &queuepb.Subscribe{Printer: printer, Job: job, User: "u", Events: events}}}
}

func (w *world) subscribe(c *queuepb.Command) (Outcome, *Subscription) {
	w.Helper()
	c.Session, c.Seq = 77, w.at
	out := w.entry(c).Outcomes[0]
	return out, w.Subscription(out.Subscription)
}

func TestSubscribe(t *testing.T) {
	w := setUp(t, nil)
	ended := w.submit("p", 1, 1)
	w.done(1, 1, false, "")
	job := w.submit("p", 1, 1)
	first := subscribeTo("p", 0, "job-completed")
	first.GetSubscribe().Lease, first.GetSubscribe().UserData = int64(time.Hour), []byte("mine")
	out, s := w.subscribe(first)
	if out.Err != nil || s == nil || s.Id != 1 || s.Until != w.now.Add(time.Hour).UnixNano() || s.Seq != w.Seq() || string(s.UserData) != "mine" {
		t.Fatalf("%+v, %v", out, s)
	}
	w.drain()
	if again := w.entry(first).Outcomes[0]; !again.Repeated || again.Subscription != 1 {
		t.Errorf("the same request: %+v", again)
	}
	if out, s := w.subscribe(subscribeTo("", job, "job-completed")); out.Subscription != 2 || s.Until != 0 || s.Job != job {
		t.Errorf("a job's: %+v, %v", out, s)
	}
	if out, s := w.subscribe(subscribeTo("", 0, "all")); out.Subscription != 3 || s.Lease != int64(DefaultLease) {
		t.Errorf("everything: %+v, %v", out, s)
	}
	many := make([]string, MaxEvents+1)
	for name, c := range map[string]struct {
		cmd  *queuepb.Command
		want error
	}{
		"no events":       {subscribeTo("p", 0), ErrInvalid},
		"too many":        {subscribeTo("p", 0, many...), ErrInvalid},
		"a long one":      {subscribeTo("p", 0, strings.Repeat("x", MaxEvent+1)), ErrInvalid},
		"job and printer": {subscribeTo("p", job, "all"), ErrInvalid},
		"no printer":      {subscribeTo("none", 0, "all"), ErrNoPrinter},
		"no job":          {subscribeTo("", 99, "all"), ErrNoJob},
		"an ended job":    {subscribeTo("", ended, "all"), ErrState},
	} {
		if out, _ := w.subscribe(c.cmd); !errors.Is(out.Err, c.want) || out.Subscription != 0 {
			t.Errorf("%s: %+v, want %v", name, out, c.want)
		}
	}
	renew := func(id uint64, lease time.Duration) error {
		_, err := w.ask(&queuepb.Command{Body: &queuepb.Command_Renew{Renew: &queuepb.Renew{Subscription: id, Lease: int64(lease)}}})
		return err
	}
	w.now = w.now.Add(30 * time.Minute)
	must(t, renew(1, 365*24*time.Hour))
	if s := w.Subscription(1); s.Until != w.now.Add(MaxLease).UnixNano() {
		t.Errorf("renewed until %d", s.Until)
	}
	must(t, renew(1, time.Hour))
	for id, want := range map[uint64]error{2: ErrState, 9: ErrNoSubscription} {
		if err := renew(id, time.Hour); !errors.Is(err, want) {
			t.Errorf("renew %d: %v", id, err)
		}
	}
	end := func(id uint64) error {
		_, err := w.ask(&queuepb.Command{Body: &queuepb.Command_Unsubscribe{Unsubscribe: &queuepb.Unsubscribe{Subscription: id}}})
		return err
	}
	must(t, end(3))
	if err := end(3); !errors.Is(err, ErrNoSubscription) {
		t.Errorf("ended twice: %v", err)
	}
	w.drain()
	left := func() (ids []uint64) {
		for _, s := range w.Subscriptions() {
			ids = append(ids, s.Id)
		}
		return ids
	}
	if !slices.Equal(left(), []uint64{1, 2}) {
		t.Fatalf("there are %v", left())
	}

	// Leases end; a job's subscription outlives the job by a little.
	w.done(1, 1, false, "")
	w.drain()
	w.now = w.now.Add(EventLife - 1)
	if due := w.Due(w.now, 10); due != nil {
		t.Fatalf("due too early: %v", due)
	}
	w.now = w.now.Add(1)
	w.expire(t)
	if !slices.Equal(left(), []uint64{1}) {
		t.Fatalf("there are %v", left())
	}
	w.now = w.now.Add(time.Hour)
	w.expire(t)
	w.drain()
	if left() != nil {
		t.Errorf("there are %v", left())
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	w := setUp(t, nil)
	for range MaxSubscriptions {
		w.subscribe(subscribeTo("p", 0, "all"))
	}
	if out, _ := w.subscribe(subscribeTo("p", 0, "all")); !errors.Is(out.Err, ErrLimit) {
		t.Errorf("one more: %+v", out)
	}
	w.drain()
}
