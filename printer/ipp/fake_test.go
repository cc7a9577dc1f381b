package ipp

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
	"printq/queue"
)

// A fault is what happens to one request.
type fault struct {
	before bool // the connection breaks before the printer acts
	after  bool // it breaks before the answer
	status goipp.Status
	http   int
	raw    []byte // sent for an answer
	// cut reads so many bytes of the request's document and breaks the connection.
	cut int
	do  func() // before anything else
}

type fakeJob struct {
	id        int
	name      string
	state     state
	reasons   []string
	documents int
	octets    int
	processed bool
	imp       int
	copies    int
	document  []byte
	template  goipp.Attributes
}

// A fake printer prints one page of a document (a line) for each look at the job.
type fake struct {
	*httptest.Server
	mu     sync.Mutex
	t      *testing.T
	jobs   []*fakeJob
	last   int
	faults map[goipp.Op][]fault
	seen   map[goipp.Op]int
	paper  []string // pages that came out

	ops     []goipp.Op
	formats []string
	copies  int // copies-supported
	extra   goipp.Attributes
	// What it makes of a document that broke off: nothing (it stays open and empty), partial (open, with a part), printed (as if whole),
	// aborted.
	onCut string
	// Does not say, or does not count.
	mute, uncounted, noDocuments, noTimes bool
	media                                 bool // out of paper
	refuses                               bool // not accepting
	stuck                                 bool // prints nothing
	user, password                        string
}

func newFake(t *testing.T) *fake {
	f := &fake{
		t: t, last: 40, faults: map[goipp.Op][]fault{}, seen: map[goipp.Op]int{}, copies: 99, onCut: "nothing",
		ops:     append([]goipp.Op{goipp.OpPrintJob, goipp.OpGetPrinterAttributes, goipp.OpValidateJob}, spooling...),
		formats: []string{"application/pdf", "image/pwg-raster"},
	}
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) // of broken handshakes
	return f
}

func (f *fake) start() *fake {
	f.Server.Start()
	f.t.Cleanup(f.Server.Close)
	return f
}

func (f *fake) printer(query string) *Printer {
	f.t.Helper()
	a, err := Parse(strings.Replace(f.URL, "http", "ipp", 1) + "/ipp/print" + query)
	if err != nil {
		f.t.Fatal(err)
	}
	p := New(a, Options{
		PollMin: time.Millisecond, PollMax: 2 * time.Millisecond, Stall: 50 * time.Millisecond, Patience: 10 * time.Millisecond,
		Grace: time.Millisecond, Request: 2 * time.Second,
	})
	f.t.Cleanup(func() { _ = p.Release() })
	return p
}

func (f *fake) fail(op goipp.Op, faults ...fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults[op] = append(f.faults[op], faults...)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := new(goipp.Message)
	if err := m.Decode(r.Body); err != nil {
		f.t.Errorf("request: %v", err)
		return
	}
	op := goipp.Op(m.Code)
	f.mu.Lock()
	f.seen[op]++
	var now fault
	if queued := f.faults[op]; len(queued) > 0 {
		now, f.faults[op] = queued[0], queued[1:]
	}
	f.mu.Unlock()
	if now.do != nil {
		now.do()
	}
	switch user, password, _ := r.BasicAuth(); {
	case now.before:
		panic(http.ErrAbortHandler)
	case now.http != 0 || user != f.user || password != f.password:
		if now.http == 0 {
			now.http = 401
		}
		w.WriteHeader(now.http)
		return
	case now.raw != nil:
		_, _ = w.Write(now.raw)
		return
	}
	document, broken := f.read(r, now.cut)
	f.mu.Lock()
	status, groups := now.status, goipp.Groups(nil)
	if status == 0 {
		status, groups = f.act(op, m, document, broken)
	}
	f.mu.Unlock()
	if now.after || broken {
		panic(http.ErrAbortHandler)
	}
	answer := goipp.NewMessageWithGroups(m.Version, goipp.Code(status), m.RequestID, append(goipp.Groups{{
		Tag: goipp.TagOperationGroup, Attrs: goipp.Attributes{
			goipp.MakeAttr("attributes-charset", goipp.TagCharset, goipp.String("utf-8")),
			goipp.MakeAttr("attributes-natural-language", goipp.TagLanguage, goipp.String("en")),
		},
	}}, groups...))
	raw, err := answer.EncodeBytes()
	if err != nil {
		f.t.Error(err)
	}
	_, _ = w.Write(raw)
}

