package queue

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"printq/queue/queuepb"
)

func createJob(printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_CreateJob{CreateJob: &queuepb.CreateJob{Printer: printer, Name: "n", User: "u"}}}
}

// attachTo gives a job a document of one byte.
func attachTo(job uint64, body string) *queuepb.Command {
	sum := sha256.Sum256([]byte(body))
	return &queuepb.Command{Payload: uint32(len(body)), Body: &queuepb.Command_AttachDocument{AttachDocument: &queuepb.AttachDocument{
		Job: job, Bytes: uint64(len(body)), Sha256: sum[:], Format: "text/plain", Pages: 2, Units: 2, Last: true,
	}}}
}

func closeJob(job uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_CloseJob{CloseJob: &queuepb.CloseJob{Job: job}}}
}

func seen(jobs ...uint64) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_Seen{Seen: &queuepb.Seen{Jobs: jobs}}}
}

func (w *world) attach(job uint64, body string) (Result, Outcome) {
	w.Helper()
	return w.attachCommand(attachTo(job, body), body)
}

func (w *world) attachCommand(c *queuepb.Command, body string) (Result, Outcome) {
	w.Helper()
	c.Session, c.Seq = 77, w.at
	r := w.packed([]byte(body), c)
	return r, r.Outcomes[0]
}

// A job made without a document waits for it, whatever else happens, and then prints as any other.
func TestOpenJob(t *testing.T) {
	w := setUp(t, nil)
	id := w.must(createJob("p"))
	w.drain()
	if j := w.job(id); j.Sha256 != nil || j.Bytes != 0 || j.Open == 0 || !j.Created {
		t.Errorf("created %v", j)
	}
	if w.Drive(1).Work != nil || !strings.Contains(w.Waits(id), "document") {
		t.Errorf("drive %+v, waits %q", w.Drive(1), w.Waits(id))
	}
	for what, c := range map[string]*queuepb.Command{
		"release": releaseJob(id),
		"move":    moveJob(id, "q", false),
		"reprint": reprintJob(id, 0),
		"resolve": {Body: &queuepb.Command_Resolve{Resolve: &queuepb.Resolve{Job: id, Answer: &queuepb.Resolve_Done{Done: true}}}},
	} {
		w.must(setPrinter("q", &queuepb.PrinterSettings{}))
		if _, err := w.ask(c); !errors.Is(err, ErrState) {
			t.Errorf("%s of an open job: %v", what, err)
		}
		w.is(id, Held, reasonIncoming)
	}
	r, out := w.attach(id, "xy")
	if out.Err != nil || out.Job != id || out.Repeated || len(r.Retain) != 1 || r.Retain[0].Length != 2 {
		t.Fatalf("%+v, retained %v", out, r.Retain)
	}
	w.is(id, Processing, reasonPrinting)
	if k := w.Drive(1).Work; k == nil || k.Units != 2 || k.Bytes != 2 {
		t.Errorf("work %+v", k)
	}
	for _, when := range []string{"printing", "ended", "drained"} {
		switch when {
		case "ended":
			w.done(1, 2, false, "")
		case "drained":
			w.drain()
		}
		if r, out := w.attach(id, "xy"); out.Err != nil || !out.Repeated || len(r.Retain)+len(r.Lines)+len(r.Jobs) != 0 {
			t.Errorf("%s: the same document: %+v", when, out)
		}
		if r, out := w.attach(id, "xz"); !errors.Is(out.Err, ErrState) || len(r.Retain) != 0 {
			t.Errorf("%s: another document: %+v", when, out)
		}
		w.must(closeJob(id))
	}
	w.is(id, Completed, reasonCompleted)
	w.drain()
}

