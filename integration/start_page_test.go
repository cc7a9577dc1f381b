package integration

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/printer/device"
	"printq/printer/pages"
)

// pclOf is a document whose pages do not stand alone, so that it is one unit.
func pclOf(n int) string {
	var b strings.Builder
	b.WriteString("\x1bE")
	for i := range n {
		fmt.Fprintf(&b, "page %d\r\n\f", i+1)
	}
	return b.String() + "\x1bE"
}

// A printer that lost its power in the middle of a document goes on after the last page that it has printed: the document comes again,
// from its beginning, and those pages run without being printed (HP PJL Technical Reference, chapter 5, JOB START).
func TestSocketGoesOnInADocument(t *testing.T) {
	for name, o := range map[string]emulator.Options{
		"full":           {},
		"no page status": {NoPageStatus: true},
		"no status":      {NoStatus: true},
		"says skipped":   {SaysSkipped: true},
		"bare count":     {BareCount: true},
		"duplex":         {Duplex: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 11
			o.PageTime = 5 * time.Millisecond
			j := newJet(t, o, "start=on")
			j.text = func(int) string { return pclOf(n) }
			j.open()
			if !j.state.Skips {
				t.Fatalf("%+v", j.state)
			}
			job := device.Job{Cluster: "c", ID: 7, Attempt: 7, Format: pages.PCL, Units: 1, Copies: 1, Pages: n}
			out := 0
			for accidents := range 3 { // one in the document, one in what is left of it, and none
				taken := make(chan struct{})
				if accidents < 2 {
					j.DuringPage(4, func() {
						select {
						case <-taken: // all of it is in the printer
						case <-t.Context().Done():
						}
						j.PowerOff()
					})
				}
				if _, err := j.device.Ready(t.Context(), job); err != nil {
					t.Fatal(err)
				}
				w := j.window(job, 0, 1)
				w.Pages = out
				w.Told = func(s device.Sent) {
					if s.Whole == 1 && s.Out == 0 {
						close(taken)
					}
				}
				sent, err := j.device.Send(t.Context(), w)
				if accidents == 2 {
					if err != nil || sent.Out != 1 {
						t.Fatalf("%+v, %v", sent, err)
					}
					break
				}
				if !errors.Is(err, device.ErrUnclear) || sent.Whole != 1 || sent.Out != 0 {
					t.Fatalf("%+v, %v", sent, err)
				}
				if err := j.PowerOn(); err != nil {
					t.Fatal(err)
				}
				j.open()
				if out = int(j.state.Counter); out < 2 || out >= n {
					t.Fatalf("%d pages are out", out)
				}
			}
			onceEach(t, j.Pages(), n)
		})
	}
}

// onceEach: pages 1 to n came out, each once and in order, but for sheets that the printer tore.
func onceEach(t *testing.T, paper []emulator.Page, n int) {
	t.Helper()
	next := 1
	for _, p := range paper {
		if p.Torn {
			continue
		}
		if want := fmt.Sprintf("page %d\r\n", next); !strings.HasSuffix(string(p.Data), want) {
			t.Fatalf("%q came out, not %q", p.Data, want)
		}
		next++
	}
	if next != n+1 {
		t.Errorf("%d pages came out, not %d", next-1, n)
	}
}

// The same with a cluster: the leader dies with the printer's power, and the next one compares, and goes on.
func TestStartResumes(t *testing.T) {
	notShort(t, "a cluster")
	ctx := within(t, time.Minute)
	c := startCluster(ctx, t)
	p, jet := jetPress(t, "start", "?start=on", emulator.Options{PageTime: 30 * time.Millisecond, NoPageStatus: true}, true)
	p.make(ctx, c)
	const n = 40
	d := &document{printer: p.name, name: "long", key: rand.Text(), copies: 1, data: inMemory([]byte(pclOf(n)))}
	d.pages = []body{d.data} // one unit
	if _, err := d.send(ctx, c.client); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "half of it is out", func() bool { return len(jet.Pages()) >= n/2 })
	jet.PowerOff()
	c.kill(c.leader(ctx))
	if err := jet.PowerOn(); err != nil {
		t.Fatal(err)
	}
	j, err := c.waitJob(ctx, d.job, func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" })
	if err != nil || j.State != "completed" || len(j.Attempts) != 1 {
		t.Fatalf("%+v, %v", j, err)
	}
	onceEach(t, jet.Pages(), n)
}
