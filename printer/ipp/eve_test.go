package ipp

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// notInstalled skips a test, unless the environment says that what it needs has to be there.
func notInstalled(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PRINTQ_CUPS") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// eve starts ippeveprinter, the sample printer of CUPS, and returns a device for it.
func eve(t *testing.T, arguments ...string) (p *Printer, spool string) {
	t.Helper()
	program, err := exec.LookPath("ippeveprinter")
	if err != nil {
		notInstalled(t, "ippeveprinter is not installed (Debian: cups-ipp-utils)")
	}
	if _, err := os.Stat("/run/avahi-daemon/socket"); err != nil {
		t.Skip("ippeveprinter does not start without avahi-daemon, and that not without dbus-daemon: neither is running")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := free.Addr().(*net.TCPAddr).Port
	_ = free.Close()
	spool = t.TempDir()
	c := exec.Command(program, append(arguments, "-k", "-v", "-r", "off", "-n", "localhost", "-d", spool,
		"-f", "application/pdf,image/pwg-raster", "-p", fmt.Sprint(port), filepath.Base(spool)+fmt.Sprint(port))...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		if t.Failed() {
			t.Log(out.String())
		}
	})
	a, err := Parse(fmt.Sprintf("ipp://localhost:%d/ipp/print", port))
	if err != nil {
		t.Fatal(err)
	}
	p = New(a, Options{PollMin: 20 * time.Millisecond, PollMax: 200 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, err := p.Open(ctx, device.Opening{})
		if err == nil {
			return p, spool
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
}

// prints makes a print command for ippeveprinter, which counts pages as it is told, and takes its time after each.
func prints(t *testing.T, pages int) string {
	t.Helper()
	command := "#!/bin/sh\n"
	for page := range pages {
		command += fmt.Sprintf("echo 'ATTR: job-impressions-completed=%d' >&2\nsleep 0.3\n", page+1)
	}
	name := filepath.Join(t.TempDir(), "print")
	if err := os.WriteFile(name, []byte(command), 0o700); err != nil {
		t.Fatal(err)
	}
	return name
}

// received is the document that the printer has put away; empty: none.
func received(t *testing.T, spool string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(spool, "*.pwg"))
	if err != nil || len(files) > 1 {
		t.Fatalf("documents %q, %v", files, err)
	}
	if len(files) == 0 {
		return ""
	}
	document, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}

func TestEve(t *testing.T) {
	t.Parallel()
	p, spool := eve(t, "-c", prints(t, 3))
	s := opened(t, p)
	if s.Class != queue.WholeJob || !strings.HasPrefix(s.Identity, "urn:uuid:") || len(s.Capabilities) == 0 || s.Copies < 2 {
		t.Errorf("state %+v", s)
	}
	j := aJob()
	j.Options = map[string]string{"sides": "one-sided", "media": "iso_a4_210x297mm", "print-quality": "4"}
	id := created(t, p, j)
	if again := created(t, New(p.address, p.options), j); again != id {
		t.Errorf("created %s, and again %s", id, again)
	}
	told := device.Sent{}
	sh := sheet(j, id)
	sh.Told = func(s device.Sent) { told = s }
	if o := followed(t, p, sh); o.End != device.Completed || !o.Known || o.Out != 3 {
		t.Errorf("%+v", o)
	}
	if told.Whole != 3 || told.Out == 0 {
		t.Errorf("told %+v", told)
	}
	if received(t, spool) != threePages {
		t.Error("the printer has another document")
	}
	// Another member, later. The printer still knows.
	if o := followed(t, New(p.address, p.options), sheet(j, id)); o.End != device.Completed || !o.Known {
		t.Errorf("asked by another: %+v", o)
	}
	if o := followed(t, p, sheet(j, "77")); o.End != device.Gone {
		t.Errorf("a job that is none: %+v", o)
	}
}

// The printer lets its command finish, and answers only then that the job is canceled.
func TestEveCancels(t *testing.T) {
	t.Parallel()
	p, _ := eve(t, "-c", prints(t, 6))
	j := aJob()
	j.Units, j.Pages = 6, 6
	id := created(t, p, j)
	stop, sh := make(chan struct{}), sheet(j, id)
	sh.Stop = stop
	sh.Told = func(s device.Sent) {
		if s.Out == 2 {
			close(stop)
		}
	}
	if o := followed(t, p, sh); o.End != device.Open {
		t.Errorf("stopped: %+v", o)
	}
	if o, err := p.Cancel(t.Context(), sheet(j, id)); err != nil || o.End != device.Canceled || o.Out < 2 {
		t.Errorf("canceled: %+v, %v", o, err)
	}
}

// The printer takes what came of a document for the whole, and prints it. So that is never known to be complete.
func TestEveCut(t *testing.T) {
	t.Parallel()
	for _, another := range []bool{false, true} {
		p, spool := eve(t, "-c", prints(t, 2))
		j := aJob()
		id := created(t, p, j)
		sh := sheet(j, id)
		sh.Document = func(context.Context) (device.Piece, int, error) {
			return device.Piece{Size: 4 << 20, Body: io.MultiReader(io.LimitReader(zeros{}, 2<<20), iotest.ErrReader(io.ErrUnexpectedEOF))}, 1, nil
		}
		if another {
			first := New(p.address, p.options)
			w, err := first.watch(t.Context(), sh)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.send(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-w.sending.done
			w.close()
			p, sh = New(p.address, p.options), sheet(j, id)
		}
		o := followed(t, p, sh)
		t.Logf("%+v, the printer has %d bytes", o, len(received(t, spool)))
		if o.End == device.Completed && o.Known {
			t.Errorf("%+v", o)
		}
	}
}
