package ipp

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// suites is where Debian's cups-ipp-utils puts ipptool's files.
const suites = "/usr/share/cups/ipptool"

// documents are those that the suites send. What they hold does not matter to who passes them on.
var documents = map[string]string{
	"document.txt":        "a page\n\fanother\n",
	"document-a4.pdf":     "%PDF-1.4\n1 0 obj <</Type/Pages/Count 2>> endobj\n%%EOF\n",
	"document-letter.pdf": "%PDF-1.4\n1 0 obj <</Type/Pages/Count 4>> endobj\n%%EOF\n",
	"document-a4.ps":      "%!PS-Adobe-3.0\n%%Page: 1 1\nshowpage\n",
	"document-letter.ps":  "%!PS-Adobe-3.0\n%%Page: 1 1\nshowpage\n",
	"color.jpg":           "\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9",
	"gray.jpg":            "\xff\xd8\xff\xe0\x00\x10JFIF\x00\xff\xd9",
}

// prepare makes a folder with the suites and their documents: they are looked for beside the suite.
func prepare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	tests, _ := filepath.Glob(filepath.Join(suites, "*.test"))
	if len(tests) == 0 {
		notInstalled(t, "ipptool's suites are not installed (Debian: cups-ipp-utils)")
	}
	for _, name := range tests {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.Base(name)), body)
	}
	for name, body := range documents {
		write(t, filepath.Join(dir, name), []byte(body))
	}
	return dir
}

func write(t *testing.T, name string, body []byte) {
	t.Helper()
	if err := os.WriteFile(name, body, 0o600); err != nil {
		t.Fatal(err)
	}
}

var verdict = regexp.MustCompile(`(?m)^ *(.*\S) +\[(PASS|FAIL|SKIP)\]$`)

// ipptool runs a suite against a handler, and returns what passed, failed and was skipped. Its exit code is 0 with failures
// in an included file, so its lines are counted.
func ipptool(t *testing.T, h *Handler, version, suite string) map[string][]string {
	t.Helper()
	tool, err := exec.LookPath("ipptool")
	if err != nil {
		notInstalled(t, "ipptool is not installed (Debian: cups-ipp-utils)")
	}
	dir := prepare(t)
	server := httptest.NewServer(h)
	defer server.Close()
	uri := strings.Replace(server.URL, "http://", "ipp://", 1) + "/ipp/print/office"
	c := exec.Command(tool, "-V", version, "-T", "20", "-t", "-f", filepath.Join(dir, "document.txt"), uri, filepath.Join(dir, suite))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	found := map[string][]string{}
	for _, m := range verdict.FindAllStringSubmatch(out.String(), -1) {
		found[m[2]] = append(found[m[2]], m[1])
	}
	t.Logf("%s: %d passed, %d failed, %d skipped (%v)", suite, len(found["PASS"]), len(found["FAIL"]), len(found["SKIP"]), err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(out.String())
		}
	})
	return found
}

func TestIPPTool(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	// It asks for "all" and wants what "all" must not give.
	const wrong = "Get-Printer-Attributes (requested-attributes='media-col-database')"
	for _, c := range []struct {
		version, suite string
		fails          []string
	}{
		{"2.0", "get-printer-attributes.test", nil},
		{"2.0", "get-printer-attributes-suite.test", []string{wrong}},
		{"2.0", "get-printer-description-attributes.test", nil},
		{"2.0", "get-job-template-attributes.test", nil},
		{"2.0", "validate-job.test", nil},
		{"2.0", "print-job.test", nil},
		{"2.0", "print-job-gzip.test", nil},
		{"2.0", "print-job-deflate.test", nil},
		{"2.0", "print-job-and-wait.test", nil},
		{"2.0", "get-jobs.test", nil},
		{"2.0", "get-completed-jobs.test", nil},
		{"1.1", "ipp-1.1.test", nil},
		{"2.0", "ipp-2.0.test", nil},
	} {
		t.Run(c.suite, func(t *testing.T) {
			t.Parallel()
			f := newFake("office")
			f.finish = time.Second
			found := ipptool(t, handler(t, f), c.version, c.suite)
			if len(found["PASS"]) == 0 {
				t.Error("nothing passed")
			}
			if !slices.Equal(found["FAIL"], c.fails) {
				t.Errorf("failed: %q, want %q", found["FAIL"], c.fails)
			}
		})
	}
}

// TestIPPToolCreateJob runs the suites that make a job before its document.
func TestIPPToolCreateJob(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	for _, c := range [][2]string{{"2.0", "create-job.test"}, {"1.1", "ipp-1.1.test"}} {
		t.Run(c[1], func(t *testing.T) {
			t.Parallel()
			f := newFake("office")
			f.finish = time.Second
			found := ipptool(t, handler(t, f), c[0], c[1])
			if len(found["PASS"]) == 0 || len(found["FAIL"]) > 0 {
				t.Errorf("%d passed, failed: %q", len(found["PASS"]), found["FAIL"])
			}
		})
	}
}
