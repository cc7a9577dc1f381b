package queue

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"printq/queue/queuepb"
)

var write = flag.Bool("write", false, "write the golden file of a cluster version that was never released")

// The lines of cluster version 1, byte for byte. A difference is a difference between members during an upgrade, and to
// everyone who kept a tail of the log: what is to change belongs to the next version.
func TestGoldenV1(t *testing.T) {
	w := newWorld(t)
	saga(w)
	golden(t, w, "testdata/golden-v1.ndjson", []string{
		"submit", "reprint", "cancel", "hold", "release", "move", "resolve", "printer-set", "printer-removed", "printer-paused",
		"printer-resumed", "printer-adopted", "member-set", "term", "claim", "resume", "stopped", "start", "printed", "done", "closed",
		"report", "expire", "checkpoint", "void",
	})
}

// What version 1 has for clients that send a document after their job, that change jobs, and that subscribe.
func TestGoldenV1Clerical(t *testing.T) {
	w := newWorld(t)
	clericalSaga(w)
	golden(t, w, "testdata/golden-v1-clerical.ndjson", []string{
		"create", "attach", "part", "close", "new-jobs-held", "new-jobs-released", "job-reordered", "seen", "job-set", "printer-accepting", "printer-rejecting", "default-set", "printer-described",
		"subscribed", "subscription-renewed", "unsubscribed", "expire",
	})
}

func golden(t *testing.T, w *world, name string, kinds []string) {
	t.Helper()
	verify(t, w.lines)
	got := strings.Join(w.lines, "\n") + "\n"
	if *write {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		for i, l := range strings.Split(string(want), "\n") {
			if i >= len(w.lines) || w.lines[i] != l {
				t.Fatalf("line %d is\n%s\nwant\n%s", i+1, strings.Join(w.lines[min(i, len(w.lines)):min(i+1, len(w.lines))], ""), l)
			}
		}
	}
	for _, kind := range kinds {
		if !strings.Contains(got, `"type":"`+kind+`"`) {
			t.Errorf("no line of type %s", kind)
		}
	}
}

// saga goes through everything that writes a line.
func saga(w *world) {
	by := &queuepb.Cause{By: "ann", Why: "for a test"}
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/a"}, InDoubt: "hold", Ttl: int64(time.Hour), Keep: 1, Retention: 2}))
	w.must(setPrinter("q", &queuepb.PrinterSettings{}))
	w.must(&queuepb.Command{Body: &queuepb.Command_SetMember{SetMember: &queuepb.SetMember{Id: 1, Http: "a:1", Peer: "a:2"}}})
	w.takeOver(1, &queuepb.Mark{Closed: true}, "e1")
	c := submit("p", 2, 2)
	c.GetSubmit().Key, c.GetSubmit().Priority = "key", 7
	a := w.send(c)
	w.printed(1, 1)
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Report{Report: &queuepb.Report{}}})) // void: no device 0
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Report{Report: &queuepb.Report{Device: 1, Token: w.Drive(1).Token.message(), Reason: "media-empty", Detail: "no paper"}}}))
	w.epoch++
	w.entry()
	w.takeOver(1, &queuepb.Mark{Attempt: w.Drive(1).Work.Attempt, Copy: 2, Page: 1}, "e1")
	w.done(1, 4, false, "")
	b, held := w.submit("p", 2, 1), w.submit("p", 1, 1)
	for _, c := range []*queuepb.Command{holdJob(held), releaseJob(held), moveJob(held, "q", false)} {
		w.must(c)
	}
	attempt := w.Drive(1).Work.Attempt
	w.takeOver(1, &queuepb.Mark{Attempt: attempt, Copy: 1, Page: 1}, "e2") // in doubt, and to be closed
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Closed{Closed: &queuepb.Closed{Device: 1, Token: w.Drive(1).Token.message(), Attempt: attempt}}}))
	w.must(&queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: b, Answer: &queuepb.Resolve_Printed{Printed: 1}, Cause: by}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_Move{Move: &queuepb.Move{Job: b, Printer: "q", Force: true, Cause: by}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_Cancel{Cancel: &queuepb.Cancel{Job: b, Cause: by}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p", Cause: by}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: "p"}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_Reprint{Reprint: &queuepb.Reprint{Job: a, From: 2, Printer: "q", Cause: by}}})
	w.entry(w.tag(claim(1)))
	stranger := resume(1, w.Drive(1).Token, nil, "e3")
	stranger.GetResume().Identity = "another"
	w.entry(w.tag(stranger))
	w.must(&queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: "p", Cause: by}}})
	stale := claim(1)
	stale.Term = 1
	w.entry(stale)
	w.now = w.now.Add(24 * time.Hour)
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: w.Due(w.now, 100)}}))
	w.must(cancelJob(held + 1)) // the reprint, which has no time to live
	w.must(&queuepb.Command{Body: &queuepb.Command_RemovePrinter{RemovePrinter: &queuepb.RemovePrinter{Name: "q", Cause: by}}})
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Checkpoint{Checkpoint: &queuepb.Checkpoint{}}}))
}

