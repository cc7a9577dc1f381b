package ipp

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
	"printq/queue"
)

func TestWholeJob(t *testing.T) {
	f := newFake(t).start()
	p := f.printer("")
	s := opened(t, p)
	if s.Class != queue.WholeJob || s.Identity != "urn:uuid:f4ce" || !s.Mark.Closed || s.Copies != 99 || len(s.Formats) != 2 {
		t.Errorf("state %+v", s)
	}
	if _, err := parse(s.Capabilities); err != nil {
		t.Errorf("capabilities: %v", err)
	}
	j := aJob()
	j.Options = map[string]string{"sides": "one-sided", "print-quality": "5", "media": "iso_a4_210x297mm"}
	id := created(t, p, j)
	again := created(t, f.printer(""), j)
	if id != "41" || again != id {
		t.Errorf("created %q, then %q", id, again)
	}
	if got := group(f.jobs[0].template); len(got) != 2 || got.text("sides") != "one-sided" {
		t.Errorf("template %v", got)
	}
	var told []int
	sh := sheet(j, id)
	sh.Told = func(s device.Sent) { told = append(told, s.Out) }
	o := followed(t, p, sh)
	if o.End != device.Completed || !o.Known || o.Out != 3 {
		t.Errorf("outcome %+v", o)
	}
	if len(told) != 4 || told[0] != 0 || told[3] != 3 { // first that it has the document
		t.Errorf("told %v", told)
	}
	if o := followed(t, f.printer(""), sheet(j, id)); o.End != device.Completed || !o.Known || f.count(goipp.OpSendDocument) != 1 {
		t.Errorf("asked by another: %+v, sent %d times", o, f.count(goipp.OpSendDocument))
	}
	if pages := f.pages(); strings.Join(strings.Fields(pages), " ") != "one two three" {
		t.Errorf("paper: %.100q", pages)
	}
}

// Each operation's reply is lost, or its request, at each place: the paper is the three pages, once, or the outcome says that it is
// not known, or may be begun anew.
func TestLostAtEachOperation(t *testing.T) {
	for _, op := range []goipp.Op{
		goipp.OpGetPrinterAttributes, goipp.OpGetJobs, goipp.OpCreateJob, goipp.OpGetJobAttributes, goipp.OpSendDocument,
	} {
		for at := range 4 {
			for _, lost := range []fault{{before: true}, {after: true}, {cut: 100}, {http: 503}, {status: goipp.StatusErrorBusy}, {raw: []byte("rubbish")}} {
				for _, onCut := range []string{"nothing", "partial", "printed", "aborted"} {
					if lost.cut > 0 && op != goipp.OpSendDocument || lost.cut == 0 && onCut != "nothing" {
						continue
					}
					f := newFake(t)
					f.onCut = onCut
					f.start()
					f.fail(op, append(make([]fault, at), lost)...)
					driveToTheEnd(t, f, op.String()+" "+onCut)
				}
			}
		}
	}
}

// driveToTheEnd does as the driver does, and checks the paper against what was reported.
func driveToTheEnd(t *testing.T, f *fake, what string) {
	t.Helper()
	p, j, id := f.printer(""), aJob(), ""
	for range 20 {
		if id == "" {
			if _, err := p.Open(t.Context(), device.Opening{}); err != nil {
				continue
			}
			var err error
			if id, err = p.Create(t.Context(), j); err != nil {
				id = ""
				p = f.printer("")
				continue
			}
		}
		o, err := p.Follow(t.Context(), sheet(j, id))
		if err != nil {
			if !errors.Is(err, device.ErrUnreachable) {
				p = f.printer("") // another member
			}
			continue
		}
		got := strings.Join(strings.Fields(f.pages()), " ")
		switch {
		case o.End == device.Completed && o.Known && got == "one two three":
		case o.End == device.Untouched && got == "":
			id, j.Attempt = "", j.Attempt+1
			continue
		case !o.Known && o.End != device.Open:
		default:
			t.Errorf("%s: outcome %+v, paper %q", what, o, got)
		}
		return
	}
	t.Errorf("%s: no end", what)
}

