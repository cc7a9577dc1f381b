package integration

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/printer/device"
	"printq/printer/pages"
)

// psOf is a document of pages that conforms to the structuring conventions.
func psOf(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%%!PS-Adobe-3.0\n%%%%Pages: %d\n%%%%EndComments\n%%%%BeginProlog\n/p {showpage} def\n%%%%EndProlog\n", n)
	for i := range n {
		fmt.Fprintf(&b, "%%%%Page: %d %d\n(page %d) p\n", i+1, i+1, i+1)
	}
	return b.String() + "%%Trailer\n%%EOF\n"
}

// stands fails unless sheets 1 to n came out, each a document of its own with one page in it, prolog and trailer around it.
func stands(t *testing.T, paper []emulator.Page, n int) {
	t.Helper()
	if len(paper) != n {
		t.Fatalf("%d pages came out, not %d", len(paper), n)
	}
	for i, p := range paper {
		text, want := string(p.Data), fmt.Sprintf("(page %d) p\n", i+1)
		if !strings.HasPrefix(text, "%!PS-Adobe-3.0\n") || strings.Count(text, ") p\n") != 1 || !strings.HasSuffix(text, "EndProlog\n"+
			fmt.Sprintf("%%%%Page: %d %d\n", i+1, i+1)+want+"%%Trailer\n%%EOF\n") {
			t.Errorf("page %d is %q", i+1, text)
		}
	}
}

// A printer is given each page as a document that stands alone, with and without PJL around it.
func TestSocketPostScript(t *testing.T) {
	for name, c := range map[string]struct {
		o       emulator.Options
		options string
	}{
		"counted": {emulator.Options{}, ""},
		"one way": {emulator.Options{PJL: emulator.PJLMute}, "pjl=oneway"},
		"no PJL":  {emulator.Options{PJL: emulator.PJLSkipped}, "pjl=off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = 11
			document := psOf(n)
			j := newJet(t, c.o, c.options)
			units := pages.Split(pages.PostScript, n, strings.NewReader(document), int64(len(document)))
			j.text = func(int) string {
				u, err := units.Next()
				if err != nil {
					t.Error(err)
				}
				_, r, err := pages.Ended(pages.PostScript, u, strings.NewReader(document))
				if err != nil {
					t.Error(err)
				}
				b, _ := io.ReadAll(r)
				return string(b)
			}
			j.open()
			job := device.Job{Cluster: "c", ID: 3, Attempt: 3, Format: pages.PostScript, Units: n, Copies: 1, Pages: n}
			if sent, err := j.print(t.Context(), job); err != nil || sent.Out != n {
				t.Fatalf("%+v, %v", sent, err)
			}
			_ = j.device.Release()
			ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
			defer stop()
			paper, err := j.Wait(ctx, func(p []emulator.Page) bool { return len(p) >= n })
			if err != nil {
				t.Fatal(err)
			}
			stands(t, paper, n)
		})
	}
}

// The leader dies in the middle of one; the next goes on at the next page. For two sides of a sheet it stays whole.
func TestPostScriptJob(t *testing.T) {
	notShort(t, "a cluster")
	ctx := within(t, time.Minute)
	c := startCluster(ctx, t)
	const n = 30
	p, jet := jetPress(t, "ps", "", emulator.Options{PageTime: 20 * time.Millisecond}, true)
	p.make(ctx, c)
	d := &document{printer: p.name, name: "pages", key: rand.Text(), copies: 1, data: inMemory([]byte(psOf(n))), pages: make([]body, n)}
	if _, err := d.send(ctx, c.client); err != nil {
		t.Fatal(err)
	}
	until(ctx, t, "half of it is out", func() bool { return len(jet.Pages()) >= n/2 })
	c.kill(c.leader(ctx))
	ended := func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" }
	j, err := c.waitJob(ctx, d.job, ended)
	if err != nil {
		t.Fatal(err)
	}
	if j.State == "held" { // the page at hand may be in doubt: it was whole
		if j.InDoubt == nil || j.InDoubt.From != j.InDoubt.To {
			t.Fatalf("%+v", j)
		}
		printed := j.InDoubt.To
		if err := c.call(ctx, "POST", fmt.Sprintf("/v1/jobs/%d/resolve", j.ID), api.Resolve{Printed: &printed}, nil); err != nil {
			t.Fatal(err)
		}
		if j, err = c.waitJob(ctx, d.job, ended); err != nil {
			t.Fatal(err)
		}
	}
	if j.State != "completed" {
		t.Fatalf("%+v", j)
	}
	stands(t, jet.Pages(), n)
	two := &document{printer: p.name, name: "two sides", key: rand.Text(), copies: 1, data: d.data, pages: make([]body, 1)}
	r := two.request()
	r.query.Set("sides", "two-sided-long-edge")
	if _, err := two.sendAs(ctx, c.client, r); err != nil {
		t.Error(err)
	}
}
