package emulator

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/OpenPrinting/goipp"
)

func TestIPPJobGoesPageByPage(t *testing.T) {
	inBubble(t, IPPOptions{PageTime: time.Second}, func(t *testing.T, p *IPP, c *client) {
		named := names("job-name", "printq/c1/7")
		id := number(c.do(goipp.StatusOk, request(goipp.OpCreateJob, c.uri, named), "").Job, "job-id")
		if got, want := c.brief(id), "4 [job-incoming,job-data-insufficient], 0 printed"; got != want {
			t.Errorf("created: %s, want %s", got, want)
		}
		c.do(goipp.StatusOk, request(goipp.OpSendDocument, c.uri, integer("job-id", id), boolean("last-document", true)), "a\fb\fc")
		time.Sleep(2*time.Second + time.Millisecond)
		if got, want := c.brief(id), "5 job-printing, 2 printed"; got != want {
			t.Errorf("after two pages: %s, want %s", got, want)
		}
		p.PaperOut() // too late: the last page is on its way
		time.Sleep(time.Second)
		if got, want := c.brief(id), "9 job-completed-successfully, 3 printed"; got != want {
			t.Errorf("at the end: %s, want %s", got, want)
		}
		if got := p.Jobs()[0].Name; got != "printq/c1/7" {
			t.Errorf("the job's name is %q", got)
		}
		wantPaper(t, &p.Engine, "a b c")
	})
}

func TestIPPPaperOutAndCancel(t *testing.T) {
	inBubble(t, IPPOptions{PageTime: time.Second}, func(t *testing.T, p *IPP, c *client) {
		p.AfterPages(1, p.PaperOut)
		id := c.print("a\fb\fc")
		next := c.print("next")
		time.Sleep(5 * time.Second)
		if got, want := c.brief(id), "6 [printer-stopped,job-printing], 1 printed"; got != want {
			t.Errorf("without paper: %s, want %s", got, want)
		}
		printer := c.do(goipp.StatusOk, request(goipp.OpGetPrinterAttributes, c.uri), "").Printer
		if got := values(printer, "printer-state") + " " + values(printer, "printer-state-reasons"); got != "5 media-empty-error" {
			t.Errorf("the printer is %s", got)
		}
		c.do(goipp.StatusOk, request(goipp.OpCancelJob, c.uri, integer("job-id", id)), "")
		synctest.Wait()
		if got, want := c.brief(id), "7 job-canceled-by-user, 1 printed"; got != want {
			t.Errorf("canceled: %s, want %s", got, want)
		}
		c.do(goipp.StatusErrorNotPossible, request(goipp.OpCancelJob, c.uri, integer("job-id", id)), "")
		p.PaperIn()
		time.Sleep(5 * time.Second)
		if got, want := c.brief(next), "9 job-completed-successfully, 1 printed"; got != want {
			t.Errorf("the next: %s, want %s", got, want)
		}
		wantPaper(t, &p.Engine, "a next")
	})
}

