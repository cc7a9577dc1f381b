package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"printq/integration/emulator"
	"printq/printer"
	"printq/printer/device"
	"printq/printer/pages"
	"printq/queue"
)

// A jet is a raw TCP printer and the device that drives it, as the driver would.
type jet struct {
	*emulator.JetDirect
	t      *testing.T
	device device.Stream
	state  device.State
	text   func(n int) string
	stop   chan struct{}
	// patient: a printer that is in use is asked again, as the driver does.
	patient bool

	mu   sync.Mutex
	told []device.Sent
	wait chan string
}

func newJet(t *testing.T, o emulator.Options, options string) *jet {
	t.Helper()
	j := &jet{
		JetDirect: emulator.NewJetDirect(o), t: t, stop: make(chan struct{}), wait: make(chan string, 100),
		text: func(n int) string { return fmt.Sprintf("page %d\r\n\f", n) },
	}
	t.Cleanup(func() { j.JetDirect.Close() })
	address, err := j.Start()
	if err != nil {
		t.Fatal(err)
	}
	d, err := printer.Open("socket://" + address + "?" + options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Release() })
	j.device = d.(device.Stream)
	return j
}

func (j *jet) open() {
	j.t.Helper()
	state, err := j.device.Open(j.t.Context(), device.Opening{})
	if err != nil {
		j.t.Fatal(err)
	}
	j.state = state
}

// textJob is one of n pages of text.
func textJob(attempt uint64, n int) device.Job {
	return device.Job{Cluster: "c", ID: attempt, Attempt: attempt, Format: pages.Text, Units: n, Copies: 1, Pages: n}
}

// print prints a job from a unit on, window by window, and answers as the last Send did.
func (j *jet) print(ctx context.Context, job device.Job) (device.Sent, error) {
	j.t.Helper()
	_, err := j.device.Ready(ctx, job)
	for errors.Is(err, device.ErrUsed) && ctx.Err() == nil && j.patient { // the connection before is not over there yet
		_, err = j.device.Ready(ctx, job)
	}
	if err != nil {
		return device.Sent{}, err
	}
	for sent := (device.Sent{Whole: job.Start, Out: job.Start}); ; {
		to := min(sent.Out+j.state.Window, job.Total())
		if j.state.Window == 0 {
			to = job.Total()
		}
		var err error
		if sent, err = j.device.Send(ctx, j.window(job, sent.Out, to)); err != nil || sent.Out >= job.Total() || sent.Unclear || j.stopping() {
			return sent, err
		}
		if sent.Out != to {
			return sent, fmt.Errorf("Send answered %+v of a window to %d", sent, to)
		}
	}
}

func (j *jet) stopping() bool {
	select {
	case <-j.stop:
		return true
	default:
		return false
	}
}

func (j *jet) window(job device.Job, from, to int) device.Window {
	n := from
	return device.Window{
		Job: job, From: from, To: to, Stop: j.stop,
		Next: func(context.Context) (device.Piece, error) {
			n++
			text := j.text(n)
			return device.Piece{Size: int64(len(text)), Body: strings.NewReader(text)}, nil
		},
		Told: func(s device.Sent) {
			j.mu.Lock()
			defer j.mu.Unlock()
			if len(j.told) > 0 && (s.Out < j.told[len(j.told)-1].Out || s.Whole < s.Out) {
				j.t.Errorf("told %+v after %+v", s, j.told[len(j.told)-1])
			}
			j.told = append(j.told, s)
		},
		Waits: func(reason, detail string) {
			if reason != "" && detail == "" {
				j.t.Errorf("waits for %s without a word", reason)
			}
			j.wait <- reason
		},
	}
}

// papers fails unless exactly these pages came out, each once and whole.
func (j *jet) papers(want int) {
	j.t.Helper()
	ctx, stop := context.WithTimeout(j.t.Context(), 20*time.Second)
	defer stop()
	paper, err := j.Wait(ctx, func(p []emulator.Page) bool { return len(p) >= want })
	if err != nil || len(paper) != want {
		j.t.Fatalf("%d pages came out, not %d", len(paper), want)
	}
	for i, p := range paper {
		if text := fmt.Sprintf("page %d\r\n", i+1); p.Torn || !bytes.HasSuffix(p.Data, []byte(text)) {
			j.t.Errorf("page %d is %q, torn: %v", i+1, p.Data, p.Torn)
		}
	}
}