func TestOpenJobRefusals(t *testing.T) {
	w := setUp(t, nil)
	whole := w.submit("p", 1, 1)
	id := w.must(createJob("p"))
	long := func(f func(*queuepb.AttachDocument)) *queuepb.Command {
		c := attachTo(id, "x")
		f(c.GetAttachDocument())
		return c
	}
	for name, c := range map[string]struct {
		cmd  *queuepb.Command
		want error
	}{
		"no such job":      {attachTo(99, "x"), ErrNoJob},
		"made whole":       {attachTo(whole, "x"), ErrState},
		"short hash":       {long(func(m *queuepb.AttachDocument) { m.Sha256 = m.Sha256[1:] }), ErrInvalid},
		"empty":            {long(func(m *queuepb.AttachDocument) { m.Bytes = 0 }), ErrInvalid},
		"other length":     {long(func(m *queuepb.AttachDocument) { m.Bytes = 2 }), ErrInvalid},
		"too many units":   {long(func(m *queuepb.AttachDocument) { m.Units = 1 << 31 }), ErrInvalid},
		"long format":      {long(func(m *queuepb.AttachDocument) { m.Format = strings.Repeat("f", MaxText+1) }), ErrInvalid},
		"unseen too long":  {long(func(m *queuepb.AttachDocument) { m.UnseenFor = int64(MaxUnseenFor) + 1 }), ErrInvalid},
		"unseen negative":  {long(func(m *queuepb.AttachDocument) { m.UnseenFor = -1 }), ErrInvalid},
		"upload not there": {long(func(m *queuepb.AttachDocument) { m.Chunks, m.Upload = 2, []byte("up") }), ErrInvalid},
	} {
		if r, out := w.attachCommand(c.cmd, "x"); !errors.Is(out.Err, c.want) || len(r.Retain)+len(r.Jobs) != 0 {
			t.Errorf("%s: %+v, want %v", name, out, c.want)
		}
	}
	w.is(id, Held, reasonIncoming)
	for name, c := range map[string]struct {
		set  func(*queuepb.CreateJob)
		want error
	}{
		"no printer":    {func(m *queuepb.CreateJob) { m.Printer = "none" }, ErrNoPrinter},
		"copies":        {func(m *queuepb.CreateJob) { m.Copies = MaxCopies + 1 }, ErrInvalid},
		"priority":      {func(m *queuepb.CreateJob) { m.Priority = 101 }, ErrInvalid},
		"ttl":           {func(m *queuepb.CreateJob) { m.Ttl = -1 }, ErrInvalid},
		"name":          {func(m *queuepb.CreateJob) { m.Name = strings.Repeat("n", MaxText+1) }, ErrInvalid},
		"idempotent":    {func(m *queuepb.CreateJob) { m.Key = strings.Repeat("k", MaxKey+1) }, ErrInvalid},
		"not accepting": {func(m *queuepb.CreateJob) { m.Printer = "r" }, ErrNotAccepting},
	} {
		if c.want == ErrNotAccepting {
			w.must(setPrinter("r", &queuepb.PrinterSettings{}))
			w.must(accepting("r", false))
		}
		cmd := createJob("p")
		c.set(cmd.GetCreateJob())
		if _, err := w.ask(cmd); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	w.drain()
}

func TestOpenJobKey(t *testing.T) {
	w := setUp(t, nil)
	keyed := func(copies uint32) (uint64, error) {
		c := createJob("p")
		c.GetCreateJob().Key, c.GetCreateJob().Copies = "k", copies
		return w.ask(c)
	}
	id, err := keyed(1)
	must(t, err)
	for _, closed := range []bool{false, true} {
		if closed {
			w.must(closeJob(id))
			w.drain()
		}
		if again, err := keyed(1); again != id || err != nil {
			t.Errorf("repeat: %d, %v", again, err)
		}
		if _, err := keyed(2); !errors.Is(err, ErrKeyReused) {
			t.Errorf("another request: %v", err)
		}
	}
	w.is(id, Aborted, reasonNoDocument)
	if _, err := w.ask(reprintJob(id, 0)); !errors.Is(err, ErrState) {
		t.Errorf("reprint of a job without a document: %v", err)
	}
	if _, out := w.attach(id, "x"); !errors.Is(out.Err, ErrState) {
		t.Errorf("attach to a closed job: %+v", out)
	}
	w.now = w.now.Add(DefaultRetain)
	w.expire(t)
	w.drain()
	if w.Due(w.now, 10) != nil {
		t.Errorf("still due: %v", w.Due(w.now, 10))
	}
}

// What a job is to become when its document is there.
func TestOpenJobHold(t *testing.T) {
	for name, c := range map[string]struct {
		asked  bool
		then   []func(uint64) *queuepb.Command
		state  JobState
		reason string
	}{
		"plain":         {false, nil, Processing, reasonPrinting},
		"asked":         {true, nil, Held, reasonHold},
		"held":          {false, []func(uint64) *queuepb.Command{holdJob}, Held, reasonHold},
		"held twice":    {false, []func(uint64) *queuepb.Command{holdJob, holdJob}, Held, reasonHold},
		"released":      {true, []func(uint64) *queuepb.Command{releaseJob}, Processing, reasonPrinting},
		"held again":    {true, []func(uint64) *queuepb.Command{releaseJob, holdJob}, Held, reasonHold},
		"set to hold":   {false, []func(uint64) *queuepb.Command{setHold(true)}, Held, reasonHold},
		"set to no":     {true, []func(uint64) *queuepb.Command{setHold(false)}, Processing, reasonPrinting},
		"set and moved": {false, []func(uint64) *queuepb.Command{setHold(true), setHold(false), setHold(true)}, Held, reasonHold},
	} {
		t.Run(name, func(t *testing.T) {
			w := setUp(t, nil)
			cmd := createJob("p")
			cmd.GetCreateJob().Hold = c.asked
			id := w.must(cmd)
			for _, then := range c.then {
				w.must(then(id))
				w.drain()
				w.is(id, Held, reasonIncoming)
			}
			if _, out := w.attach(id, "x"); out.Err != nil {
				t.Fatal(out.Err)
			}
			w.is(id, c.state, c.reason)
			w.drain()
		})
	}
}

func TestOpenJobEnds(t *testing.T) {
	w := setUp(t, &queuepb.PrinterSettings{Ttl: int64(time.Minute)})
	canceled, left := w.must(createJob("p")), w.must(createJob("p"))
	w.must(cancelJob(canceled))
	w.is(canceled, Canceled, reasonCanceled)
	w.now = w.now.Add(OpenIdle - 1)
	if due := w.Due(w.now, 10); due != nil {
		t.Fatalf("due too early: %v", due)
	}
	early := &queuepb.Expire{Open: []uint64{left}, Ttl: []uint64{left}}
	if r := w.entry(w.tag(&queuepb.Command{Body: &queuepb.Command_Expire{Expire: early}})); len(r.Lines) != 0 {
		t.Error("an expiry before its time took effect")
	}
	// A piece of its document comes: it waits on.
	chunk := &queuepb.Command{Payload: 1, Body: &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: []byte("up"), Job: left}}}
	w.packed([]byte("x"), chunk)
	w.drain()
	w.now = w.now.Add(OpenIdle - 1)
	if due := w.Due(w.now, 10); due != nil {
		t.Fatalf("due though its document is on the way: %v", due)
	}
	w.now = w.now.Add(1)
	w.expire(t)
	w.is(left, Aborted, reasonOpen)
	if _, out := w.attach(left, "x"); !errors.Is(out.Err, ErrState) {
		t.Errorf("attach to an aborted job: %+v", out)
	}
	w.drain()
	if due := w.Due(w.now.Add(DefaultKeep), 10); len(due.GetDocuments()) != 0 {
		t.Errorf("documents that never came are due: %v", due)
	}
}

