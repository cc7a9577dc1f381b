package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"printq/http/api"
)

// most is how much memory a member, or a head, may take for a document of any size. At rest it is about 30 MiB.
const most = 160 << 20

// TestLargeJobs prints a PDF of many pages and a raster of a gigabyte on each kind of device, and watches the memory of the members and
// of the print head. Every page is compared by its digest.
func TestLargeJobs(t *testing.T) {
	notShort(t, "large documents take their time")
	pages, sheets := 200, 64
	if long() {
		pages, sheets = 2000, 1024
	}
	for _, kind := range largeKinds {
		t.Run(kind.name, func(t *testing.T) {
			ctx := within(t, 60*time.Second)
			head := newHead(t, t.TempDir())
			c := startCluster(ctx, t, "--device-secrets", head.file)
			p := kind.make(c, head, pages)
			p.make(ctx, c)
			watched := []*process{c.members[0].process, c.members[1].process, c.members[2].process}
			if head.process != nil {
				watched = append(watched, head.process)
			}
			for _, d := range []*largeDocument{largePDF(p.name, pages), largeRaster(p.name, sheets)} {
				p.print(ctx, c, d, watched)
			}
		})
	}
}

// print prints a document, and compares what came out.
func (p *largePress) print(ctx context.Context, c *cluster, d *largeDocument, watched []*process) {
	before := len(p.sums(c.t))
	began, peaks := time.Now(), watchMemory(c.t, watched)
	r := d.request()
	r.patience = 5 * time.Minute
	if _, err := d.sendAs(ctx, c.client, r); err != nil {
		c.t.Fatal(err)
	}
	acked := since(began)
	j, err := c.waitJob(ctx, d.job, func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" })
	if err != nil || j.State != "completed" {
		c.t.Fatalf("%+v, %v", j, err)
	}
	until(ctx, c.t, "the printer is at rest", p.rests)
	peak := peaks()
	c.t.Logf("%s, %d MiB: acknowledged after %v, out after %v; memory at most: %v", d.name, d.data.size>>20, acked, since(began), peak)
	if slices.Max(peak) > most {
		c.t.Errorf("more than %d MiB of memory", most>>20)
	}
	if got, want := p.sums(c.t)[before:], p.want(c.t, d); !slices.Equal(got, want) {
		c.t.Errorf("%s: %d pages came out, and are not the %d that were sent", d.name, len(got), len(want))
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

// watchMemory looks at the memory of processes until it is asked for the most that it saw.
func watchMemory(t *testing.T, processes []*process) func() peaks {
	ctx, stop := context.WithCancel(t.Context())
	most := make(peaks, len(processes))
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			for i, p := range processes {
				if p.running() {
					most[i] = max(most[i], burdenOf(t, p).rss)
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
