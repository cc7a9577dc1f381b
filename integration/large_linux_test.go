package integration

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"printq/http/api"
)

// TestLargeJobs prints a PDF of 2,000 pages and a raster of 1 GiB on a tray, and watches the memory of the members.
func TestLargeJobs(t *testing.T) {
	if !long() {
		t.Skip("left out without PRINTQ_LONG=1: a gigabyte takes a minute and disk space")
	}
	const most = 400 << 20
	for _, kind := range []string{"tray"} {
		t.Run(kind, func(t *testing.T) {
			ctx := within(t, 30*time.Second)
			c := startCluster(ctx, t)
			p := trayPress(c, 0)
			p.make(ctx, c)
			for _, d := range []*document{manyPagePDF(kind, 2000), manyPageRaster(kind, 1024)} {
				before := p.pages()
				began, peaks := time.Now(), watchMemory(c)
				r := d.request()
				r.patience = 5 * time.Minute
				if _, err := d.sendAs(ctx, c.client, r); err != nil {
					t.Fatal(err)
				}
				acked := since(began)
				j, err := c.waitJob(ctx, d.job, func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" })
				if err != nil || j.State != "completed" {
					t.Fatalf("%+v, %v", j, err)
				}
				until(ctx, t, "the printer is at rest", p.rests)
				peak := peaks()
				t.Logf("%s, %d MiB: acknowledged after %v, out after %v; memory at most, member by member: %s", d.name, d.data.size>>20, acked, since(began), peak)
				for _, n := range peak {
					if n > most {
						t.Errorf("%d MiB of memory", n>>20)
					}
				}
				if n := len(p.pages()) - len(before); n != len(d.pages) {
					t.Errorf("%d pages came out, not %d", n, len(d.pages))
				}
			}
		})
	}
}

// peaks are the most bytes of memory of each process.
type peaks []int64

func (p peaks) String() string {
	var all []string
	for _, n := range p {
		all = append(all, fmt.Sprintf("%d MiB", n>>20))
	}
	return strings.Join(all, ", ")
}

// watchMemory looks at the memory of the processes until it is asked for the most that it saw.
func watchMemory(c *cluster) func() peaks {
	var processes []*process
	for _, m := range c.members {
		processes = append(processes, m.process)
	}
	ctx, stop := context.WithCancel(c.t.Context())
	most := make(peaks, len(processes))
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			for i, p := range processes {
				if p.running() {
					most[i] = max(most[i], burdenOf(c.t, p).rss)
				}
			}
			breathe(ctx, 50*time.Millisecond)
		}
	})
	return func() peaks {
		stop()
		watching.Wait()
		return most
	}
}

// manyPagePDF is a document of blank pages.
func manyPagePDF(printer string, pages int) *document {
	var b, kids strings.Builder
	b.WriteString("%PDF-1.4\n")
	var at []int
	object := func(text string) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(at), text)
	}
	for n := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", n+3)
	}
	object("<</Type/Catalog/Pages 2 0 R>>")
	object(fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids.String(), pages))
	for range pages {
		object("<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	d := pdfLike(printer, fmt.Sprintf("PDF of %d pages", pages), 0, 0)
	d.data = inMemory([]byte(b.String()))
	d.pages = []body{d.data}
	return d
}

// manyPageRaster is pages of PWG raster of 1 MiB each, which are made as they are read.
func manyPageRaster(printer string, pages int) *document {
	page := largePage()
	d := pdfLike(printer, fmt.Sprintf("raster of %d pages", pages), 0, 0)
	d.pages = make([]body, pages)
	d.data = body{4 + int64(pages)*int64(len(page)), func() (io.ReadCloser, error) {
		readers := []io.Reader{strings.NewReader("RaS2")}
		for range pages {
			readers = append(readers, strings.NewReader(page))
		}
		return io.NopCloser(io.MultiReader(readers...)), nil
	}}
	return d
}

func largePage() string {
	const width, height = 8192, 127
	one := rasterPage(width, 1)
	head, line := one[:1796], one[1796:]
	binary.BigEndian.PutUint32(head[376:], height)
	return string(head) + strings.Repeat(string(line), height)
}
