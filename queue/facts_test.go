package queue

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"printq/queue/queuepb"
)

func TestIdempotencyKey(t *testing.T) {
	w := setUp(t, nil)
	keyed := func(name string) *queuepb.Command {
		c := submit("p", 1, 1)
		c.GetSubmit().Key, c.GetSubmit().Name = "k", name
		c.Session, c.Seq = 5, w.at
		return c
	}
	first := w.packed([]byte("x"), keyed("a")).Outcomes[0]
	for _, ended := range []string{"live", "ended", "drained"} {
		switch ended {
		case "ended":
			w.done(1, 1, false, "")
		case "drained":
			w.drain()
		}
		r := w.packed([]byte("x"), keyed("a"))
		if o := r.Outcomes[0]; o.Job != first.Job || !o.Repeated || o.Err != nil || len(r.Lines)+len(r.Retain) != 0 {
			t.Errorf("%s: repeat: %+v, %d lines", ended, o, len(r.Lines))
		}
		if o := w.packed([]byte("x"), keyed("b")).Outcomes[0]; !errors.Is(o.Err, ErrKeyReused) {
			t.Errorf("%s: another request: %+v", ended, o)
		}
	}
	w.now = w.now.Add(KeyRetain)
	w.expire(t)
	if n := w.Stats().Keys; n != 0 {
		t.Errorf("%d keys are left", n)
	}
	if o := w.packed([]byte("x"), keyed("b")).Outcomes[0]; o.Err != nil || o.Job == first.Job {
		t.Errorf("after its time: %+v", o)
	}
	w.drain()
}

// expire commits what is due.
func (w *world) expire(t *testing.T) Result {
	t.Helper()
	due := w.Due(w.now, 1000)
	if due == nil {
		t.Fatal("nothing is due")
	}
	return w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: due}}))
}

func TestSessions(t *testing.T) {
	w := setUp(t, nil)
	request := func(session, seq, floor uint64) Outcome {
		c := submit("p", 1, 1)
		c.Session, c.Seq, c.Floor, c.Member = session, seq, floor, 2
		return w.packed([]byte("x"), c).Outcomes[0]
	}
	first := request(9, 1, 0)
	lines := len(w.lines)
	if o := request(9, 1, 0); o.Job != first.Job || !o.Repeated || len(w.lines) != lines {
		t.Errorf("repeat: %+v", o)
	}
	w.drain()
	if o := request(9, 1, 0); o.Job != first.Job || !o.Repeated {
		t.Errorf("repeat after a reload: %+v", o)
	}
	if o := request(9, 5, 4); o.Repeated || o.Err != nil {
		t.Errorf("next: %+v", o)
	}
	if o := request(9, 1, 0); !errors.Is(o.Err, ErrVoid) || len(w.lines) != lines+1 {
		t.Errorf("below the floor: %+v", o)
	}

	c := cancelJob(999)
	c.Session, c.Seq = 9, 6
	a, b := w.entry(c).Outcomes[0], w.entry(c).Outcomes[0]
	if !errors.Is(a.Err, ErrNoJob) || !errors.Is(b.Err, ErrNoJob) || a.Err.Error() != b.Err.Error() || !b.Repeated {
		t.Errorf("a refusal, and its repeat: %+v, %+v", a, b)
	}

	for s := uint64(10); s < 10+MaxSessions; s++ {
		request(s, 1, 0)
	}
	if w.sessions[9] != nil || w.sessions[10] == nil {
		t.Error("the oldest session of a member must go, and no other")
	}
	w.now = w.now.Add(SessionIdle)
	w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Checkpoint{Checkpoint: &queuepb.Checkpoint{}}}))
	w.expire(t)
	if len(w.sessions) != 0 {
		t.Errorf("%d sessions are left", len(w.sessions))
	}
	w.drain()
}

