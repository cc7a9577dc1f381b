package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/http/api"
)

// ippMessage is a request about a printer, as CUPS's client makes it.
func ippMessage(op goipp.Op, printer string, attrs ...goipp.Attribute) []byte {
	m := goipp.NewRequest(goipp.MakeVersion(2, 0), op, 1)
	m.Operation = append(goipp.Attributes{
		goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")),
		goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")),
		goipp.MakeAttr("printer-uri", goipp.TagURI, goipp.String("ipp://cluster/printers/"+printer)),
		goipp.MakeAttr("requesting-user-name", goipp.TagName, goipp.String("ann")),
	}, attrs...)
	raw, err := m.EncodeBytes()
	if err != nil {
		panic(err) // attributes that this file spells out
	}
	return raw
}

// ippAsk sends a request over a connection of its own, and closes it in order.
func ippAsk(ctx context.Context, addr string, raw []byte, document io.Reader) (*goipp.Message, error) {
	var conn net.Conn
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return conn, err
	}}
	defer transport.CloseIdleConnections()
	body := io.Reader(bytes.NewReader(raw))
	if document != nil {
		body = io.MultiReader(body, document)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/ipp/print", body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", goipp.ContentType)
	resp, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer := new(goipp.Message)
	if err := answer.Decode(resp.Body); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	if s := goipp.Status(answer.Code); s > goipp.StatusOkEventsComplete {
		return answer, errors.New(s.String())
	}
	return answer, nil
}

func ippCreate(ctx context.Context, t *testing.T, m *member, d *document) uint64 {
	t.Helper()
	a, err := ippAsk(ctx, m.addr, ippMessage(goipp.OpCreateJob, d.printer, goipp.MakeAttr("job-name", goipp.TagName, goipp.String(d.name))), nil)
	if err != nil {
		t.Fatalf("Create-Job: %v", err)
	}
	for _, attr := range a.Job {
		if attr.Name == "job-id" {
			return uint64(attr.Values[0].V.(goipp.Integer))
		}
	}
	t.Fatalf("Create-Job gives no job: %v", a.Job)
	return 0
}

func ippSend(d *document, job uint64) []byte {
	return ippMessage(goipp.OpSendDocument, d.printer,
		goipp.MakeAttr("job-id", goipp.TagInteger, goipp.Integer(job)),
		goipp.MakeAttr("document-format", goipp.TagMimeType, goipp.String("application/octet-stream")),
		goipp.MakeAttr("last-document", goipp.TagBoolean, goipp.Boolean(true)))
}

// ippDocument sends a document for a job.
func ippDocument(ctx context.Context, m *member, d *document, job uint64) error {
	r, err := d.data.open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = ippAsk(ctx, m.addr, ippSend(d, job), r)
	return err
}

// TestSendDocumentElsewhere: a member dies in the middle of a document. The client goes to another with the same job, and, as
// if the answer had been lost, to a third: the document is printed once.
func TestSendDocumentElsewhere(t *testing.T) {
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	for i, leads := range []bool{true, false} { // the member that dies
		for _, d := range []*document{textOf("office", "letter", 5, 1), pdfLike("office", "large.pdf", 6<<20, uint64(i))} {
			dies := c.leader(ctx)
			if !leads {
				dies = c.others(dies)[0]
			}
			others := c.others(dies)
			job := ippCreate(ctx, t, others[0], d)
			half := &halfway{at: d.data.size / 2, then: func() { c.kill(dies) }}
			broken := *d
			broken.data = half.watch(d.data)
			if err := ippDocument(ctx, dies, &broken, job); err == nil {
				t.Error("a member that was killed answered")
			}
			until(ctx, t, "the document to be taken", func() bool { return ippDocument(ctx, others[1], d, job) == nil })
			if err := ippDocument(ctx, others[0], d, job); err != nil {
				t.Errorf("the same document once more: %v", err)
			}
			c.taken(ctx, d, job)
			c.start(dies)
			c.ready(ctx, dies)
		}
	}
	c.audit(ctx)
}

// taken checks what the cluster says of a document that was acknowledged to be a job's, and remembers it.
func (c *cluster) taken(ctx context.Context, d *document, job uint64) {
	c.t.Helper()
	j, err := c.waitJob(ctx, job, func(*api.Job) bool { return true })
	if err == nil {
		err = d.acknowledged(j)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.remember(d)
}

// TestLostAnswer: a client that may not have got the answer makes another job of the same document: it is held. One that has
// got it, and sends it again, wants it again.
func TestLostAnswer(t *testing.T) {
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	d := textOf("office", "label", 2, 1)
	first := ippCreate(ctx, t, c.members[0], d)
	sendAndBreak(ctx, t, c.members[0].addr, d, first)
	if _, err := c.waitJob(ctx, first, func(j *api.Job) bool { return j.Bytes > 0 }); err != nil {
		t.Fatal(err)
	}
	c.taken(ctx, d, first)
	for _, m := range c.members[1:] {
		again := ippCreate(ctx, t, m, d)
		if err := ippDocument(ctx, m, d, again); err != nil {
			t.Fatal(err)
		}
		j, err := c.waitJob(ctx, again, func(*api.Job) bool { return true })
		if err != nil || j.State != "held" || j.Reason != "possible-duplicate" || j.DuplicateOf != first {
			t.Fatalf("a job that may be another once more: %+v, %v", j, err)
		}
		if err := c.call(ctx, http.MethodPost, fmt.Sprintf("/v1/jobs/%d/cancel", again), struct{}{}, nil); err != nil {
			t.Fatal(err)
		}
		break // the answer to this one was read
	}
	for i := range 2 {
		// Nobody but its user knows that it is wanted twice: the same bytes, acknowledged as jobs of their own.
		wanted := textOf("office", "poster", 1, 1)
		for range 2 {
			id := ippCreate(ctx, t, c.members[i], wanted)
			if err := ippDocument(ctx, c.members[i], wanted, id); err != nil {
				t.Fatal(err)
			}
			if _, err := c.waitJob(ctx, id, ended); err != nil {
				t.Errorf("wanted again: %v", err)
			}
		}
	}
}

// sendAndBreak sends a document, and breaks the connection without reading the answer.
func sendAndBreak(ctx context.Context, t *testing.T, addr string, d *document, job uint64) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.data.open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw := ippSend(d, job)
	fmt.Fprintf(conn, "POST /ipp/print HTTP/1.1\r\nHost: %s\r\nContent-Type: application/ipp\r\nContent-Length: %d\r\n\r\n", addr, int64(len(raw))+d.data.size)
	if _, err := io.Copy(conn, io.MultiReader(bytes.NewReader(raw), r)); err != nil {
		t.Fatal(err)
	}
	// The first byte of the answer says that it was written: the client goes without it all the same.
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
