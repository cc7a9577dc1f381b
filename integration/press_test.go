package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/integration/emulator"
	"printq/integration/paper"
)

// A press is a device with paper that a test can look at, and with accidents of its own.
type press struct {
	name, uri string
	// pages is the paper.
	pages func() []emulator.Page
	// rests: nothing more will come out of what it was given.
	rests func() bool
	// accidents by name. Each ends with the device as it was before, after some time.
	accidents map[string]func(pause func())
	documents []paper.Document
	jobs      []uint64
	size      int  // of a page; 0: as paper has it
	labels    bool // its pages go as ZPL
	// Jobs that were in doubt, and units; of those that are pages, which.
	doubts, inDoubt int
	doubted         []paper.Unit
}

// emulated is what the emulators have in common.
type emulated interface {
	Pages() []emulator.Page
	PaperOut()
	PaperIn()
	Hang(bool)
	PowerOff()
	PowerOn() error
}

// accidentsOf are those of a printer whose buffers may be lost, or those of one where nobody would know.
func accidentsOf(t *testing.T, p emulated, power bool) map[string]func(func()) {
	accidents := map[string]func(func()){
		"paper out": func(pause func()) { p.PaperOut(); pause(); p.PaperIn() },
		"hang":      func(pause func()) { p.Hang(true); pause(); p.Hang(false) },
	}
	if power {
		accidents["power"] = func(pause func()) {
			p.PowerOff()
			pause()
			if err := p.PowerOn(); err != nil {
				t.Error(err)
			}
		}
	}
	return accidents
}

// small is a printer with small buffers, so that an accident meets pages that are half sent.
func small(o emulator.Options, page time.Duration) emulator.Options {
	o.PageTime, o.Buffer, o.SocketBuffer = page, 4<<10, 8<<10
	return o
}

func socketPress(t *testing.T, name, options string, o emulator.Options, counted bool) *press {
	t.Helper()
	p, _ := jetPress(t, name, options, o, counted)
	return p
}

// jetPress is a socketPress with its printer.
func jetPress(t *testing.T, name, options string, o emulator.Options, counted bool) (*press, *emulator.JetDirect) {
	t.Helper()
	jet := emulator.NewJetDirect(o)
	t.Cleanup(func() { jet.Close() })
	addr, err := jet.Start()
	if err != nil {
		t.Fatal(err)
	}
	p := &press{
		name: name, uri: "socket://" + addr + options, pages: jet.Pages, accidents: accidentsOf(t, jet, counted),
		rests: func() bool { return !jet.Connected() && jet.Status().Display == "00 READY" && servesAll(addr) },
	}
	if counted {
		p.accidents["reset"] = func(func()) { jet.Reset() }
	}
	return p, jet
}

// servesAll reports that a printer has served every connection made before this moment, also those that it had not accepted yet: it
// serves them in turn, so it is enough that it serves one more, without a byte.
func servesAll(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, conn)
	return err == nil
}

// labelPress is a label printer that is asked by ~HS. Each page is a label. What it lost with its power was in doubt, so that may go, too.
func labelPress(t *testing.T, page time.Duration) *press {
	t.Helper()
	p, jet := jetPress(t, "labels", "?status=zpl", small(emulator.Options{HostStatus: true}, page), true)
	p.labels = true
	p.pages = func() []emulator.Page {
		pages := jet.Pages()
		for i, s := range pages {
			pages[i].Data = bytes.TrimSuffix(bytes.TrimPrefix(s.Data, []byte("^XA")), []byte("^XZ"))
		}
		return pages
	}
	return p
}

func ippPress(t *testing.T, name string, o emulator.IPPOptions, power bool) *press {
	printer, err := emulator.NewIPP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { printer.Close() })
	uri, err := printer.Start()
	if err != nil {
		t.Fatal(err)
	}
	return &press{
		name: name, uri: uri, pages: printer.Pages, accidents: accidentsOf(t, printer, power),
		rests: func() bool { return printer.Status().Display == "00 READY" },
	}
}

