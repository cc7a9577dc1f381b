package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A scheduler is a CUPS scheduler (cupsd) of one's own, without privileges: its configuration, its spool and its log lie in a folder that goes
// with the test. Its commands ask it, and no other.
type scheduler struct {
	t    *testing.T
	addr string
	dir  string
}

// cupsNeeds are the programs, and where Debian has them (cups-daemon, cups-client).
var cupsNeeds = []string{"cupsd", "lpadmin", "lp", "lpoptions", "lpstat", "cancel", "lpmove", "cupsdisable", "cupsenable", "cupsaccept", "cupsreject"}

const (
	cupsBinaries = "/usr/lib/cups"
	// nobody owns the scheduler where root runs the test: cupsd refuses to print as root.
	nobody = 65534
)

func cupsMissing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PRINTQ_CUPS") == "required" {
		t.Fatalf("%s is not installed (Debian: cups-daemon, cups-client, cups-filters)", what)
	}
	t.Skipf("%s is not installed (Debian: cups-daemon, cups-client, cups-filters)", what)
}

// program finds what a path that leaves /usr/sbin out does not.
func program(name string) (string, bool) {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/sbin") {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, true
		}
	}
	return "", false
}

// startCUPS starts a scheduler, and waits until it answers.
func startCUPS(ctx context.Context, t *testing.T, n nursery) *scheduler {
	t.Helper()
	for _, name := range cupsNeeds {
		if _, ok := program(name); !ok {
			cupsMissing(t, name)
		}
	}
	if _, err := os.Stat(filepath.Join(cupsBinaries, "backend", "ipp")); err != nil {
		cupsMissing(t, "CUPS's ipp backend")
	}
	dir, err := os.MkdirTemp("", "printq-cups-*") // not TempDir: nobody could not enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "error_log"))
			t.Logf("cupsd says:\n%s", log[max(0, len(log)-8000):])
		}
		os.RemoveAll(dir)
	})
	c := &scheduler{t, freeAddrs(t, 1)[0], dir}
	c.configure()
	c.run(n)
	until(ctx, t, "cupsd answers", func() bool {
		out, err := c.try(ctx, "lpstat", "-r") // which succeeds also where it finds none
		return err == nil && strings.Contains(out, "is running")
	})
	return c
}

func (c *scheduler) configure() {
	c.t.Helper()
	for name, text := range map[string]string{
		"cups-files.conf": fmt.Sprintf("ServerBin %s\nDataDir /usr/share/cups\nServerRoot %[2]s\nDocumentRoot %[2]s\nStateDir %[2]s/state\nCacheDir %[2]s/cache\n"+
			"RequestRoot %[2]s/spool\nTempDir %[2]s/tmp\nAccessLog %[2]s/access_log\nErrorLog %[2]s/error_log\nPageLog %[2]s/page_log\n"+
			"User nobody\nGroup nogroup\nSystemGroup nogroup\n", cupsBinaries, c.dir),
		// What a broken connection leaves is tried again, as docs/clients.md says.
		"cupsd.conf": "Listen " + c.addr + "\nBrowsing Off\nWebInterface No\nDefaultAuthType None\nMaxJobs 0\nErrorPolicy retry-current-job\nJobRetryInterval 1\nLogLevel info\n" +
			"<Location />\nOrder allow,deny\nAllow all\n</Location>\n<Policy default>\nJobPrivateAccess all\nJobPrivateValues none\n" +
			"SubscriptionPrivateAccess all\nSubscriptionPrivateValues none\n<Limit All>\nOrder deny,allow\n</Limit>\n</Policy>\n",
	} {
		if err := os.WriteFile(filepath.Join(c.dir, name), []byte(text), 0o644); err != nil {
			c.t.Fatal(err)
		}
	}
	for _, sub := range []string{"state", "cache", "spool", "tmp"} {
		if err := os.Mkdir(filepath.Join(c.dir, sub), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	if os.Getuid() != 0 {
		return
	}
	err := filepath.WalkDir(c.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, nobody, nobody)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *scheduler) run(n nursery) {
	c.t.Helper()
	path, _ := program("cupsd")
	cmd := exec.Command(path, "-f", "-c", filepath.Join(c.dir, "cupsd.conf"), "-s", filepath.Join(c.dir, "cups-files.conf"))
	tie(cmd)
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	p, err := n.begin(cmd)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		p.terminate() // it takes its backends with it
		<-p.ended
	})
}

// try runs one of CUPS's commands, which asks this scheduler unless it names another.
func (c *scheduler) try(ctx context.Context, name string, args ...string) (string, error) {
	path, _ := program(name)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "CUPS_SERVER="+c.addr, "HOME="+c.dir, "LC_ALL=C", "CUPS_USER=ann")
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out), err
}

func (c *scheduler) do(ctx context.Context, name string, args ...string) string {
	c.t.Helper()
	out, err := c.try(ctx, name, args...)
	if err != nil {
		c.t.Fatal(err)
	}
	return out
}

// idle: every job of the scheduler has left it.
func (c *scheduler) idle(ctx context.Context) bool {
	out, err := c.try(ctx, "lpstat", "-W", "not-completed", "-o")
	return err == nil && strings.TrimSpace(out) == ""
}

// file writes a document to where the commands find it.
func (c *scheduler) file(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return path
}