// What a printer made of a document that broke off, and what is reported of it by whoever sent it, and by another.
func TestCut(t *testing.T) {
	for _, c := range []struct {
		onCut   string
		another bool
		end     device.End
		known   bool
		paper   string
	}{
		{"nothing", false, device.Untouched, true, ""},
		{"partial", false, device.Untouched, true, ""},
		{"printed", false, device.Completed, false, ""},
		{"aborted", false, device.Untouched, true, ""},
		{"nothing", true, device.Completed, true, "one two three"},
		{"partial", true, device.Untouched, true, ""},
		{"printed", true, device.Completed, false, "one"},
		{"aborted", true, device.Untouched, true, ""},
	} {
		f := newFake(t)
		f.onCut = c.onCut
		f.start()
		p := f.printer("")
		opened(t, p)
		j := aJob()
		id := created(t, p, j)
		f.fail(goipp.OpSendDocument, fault{cut: 1000})
		if c.another {
			w, err := p.watch(t.Context(), sheet(j, id))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.send(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-w.sending.done
			w.close()
			p = f.printer("")
		}
		o := followed(t, p, sheet(j, id))
		paper := strings.Join(strings.Fields(f.pages()), " ")
		if sent := f.count(goipp.OpSendDocument); sent > 1 && c.onCut != "nothing" {
			t.Errorf("%+v: sent %d times", c, sent)
		}
		if o.End != c.end || o.Known != c.known || paper != c.paper && c.known {
			t.Errorf("%+v: outcome %+v, paper %q", c, o, paper)
		}
	}
}

func TestNotOurs(t *testing.T) {
	f := newFake(t).start()
	p := f.printer("")
	j := aJob()
	id := created(t, p, j)
	f.set(func() { f.jobs[0].name = "somebody's" })
	if o := followed(t, p, sheet(j, id)); o.End != device.Gone {
		t.Errorf("another's job: %+v", o)
	}
	if o, err := p.Cancel(t.Context(), sheet(j, id)); err != nil || o.End != device.Gone {
		t.Errorf("cancel another's job: %+v, %v", o, err)
	}
	if f.count(goipp.OpCancelJob)+f.count(goipp.OpSendDocument) > 0 {
		t.Error("another's job was touched")
	}
	f.set(func() { f.jobs = nil }) // it forgot
	if o := followed(t, p, sheet(j, id)); o.End != device.Gone || o.Known {
		t.Errorf("forgotten: %+v", o)
	}
}

func TestCompletedIsWeighed(t *testing.T) {
	for what, c := range map[string]struct {
		set   func(*fake, *fakeJob)
		known bool
	}{
		"nothing speaks against it": {func(*fake, *fakeJob) {}, true},
		"too few pages":             {func(_ *fake, j *fakeJob) { j.imp = 2 }, false},
		"a second document":         {func(_ *fake, j *fakeJob) { j.documents = 2 }, false},
		"with errors":               {func(_ *fake, j *fakeJob) { j.reasons = []string{"job-completed-with-errors"} }, false},
		"a short document":          {func(_ *fake, j *fakeJob) { j.octets = 1 }, false},
		"none, where others are counted": {func(f *fake, j *fakeJob) {
			j.imp = 0
			f.jobs = append(f.jobs, &fakeJob{id: 9, state: completed, imp: 4})
		}, false},
		"none, where nobody's are counted": {func(f *fake, j *fakeJob) { j.imp = 0; f.jobs = append(f.jobs, &fakeJob{id: 9, state: completed}) }, false},
		"nothing speaks for it":            {func(f *fake, _ *fakeJob) { f.mute = true }, false},
	} {
		f := newFake(t).start()
		j := aJob()
		p := f.printer("")
		id := created(t, p, j)
		f.set(func() {
			job := f.jobs[0]
			job.state, job.documents, job.octets, job.imp, job.processed = completed, 1, 3, 3, true
			c.set(f, job)
		})
		if o := followed(t, f.printer(""), sheet(j, id)); o.End != device.Completed || o.Known != c.known {
			t.Errorf("%s: %+v", what, o)
		}
		taken := sheet(j, id)
		taken.Taken = true
		if o := followed(t, f.printer(""), taken); f.mute && !o.Known {
			t.Errorf("%s, and the log knows that it has the document: %+v", what, o)
		}
	}
}

func TestCancel(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	if o, err := p.Cancel(t.Context(), sheet(j, id)); err != nil || o.End != device.Canceled || !o.Known || o.Out != 0 {
		t.Errorf("before its document: %+v, %v", o, err)
	}
	j.Attempt++
	id = created(t, p, j)
	sh := sheet(j, id)
	stop := make(chan struct{})
	sh.Stop = stop
	sh.Told = func(s device.Sent) {
		if s.Out == 2 {
			close(stop)
		}
	}
	if o := followed(t, p, sh); o.End != device.Open || o.Out != 2 {
		t.Errorf("stopped: %+v", o)
	}
	f.set(func() { f.stuck = true })
	f.fail(goipp.OpCancelJob, fault{after: true})
	if o, err := p.Cancel(t.Context(), sheet(j, id)); err != nil || o.End != device.Canceled || !o.Known || o.Out != 2 {
		t.Errorf("in the middle: %+v, %v", o, err)
	}
	if got := strings.Fields(f.pages()); len(got) != 2 {
		t.Errorf("paper %q", got)
	}
	f.set(func() { f.stuck = false })
	j.Attempt++
	id = created(t, p, j)
	followed(t, p, sheet(j, id))
	if o, err := p.Cancel(t.Context(), sheet(j, id)); err != nil || o.End != device.Completed || o.Out != 3 {
		t.Errorf("after its end: %+v, %v", o, err)
	}
}

// Whoever cancels at the printer's panel is not overruled.
func TestCanceledByOthers(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	f.set(func() { f.jobs[0].state = canceled })
	if o := followed(t, p, sheet(j, id)); o.End != device.Canceled || !o.Known || o.Out != 0 {
		t.Errorf("%+v", o)
	}
	// One that the printer gave up because no document came may be begun anew.
	f.set(func() { f.jobs[0].state = aborted })
	if o := followed(t, p, sheet(j, id)); o.End != device.Untouched || !o.Known {
		t.Errorf("%+v", o)
	}
}

func TestStoppedOnTheWay(t *testing.T) {
	f := newFake(t)
	f.onCut = "nothing"
	f.start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	stop := make(chan struct{})
	sh := sheet(j, id)
	sh.Stop = stop
	release := make(chan struct{})
	f.fail(goipp.OpSendDocument, fault{do: func() { close(stop); <-release }, before: true})
	sh.Document = endless(64 << 20)
	o := followed(t, p, sh)
	close(release)
	if o.End != device.Open {
		t.Errorf("stopped: %+v", o)
	}
	if o := followed(t, p, sheet(j, id)); o.End != device.Untouched || f.count(goipp.OpSendDocument) != 1 {
		t.Errorf("asked again: %+v, sent %d times", o, f.count(goipp.OpSendDocument))
	}
}

func TestWaits(t *testing.T) {
	f := newFake(t)
	f.media = true
	f.start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	sh := sheet(j, id)
	var waits []string
	sh.Waits = func(reason, _ string) {
		waits = append(waits, reason)
		f.set(func() { f.media = false })
	}
	if o := followed(t, p, sh); o.End != device.Completed || strings.Join(waits, " ") != "media-empty " {
		t.Errorf("%+v, waits %q", o, waits)
	}
}

// A printer that is away while a job is followed is waited for.
func TestAway(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	f.fail(goipp.OpGetJobAttributes, fault{before: true}, fault{http: 503}, fault{status: goipp.StatusErrorNotFound}, fault{raw: []byte{}})
	var waits []string
	sh := sheet(j, id)
	sh.Waits = func(reason, _ string) { waits = append(waits, reason) }
	if o := followed(t, p, sh); o.End != device.Completed || len(waits) < 2 || waits[0] != "connecting-to-device" {
		t.Errorf("%+v, waits %q", o, waits)
	}
}

func TestRefused(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	j.Format = "text/html"
	if _, err := p.Create(t.Context(), j); !errors.Is(err, device.ErrFormat) || !strings.Contains(err.Error(), "application/pdf") {
		t.Errorf("format: %v", err)
	}
	j = aJob()
	j.Copies = 100
	if _, err := p.Create(t.Context(), j); !errors.Is(err, device.ErrFormat) {
		t.Errorf("copies: %v", err)
	}
	j.Copies = 1
	id := created(t, p, j)
	f.fail(goipp.OpSendDocument, fault{status: goipp.StatusErrorDocumentFormatNotSupported})
	if _, err := p.Follow(t.Context(), sheet(j, id)); !errors.Is(err, device.ErrFormat) || f.jobs[0].state != canceled {
		t.Errorf("refused document: %v", err)
	}
	f.set(func() { f.refuses = true })
	j.Attempt++
	if _, err := p.Create(t.Context(), j); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("not accepting: %v", err)
	}
	f.Close()
	j.Attempt++
	if _, err := p.Create(t.Context(), j); !errors.Is(err, device.ErrUnreachable) {
		t.Errorf("away: %v", err)
	}
}