// A large document comes in chunks, and a repeat of it is let go of at once.
func TestAttachUpload(t *testing.T) {
	w := setUp(t, nil)
	id := w.must(createJob("p"))
	upload := func(name string) Result {
		var r Result
		for n := range uint32(2) {
			r = w.packed([]byte("abc"), &queuepb.Command{Payload: 3, Body: &queuepb.Command_Chunk{Chunk: &queuepb.Chunk{Upload: []byte(name), N: n, Job: id}}})
		}
		c := attachTo(id, "abcabc")
		c.Payload = 0
		c.GetAttachDocument().Upload, c.GetAttachDocument().Chunks = []byte(name), 2
		c.Session, c.Seq = 77, w.at
		r = w.entry(c)
		if r.Outcomes[0].Err != nil {
			t.Fatal(r.Outcomes[0].Err)
		}
		return r
	}
	if r := upload("a"); len(r.Retain)+len(r.Release) != 0 || len(w.job(id).Document) != 2 {
		t.Errorf("retained %v, released %v", r.Retain, r.Release)
	}
	if r := upload("b"); len(r.Release) != 2 || !r.Outcomes[0].Repeated || w.Stats().Uploads != 0 {
		t.Errorf("a repeat: %+v", r)
	}
	w.drain()
}

func TestPossibleDuplicate(t *testing.T) {
	type change struct {
		name string
		do   func(w *world, first uint64, next *queuepb.CreateJob)
		held bool
	}
	for _, c := range []change{
		{"the answer was not seen", func(*world, uint64, *queuepb.CreateJob) {}, true},
		{"it was seen", func(w *world, first uint64, _ *queuepb.CreateJob) { w.must(seen(first)) }, false},
		{"somebody else's", func(w *world, first uint64, _ *queuepb.CreateJob) { w.must(seen(first + 7)) }, true},
		{"another name", func(_ *world, _ uint64, m *queuepb.CreateJob) { m.Name = "m" }, false},
		{"another user", func(_ *world, _ uint64, m *queuepb.CreateJob) { m.User = "v" }, false},
		{"other copies", func(_ *world, _ uint64, m *queuepb.CreateJob) { m.Copies = 2 }, false},
		{"another printer", func(w *world, _ uint64, m *queuepb.CreateJob) {
			w.must(setPrinter("q", &queuepb.PrinterSettings{}))
			m.Printer = "q"
		}, false},
		{"just within the time", func(w *world, _ uint64, _ *queuepb.CreateJob) { w.now = w.now.Add(10*time.Minute - 1) }, true},
		{"too late", func(w *world, _ uint64, _ *queuepb.CreateJob) { w.now = w.now.Add(10 * time.Minute) }, false},
		{"the first has completed", func(w *world, _ uint64, _ *queuepb.CreateJob) { w.done(1, 2, false, "") }, true},
		{"and was drained", func(w *world, _ uint64, _ *queuepb.CreateJob) { w.done(1, 2, false, ""); w.drain() }, true},
		{"a person canceled it", func(w *world, first uint64, _ *queuepb.CreateJob) {
			w.must(cancelJob(first))
			w.done(1, 0, true, "")
			w.is(first, Canceled, reasonCanceled)
		}, false},
		{"asked to be held", func(_ *world, _ uint64, m *queuepb.CreateJob) { m.Hold = true }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := setUp(t, nil)
			send := func(cmd *queuepb.Command) uint64 {
				id := w.must(cmd)
				a := attachTo(id, "x")
				a.GetAttachDocument().UnseenFor = int64(10 * time.Minute)
				if _, out := w.attachCommand(a, "x"); out.Err != nil {
					t.Fatal(out.Err)
				}
				w.drain()
				return id
			}
			first := send(createJob("p"))
			w.is(first, Processing, reasonPrinting)
			next := createJob("p")
			c.do(w, first, next.GetCreateJob())
			id := send(next)
			j := w.job(id)
			if held := JobState(j.State) == Held && j.Reason == reasonDuplicate; held != c.held || held != (j.DuplicateOf == first) {
				t.Fatalf("it is %s %q, of %d; want held: %v", JobState(j.State), j.Reason, j.DuplicateOf, c.held)
			}
			if !c.held {
				return
			}
			if s := w.Waits(id); !strings.Contains(s, "job release") {
				t.Errorf("it waits: %q", s)
			}
			// The client of the second saw its answer, and asks once more: that is a wish of its own.
			w.must(seen(id))
			w.must(setPrinter("q", &queuepb.PrinterSettings{}))
			w.must(moveJob(id, "q", false))
			w.is(id, Held, reasonDuplicate)
			w.must(releaseJob(id))
			w.is(id, Pending, "")
			again := send(proto.Clone(next).(*queuepb.Command))
			if j := w.job(again); j.DuplicateOf != 0 {
				t.Errorf("a third is taken for a duplicate of %d", j.DuplicateOf)
			}
		})
	}
}

