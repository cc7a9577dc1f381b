package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"printq/http/api"
)

// officePDF is a PDF of one page that says nothing.
const officePDF = `%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>> endobj
xref
0 4
0000000000 65535 f 
0000000009 00000 n 
0000000055 00000 n 
0000000110 00000 n 
trailer <</Size 4/Root 1 0 R>>
startxref
186
%%EOF
`

// tinyJPEG is one as far as its first and last bytes tell.
const tinyJPEG = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"

// jobsOf are a printer's jobs, newest first.
func (c *cluster) jobsOf(ctx context.Context, printer string) (all []api.Job) {
	c.t.Helper()
	q := url.Values{"printer": {printer}, "limit": {"1000"}}
	for {
		_, b, err := c.do(ctx, &request{method: http.MethodGet, path: "/v1/jobs", query: q})
		var list api.Jobs
		if err == nil {
			err = json.Unmarshal(b, &list)
		}
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, list.Jobs...)
		if list.Cursor == "" {
			return all
		}
		q.Set("cursor", list.Cursor)
	}
}

// named waits for a job of that name to be in that state.
func (c *cluster) named(ctx context.Context, printer, name, state string) (found api.Job) {
	c.t.Helper()
	until(ctx, c.t, fmt.Sprintf("%s is %s at %s", name, state, printer), func() bool {
		for _, j := range c.jobsOf(ctx, printer) {
			if j.Name == name && j.State == state {
				found = j
				return true
			}
		}
		return false
	})
	return found
}

var cupsJobID = regexp.MustCompile(`request id is (\S+)-(\d+) `)

// TestCUPSCommands: CUPS's own commands work on a member as if it were a CUPS server.
func TestCUPSCommands(t *testing.T) {
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	s := startCUPS(ctx, t, c.nursery)
	c.printer(ctx, "office", "")
	c.printer(ctx, "store", "")
	text := s.file("letter.txt", "one\n\ftwo\n")
	at := func(i int) string { return c.members[i].addr }

	s.do(ctx, "lp", "-h", at(0), "-d", "office", "-t", "direct", text)
	if j := c.named(ctx, "office", "direct", "completed"); j.Pages != 2 || j.Printed != 2 || j.Format != "text/plain" {
		t.Errorf("lp to a member: %+v", j)
	}
	s.do(ctx, "lp", "-h", at(1), "-d", "office", "-t", "twice", "-n", "2", "-o", "media=iso_a4_210x297mm", text)
	if j := c.named(ctx, "office", "twice", "completed"); j.Copies != 2 || j.Printed != 4 || j.Options["media"] != "iso_a4_210x297mm" {
		t.Errorf("two copies: %+v", j)
	}
	s.do(ctx, "cupsdisable", "-h", at(2), "office")
	if out := s.do(ctx, "lpstat", "-h", at(0), "-p", "office"); !strings.Contains(out, "disabled") {
		t.Errorf("lpstat of a paused printer: %s", out)
	}
	ids := map[string]string{}
	for _, name := range []string{"canceled", "moved", "stays"} {
		out := s.do(ctx, "lp", "-h", at(0), "-d", "office", "-t", name, text)
		m := cupsJobID.FindStringSubmatch(out)
		if m == nil {
			t.Fatalf("lp says %q", out)
		}
		ids[name] = m[2]
	}
	if out := s.do(ctx, "lpstat", "-h", at(1), "-o", "office"); strings.Count(out, "office-") != 3 {
		t.Errorf("lpstat -o: %s", out)
	}
	s.do(ctx, "cancel", "-h", at(1), "office-"+ids["canceled"])
	s.do(ctx, "lpmove", "-h", at(2), "office-"+ids["moved"], "store")
	c.named(ctx, "store", "moved", "completed")
	if j := c.named(ctx, "office", "canceled", "canceled"); j.Printed != 0 {
		t.Errorf("cancel: %+v", j)
	}
	s.do(ctx, "cupsenable", "-h", at(0), "office")
	c.named(ctx, "office", "stays", "completed")
	s.do(ctx, "cupsreject", "-h", at(0), "store")
	if out, err := s.try(ctx, "lp", "-h", at(1), "-d", "store", text); err == nil {
		t.Errorf("a printer that rejects took %s", out)
	}
	s.do(ctx, "cupsaccept", "-h", at(2), "store")
	s.do(ctx, "lpadmin", "-h", at(0), "-d", "store")
	if out := s.do(ctx, "lpstat", "-h", at(1), "-d"); !strings.Contains(out, "store") {
		t.Errorf("the default: %s", out)
	}
}