func TestSocketClasses(t *testing.T) {
	for name, c := range map[string]struct {
		o       emulator.Options
		options string
		class   queue.Class
		window  int
	}{
		"full":             {emulator.Options{}, "", queue.Counted, 8},
		"bare count":       {emulator.Options{BareCount: true}, "window=3", queue.Counted, 3},
		"noise":            {emulator.Options{Noise: "\x00%%[ status: idle ]%%\r\n@PJL ECHO old\r\n\f@PJL INFO PAGECO"}, "", queue.Counted, 8},
		"dribbles":         {emulator.Options{Dribbles: true, SaysUnknown: true}, "", queue.Counted, 8},
		"slow":             {emulator.Options{Delay: 300 * time.Millisecond}, "unit=job", queue.Counted, 0},
		"mute":             {emulator.Options{PJL: emulator.PJLMute}, "probe=200ms", queue.Blind, 1},
		"one way":          {emulator.Options{PJL: emulator.PJLMute}, "pjl=oneway", queue.Blind, 1},
		"half closes":      {emulator.Options{HalfCloses: true}, "", queue.Blind, 1},
		"off":              {emulator.Options{PJL: emulator.PJLPrinted}, "pjl=off", queue.Blind, 1},
		"no page status":   {emulator.Options{NoPageStatus: true}, "", queue.Counted, 8},
		"no status":        {emulator.Options{NoStatus: true, SaysUnknown: true}, "", queue.Counted, 8},
		"closes at FIN":    {emulator.Options{ClosesAtFIN: true}, "", queue.Counted, 8},
		"refuses a second": {emulator.Options{RefusesSecond: true}, "", queue.Counted, 8},
		"duplex":           {emulator.Options{Duplex: true}, "window=3", queue.Counted, 3},
		"takes time":       {emulator.Options{PageTime: 20 * time.Millisecond}, "", queue.Counted, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJet(t, c.o, c.options)
			j.patient = c.o.RefusesSecond
			j.open()
			if j.state.Class != c.class || j.state.Window != c.window || j.state.About == "" {
				t.Fatalf("%+v", j.state)
			}
			t.Log(j.state.About)
			for attempt, n := range []int{9, 1, 17} {
				before := len(j.Pages())
				sent, err := j.print(t.Context(), textJob(uint64(attempt+1), n))
				if err != nil || sent != (device.Sent{Whole: n, Out: n}) {
					t.Fatalf("%+v, %v", sent, err)
				}
				if out := len(j.Pages()) - before; c.class == queue.Counted && out < n {
					t.Errorf("%d pages are called out, and %d are", n, out)
				}
				j.told = nil
			}
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			want := 27
			paper, err := j.Wait(ctx, func(p []emulator.Page) bool { return len(p) >= want })
			if err != nil || len(paper) != want && !c.o.Duplex {
				t.Errorf("%d pages came out, not %d: %v", len(paper), want, err)
			}
		})
	}
}

func TestSocketTwoThousandPages(t *testing.T) {
	for _, options := range []string{"", "unit=job", "pjl=off"} {
		t.Run(options, func(t *testing.T) {
			j := newJet(t, emulator.Options{}, options)
			j.open()
			sent, err := j.print(t.Context(), textJob(1, 2000))
			if err != nil || sent.Out != 2000 {
				t.Fatalf("%+v, %v", sent, err)
			}
			j.papers(2000)
		})
	}
}

// What was under way is in doubt, and nothing else; and what the counter says after that is true.
func TestSocketDies(t *testing.T) {
	for name, kill := range map[string]func(*jet){
		"power": func(j *jet) { j.PowerOff() },
		"reset": func(j *jet) { j.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			j := newJet(t, emulator.Options{PageTime: time.Millisecond}, "")
			j.open()
			j.DuringPage(12, func() { kill(j) })
			sent, err := j.print(t.Context(), textJob(1, 40))
			if !errors.Is(err, device.ErrUnclear) || !sent.Unclear || sent.Out > 12 || sent.Out < 8 {
				t.Fatalf("%+v, %v", sent, err)
			}
			_ = j.PowerOn()
			j.open()
			whole := 0
			for _, p := range j.Pages() {
				if !p.Torn {
					whole++
				}
			}
			if int(j.state.Counter) != whole || whole < sent.Out {
				t.Errorf("%d pages are out, the counter says %d, and %d were told", whole, j.state.Counter, sent.Out)
			}
			rest := textJob(1, 40)
			rest.Start = whole
			if sent, err := j.print(t.Context(), rest); err != nil || sent.Out != 40 {
				t.Errorf("%+v, %v", sent, err)
			}
		})
	}
}

// A leader that has lost the leadership sends no more, and what is on its way comes out whole, also where it is more than the printer has
// room for.
func TestSocketLetsGo(t *testing.T) {
	j := newJet(t, small(emulator.Options{}, 5*time.Millisecond), "")
	j.text = func(n int) string { return strings.Repeat("filler ", 3000) + fmt.Sprintf("page %d\r\n\f", n) }
	j.open()
	ctx, lose := context.WithCancel(t.Context())
	j.DuringPage(12, lose)
	if sent, err := j.print(ctx, textJob(1, 40)); !errors.Is(err, device.ErrUnclear) || !sent.Unclear {
		t.Fatalf("%+v, %v", sent, err)
	}
	j.open() // which waits for that
	j.papers(j.PageCount())
	if n := j.PageCount(); n < 12 || n > 17 {
		t.Errorf("%d pages came out", n)
	}
}