// Each answer counts for as long as its own command said.
func TestUnseenTimes(t *testing.T) {
	w := setUp(t, nil)
	send := func(body string, unseenFor time.Duration) uint64 {
		id := w.must(createJob("p"))
		a := attachTo(id, body)
		a.GetAttachDocument().UnseenFor = int64(unseenFor)
		w.attachCommand(a, body)
		w.drain()
		return id
	}
	long, short := send("x", time.Hour), send("y", time.Minute)
	w.now = w.now.Add(time.Minute)
	if j := w.job(send("y", time.Minute)); j.DuplicateOf != 0 {
		t.Errorf("it is taken for a duplicate of %d, not %d", j.DuplicateOf, short)
	}
	if j := w.job(send("x", time.Minute)); j.DuplicateOf != long {
		t.Errorf("it is taken for a duplicate of %d, want %d", j.DuplicateOf, long)
	}
}

// Without a time for it nothing is noted, and nothing is held.
func TestNoDuplicateDetection(t *testing.T) {
	w := setUp(t, nil)
	a, b := w.must(createJob("p")), w.must(createJob("p"))
	w.attach(a, "x")
	w.attach(b, "x")
	w.is(b, Pending, "")
	if n := len(w.unseen.byJob); n != 0 {
		t.Errorf("%d answers are noted", n)
	}
	if _, err := w.ask(seen(make([]uint64, MaxSeen+1)...)); !errors.Is(err, ErrInvalid) {
		t.Errorf("too many at once: %v", err)
	}
}