// TestCUPSQueue: a CUPS queue before a member that passes documents on as they are.
func TestCUPSQueue(t *testing.T) {
	ctx := within(t, 60*time.Second)
	c := startCluster(ctx, t)
	s := startCUPS(ctx, t, c.nursery)
	c.printer(ctx, "office", "")
	uri := "ipp://" + c.members[0].addr + "/ipp/print/office"
	s.do(ctx, "lpadmin", "-p", "raw", "-E", "-v", uri)
	for name, document := range map[string]string{
		"a.pdf": officePDF, "b.txt": "one\n\ftwo\n", "c.jpg": tinyJPEG,
	} {
		s.do(ctx, "lp", "-d", "raw", "-o", "raw", "-t", name, s.file(name, document))
		if j := c.named(ctx, "office", name, "completed"); j.Bytes != uint64(len(document)) {
			t.Errorf("%s: %+v", name, j)
		}
	}
	if out := s.do(ctx, "lpstat", "-v"); !strings.Contains(out, uri) {
		t.Errorf("lpstat -v: %s", out)
	}
	s.do(ctx, "cupsdisable", "raw")
	s.do(ctx, "lp", "-d", "raw", "-o", "raw", "-t", "waits", s.file("d.txt", "one\n"))
	s.do(ctx, "cupsenable", "raw")
	c.named(ctx, "office", "waits", "completed")
}

// TestCUPSEverywhere: a CUPS queue made as its documentation says. CUPS asks the printer what it takes, and converts what it does
// not.
func TestCUPSEverywhere(t *testing.T) {
	ctx := within(t, 60*time.Second)
	for _, filter := range []string{"pdftopdf", "texttopdf"} {
		if _, err := os.Stat(filepath.Join(cupsBinaries, "filter", filter)); err != nil {
			cupsMissing(t, "CUPS's filter "+filter)
		}
	}
	c := startCluster(ctx, t)
	s := startCUPS(ctx, t, c.nursery)
	c.printer(ctx, "office", "")
	s.do(ctx, "lpadmin", "-p", "office", "-E", "-v", "ipp://"+c.members[0].addr+"/ipp/print/office", "-m", "everywhere")
	// lpadmin returns before cupsd has asked the printer. Until it has, the queue has no way to print, and cupsd aborts what it is
	// given ("Unable to convert file 0 to printable format").
	until(ctx, t, "CUPS knows what the printer takes", func() bool {
		return strings.Contains(s.do(ctx, "lpoptions", "-p", "office"), "IPP Everywhere")
	})
	for _, d := range []struct{ name, text, format string }{
		{"a.pdf", officePDF, "application/pdf"},
		{"b.txt", "one\n\ftwo\n", "application/pdf"}, // made one by CUPS
		{"c.jpg", tinyJPEG, "image/jpeg"},
	} {
		s.do(ctx, "lp", "-d", "office", "-t", d.name, s.file(d.name, d.text))
		if j := c.named(ctx, "office", d.name, "completed"); j.Format != d.format || j.Pages == 0 || j.Printed == 0 {
			t.Errorf("%s through everywhere: %+v", d.name, j)
		}
	}
}

// TestPrintJobRateOfCUPS is TestPrintJobRate for CUPS's scheduler, which neither replicates nor syncs: what the other is compared with.
func TestPrintJobRateOfCUPS(t *testing.T) {
	notShort(t, "it measures")
	ctx := within(t, 60*time.Second)
	s := startCUPS(ctx, t, newNursery(t))
	s.do(ctx, "lpadmin", "-p", "office", "-E", "-v", "ipp://127.0.0.1:9/ipp/print")
	s.do(ctx, "cupsdisable", "office")
	t.Logf("CUPS: %.0f/s", printJobRate(ctx, t, "/printers/office", s.addr))
}
