package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/http/api"
)

// TestManyLabels is a warehouse's morning: 4,000 labels of 1 KiB, with PRINTQ_LONG=1 10,000, most of them in batches, through
// all members.
func TestManyLabels(t *testing.T) {
	notShort(t, "thousands of labels take their time")
	t.Parallel()
	const ofEach = 500
	batches, single := 6, 1000
	if long() {
		batches, single = 16, 2000
	}
	ctx := within(t, 120*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "labels", "")
	began := time.Now()
	group, sending := errgroup.WithContext(ctx)
	for i := range size {
		via := c.members[i].client
		group.Go(func() error {
			for n := i; n < batches; n += size {
				if err := c.submitBatch(sending, via, "labels", n*ofEach, ofEach); err != nil {
					return err
				}
			}
			return nil
		})
		for k := range 3 {
			group.Go(func() error {
				for n := 3*i + k; n < single; n += 3 * size {
					if err := c.submit(sending, via, label("labels", batches*ofEach+n, 1<<10)); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	count := len(c.acknowledged())
	t.Logf("%d labels acknowledged after %v: %s", count, since(began), rate(count, since(began)))
	c.settle(ctx, c.acknowledged())
	t.Logf("all out after %v: %s", since(began), rate(count, since(began)))
	c.audit(ctx)
}

func rate(n int, d time.Duration) string { return fmt.Sprintf("%.0f/s", float64(n)/d.Seconds()) }

// submitBatch submits count labels to a printer in one request.
func (c *cluster) submitBatch(ctx context.Context, via *client, printer string, first, count int) error {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	var labels []*document
	for n := range count {
		d := label(printer, first+n, 1<<10)
		labels = append(labels, d)
		part, err := w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {`form-data; name="file"; filename=` + strconv.Quote(d.name)}, api.HeaderKey: {d.key},
		})
		if err != nil {
			return err
		}
		if err := copyTo(part, d.data); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, answer, err := via.do(ctx, &request{
		method: http.MethodPost, path: jobsPath(printer) + ":batch", contentType: w.FormDataContentType(),
		body: inMemory(b.Bytes()), patience: 30 * time.Second,
	})
	if err != nil {
		return err
	}
	return c.takeBatch(answer, labels)
}

func (c *cluster) takeBatch(answer []byte, labels []*document) error {
	var items []api.BatchItem
	if err := json.Unmarshal(answer, &items); err != nil {
		return err
	}
	if len(items) != len(labels) {
		return fmt.Errorf("a batch of %d has %d answers", len(labels), len(items))
	}
	for i, item := range items {
		if item.Status != http.StatusCreated {
			return fmt.Errorf("label %d of a batch: status %d: %w", i+1, item.Status, item.Problem)
		}
		if err := labels[i].acknowledged(item.Job); err != nil {
			return err
		}
	}
	c.remember(labels...)
	return nil
}
