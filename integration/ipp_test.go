package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/http/api"
	"printq/http/fetch/fetchtest"
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
	t.Parallel()
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
	t.Parallel()
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
	again := ippCreate(ctx, t, c.members[1], d)
	if err := ippDocument(ctx, c.members[1], d, again); err != nil {
		t.Fatal(err)
	}
	j, err := c.waitJob(ctx, again, func(*api.Job) bool { return true })
	if err != nil || j.State != "held" || j.Reason != "possible-duplicate" || j.DuplicateOf != first {
		t.Fatalf("a job that may be another once more: %+v, %v", j, err)
	}
	if err := c.call(ctx, http.MethodPost, fmt.Sprintf("/v1/jobs/%d/cancel", again), struct{}{}, nil); err != nil {
		t.Fatal(err)
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

// TestPrintJobRate: documents of 64 KiB by Print-Job, 16 clients at a time, each over a connection of its own.
func TestPrintJobRate(t *testing.T) {
	notShort(t, "it measures")
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	c.printer(ctx, "office", "")
	if err := c.call(ctx, http.MethodPost, "/v1/printers/office/pause", struct{}{}, nil); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, m := range c.members {
		addrs = append(addrs, m.addr)
	}
	t.Logf("printq, three members, synced: %.0f/s", printJobRate(ctx, t, "/ipp/print/office", addrs...))
}

// printJobRate sends documents by Print-Job, and says how many a second.
func printJobRate(ctx context.Context, t *testing.T, path string, addrs ...string) float64 {
	t.Helper()
	const clients, each = 16, 100
	raw := ippMessage(goipp.OpPrintJob, "office", goipp.MakeAttr("document-format", goipp.TagMimeType, goipp.String("application/vnd.cups-raw")))
	raw = append(raw, bytes.Repeat([]byte("\x00printq\xff"), 64<<10/8)...)
	errs := make(chan error, clients)
	began := time.Now()
	for i := range clients {
		go func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			for range each {
				if err := printJob(ctx, client, addrs[i%len(addrs)]+path, raw); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range clients {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	return clients * each / time.Since(began).Seconds()
}

func printJob(ctx context.Context, client *http.Client, at string, raw []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", goipp.ContentType)
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer goipp.Message
	if err := answer.Decode(resp.Body); err != nil {
		return err
	}
	if s := goipp.Status(answer.Code); s != goipp.StatusOk {
		return errors.New(s.String())
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// ippSuites is where Debian's cups-ipp-utils puts ipptool's files.
const ippSuites = "/usr/share/cups/ipptool"

// servesDocuments serves a document named.txt by HTTP and by FTP, and says where.
func servesDocuments(t *testing.T) []string {
	const name, text = "named.txt", "one\n\ftwo\n"
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, text) }))
	t.Cleanup(web.Close)
	return []string{web.URL + "/", "ftp://" + fetchtest.Serve(t, map[string]string{name: text}).Addr + "/"}
}

// TestIPPSuites runs the PWG's own tests, as ipptool has them, against printers as they are when they were just made: nothing may fail. What is
// left out are five tests for a printer that has an attribute print-quality, which none has (the standard's name is
// print-quality-supported), and five that need a document that ipptool can name: these run where it is given one, by http and by ftp.
func TestIPPSuites(t *testing.T) {
	notShort(t, "it prints every kind of document")
	tool, err := exec.LookPath("ipptool")
	tests, _ := filepath.Glob(filepath.Join(ippSuites, "*.test"))
	if err != nil || len(tests) == 0 {
		if os.Getenv("PRINTQ_CUPS") == "required" {
			t.Fatal("ipptool is not installed (Debian: cups-ipp-utils)")
		}
		t.Skip("ipptool is not installed (Debian: cups-ipp-utils)")
	}
	ctx := within(t, 120*time.Second)
	places := servesDocuments(t)
	c := startCluster(ctx, t, "--fetch-from", places[0], "--fetch-from", places[1])
	dir := t.TempDir()
	for _, name := range tests {
		body, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, filepath.Base(name)), body, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, body := range map[string]string{
		"document.txt": "a page\n\fanother\n", "document-a4.pdf": "%PDF-1.4\n", "document-letter.pdf": "%PDF-1.4\n",
		"document-a4.ps": "%!PS-Adobe-3.0\n", "document-letter.ps": "%!PS-Adobe-3.0\n", "color.jpg": "\xff\xd8\xff", "gray.jpg": "\xff\xd8\xff",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rasterSamples(t, filepath.Join(dir, "ipp-everywhere.test"))
	for i, s := range []struct {
		version, suite string
		least          int
		document       string
	}{
		{"1.1", "ipp-1.1", 56, ""},
		{"2.0", "ipp-2.0", 57, ""},
		{"2.1", "ipp-2.1", 58, ""},
		{"2.2", "ipp-2.2", 59, ""},
		{"2.0", "ipp-everywhere", 490, ""},
		{"2.1", "ipp-2.1", 63, places[0] + "named.txt"},
		{"2.2", "ipp-2.2", 64, places[1] + "named.txt"},
	} {
		name := fmt.Sprintf("%s-%d", s.suite, i)
		c.printer(ctx, name, "?delay=300ms")
		uri := "ipp://" + c.members[i%size].addr + "/ipp/print/" + name
		args := []string{"-V", s.version, "-T", "30", "-t", "-f", filepath.Join(dir, "document.txt"), uri, filepath.Join(dir, s.suite+".test")}
		if s.document != "" {
			args = append([]string{"-d", "document-uri=" + s.document}, args...)
		}
		t.Run(name, func(t *testing.T) { // side by side: most of the time they wait for a job
			t.Parallel()
			out, err := exec.CommandContext(t.Context(), tool, args...).CombinedOutput()
			// Its exit code is 0 with failures in an included file: its lines are counted.
			passed, failed := bytes.Count(out, []byte("[PASS]\n")), bytes.Count(out, []byte("[FAIL]\n"))
			skipped := regexp.MustCompile(`(?m)^ *(.*\S) +\[SKIP\]$`).FindAllSubmatch(out, -1)
			t.Logf("%d passed, %d failed, %d left out (%v)", passed, failed, len(skipped), err)
			for _, test := range skipped {
				t.Logf("left out: %s", test[1])
			}
			if failed > 0 || passed < s.least {
				t.Errorf("want %d passed at least, and none failed:\n%s", s.least, out)
			}
		})
	}
}
