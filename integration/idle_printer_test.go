package integration

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/integration/emulator"
)

// What was learned of a printer when it was claimed still holds when it has been idle: a page is out when the printer says so, not when
// its network has taken the bytes.
func TestPrinterThatWasIdle(t *testing.T) {
	t.Parallel()
	ctx := within(t, 40*time.Second)
	c := startCluster(ctx, t)
	p := socketPress(t, "counted", "", small(emulator.Options{}, time.Millisecond), true)
	p.make(ctx, c)
	until(ctx, t, "the printer is claimed, and idle", func() bool {
		var v api.Printer
		err := c.call(ctx, "GET", "/v1/printers/counted", nil, &v)
		return err == nil && len(v.Status) == 1 && v.Status[0].Class == "counted" && v.Status[0].Resumed
	})
	var text strings.Builder
	for n := range 20 {
		fmt.Fprintf(&text, "page %d\f", n+1)
	}
	d := pdfLike("counted", "pages", 0, 0)
	d.data = inMemory([]byte(text.String()))
	d.pages = make([]body, 20)
	if _, err := d.send(ctx, c.client); err != nil {
		t.Fatal(err)
	}
	j, err := c.waitJob(ctx, d.job, func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" })
	if err != nil || j.State != "completed" {
		t.Fatalf("%+v, %v", j, err)
	}
	pages := p.pages()
	if len(pages) != 20 {
		t.Fatalf("%d pages came out", len(pages))
	}
	for n, page := range pages {
		if want := fmt.Sprintf("page %d", n+1); !strings.HasSuffix(string(page.Data), want) { // PCL may be told how lines end
			t.Errorf("page %d is %q", n+1, page.Data)
		}
	}
}