func TestUpload(t *testing.T) {
	w := setUp(t, nil)
	chunk := func(n uint32, size int) (Result, error) {
		c := &queuepb.Command{Session: 1, Seq: w.at, Payload: uint32(size), Body: &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: []byte("up"), N: n}}}
		r := w.packed(make([]byte, size), c)
		return r, r.Outcomes[0].Err
	}
	whole := func(chunks uint32, size uint64) (uint64, error) {
		return w.ask(&queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
			Printer: "p", Upload: []byte("up"), Chunks: chunks, Bytes: size, Sha256: make([]byte, 32),
		}}})
	}
	late, err := chunk(1, 5)
	if err != nil || len(late.Retain) != 1 || late.Retain[0].Length != 5 || len(late.Lines) != 0 {
		t.Fatalf("%+v, %v", late, err)
	}
	if r, err := chunk(1, 5); err != nil || !r.Outcomes[0].Repeated || len(r.Retain)+len(r.Lines) != 0 {
		t.Errorf("repeat: %+v, %v", r, err)
	}
	for _, size := range []uint64{5, 15} {
		if _, err := whole(2, size); !errors.Is(err, ErrNoUpload) {
			t.Errorf("a chunk is missing: %v", err)
		}
	}
	w.epoch++
	w.drain()
	early, _ := chunk(0, 10)
	if _, err := whole(2, 16); !errors.Is(err, ErrNoUpload) {
		t.Errorf("another size: %v", err)
	}
	id, err := whole(2, 15)
	if err != nil {
		t.Fatal(err)
	}
	if d := extentsOf(w.job(id).Document); d[0] != early.Retain[0] || d[1] != late.Retain[0] {
		t.Errorf("document %v", d)
	}
	if _, err := whole(2, 15); !errors.Is(err, ErrNoUpload) {
		t.Errorf("an upload makes one job: %v", err)
	}
	for _, c := range []struct {
		n    uint32
		size int
	}{{MaxChunks, 1}, {0, 0}, {0, MaxInline + 1}} {
		if _, err := chunk(c.n, c.size); !errors.Is(err, ErrInvalid) {
			t.Errorf("chunk %d of %d bytes: %v", c.n, c.size, err)
		}
	}
	r, _ := chunk(3, 7)
	w.now = w.now.Add(UploadIdle)
	if e := w.expire(t); len(e.Release) != 1 || e.Release[0] != r.Retain[0] || w.Stats().Uploads != 0 {
		t.Errorf("expiry released %v", e.Release)
	}
	w.drain()
}

