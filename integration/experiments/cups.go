//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"printq/integration/emulator"
	"printq/integration/paper"
)

// A cups is a private scheduler of CUPS: a configuration, a spool and a port of its own, and no rights.
type cups struct {
	program, dir, addr string
	daemon             *exec.Cmd
	// Who it runs as, where this program runs as root; else nil.
	credential *syscall.Credential
	// Processes that the scheduler started and that outlived it.
	orphans []int
}

// findCUPS says where the scheduler is; an error: something is not installed.
func findCUPS() (string, error) {
	var failed error
	for _, tool := range []string{"lp", "lpadmin", "cupsdisable", "cupsenable"} {
		_, err := find(tool)
		failed = errors.Join(failed, err)
	}
	path, err := find("cupsd")
	if failed = errors.Join(failed, err); failed != nil {
		return "", fmt.Errorf("%w: Debian has it in cups-daemon and cups-client", failed)
	}
	return path, nil
}

// find looks also where a user's path does not go.
func find(tool string) (string, error) {
	if path, err := exec.LookPath(tool); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + tool)
}

func newCUPS(ctx context.Context, program string) (*cups, error) {
	addrs, err := freeAddrs(1)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "printq-cups-*")
	if err != nil {
		return nil, err
	}
	c := &cups{program: program, dir: dir, addr: addrs[0]}
	if err = c.configure(); err == nil {
		err = c.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

const cupsdConf = `Listen %[1]s
LogLevel info
Browsing No
WebInterface No
DefaultAuthType None
MaxLogSize 0
<Location />
  Order allow,deny
  Allow localhost
</Location>
<Policy default>
  JobPrivateAccess all
  JobPrivateValues none
  <Limit All>
    Order deny,allow
  </Limit>
</Policy>
`

const cupsFilesConf = `ServerRoot %[1]s/root
CacheDir %[1]s/cache
RequestRoot %[1]s/spool
StateDir %[1]s/run
TempDir %[1]s/tmp
AccessLog %[1]s/access_log
ErrorLog %[1]s/error_log
PageLog %[1]s/page_log
FileDevice Yes
SyncOnClose No
`

func (c *cups) configure() error {
	for _, d := range []string{"root", "cache", "spool", "spool/tmp", "run", "tmp"} {
		if err := os.MkdirAll(filepath.Join(c.dir, d), 0o755); err != nil {
			return err
		}
	}
	for name, format := range map[string]string{"cupsd.conf": fmt.Sprintf(cupsdConf, c.addr), "cups-files.conf": fmt.Sprintf(cupsFilesConf, c.dir)} {
		if err := os.WriteFile(filepath.Join(c.dir, "root", name), []byte(format), 0o644); err != nil {
			return err
		}
	}
	if os.Getuid() != 0 {
		return nil
	}
	lp, err := user.Lookup("lp")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(lp.Uid)
	gid, _ := strconv.Atoi(lp.Gid)
	c.credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return filepath.WalkDir(c.dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, uid, gid))
	})
}

// start starts the scheduler and waits until it answers.
func (c *cups) start(ctx context.Context) error {
	root := filepath.Join(c.dir, "root")
	c.daemon = exec.Command(c.program, "-f", "-c", filepath.Join(root, "cupsd.conf"), "-s", filepath.Join(root, "cups-files.conf"))
	c.daemon.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	c.daemon.Dir = c.dir
	if err := c.daemon.Start(); err != nil {
		return err
	}
	for {
		if _, err := c.tool(ctx, "lpstat", "-r"); err == nil {
			return nil
		}
		if pause(ctx, 50*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("cupsd does not answer: %w", context.Cause(ctx))
		}
	}
}

// tool runs one of CUPS's commands against this scheduler.
func (c *cups) tool(ctx context.Context, name string, arguments ...string) (string, error) {
	path, err := find(name)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, path, append([]string{"-h", c.addr}, arguments...)...)
	command.Env = append(os.Environ(), "CUPS_SERVER="+c.addr, "HOME="+c.dir)
	out, err := command.CombinedOutput()
	if err != nil || name == "lpstat" && !bytes.Contains(out, []byte("scheduler is running")) && slices.Contains(arguments, "-r") {
		return "", fmt.Errorf("%s %q: %w: %s", name, arguments, errors.Join(err, errors.New("it did not succeed")), out)
	}
	return string(out), nil
}