func TestSocketPaperOut(t *testing.T) {
	j := newJet(t, emulator.Options{PageTime: time.Millisecond}, "")
	j.open()
	j.DuringPage(4, func() { j.PaperOut() })
	go func() {
		if reason := <-j.wait; reason != "media-empty" {
			t.Errorf("it waits for %q", reason)
		}
		j.PaperIn()
	}()
	if sent, err := j.print(t.Context(), textJob(1, 10)); err != nil || sent.Out != 10 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if reason := <-j.wait; reason != "" {
		t.Errorf("it still waits for %q", reason)
	}
	// Before a job: nothing is sent to a printer that would not print it.
	j.OpenCover()
	go func() {
		if reason := <-j.wait; reason != "cover-open" {
			t.Errorf("it waits for %q", reason)
		}
		if j.Buffered() > 0 {
			t.Error("something was sent")
		}
		j.CloseCover()
	}()
	j.told = nil
	if sent, err := j.print(t.Context(), textJob(2, 1)); err != nil || sent.Out != 1 {
		t.Fatalf("%+v, %v", sent, err)
	}
}

// A printer that asks for toner, or sleeps by a number of those that need somebody, prints.
func TestSocketWarns(t *testing.T) {
	j := newJet(t, emulator.Options{}, "")
	j.Show(emulator.Status{Code: 40000, Display: "Sleep", Online: true})
	j.open()
	j.Show(emulator.Status{Code: 10006, Display: "16 TONER LOW", Online: true})
	if sent, err := j.print(t.Context(), textJob(1, 3)); err != nil || sent.Out != 3 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if reason := <-j.wait; reason != "toner-low-warning" {
		t.Errorf("it says %q", reason)
	}
	j.Show(emulator.Status{})
	j.told = nil
	if sent, err := j.print(t.Context(), textJob(2, 3)); err != nil || sent.Out != 3 {
		t.Fatalf("%+v, %v", sent, err)
	}
	if reason := <-j.wait; reason != "" {
		t.Errorf("it still says %q", reason)
	}
}

// A label printer is asked by ~HS: nothing goes to one that has stopped, and what it has and does not print is in doubt. Without that it would be out.
func TestSocketLabels(t *testing.T) {
	labels := func(attempt uint64, n int) device.Job {
		j := textJob(attempt, n)
		j.Format = pages.ZPL
		return j
	}
	j := newJet(t, emulator.Options{PageTime: time.Millisecond, HostStatus: true}, "status=zpl")
	j.text = func(n int) string { return fmt.Sprintf("^XA^FD%d^FS^XZ", n) }
	j.open()
	if j.state.Class != queue.Blind || j.state.Window != 1 {
		t.Fatalf("%+v", j.state)
	}
	j.PaperOut()
	j.AfterPages(2, j.OpenCover)
	go func() {
		for _, step := range []struct {
			reason string
			mend   func()
		}{{"media-empty", j.PaperIn}, {"", func() {}}, {"cover-open", j.CloseCover}} {
			if reason := <-j.wait; reason != step.reason {
				t.Errorf("it waits for %q, not %q", reason, step.reason)
			}
			step.mend()
		}
	}()
	if sent, err := j.print(t.Context(), labels(1, 3)); err != nil || sent.Out != 3 || len(j.Pages()) != 3 {
		t.Fatalf("%+v, %v, %d labels", sent, err, len(j.Pages()))
	}
	j.told = nil
	j.DuringPage(2, j.PowerOff)
	sent, err := j.print(t.Context(), labels(2, 3))
	if !errors.Is(err, device.ErrUnclear) || !sent.Unclear || sent.Out != 1 {
		t.Errorf("%+v, %v", sent, err)
	}
}

// A unit is not out before the printer's network stack has acknowledged its last byte.
func TestSocketAcknowledges(t *testing.T) {
	notShort(t, "a printer that hangs is waited for")
	j := newJet(t, small(emulator.Options{PJL: emulator.PJLSkipped}, 0), "pjl=off")
	j.text = func(n int) string { return strings.Repeat("filler ", 10_000) + fmt.Sprintf("page %d\r\n\f", n) }
	j.open()
	j.Hang(true)
	go func() {
		if reason := <-j.wait; reason != "timed-out" {
			t.Errorf("it waits for %q", reason)
		}
		j.mu.Lock()
		if len(j.told) > 0 {
			t.Errorf("told %+v of a page that the printer has not", j.told)
		}
		j.mu.Unlock()
		j.Hang(false)
	}()
	if sent, err := j.print(t.Context(), textJob(1, 3)); err != nil || sent != (device.Sent{Whole: 3, Out: 3}) {
		t.Fatalf("%+v, %v", sent, err)
	}
	_ = j.device.Release()
	j.papers(3)
}

