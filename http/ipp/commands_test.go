package ipp

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"printq/queue"
)

// TestCommands runs CUPS's commands, as people do, against a queue that can make jobs without documents: lp does nothing else.
func TestCommands(t *testing.T) {
	for _, name := range []string{"lp", "lpstat", "cancel", "lpmove", "cupsdisable"} {
		if _, err := exec.LookPath(name); err != nil {
			notInstalled(t, name+" is not installed (Debian: cups-client)")
		}
	}
	f := newFake("office", "store")
	server := httptest.NewServer(handler(t, f))
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "document.txt")
	write(t, file, []byte("a page\n\fanother\n"))
	run := func(line string) string {
		t.Helper()
		words := strings.Fields(line)
		c := exec.Command(words[0], words[1:]...)
		c.Env = []string{"CUPS_SERVER=" + strings.TrimPrefix(server.URL, "http://"), "HOME=" + dir, "USER=ann", "CUPS_USER=ann"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", line, err, out)
		}
		return string(out)
	}
	want := func(id int, printer string, state queue.JobState) {
		t.Helper()
		j, err := f.Job(uint64(id))
		if err != nil || j.Printer != printer || queue.JobState(j.State) != state {
			t.Fatalf("job %d is %v, %v; want it %v at %s", id, j, err, state, printer)
		}
	}

	if out := run("lp -d office -n 2 -t label " + file); !strings.Contains(out, "office-1") {
		t.Errorf("lp says %q", out)
	}
	want(1, "office", queue.Pending)
	if j := f.jobs[0]; j.Copies != 2 || j.Name != "label" || j.Pages != 2 || string(f.docs[1]) != "a page\n\fanother\n" {
		t.Errorf("lp made %v of %q", j, f.docs[1])
	}
	run("lp -i office-1 -H hold")
	want(1, "office", queue.Held)
	run("lp -i office-1 -H resume")
	want(1, "office", queue.Pending)
	run("lpmove office-1 store")
	want(1, "store", queue.Pending)
	run("cupsdisable office")
	if out := run("lpstat -p office"); !strings.Contains(out, "disabled") {
		t.Errorf("lpstat -p says %q", out)
	}
	run("cupsenable office")
	if out := run("lpstat -o"); !strings.HasPrefix(out, "store-1 ") {
		t.Errorf("lpstat -o says %q", out)
	}
	run("cancel store-1")
	want(1, "store", queue.Canceled)
	run("lp -d store " + file)
	run("cancel -u somebody store")
	want(2, "store", queue.Pending)
	run("cancel -a store")
	want(2, "store", queue.Canceled)
	run("lp -i store-2 -H restart")
	want(3, "store", queue.Pending)
}

// notInstalled skips a test whose program is not there, but not where .ci/run has installed it.
func notInstalled(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PRINTQ_CUPS") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}