// children are the processes that the scheduler has started.
func (c *cups) children() (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// The parent's id is the second field after the name, which stands in parentheses and may have blanks.
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if len(fields) > 1 && fields[1] == strconv.Itoa(c.daemon.Process.Pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// kill is SIGKILL to the scheduler, and to what it has started, too.
func (c *cups) kill(backends bool) {
	children := c.children()
	_ = c.daemon.Process.Kill()
	if !backends {
		c.orphans = append(c.orphans, children...)
		children = nil
	}
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = c.daemon.Wait()
}

func (c *cups) terminate() error {
	if err := c.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = c.daemon.Wait()
	return nil
}

// end ends all of it.
func (c *cups) end() error {
	c.kill(true)
	for _, pid := range c.orphans {
		// The number may be another's by now: ask whose it is.
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err == nil && bytes.Contains(b, []byte(c.dir)) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return os.RemoveAll(c.dir)
}

// saved waits until the scheduler has written its job and its printer.
func (c *cups) saved(ctx context.Context) error {
	for {
		jobs, err := filepath.Glob(filepath.Join(c.dir, "spool", "c*"))
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(c.dir, "root", "printers.conf")); err == nil && len(jobs) > 0 {
			return nil
		}
		if pause(ctx, 100*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("cupsd has not saved its job: %w", context.Cause(ctx))
		}
	}
}

// inCUPS does an experiment with CUPS. What came out is what lies there when nothing more comes for as long as 30 pages take, or 10 s.
func inCUPS(ctx context.Context, program string, e experiment, s Scale) (r paper.Tally, err error) {
	jet := emulator.NewJetDirect(emulator.Options{PageTime: s.Page, Buffer: 4 << 10, SocketBuffer: 8 << 10, PJL: emulator.PJLSkipped})
	defer jet.Close()
	addr, err := jet.Start()
	if err != nil {
		return r, err
	}
	c, err := newCUPS(ctx, program)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	if _, err := c.tool(ctx, "lpadmin", "-p", "q", "-E", "-v", "socket://"+addr, "-o", "printer-error-policy=retry-job"); err != nil {
		return r, err
	}
	if _, err := c.tool(ctx, "cupsdisable", "q"); err != nil {
		return r, err
	}
	var documents []paper.Document
	for n := range e.jobs {
		d := paper.Document{Name: fmt.Sprintf("cups job %d", n+1), Pages: e.pages}
		documents = append(documents, d)
		file := filepath.Join(c.dir, fmt.Sprintf("document-%d", n+1))
		if err := os.WriteFile(file, d.Text(), 0o644); err != nil {
			return r, err
		}
		if _, err := c.tool(ctx, "lp", "-d", "q", "-o", "raw", file); err != nil {
			return r, err
		}
	}
	if !e.paused {
		// What is lost within the first half minute is the first experiment's. Here the scheduler has saved its job.
		if err := c.saved(ctx); err != nil {
			return r, err
		}
		if _, err := c.tool(ctx, "cupsenable", "q"); err != nil {
			return r, err
		}
		if _, err := jet.Wait(ctx, func(p []emulator.Page) bool { return len(p) >= e.pages/2 }); err != nil {
			return r, fmt.Errorf("half of the job: %w", err)
		}
	}
	if err := e.toCUPS(ctx, c); err != nil {
		return r, err
	}
	if e.paused {
		// Also where the printer is gone with the jobs.
		if _, err := c.tool(ctx, "cupsenable", "q"); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	return paper.Count(quiet(ctx, jet, max(10*time.Second, 30*s.Page)), documents...), nil
}

// quiet is the paper once nothing more has come for so long.
func quiet(ctx context.Context, jet *emulator.JetDirect, long time.Duration) []emulator.Page {
	for {
		pages := jet.Pages()
		wait, stop := context.WithTimeout(ctx, long)
		_, err := jet.Wait(wait, func(p []emulator.Page) bool { return len(p) > len(pages) })
		stop()
		if err != nil {
			return pages
		}
	}
}