func TestSocketUnreachable(t *testing.T) {
	j := newJet(t, emulator.Options{}, "timeout=1s")
	if err := j.Refuse(true); err != nil {
		t.Fatal(err)
	}
	if _, err := j.device.Open(t.Context(), device.Opening{}); !errors.Is(err, device.ErrUnreachable) {
		t.Error(err)
	}
	if err := j.Refuse(false); err != nil {
		t.Fatal(err)
	}
	j.open()
	j.PowerOff()
	if _, err := j.device.Ready(t.Context(), textJob(1, 1)); !errors.Is(err, device.ErrUnreachable) {
		t.Error(err)
	}
	if err := j.PowerOn(); err != nil {
		t.Fatal(err)
	}
	// The connection that Ready made is lost before the first byte: nothing is in doubt.
	if _, err := j.device.Ready(t.Context(), textJob(1, 1)); err != nil {
		t.Fatal(err)
	}
	j.PowerOff()
	sent, err := j.device.Send(t.Context(), j.window(textJob(1, 1), 0, 1))
	if !errors.Is(err, device.ErrUnreachable) || sent != (device.Sent{}) {
		t.Errorf("%+v, %v", sent, err)
	}
	if len(j.Pages()) != 0 {
		t.Error("something came out")
	}
}

func TestSocketInUse(t *testing.T) {
	j := newJet(t, emulator.Options{}, "probe=200ms")
	j.open()
	j.Hang(true)
	_, err := j.device.Ready(t.Context(), textJob(1, 1))
	if !errors.Is(err, device.ErrUsed) {
		t.Error(err)
	}
	if _, err := j.device.Open(t.Context(), device.Opening{}); !errors.Is(err, device.ErrUsed) {
		t.Error("a counted printer that is busy became blind:", err)
	}
	j.Hang(false)
	j.open()
	if j.state.Class != queue.Counted {
		t.Errorf("%+v", j.state)
	}
}

// A whole document, of pages that nobody knows: out when the printer says that its job has ended, or when it rests.
func TestSocketWholeDocument(t *testing.T) {
	for name, o := range map[string]emulator.Options{
		"job status": {OtherPages: 5, PageTime: 5 * time.Millisecond},
		"no status":  {OtherPages: 5, PageTime: 5 * time.Millisecond, NoStatus: true},
		"blind":      {OtherPages: 5, PJL: emulator.PJLSkipped},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJet(t, o, "probe=300ms")
			j.open()
			j.text = func(int) string { return "%PDF-1.4\n" + strings.Repeat("x", 300_000) }
			job := device.Job{Cluster: "c", ID: 7, Attempt: 7, Format: pages.PDF, Units: 1, Copies: 3}
			if sent, err := j.print(t.Context(), job); err != nil || sent.Out != 3 {
				t.Fatalf("%+v, %v", sent, err)
			}
			if out := len(j.Pages()); out != 15 && j.state.Class == queue.Counted {
				t.Errorf("%d pages", out)
			}
		})
	}
}

// 200 MB go through in little memory. The other side keeps nothing: the emulator would keep its paper.
func TestSocketFlatMemory(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var sink sync.WaitGroup
	taken := int64(0)
	sink.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			n, _ := io.Copy(io.Discard, conn)
			taken += n
			conn.Close()
		}
	})
	d, err := printer.Open("socket://" + ln.Addr().String() + "?pjl=off")
	if err != nil {
		t.Fatal(err)
	}
	const size = 200 << 20
	job := device.Job{Cluster: "c", ID: 1, Attempt: 1, Format: pages.PDF, Units: 1, Copies: 1}
	stream := d.(device.Stream)
	if _, err := stream.Open(t.Context(), device.Opening{}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Ready(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	peak := uint64(0)
	sent, err := stream.Send(t.Context(), device.Window{Job: job, To: 1, Next: func(context.Context) (device.Piece, error) {
		return device.Piece{Size: size, Body: io.LimitReader(&endless{peak: &peak}, size)}, nil
	}})
	ln.Close()
	sink.Wait()
	if err != nil || sent.Out != 1 || taken != size {
		t.Fatalf("%+v, %v, %d bytes arrived", sent, err, taken)
	}
	t.Logf("heap at most %d MiB", peak>>20)
	if peak == 0 || peak > 32<<20 {
		t.Errorf("%d MiB of heap", peak>>20)
	}
}

// endless is a document that looks at the heap as it is read.
type endless struct {
	peak *uint64
	n    int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n++; e.n%500 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		*e.peak = max(*e.peak, m.HeapInuse)
	}
	return len(p), nil
}