func trayPress(c *cluster, page time.Duration) *press {
	dir := filepath.Join(c.dir, "press-tray")
	p := &press{name: "tray", uri: "tray:" + filepath.ToSlash(dir) + "?delay=" + page.String(), rests: func() bool { return true }}
	p.pages = func() (pages []emulator.Page) {
		slips, err := readLedger(dir)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, s := range slips {
			r, err := s.data.open()
			if err != nil {
				c.t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			r.Close()
			if err != nil {
				c.t.Fatal(err)
			}
			pages = append(pages, emulator.Page{Data: b})
		}
		return pages
	}
	return p
}

// filePress is a plain file; what stands between two beginnings of a page, or form feeds, is a sheet.
func filePress(c *cluster) *press {
	path := filepath.Join(c.dir, "press-file")
	p := &press{name: "file", uri: "file:" + filepath.ToSlash(path), rests: func() bool { return true }}
	p.pages = func() (pages []emulator.Page) {
		b, err := os.ReadFile(path)
		if err != nil {
			c.t.Fatal(err)
		}
		for _, sheet := range strings.Split(strings.ReplaceAll(string(b), "=== ", "\f=== "), "\f") {
			if strings.TrimSpace(sheet) != "" {
				pages = append(pages, emulator.Page{Data: []byte(sheet)})
			}
		}
		return pages
	}
	return p
}

// A headPress is a print head, a process of its own, before a raw TCP printer.
type headPress struct {
	c          *cluster
	args       []string
	output     string
	process    *process
	addr, file string // where it listens; the members' secrets
}

// newHead makes what members must know of a head before they start.
func newHead(t *testing.T, dir string) *headPress {
	h := &headPress{addr: freeAddrs(t, 1)[0], file: filepath.Join(dir, "secrets")}
	if err := os.WriteFile(h.file, []byte(h.addr+" secret-of-the-head\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *headPress) start() {
	var err error
	if h.process, err = h.c.nursery.start(h.output, h.args...); err != nil {
		h.c.t.Error(err)
	}
}

// press starts the head before the printer of another press.
func (h *headPress) press(c *cluster, behind *press) *press {
	secret := filepath.Join(c.dir, "head-secret")
	if err := os.WriteFile(secret, []byte("secret-of-the-head\n"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	h.c, h.output = c, filepath.Join(c.t.ArtifactDir(), "head.log")
	h.args = []string{"head", "--listen", h.addr, "--device", behind.uri, "--data", filepath.Join(c.dir, "head"), "--secret-file", secret}
	h.start()
	c.t.Cleanup(func() {
		h.process.kill()
		if c.t.Failed() {
			c.t.Logf("the head said at last:\n%s", tailOf(h.output, 20))
		}
	})
	p := *behind
	p.name, p.uri = "head", "head://"+h.addr
	p.accidents = map[string]func(func()){"head": func(pause func()) { h.process.kill(); pause(); h.start() }}
	for name, f := range behind.accidents {
		p.accidents[name] = f
	}
	return &p
}

// make makes the printer.
func (p *press) make(ctx context.Context, c *cluster) {
	c.t.Helper()
	if err := c.call(ctx, http.MethodPut, "/v1/printers/"+p.name, api.PrinterSettings{Device: p.uri}, nil); err != nil {
		c.t.Fatalf("make printer %s: %v", p.name, err)
	}
}

// submit sends a document of text.
func (p *press) submit(ctx context.Context, c *cluster, pages int) {
	c.t.Helper()
	d := paper.Document{Name: fmt.Sprintf("%s job %d", p.name, len(p.jobs)+1), Pages: pages, Size: p.size}
	sent := textOf(p.name, d.Name, pages, 1)
	sent.data = inMemory(d.Text())
	if p.labels {
		sent.data = inMemory([]byte("^XA" + strings.ReplaceAll(strings.TrimSuffix(string(d.Text()), "\f"), "\f", "^XZ^XA") + "^XZ"))
	}
	if _, err := sent.send(ctx, c.client); err != nil {
		c.t.Fatal(err)
	}
	p.documents, p.jobs = append(p.documents, d), append(p.jobs, sent.job)
}

// settle waits until each job is completed or held, and the printer is at rest. It returns the jobs that are held.
func (p *press) settle(ctx context.Context, c *cluster) (held []*api.Job) {
	c.t.Helper()
	for _, id := range p.jobs {
		j, err := c.waitJob(ctx, id, func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" })
		switch {
		case err != nil:
			c.t.Fatalf("%s: job %d: %v\n%s", p.name, id, err, c.describe([]uint64{id}))
		case j.State == "held":
			held = append(held, j)
		case j.State != "completed":
			c.t.Errorf("%s: job %d is %s (%s)", p.name, id, j.State, j.Reason)
		}
	}
	until(ctx, c.t, p.name+" is at rest", p.rests)
	return held
}

// resolve looks at the paper of each held job, compares it with what the log says, and says what is out. It reports whether the paper
// agrees.
func (p *press) resolve(ctx context.Context, c *cluster, held []*api.Job) (agrees bool) {
	c.t.Helper()
	pages := p.pages()
	agrees = true
	for _, j := range held {
		places := p.documents[slices.Index(p.jobs, j.ID)].Out(pages)
		out := slices.IndexFunc(places, func(at []int) bool { return len(at) == 0 })
		if out < 0 {
			out = len(places)
		}
		if err := doubtful(j, places); err != nil {
			c.t.Errorf("%s: job %d: %v", p.name, j.ID, err)
			agrees = false
			continue
		}
		p.doubts++
		p.inDoubt += int(lastDoubt(j) - j.Printed)
		p.doubt(j)
		printed := uint32(out)
		if err := c.call(ctx, http.MethodPost, fmt.Sprintf("/v1/jobs/%d/resolve", j.ID), api.Resolve{Printed: &printed}, nil); err != nil {
			c.t.Fatal(err)
		}
	}
	return agrees
}

// doubt takes down which pages a job has in doubt.
func (p *press) doubt(j *api.Job) {
	d := slices.Index(p.jobs, j.ID)
	from, to := int(j.Printed)+1, int(lastDoubt(j))
	if j.Units == 1 { // a document: any page of it
		from, to = 1, p.documents[d].Pages
	}
	for n := from; n <= to; n++ {
		p.doubted = append(p.doubted, paper.Unit{Document: d, Page: n})
	}
}

// lastDoubt is the last unit of one copy that is in doubt.
func lastDoubt(j *api.Job) uint32 {
	if j.InDoubt.Last != 0 {
		return j.InDoubt.Last
	}
	return j.InDoubt.To
}

// doubtful says where a job that is held says something of its pages that the paper does not.
func doubtful(j *api.Job, places [][]int) error {
	if j.Reason != "in-doubt" || j.InDoubt == nil {
		return fmt.Errorf("it is held for %q, and nothing is in doubt", j.Reason)
	}
	if j.InDoubt.From != j.Printed%j.Units+1 {
		return fmt.Errorf("%d are printed, and in doubt is what follows page %d", j.Printed, j.InDoubt.From)
	}
	for i, at := range places {
		inDoubt := j.Units == 1 || i >= int(j.Printed) && i < int(lastDoubt(j))
		switch {
		case inDoubt:
		case i < int(j.Printed) && len(at) != 1:
			return fmt.Errorf("page %d is called printed, and is out %d times", i+1, len(at))
		case i >= int(j.Printed) && len(at) != 0:
			return fmt.Errorf("page %d is out, in doubt are only those to %d", i+1, lastDoubt(j))
		}
	}
	return nil
}

// verdict compares all paper with all documents. Sheets that the printer tore by itself, for want of power, are not looked at.
func (p *press) verdict(pages []emulator.Page) (t paper.Tally, wrong []string) {
	pages = slices.DeleteFunc(pages, func(s emulator.Page) bool { return s.Torn })
	t = paper.Count(pages, p.documents...)
	if t.Lost > 0 || t.Doubled > p.inDoubt || t.Mixed > p.doubts {
		wrong = append(wrong, fmt.Sprintf("%s: %v; %d jobs with %d units were in doubt", p.name, t, p.doubts, p.inDoubt))
	}
	for _, at := range paper.Unexplained(pages, p.documents, p.doubted) {
		wrong = append(wrong, fmt.Sprintf("%s: sheet %d is torn, and was not in doubt: %.40q", p.name, at+1, pages[at].Data))
	}
	return t, wrong
}