func TestCopies(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	j.Copies, j.Start = 3, 3
	id := created(t, p, j)
	if o := followed(t, p, sheet(j, id)); o.End != device.Completed || !o.Known || o.Out != 9 {
		t.Errorf("%+v", o)
	}
	if got := strings.Join(strings.Fields(f.pages()), " "); got != "one two three one two three" {
		t.Errorf("paper %q", got)
	}
}

// A document that broke off, and a printer that prints it all the same, counts its pages, and does not let it be canceled.
func TestCutAndCompleted(t *testing.T) {
	f := newFake(t)
	f.onCut = "printed"
	f.start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	for range 20 {
		f.fail(goipp.OpCancelJob, fault{status: goipp.StatusErrorNotPossible})
	}
	sh := sheet(j, id)
	sh.Document = func(context.Context) (device.Piece, int, error) {
		body := io.MultiReader(strings.NewReader(threePages), iotest.ErrReader(io.ErrUnexpectedEOF))
		return device.Piece{Size: int64(len(threePages)) + 10, Body: body}, 1, nil
	}
	if o := followed(t, p, sh); o.End != device.Completed || o.Known {
		t.Errorf("%+v, paper %.20q", o, f.pages())
	}
}

// A job that was seen to be processed is not begun anew, even if the printer has nothing to show for it afterwards.
func TestProcessedIsNotUntouched(t *testing.T) {
	f := newFake(t)
	f.noTimes = true
	f.start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	stop, sh := make(chan struct{}), sheet(j, id)
	sh.Stop = stop
	f.fail(goipp.OpGetPrinterAttributes, fault{do: func() {
		f.set(func() { f.jobs[0].state = aborted })
		close(stop)
	}})
	f.set(func() { f.jobs[0].state, f.stuck = processing, true })
	followed(t, p, sh)
	if o := followed(t, p, sheet(j, id)); o.End != device.Aborted || o.Known {
		t.Errorf("%+v", o)
	}
}

func TestOtherCopies(t *testing.T) {
	f := newFake(t).start()
	p, j := f.printer(""), aJob()
	id := created(t, p, j)
	sh := sheet(j, id)
	sh.Document = func(context.Context) (device.Piece, int, error) { return device.Piece{}, 2, nil }
	if _, err := p.Follow(t.Context(), sh); err == nil || f.count(goipp.OpSendDocument) > 0 {
		t.Errorf("another number than the printer was told: %v", err)
	}
}