func TestIPPRebootForgets(t *testing.T) {
	inBubble(t, IPPOptions{PageTime: time.Second}, func(t *testing.T, p *IPP, c *client) {
		time.Sleep(time.Minute)
		p.DuringPage(2, func() {
			if err := p.Reboot(); err != nil {
				t.Error(err)
			}
		})
		id := c.print("a\fb\fc")
		time.Sleep(5 * time.Second)
		c.do(goipp.StatusErrorNotFound, request(goipp.OpGetJobAttributes, c.uri, integer("job-id", id)), "")
		printer := c.do(goipp.StatusOk, request(goipp.OpGetPrinterAttributes, c.uri), "").Printer
		if up := number(printer, "printer-up-time"); up > 10 {
			t.Errorf("up for %d s after a reboot", up)
		}
		if got := number(printer, "printer-impressions-completed"); got != 1 {
			t.Errorf("the page counter is %d", got)
		}
		if again := c.print("d"); again != id {
			t.Errorf("the next job's id is %d, not %d again", again, id)
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
		wantPaper(t, &p.Engine, "a b~ d")
	})
}

func TestIPPLosesReplies(t *testing.T) {
	p, c := startIPP(t, IPPOptions{})
	create := request(goipp.OpCreateJob, c.uri, names("job-name", "lost"))
	p.LoseRequest(goipp.OpCreateJob)
	if _, err := c.send(create, strings.NewReader("")); err == nil {
		t.Error("a lost request was answered")
	}
	if jobs := p.Jobs(); len(jobs) != 0 {
		t.Errorf("a lost request made %v", jobs)
	}
	p.LoseReply(goipp.OpCreateJob)
	if _, err := c.send(create, strings.NewReader("")); err == nil {
		t.Error("a lost reply came")
	}
	if jobs := p.Jobs(); len(jobs) != 1 || jobs[0].Name != "lost" || jobs[0].User != "ann" {
		t.Errorf("a lost reply left %v", jobs)
	}
	told := false
	p.BeforeReply(goipp.OpCreateJob, func() { told = len(p.Jobs()) == 2 })
	p.RefuseNext(goipp.OpGetJobs, goipp.StatusErrorTemporary)
	c.do(goipp.StatusOk, create, "")
	if !told {
		t.Error("the job was not there before the reply")
	}
	c.do(goipp.StatusErrorTemporary, request(goipp.OpGetJobs, c.uri), "")
	c.do(goipp.StatusOk, request(goipp.OpGetJobs, c.uri), "")
	if got := p.Requests(); !slices.Equal(got, []goipp.Op{
		goipp.OpCreateJob, goipp.OpCreateJob, goipp.OpCreateJob, goipp.OpGetJobs, goipp.OpGetJobs,
	}) {
		t.Errorf("the requests were %v", got)
	}
}

func TestIPPDocumentBreaksOff(t *testing.T) {
	for _, partial := range []bool{false, true} {
		t.Run(fmt.Sprint(partial), func(t *testing.T) {
			p, c := startIPP(t, IPPOptions{PrintsPartial: partial})
			m := request(goipp.OpPrintJob, c.uri)
			gone := errors.New("the host died")
			document := io.MultiReader(strings.NewReader("a\fb\fc"), failing{gone})
			if _, err := c.send(m, document); !errors.Is(err, gone) {
				t.Fatalf("sent: %v", err)
			}
			want := map[bool]string{false: "", true: "a b c"}[partial]
			waitJobs(t, p, func(jobs []JobView) bool { return len(jobs) == 1 && jobs[0].State == "aborted" })
			wantPaper(t, &p.Engine, want)
		})
	}
}

type failing struct{ error }

func (f failing) Read([]byte) (int, error) { return 0, f.error }

func waitJobs(t *testing.T, p *IPP, enough func([]JobView) bool) {
	t.Helper()
	if jobs, err := p.WaitJobs(t.Context(), enough); err != nil {
		t.Fatalf("the jobs are %v: %v", jobs, err)
	}
}

func TestIPPHistory(t *testing.T) {
	p, c := startIPP(t, IPPOptions{History: 2})
	var ids []int
	for _, text := range []string{"a", "b", "c"} {
		ids = append(ids, c.print(text))
		if _, err := p.Wait(t.Context(), func(paper []Page) bool { return len(paper) == len(ids) }); err != nil {
			t.Fatal(err)
		}
	}
	waitJobs(t, p, func(jobs []JobView) bool { return len(jobs) == 2 && jobs[1].State == "completed" })
	c.do(goipp.StatusErrorNotFound, request(goipp.OpGetJobAttributes, c.uri, integer("job-id", ids[0])), "")

	p.PaperOut()
	ids = append(ids, c.print("d"))
	for _, test := range []struct {
		attrs goipp.Attributes
		want  []int
	}{
		{nil, []int{ids[3]}},
		{goipp.Attributes{keywords("which-jobs", "completed")}, []int{ids[2], ids[1]}},
		{goipp.Attributes{keywords("which-jobs", "completed"), integer("limit", 1)}, []int{ids[2]}},
		{goipp.Attributes{keywords("which-jobs", "all"), boolean("my-jobs", true)}, ids[1:]},
	} {
		var got []int
		answer := c.do(goipp.StatusOk, request(goipp.OpGetJobs, c.uri, test.attrs...), "")
		for _, g := range answer.Groups {
			if g.Tag == goipp.TagJobGroup {
				got = append(got, number(g.Attrs, "job-id"))
				if len(g.Attrs) != 2 {
					t.Errorf("unasked, a job has %d attributes", len(g.Attrs))
				}
			}
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Get-Jobs %v: %v, want %v", test.attrs, got, test.want)
		}
	}
	c.do(goipp.StatusErrorAttributesOrValues, request(goipp.OpGetJobs, c.uri, keywords("which-jobs", "odd")), "")
}

func TestIPPCopiesAndSides(t *testing.T) {
	p, c := startIPP(t, IPPOptions{})
	c.print("a\fb\fc", integer("copies", 2), keywords("sides", "two-sided-long-edge"))
	paper, err := p.Wait(t.Context(), func(paper []Page) bool { return len(paper) == 6 })
	if err != nil {
		t.Fatal(err)
	}
	var sheets []int
	for _, page := range paper {
		sheets = append(sheets, page.Sheet)
	}
	if want := []int{1, 1, 2, 3, 3, 4}; !slices.Equal(sheets, want) {
		t.Errorf("sheets %v, want %v", sheets, want)
	}
	m := request(goipp.OpPrintJob, c.uri, boolean("ipp-attribute-fidelity", true))
	m.Job.Add(integer("copies", maxCopies+1))
	c.do(goipp.StatusErrorAttributesOrValues, m, "x")
	m = request(goipp.OpValidateJob, c.uri)
	m.Job.Add(integer("copies", maxCopies+1))
	c.do(goipp.StatusOkIgnoredOrSubstituted, m, "")
}

func TestIPPRefusals(t *testing.T) {
	p, c := startIPP(t, IPPOptions{Formats: []string{"text/plain"}, NoCreateJob: true, NoImpressions: true, NoCounter: true})
	format := func(name string) goipp.Attribute { return strs("document-format", goipp.TagMimeType, []string{name}) }
	c.do(goipp.StatusErrorOperationNotSupported, request(goipp.OpCreateJob, c.uri), "")
	c.do(goipp.StatusErrorDocumentFormatNotSupported, request(goipp.OpPrintJob, c.uri, format("application/pdf")), "%PDF")
	p.Bar("text/plain", true)
	c.do(goipp.StatusErrorDocumentFormatNotSupported, request(goipp.OpValidateJob, c.uri, format("text/plain")), "")
	p.Bar("text/plain", false)
	p.Busy(true)
	c.do(goipp.StatusErrorBusy, request(goipp.OpPrintJob, c.uri), "a")
	p.Busy(false)
	id := c.print("a")
	if got := values(c.job(id), "job-impressions-completed"); got != "nothing" {
		t.Errorf("impressions are told: %s", got)
	}
	printer := c.do(goipp.StatusOk, request(goipp.OpGetPrinterAttributes, c.uri), "").Printer
	if got := values(printer, "printer-impressions-completed"); got != "nothing" {
		t.Errorf("the counter is told: %s", got)
	}
	if got := values(printer, "operations-supported"); strings.Contains(got, "5,") {
		t.Errorf("Create-Job is offered: %s", got)
	}
	bad := goipp.NewRequest(goipp.DefaultVersion, goipp.OpGetJobs, 1)
	bad.Operation.Add(uris("printer-uri", c.uri))
	c.do(goipp.StatusErrorBadRequest, bad, "")
}

func TestIPPSendDocumentTwice(t *testing.T) {
	p, c := startIPP(t, IPPOptions{})
	p.PaperOut()
	id := number(c.do(goipp.StatusOk, request(goipp.OpCreateJob, c.uri), "").Job, "job-id")
	send := request(goipp.OpSendDocument, c.uri, integer("job-id", id), boolean("last-document", true))
	c.do(goipp.StatusErrorBadRequest, request(goipp.OpSendDocument, c.uri, integer("job-id", id)), "a")
	c.do(goipp.StatusOk, send, "a")
	c.do(goipp.StatusErrorMultipleJobsNotSupported, send, "a")
	p.PaperIn()
	waitJobs(t, p, func(jobs []JobView) bool { return jobs[0].State == "completed" })
	c.do(goipp.StatusErrorNotPossible, send, "a")
	wantPaper(t, &p.Engine, "a")
}

func TestIPPOpenJobExpires(t *testing.T) {
	inBubble(t, IPPOptions{OpenTime: time.Minute}, func(t *testing.T, _ *IPP, c *client) {
		id := number(c.do(goipp.StatusOk, request(goipp.OpCreateJob, c.uri), "").Job, "job-id")
		time.Sleep(time.Minute + time.Second)
		if got, want := c.brief(id), "8 submission-interrupted, 0 printed"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestIPPHangs(t *testing.T) {
	inBubble(t, IPPOptions{}, func(t *testing.T, p *IPP, c *client) {
		p.Hang(true)
		answered := make(chan int)
		go func() { answered <- c.print("a") }()
		time.Sleep(time.Hour)
		wantPaper(t, &p.Engine, "")
		p.Hang(false)
		<-answered
		synctest.Wait()
		wantPaper(t, &p.Engine, "a")
	})
}

func TestIPPOverTLS(t *testing.T) {
	p, c := startIPP(t, IPPOptions{TLS: true})
	if !strings.HasPrefix(c.uri, "ipps://") {
		t.Errorf("the URI is %s", c.uri)
	}
	first := values(c.do(goipp.StatusOk, request(goipp.OpGetPrinterAttributes, c.uri), "").Printer, "printer-uuid")
	if first != p.UUID() {
		t.Errorf("printer-uuid is %s, not %s", first, p.UUID())
	}
	p.Exchange()
	if again := values(c.do(goipp.StatusOk, request(goipp.OpGetPrinterAttributes, c.uri), "").Printer, "printer-uuid"); again == first {
		t.Error("an exchanged printer has the old one's uuid")
	}
	p.LoseReply(goipp.OpPrintJob)
	if _, err := c.send(request(goipp.OpPrintJob, c.uri), strings.NewReader("a")); err == nil {
		t.Error("a lost reply came")
	}
	if _, err := p.Wait(t.Context(), func(paper []Page) bool { return len(paper) == 1 }); err != nil {
		t.Error(err)
	}
}

func TestIPPRefusesConnections(t *testing.T) {
	p, c := startIPP(t, IPPOptions{})
	get := request(goipp.OpGetPrinterAttributes, c.uri)
	for _, shut := range []func() error{
		func() error { p.PowerOff(); return nil },
		func() error { return p.Refuse(true) },
	} {
		c.do(goipp.StatusOk, get, "")
		if err := shut(); err != nil {
			t.Fatal(err)
		}
		if _, err := c.send(get, strings.NewReader("")); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("shut: %v", err)
		}
		if err := errors.Join(p.PowerOn(), p.Refuse(false)); err != nil {
			t.Fatal(err)
		}
	}
	c.do(goipp.StatusOk, get, "")
}