// clericalSaga goes through everything that writes a line for such clients.
func clericalSaga(w *world) {
	by := &queuepb.Cause{By: "ann", Why: "for a test"}
	w.must(setPrinter("p", &queuepb.PrinterSettings{Devices: []string{"tray:/a"}}))
	w.takeOver(1, &queuepb.Mark{Closed: true}, "e1")
	w.must(&queuepb.Command{Body: &queuepb.Command_SetDefault{SetDefault: &queuepb.SetDefault{Printer: "p", Cause: by}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_DescribePrinter{DescribePrinter: &queuepb.DescribePrinter{
		Printer: "p", Info: new("labels"), Location: new("hall 3"), GeoLocation: new("geo:1,2"), Organization: new("o"),
		OrganizationalUnit: new(""), Media: new("iso_a6_105x148mm"), Cause: by,
	}}})
	c := createJob("p")
	c.GetCreateJob().Hold, c.GetCreateJob().Ttl, c.GetCreateJob().Key = true, int64(time.Hour), "key"
	a := w.must(c)
	w.must(releaseJob(a))
	unseen := func(id uint64) {
		c := attachTo(id, "x")
		c.GetAttachDocument().UnseenFor = int64(time.Minute)
		w.attachCommand(c, "x")
	}
	unseen(a)
	b := w.must(createJob("p"))
	unseen(b)
	w.must(seen(a, b))
	w.must(setJob(b, func(m *queuepb.SetJob) {
		m.Name, m.Copies, m.Priority, m.Hold, m.Cause = new("m"), new(uint32(2)), new(uint32(9)), new(false), by
	}))
	w.must(closeJob(w.must(createJob("p"))))
	w.must(subscribeTo("p", 0, "job-completed"))
	w.must(subscribeTo("", b, "job-completed"))
	w.must(&queuepb.Command{Body: &queuepb.Command_Renew{Renew: &queuepb.Renew{Subscription: 1, Lease: int64(time.Hour)}}})
	w.must(&queuepb.Command{Body: &queuepb.Command_Unsubscribe{Unsubscribe: &queuepb.Unsubscribe{Subscription: 2}}})
	w.must(createJob("p"))
	w.must(&queuepb.Command{Body: &queuepb.Command_SetAccepting{SetAccepting: &queuepb.SetAccepting{Printer: "p", Cause: by}}})
	w.must(accepting("p", true))
	w.must(holdNew("p", true))
	c = createJob("p")
	c.GetCreateJob().PageRanges = "1-2"
	d := w.must(c)
	w.attachCommand(more(attachTo(d, "first"), 0, false), "first")
	w.attachCommand(more(attachTo(d, "second"), 0, false), "second")
	w.must(closeJob(d))
	w.must(&queuepb.Command{Body: &queuepb.Command_HoldNew{HoldNew: &queuepb.HoldNew{Printer: "p", Cause: by}}})
	w.must(reorder(d, 0))
	w.must(&queuepb.Command{Body: &queuepb.Command_Reorder{Reorder: &queuepb.Reorder{Job: b, After: d, Cause: by}}})
	w.now = w.now.Add(time.Hour)
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: w.Due(w.now, 100)}}))
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Checkpoint{Checkpoint: &queuepb.Checkpoint{}}}))
}
