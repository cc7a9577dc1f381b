//go:build unix

package integration

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"printq/http/api"
	"printq/integration/cups"
	"printq/integration/emulator"
)

// missing skips a test, unless the environment says that what it needs has to be there.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PRINTQ_CUPS") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// TestCUPSPrints has CUPS's own scheduler as the printer, with an emulated printer behind it, whose paper is the witness. The leader is
// killed in the middle of a job; the job is found again at the scheduler, and printed once.
func TestCUPSPrints(t *testing.T) {
	program, err := cups.Find()
	if err != nil {
		missing(t, err.Error())
	}
	ctx := within(t, 60*time.Second)
	p := socketPress(t, "behind", "", small(emulator.Options{PJL: emulator.PJLSkipped}, 30*time.Millisecond), false)
	daemon, err := cups.New(ctx, program)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if log, err := os.ReadFile(filepath.Join(daemon.Dir, "error_log")); err == nil && t.Failed() {
			t.Logf("cupsd: %s", log)
		}
		if err := daemon.End(); err != nil {
			t.Error(err)
		}
	})
	if _, err := daemon.Tool(ctx, "lpadmin", "-p", "q", "-E", "-v", p.uri); err != nil {
		t.Fatal(err)
	}
	c := startCluster(ctx, t)
	p.name, p.uri = "cups", "ipp://"+daemon.Addr+"/printers/q"
	p.make(ctx, c)
	for _, pages := range []int{3, 40, 5} {
		p.submit(ctx, c, pages)
	}
	if _, err := c.waitJob(ctx, p.jobs[1], func(j *api.Job) bool { return len(j.Attempts) > 0 && j.Attempts[0].Remote != "" }); err != nil {
		t.Fatal(err)
	}
	for len(p.pages()) < 10 && ctx.Err() == nil {
		breathe(ctx, 5*time.Millisecond)
	}
	leader := c.leader(ctx)
	killed := time.Now()
	c.kill(leader)
	held := p.settle(ctx, c)
	t.Logf("member %d led and was killed with some 10 of 48 pages out; all jobs were over after %v", leader.id, since(killed))
	if len(held) > 0 {
		t.Errorf("jobs are held, the first with %+v", held[0].InDoubt)
	}
	tally, wrong := p.verdict(p.pages())
	if !tally.Perfect() {
		wrong = append(wrong, tally.String())
	}
	for _, w := range wrong {
		t.Error(w)
	}
	c.start(leader)
	c.ready(ctx, leader)
	c.compareLogs(ctx)
}

// eveningPrinter is ippeveprinter, CUPS's sample of a printer, and the folder where it keeps what it got. It needs so long for each job.
func eveningPrinter(ctx context.Context, t *testing.T, takes time.Duration) (uri, kept string) {
	t.Helper()
	program, err := exec.LookPath("ippeveprinter")
	if err != nil {
		missing(t, "ippeveprinter is not installed (Debian: cups-ipp-utils)")
	}
	if _, err := os.Stat("/run/avahi-daemon/socket"); err != nil {
		missing(t, "ippeveprinter does not start without avahi-daemon, and that not without dbus-daemon: neither is running")
	}
	kept = t.TempDir()
	command := filepath.Join(t.TempDir(), "print")
	script := fmt.Sprintf("#!/bin/sh\nsleep %.1f\necho 'ATTR: job-impressions-completed=1' >&2\n", takes.Seconds())
	if err := os.WriteFile(command, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	addr := freeAddrs(t, 1)[0]
	_, port, _ := net.SplitHostPort(addr)
	eve := exec.Command(program, "-c", command, "-k", "-r", "off", "-n", "localhost", "-d", kept,
		"-f", "application/pdf,image/pwg-raster", "-p", port, "printq "+port)
	var said bytes.Buffer
	eve.Stdout, eve.Stderr = &said, &said
	if err := eve.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = eve.Process.Kill()
		_ = eve.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	until(ctx, t, "ippeveprinter listens", func() bool {
		conn, err := net.Dial("tcp", "localhost:"+port)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return "ipp://localhost:" + port + "/ipp/print", kept
}

// TestEvePrints prints a PDF and a raster on CUPS's sample printer. The leader dies while it prints; what the printer keeps is each
// document, once.
func TestEvePrints(t *testing.T) {
	ctx := within(t, 60*time.Second)
	uri, kept := eveningPrinter(ctx, t, 2*time.Second)
	c := startCluster(ctx, t)
	if err := c.call(ctx, http.MethodPut, "/v1/printers/eve", api.PrinterSettings{Device: uri}, nil); err != nil {
		t.Fatal(err)
	}
	documents := map[string]*document{".pdf": onePagePDF("eve"), ".pwg": onePageRaster("eve")}
	for _, ext := range []string{".pdf", ".pwg"} {
		d := documents[ext]
		if _, err := d.send(ctx, c.client); err != nil {
			t.Fatal(err)
		}
		until(ctx, t, "the printer has the document", func() bool {
			names, _ := filepath.Glob(filepath.Join(kept, "*"+ext))
			return len(names) == 1
		})
		leader := c.leader(ctx)
		c.kill(leader)
		if j, err := c.waitJob(ctx, d.job, func(j *api.Job) bool { return api.Ended(j.State) || j.State == "held" }); err != nil || j.State != "completed" {
			t.Errorf("%s: %+v, %v", ext, j, err)
		}
		c.start(leader)
		c.ready(ctx, leader)
	}
	for ext, d := range documents {
		names, err := filepath.Glob(filepath.Join(kept, "*"+ext))
		if err != nil || len(names) != 1 {
			t.Errorf("the printer kept %q, %v", names, err)
			continue
		}
		if err := differ(d.data, inFile(names[0], d.data.size)); err != nil {
			t.Errorf("%s: %v", names[0], err)
		}
	}
	c.compareLogs(ctx)
}

func whole(printer, name string, data []byte) *document {
	d := pdfLike(printer, name, 0, 0)
	d.data = inMemory(data)
	d.pages = []body{d.data}
	return d
}

// onePagePDF is a page that is blank.
func onePagePDF(printer string) *document {
	var b strings.Builder
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, object := range []string{
		"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	xref := b.Len()
	b.WriteString("xref\n0 4\n0000000000 65535 f \n")
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer<</Size 4/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", xref)
	return whole(printer, "a page", []byte(b.String()))
}

// onePageRaster is a page of PWG raster.
func onePageRaster(printer string) *document {
	return whole(printer, "a picture", slices.Concat([]byte("RaS2"), rasterPage(8, 8)))
}