func TestExpire(t *testing.T) {
	w := setUp(t, &queuepb.PrinterSettings{Ttl: int64(time.Hour), Keep: int64(2 * time.Hour), Retention: int64(3 * time.Hour)})
	started, waits := w.submit("p", 1, 1), w.submit("p", 1, 1)
	c := submit("p", 1, 1)
	c.GetSubmit().Hold = true
	held := w.send(c)
	if w.Due(w.now.Add(time.Hour-1), 10) != nil {
		t.Fatal("due too early")
	}
	early := &queuepb.Expire{Ttl: []uint64{waits}}
	if r := w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: early}})); len(r.Lines) != 0 {
		t.Error("an expiry before its time took effect")
	}
	w.now = w.now.Add(time.Hour)
	w.expire(t)
	w.is(started, Processing, reasonPrinting)
	w.is(waits, Aborted, reasonTTL)
	w.is(held, Aborted, reasonTTL)
	w.done(1, 1, false, "")
	w.drain()

	again := w.must(reprintJob(waits, 0))
	early = &queuepb.Expire{Documents: []uint64{waits}, Finished: []uint64{waits}}
	if r := w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: early}})); len(r.Lines)+len(r.Release) != 0 {
		t.Error("a document went before its time")
	}
	w.now = w.now.Add(2 * time.Hour)
	r := w.expire(t)
	if len(r.Release) != 3 || !w.job(waits).DocumentGone {
		t.Errorf("released %v", r.Release)
	}
	if due := w.Due(w.now, 10); due != nil {
		t.Errorf("still due: %v", due)
	}
	if _, err := w.ask(reprintJob(waits, 0)); !errors.Is(err, ErrDocumentGone) {
		t.Errorf("reprint without a document: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	w.expire(t)
	if j, _ := w.Job(waits, w.store); j != nil {
		t.Error("it has not left")
	}
	w.drain()
	if j, _ := w.Job(waits, w.store); j != nil || w.Stats().Finished != 0 {
		t.Error("it has not left")
	}
	w.is(again, Processing, reasonPrinting) // and its document with it:
	for x := range w.Documents() {
		if x != extentsOf(w.job(again).Document)[0] {
			t.Errorf("extent %v is needed", x)
		}
	}
}

func TestPrinters(t *testing.T) {
	w := setUp(t, nil)
	set := func(name string, devices ...string) error {
		_, err := w.ask(setPrinter(name, &queuepb.PrinterSettings{Devices: devices}))
		return err
	}
	lines := len(w.lines)
	if err := set("p", "tray:/a"); err != nil || len(w.lines) != lines {
		t.Errorf("an equal set: %v, lines %v", err, w.lines[lines:])
	}
	for name, c := range map[string]struct {
		err  error
		want error
	}{
		"same device, other spelling": {set("q", "TRAY:/x/../a/?member=2"), ErrState},
		"same device twice":           {set("q", "tray:/b", "tray:/b?x=1"), ErrInvalid},
		"no scheme":                   {set("q", "/dev/lp0"), ErrInvalid},
		"bad name":                    {set(".q"), ErrInvalid},
		"long name":                   {set(strings.Repeat("q", 128)), ErrInvalid},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", name, c.err, c.want)
		}
	}
	id := w.submit("p", 1, 1)
	if err := set("p", "tray:/b"); !errors.Is(err, ErrState) {
		t.Errorf("a device with a job: %v", err)
	}
	remove := &queuepb.Command{Body: &queuepb.Command_RemovePrinter{RemovePrinter: &queuepb.RemovePrinter{Name: "p"}}}
	if _, err := w.ask(remove); !errors.Is(err, ErrState) {
		t.Errorf("a printer with jobs: %v", err)
	}
	w.must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}})
	next := w.submit("p", 1, 1)
	w.done(1, 1, false, "")
	w.is(id, Completed, reasonCompleted)
	w.is(next, Pending, "")
	w.must(&queuepb.Command{Body: &queuepb.Command_ResumePrinter{ResumePrinter: &queuepb.ResumePrinter{Name: "p"}}})
	w.is(next, Processing, reasonPrinting)
	w.done(1, 1, false, "")
	if err := set("p", "tray:/b"); err != nil {
		t.Fatal(err)
	}
	if !w.Drive(1).Removed || w.Drive(2).URI != "tray:/b" {
		t.Errorf("drives %+v", w.Drives())
	}
	w.must(remove)
	w.drain()
	if len(w.Printers())+len(w.Drives()) != 0 {
		t.Error("it is still there")
	}
	must(t, set("p"))
	w.drain()
	w.must(remove)
	must(t, set("p")) // gone and made anew between two drains
	w.drain()
	if len(w.Printers()) != 1 {
		t.Error("the new one is lost")
	}
}

func TestIdentity(t *testing.T) {
	answer := func(identity, cluster, epoch string) func(*world) {
		return func(w *world) {
			w.entry(w.tag(claim(1)))
			c := resume(1, w.Drive(1).Token, &queuepb.Mark{Closed: true}, epoch)
			c.GetResume().Identity, c.GetResume().Cluster = identity, cluster
			w.entry(w.tag(c))
		}
	}
	for name, c := range map[string]struct {
		answer func(*world)
		reason string
	}{
		"the same":         {answer("tray-1", "c1", "e1"), ""},
		"no cluster":       {answer("tray-1", "", "e1"), ""},
		"another identity": {answer("tray-9", "c1", "e1"), "identity-changed"},
		"another cluster":  {answer("tray-1", "c2", "e1"), "other-cluster"},
		"somebody else's":  {answer("tray-2", "c1", "e1"), "identity-in-use"},
	} {
		t.Run(name, func(t *testing.T) {
			w := setUp(t, &queuepb.PrinterSettings{Devices: []string{"tray:/a", "tray:/b"}})
			w.takeOver(2, nil, "e2")
			w.must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}})
			c.answer(w)
			w.drain()
			if d := w.Drive(1); d.Reason != c.reason || d.Resumed != (c.reason == "") || d.Stopped == d.Resumed {
				t.Fatalf("drive %+v", d)
			}
			w.must(&queuepb.Command{Body: &queuepb.Command_AdoptPrinter{AdoptPrinter: &queuepb.AdoptPrinter{Name: "p"}}})
			c.answer(w)
			if d := w.Drive(1); d.Resumed != (c.reason != "identity-in-use") || d.Adopt {
				t.Errorf("after adopt: %+v", d)
			}
		})
	}
}