// What is noted is bounded, by time and by number.
func TestUnseenIsBounded(t *testing.T) {
	w := setUp(t, nil)
	for i := range MaxUnseen + 3 {
		u := &unseen{job: uint64(1000 + i), until: dawn.Add(time.Hour).UnixNano(), index: 1}
		u.print[0], u.print[1], u.print[2] = byte(i), byte(i>>8), byte(i>>16)
		w.unseen.add(u)
	}
	id := w.must(createJob("p"))
	a := attachTo(id, "x")
	a.GetAttachDocument().UnseenFor = int64(time.Minute)
	w.attachCommand(a, "x")
	if n := len(w.unseen.byJob); n != MaxUnseen || w.unseen.byJob[1000] != nil || w.unseen.byJob[id] == nil || len(w.unseen.byPrint) != n {
		t.Errorf("%d answers are noted", n)
	}
	w.now = w.now.Add(time.Hour)
	id = w.must(createJob("p"))
	a = attachTo(id, "y")
	a.GetAttachDocument().UnseenFor = int64(time.Minute)
	w.attachCommand(a, "y")
	if n := len(w.unseen.byJob); n != 1 {
		t.Errorf("%d answers are noted after their time", n)
	}
}

// So is what waits for documents.
func TestOpenJobsAreBounded(t *testing.T) {
	w := setUp(t, nil)
	var cmds []*queuepb.Command
	for range MaxOpen {
		cmds = append(cmds, createJob("p"))
	}
	w.entry(cmds...)
	if _, err := w.ask(createJob("p")); !errors.Is(err, ErrLimit) {
		t.Errorf("one more: %v", err)
	}
	w.now = w.now.Add(OpenIdle)
	w.expire(t)
	w.must(createJob("p"))
	w.drain()
}