func (f *fake) read(r *http.Request, cut int) (document []byte, broken bool) {
	if cut > 0 {
		document = make([]byte, cut)
		n, _ := io.ReadFull(r.Body, document)
		return document[:n], true
	}
	document, err := io.ReadAll(r.Body)
	return document, err != nil
}

func (f *fake) act(op goipp.Op, m *goipp.Message, document []byte, broken bool) (goipp.Status, goipp.Groups) {
	g := group(m.Operation)
	if !slices.Contains(f.ops, op) {
		return goipp.StatusErrorOperationNotSupported, nil
	}
	switch op {
	case goipp.OpGetPrinterAttributes:
		return goipp.StatusOk, goipp.Groups{{Tag: goipp.TagPrinterGroup, Attrs: f.attributes()}}
	case goipp.OpGetJobs:
		return goipp.StatusOk, f.list(g.text("which-jobs"))
	case goipp.OpCreateJob, goipp.OpPrintJob:
		if f.refuses {
			return goipp.StatusErrorNotAcceptingJobs, nil
		}
		f.last++
		j := &fakeJob{id: f.last, name: g.text("job-name"), state: held, reasons: []string{"job-incoming"}, copies: 1, template: m.Job}
		if n, ok := group(m.Job).number("copies"); ok {
			j.copies = n
		}
		f.jobs = append(f.jobs, j)
		if op == goipp.OpPrintJob {
			f.load(j, document, broken)
		}
		return goipp.StatusOk, goipp.Groups{{Tag: goipp.TagJobGroup, Attrs: goipp.Attributes{integer("job-id", j.id)}}}
	}
	j := f.job(g)
	if j == nil {
		return goipp.StatusErrorNotFound, nil
	}
	switch op {
	case goipp.OpGetJobAttributes:
		f.advance(j)
		return goipp.StatusOk, goipp.Groups{{Tag: goipp.TagJobGroup, Attrs: f.describe(j)}}
	case goipp.OpCancelJob:
		if j.state.ended() {
			return goipp.StatusErrorNotPossible, nil
		}
		j.state, j.reasons = canceled, []string{"job-canceled-by-user"}
		return goipp.StatusOk, nil
	case goipp.OpSendDocument:
		if j.state != held || j.documents > 0 {
			return goipp.StatusErrorNotPossible, nil
		}
		f.load(j, document, broken)
		return goipp.StatusOk, nil
	}
	return goipp.StatusErrorBadRequest, nil
}

func (f *fake) load(j *fakeJob, document []byte, broken bool) {
	if broken {
		switch f.onCut {
		case "nothing":
			return
		case "partial":
			j.documents, j.octets = 1, (len(document)+1023)/1024
			return
		case "aborted":
			j.documents, j.state, j.reasons = 1, aborted, []string{"submission-interrupted"}
			return
		}
	}
	j.documents, j.octets, j.document = j.documents+1, (len(document)+1023)/1024, document
	j.state, j.reasons = pending, nil
}

// advance prints a page.
func (f *fake) advance(j *fakeJob) {
	if j.state != pending && j.state != processing || f.media || f.stuck {
		return
	}
	if j.state == pending {
		j.state, j.processed = processing, true
		return
	}
	pages := bytes.SplitAfter(bytes.TrimSuffix(j.document, []byte("\n")), []byte("\n"))
	if n := len(pages) * j.copies; j.imp == n {
		j.state, j.reasons = completed, []string{"job-completed-successfully"}
		return
	}
	f.paper = append(f.paper, strings.TrimSuffix(string(pages[j.imp%len(pages)]), "\n"))
	j.imp++
}