func TestFailure(t *testing.T) {
	w := setUp(t, nil)
	id, next := w.submit("p", 3, 1), w.submit("p", 1, 1)
	w.done(1, 2, false, "document-damaged")
	w.is(id, Held, "document-damaged")
	w.is(next, Processing, reasonPrinting)
	w.done(1, 1, false, "")
	w.must(&queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: id, Answer: &queuepb.Resolve_Printed{Printed: 2}}}})
	if k := w.Drive(1).Work; k == nil || k.Start != 2 || k.Printed != 2 {
		t.Errorf("work %+v", k)
	}

	// At another printer it begins anew.
	id = w.submit("p", 3, 1)
	w.done(1, 3, false, "")
	w.printed(1, 2)
	w.done(1, 1, false, "document-damaged") // progress never decreases
	if p := w.job(id).Printed; p != 2 {
		t.Errorf("printed %d", p)
	}
	w.must(setPrinter("q", &queuepb.PrinterSettings{Devices: []string{"tray:/q"}}))
	w.takeOver(2, nil, "e2")
	w.must(moveJob(id, "q", false))
	if k := w.Drive(2).Work; k == nil || k.Start != 0 || k.Printed != 0 {
		t.Errorf("work %+v", k)
	}
	w.done(2, 1, false, "document-damaged")
	w.must(&queuepb.Command{Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: id, Answer: &queuepb.Resolve_Done{Done: true}}}})
	w.is(id, Completed, reasonCompleted)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReprint(t *testing.T) {
	w := setUp(t, nil)
	id := w.submit("p", 3, 1)
	if _, err := w.ask(reprintJob(id, 0)); !errors.Is(err, ErrState) {
		t.Errorf("of a job that has not ended: %v", err)
	}
	w.done(1, 3, false, "")
	w.drain()
	if _, err := w.ask(reprintJob(id, 4)); !errors.Is(err, ErrInvalid) {
		t.Errorf("from beyond its pages: %v", err)
	}
	r := w.entry(func() *queuepb.Command { c := reprintJob(id, 2); c.Session, c.Seq = 3, 1; return c }())
	again := w.job(r.Outcomes[0].Job)
	if again.Of != id || again.Start != 1 || len(r.Retain) != 1 || w.Drive(1).Work.Start != 1 {
		t.Errorf("%v, retained %v", again, r.Retain)
	}
}

func TestLine(t *testing.T) {
	w := setUp(t, nil)
	c := submit("p", 1, 1)
	c.GetSubmit().Name = "a \"b\" \\ \x01 é \u2028 \xff"
	w.send(c)
	verify(w, w.lines)
	if l := w.lines[len(w.lines)-2]; !strings.Contains(l, `"name":"a \"b\" \\ \u0001 é `+"\u2028 \uFFFD"+`"`) {
		t.Error(l)
	}
	zero := fmt.Sprintf("%064d", 0)
	bad := bytes.Replace([]byte(w.lines[0]), []byte("tray:/a"), []byte("tray:/b"), 1)
	for _, l := range [][]byte{bad, nil, []byte("{}"), []byte(w.lines[0][1:]), []byte(w.lines[1])} {
		if _, err := VerifyLine(zero, l); err == nil {
			t.Errorf("%s verifies", l)
		}
	}
}

func TestWaits(t *testing.T) {
	w := setUp(t, nil)
	a, b, c := w.submit("p", 2, 1), w.submit("p", 1, 1), w.submit("p", 1, 1)
	w.must(holdJob(c))
	d := w.submit("p", 1, 1)
	want := func(id uint64, words string) {
		t.Helper()
		if s := w.Waits(id); words == "" && s != "" || !strings.Contains(s, words) {
			t.Errorf("job %d: %q, want %q", id, s, words)
		}
	}
	want(a, "")
	want(b, "the job that is printing")
	want(c, "held by a user")
	want(d, "one job before it")
	w.epoch++
	w.entry()
	want(a, "no leader of this term")
	want(b, "no leader of this term")
	w.takeOver(1, nil, "e9")
	want(a, "printq job resolve")
	want(b, "")
	w.must(&queuepb.Command{Body: &queuepb.Command_PausePrinter{PausePrinter: &queuepb.PausePrinter{Name: "p"}}})
	want(d, "paused")
}
