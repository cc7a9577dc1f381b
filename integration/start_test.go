package integration

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStartInAnyOrder starts new clusters, each member once the ones before it wait for it, and submits through each
// member in every way that there is.
func TestStartInAnyOrder(t *testing.T) {
	t.Parallel()
	orders := [][]int{{1, 2, 3}, {3, 2, 1}, {2, 3, 1}, {1, 3, 2}, {2, 1, 3}, {3, 1, 2}}
	if testing.Short() {
		orders = orders[1:2]
	}
	for i, order := range orders {
		t.Run(strings.Trim(fmt.Sprint(order), "[]"), func(t *testing.T) {
			ctx := within(t, 30*time.Second)
			c := newCluster(t)
			began := time.Now()
			for n, id := range order {
				m := c.members[id-1]
				c.start(m)
				if n < size-1 {
					c.waits(ctx, m)
				}
			}
			c.ready(ctx, c.members...)
			t.Logf("all ready after %v", since(began))
			c.printer(ctx, "office", "")
			for _, m := range c.members {
				c.submitInEveryWay(ctx, m)
			}
			c.submitByCommand(ctx, c.members[i%size])
			c.audit(ctx)
		})
	}
}

// waits waits until the member answers that it is not ready: it cannot be, before all are there.
func (c *cluster) waits(ctx context.Context, m *member) {
	c.t.Helper()
	status := 0
	until(ctx, c.t, fmt.Sprintf("member %d answers", m.id), func() bool { status = m.health(ctx); return status != 0 })
	if status != http.StatusServiceUnavailable {
		c.t.Errorf("member %d, of a cluster that is not complete, says it is ready: status %d", m.id, status)
	}
}

// submitInEveryWay submits as clients do: the type unsaid, as curl has it for --data-binary, as a form, with PUT.
func (c *cluster) submitInEveryWay(ctx context.Context, m *member) {
	c.t.Helper()
	pdf := pdfLike("office", "a.pdf", 100_000, uint64(m.id))
	r := pdf.request()
	r.contentType = ""
	c.mustSubmitAs(ctx, m, pdf, r)

	text := textOf("office", "by curl", 3, 1)
	r = text.request()
	r.contentType = "application/x-www-form-urlencoded"
	c.mustSubmitAs(ctx, m, text, r)

	large := pdfLike("office", "large.pdf", 600_000, uint64(m.id))
	r = large.request()
	r.method = http.MethodPut
	c.mustSubmitAs(ctx, m, large, r)

	for _, d := range []*document{textOf("office", "a form", 2, 2), pdfLike("office", "large form", 600_000, uint64(m.id+10))} {
		c.mustSubmitAs(ctx, m, d, c.formRequest(d))
	}
}

func (c *cluster) mustSubmitAs(ctx context.Context, m *member, d *document, r *request) {
	c.t.Helper()
	if _, err := d.sendAs(ctx, m.client, r); err != nil {
		c.t.Fatalf("%s as %q through member %d: %v", r.method, r.contentType, m.id, err)
	}
	c.remember(d)
}

// formRequest sends a document as a browser's form, with what is said of it in fields.
func (c *cluster) formRequest(d *document) *request {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := writeForm(w, d); err != nil {
		c.t.Fatal(err)
	}
	return &request{
		method: http.MethodPost, path: jobsPath(d.printer), key: d.key,
		contentType: w.FormDataContentType(), body: inMemory(b.Bytes()),
	}
}

func writeForm(w *multipart.Writer, d *document) error {
	if err := w.WriteField("copies", fmt.Sprint(d.copies)); err != nil {
		return err
	}
	file, err := w.CreateFormFile("file", d.name)
	if err != nil {
		return err
	}
	if err := copyTo(file, d.data); err != nil {
		return err
	}
	return w.Close()
}

// submitByCommand submits 200 pages with the command line, which waits until they are out.
func (c *cluster) submitByCommand(ctx context.Context, m *member) {
	c.t.Helper()
	d := textOf("office", "manual", 200, 1)
	file := filepath.Join(c.dir, "manual.txt")
	f, err := os.Create(file)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := copyTo(f, d.data); err != nil {
		c.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		c.t.Fatal(err)
	}
	out := command(ctx, c.t, "submit", file, "-p", "office", "--key", d.key, "--name", d.name, "--wait", "--server", m.addr, "-o", "json")
	if out.code != 0 {
		c.t.Fatalf("printq submit through member %d: exit code %d: %s", m.id, out.code, out.stderr)
	}
	// The same key stands for the same job: that is how this test learns which.
	r := d.request()
	r.query = url.Values{"name": {d.name}, "user": {os.Getenv("USER")}}
	if r.query.Get("user") == "" {
		r.query.Del("user")
	}
	c.mustSubmitAs(ctx, m, d, r)
}