func (f *fake) job(g group) *fakeJob {
	id, _ := g.number("job-id")
	for _, j := range f.jobs {
		if j.id == id {
			return j
		}
	}
	return nil
}

func (f *fake) list(which string) (groups goipp.Groups) {
	for _, j := range f.jobs {
		if j.state.ended() == (which == "completed") {
			groups = append(groups, goipp.Group{Tag: goipp.TagJobGroup, Attrs: f.describe(j)})
		}
	}
	return groups
}

func (f *fake) describe(j *fakeJob) goipp.Attributes {
	a := goipp.Attributes{
		integer("job-id", j.id), name("job-name", j.name), goipp.MakeAttr("job-state", goipp.TagEnum, goipp.Integer(j.state)),
		keywords("job-state-reasons", append(j.reasons, "none")...),
	}
	if !f.noTimes {
		if j.processed {
			a.Add(integer("time-at-processing", 17))
		} else {
			a.Add(goipp.MakeAttr("time-at-processing", goipp.TagNoValue, goipp.Void{}))
		}
	}
	if f.mute {
		return a
	}
	if !f.uncounted {
		a.Add(integer("job-impressions-completed", j.imp))
	}
	if !f.noDocuments {
		a.Add(integer("number-of-documents", j.documents))
		a.Add(integer("job-k-octets", j.octets))
	}
	return a
}

func (f *fake) attributes() goipp.Attributes {
	a := goipp.Attributes{
		name("printer-make-and-model", "Fake 3000"),
		goipp.MakeAttr("printer-uuid", goipp.TagURI, goipp.String("urn:uuid:f4ce")),
		goipp.MakeAttr("copies-supported", goipp.TagRange, goipp.Range{Lower: 1, Upper: f.copies}),
		boolean("printer-is-accepting-jobs", !f.refuses),
		keywords("sides-supported", "one-sided", "two-sided-long-edge"), keywords("sides-default", "one-sided"),
		goipp.MakeAttr("print-quality-supported", goipp.TagEnum, goipp.Integer(3), goipp.Integer(5)),
	}
	ops := goipp.Attribute{Name: "operations-supported"}
	for _, op := range f.ops {
		ops.Values.Add(goipp.TagEnum, goipp.Integer(op))
	}
	formats := goipp.Attribute{Name: "document-format-supported"}
	for _, format := range f.formats {
		formats.Values.Add(goipp.TagMimeType, goipp.String(format))
	}
	a = append(a, ops, formats)
	if f.media {
		a.Add(keywords("printer-state-reasons", "toner-low-report", "media-empty-error"))
	}
	return append(a, f.extra...)
}

// set changes the printer.
func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// count is how often an operation was asked for.
func (f *fake) count(op goipp.Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[op]
}

func (f *fake) pages() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.paper, " ")
}

// aJob is one of three pages, each a unit.
func aJob() device.Job {
	return device.Job{
		Cluster: "c", ID: 7, Attempt: 9, Name: "report", Format: "image/pwg-raster", Units: 3, Copies: 1, Pages: 3,
		Bytes: int64(len(threePages)),
	}
}

var threePages = "one" + strings.Repeat(" ", 3000) + "\ntwo\nthree\n"

func sheet(j device.Job, id string) device.Sheet {
	return device.Sheet{
		Token: queue.Token{Term: 1, Index: 1}, ID: id, Job: j, Stop: make(chan struct{}),
		Document: func(context.Context) (device.Piece, int, error) {
			copies, _ := left(j)
			return device.Piece{Size: int64(len(threePages)), Body: strings.NewReader(threePages)}, copies, nil
		},
	}
}

func opened(t *testing.T, p *Printer) device.State {
	t.Helper()
	s, err := p.Open(t.Context(), device.Opening{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func created(t *testing.T, p *Printer, j device.Job) string {
	t.Helper()
	id, err := p.Create(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func followed(t *testing.T, p *Printer, s device.Sheet) device.Outcome {
	t.Helper()
	o, err := p.Follow(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
