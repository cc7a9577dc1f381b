package integration

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestPrintRates says how long a page takes from the submit to the tray of an idle cluster, and how many jobs of a page
// go through one tray and through a hundred in a second. It judges nothing: the figures are the machine's, too.
func TestPrintRates(t *testing.T) {
	if !long() {
		t.Skip("a measurement: PRINTQ_LONG=1 go test ./integration -run PrintRates -v")
	}
	ctx := within(t, time.Minute)
	c := startCluster(ctx, t)
	c.printer(ctx, "idle", "")
	t.Log("one job at a time:", c.latencies(ctx, "idle", 300))
	for _, trays := range []int{1, 100} {
		var names []string
		for i := range trays {
			names = append(names, fmt.Sprintf("t%d-%d", trays, i))
			c.printer(ctx, names[i], "")
		}
		for range 3 {
			t.Logf("through %d trays: %s", trays, c.throughput(ctx, names, max(6000/trays, 120)))
		}
	}
}

// latencies are of jobs that are each submitted once the last one's page lies in the tray.
func (c *cluster) latencies(ctx context.Context, printer string, count int) string {
	var took []time.Duration
	pages := filepath.Join(c.dir, "tray-"+printer, "pages")
	for n := range count {
		d := label(printer, n, 1<<10)
		began := time.Now()
		c.mustSubmit(ctx, c.client, d)
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(pages, fmt.Sprintf("%d-1-1.txt", d.job))); err == nil {
				break
			}
			time.Sleep(50 * time.Microsecond)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	at := func(q float64) time.Duration { return took[int(q*float64(len(took)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %v, p90 %v, p99 %v", at(.5), at(.9), at(.99))
}

// throughput pauses the printers, gives each of them jobs of a page, and lets them go.
func (c *cluster) throughput(ctx context.Context, printers []string, ofEach int) string {
	each := func(action string) {
		for _, name := range printers {
			if err := c.call(ctx, http.MethodPost, "/v1/printers/"+name+"/"+action, nil, nil); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	each("pause")
	before := len(c.acknowledged())
	for i, name := range printers {
		for n := 0; n < ofEach; n += 500 {
			if err := c.submitBatch(ctx, c.client, name, i*ofEach+n, min(500, ofEach-n)); err != nil {
				c.t.Fatal(err)
			}
		}
	}
	documents := c.acknowledged()[before:]
	for _, m := range c.members { // the answers come after all that was acknowledged is applied there
		if err := m.call(ctx, http.MethodGet, "/v1/cluster", nil, nil); err != nil {
			c.t.Fatal(err)
		}
	}
	cost, began := c.cpu(), time.Now()
	each("resume")
	c.settle(ctx, documents)
	took, spent := time.Since(began), c.cpu()-cost
	return fmt.Sprintf("%s, %v of CPU for each job on three members", rate(len(documents), took), (spent / time.Duration(len(documents))).Round(time.Microsecond))
}

func (c *cluster) cpu() (sum time.Duration) {
	for _, b := range c.burdens() {
		sum += b.cpu
	}
	return sum
}
