//go:build unix

// Package cups runs a private scheduler of CUPS for tests and experiments: with a configuration, a spool and a port of its own, and
// without any rights. Nothing of the machine's own CUPS is touched.
package cups

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Scheduler is a cupsd.
type Scheduler struct {
	// Dir is all that it has: its spool and its logs are in it. Addr is where it listens.
	Dir, Addr string
	program   string
	daemon    *exec.Cmd
	// Who it runs as, where this program runs as root; else nil.
	credential *syscall.Credential
	// Processes that the scheduler started and that outlived it.
	orphans []int
}

// Find says where the scheduler is; an error: something is not installed.
func Find() (string, error) {
	var failed error
	for _, tool := range []string{"lp", "lpadmin", "cupsdisable", "cupsenable"} {
		_, err := find(tool)
		failed = errors.Join(failed, err)
	}
	_, err := os.Stat("/usr/lib/cups/backend/socket")
	failed = errors.Join(failed, err)
	path, err := find("cupsd")
	if failed = errors.Join(failed, err); failed != nil {
		return "", fmt.Errorf("%w: Debian has it in cups, cups-daemon and cups-client", failed)
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

// New starts one. The program is as Find has it.
func New(ctx context.Context, program string) (*Scheduler, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := free.Addr().String()
	free.Close()
	dir, err := os.MkdirTemp("", "printq-cups-*")
	if err != nil {
		return nil, err
	}
	c := &Scheduler{program: program, Dir: dir, Addr: addr}
	if err = c.configure(); err == nil {
		err = c.Start(ctx)
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

func (c *Scheduler) configure() error {
	for _, d := range []string{"root", "cache", "spool", "spool/tmp", "run", "tmp"} {
		if err := os.MkdirAll(filepath.Join(c.Dir, d), 0o755); err != nil {
			return err
		}
	}
	for name, format := range map[string]string{"cupsd.conf": fmt.Sprintf(cupsdConf, c.Addr), "cups-files.conf": fmt.Sprintf(cupsFilesConf, c.Dir)} {
		if err := os.WriteFile(filepath.Join(c.Dir, "root", name), []byte(format), 0o644); err != nil {
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
	return filepath.WalkDir(c.Dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, uid, gid))
	})
}

// Start starts the scheduler and waits until it answers.
func (c *Scheduler) Start(ctx context.Context) error {
	root := filepath.Join(c.Dir, "root")
	c.daemon = exec.Command(c.program, "-f", "-c", filepath.Join(root, "cupsd.conf"), "-s", filepath.Join(root, "cups-files.conf"))
	c.daemon.SysProcAttr = &syscall.SysProcAttr{Credential: c.credential}
	c.daemon.Dir = c.Dir
	if err := c.daemon.Start(); err != nil {
		return err
	}
	for {
		if _, err := c.Tool(ctx, "lpstat", "-r"); err == nil {
			return nil
		}
		if pause(ctx, 50*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("cupsd does not answer: %w", context.Cause(ctx))
		}
	}
}

// Tool runs one of CUPS's commands against this scheduler.
func (c *Scheduler) Tool(ctx context.Context, name string, arguments ...string) (string, error) {
	path, err := find(name)
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, path, append([]string{"-h", c.Addr}, arguments...)...)
	command.Env = append(os.Environ(), "CUPS_SERVER="+c.Addr, "HOME="+c.Dir)
	out, err := command.CombinedOutput()
	if err == nil && name == "lpstat" && slices.Contains(arguments, "-r") && !bytes.Contains(out, []byte("scheduler is running")) {
		err = errors.New("it does not run")
	}
	if err != nil {
		return "", fmt.Errorf("%s %q: %w: %s", name, arguments, err, bytes.TrimSpace(out))
	}
	return string(out), nil
}

// children are the processes that the scheduler has started.
func (c *Scheduler) children() (pids []int) {
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

// Kill is SIGKILL to the scheduler, and to what it has started, too.
func (c *Scheduler) Kill(backends bool) {
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

// Terminate tells the scheduler to end in good order, and waits until it has.
func (c *Scheduler) Terminate() error {
	if err := c.daemon.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	_ = c.daemon.Wait()
	return nil
}

// End ends all of it.
func (c *Scheduler) End() error {
	c.Kill(true)
	for _, pid := range c.orphans {
		// The number may be another's by now: ask whose it is.
		if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err == nil && bytes.Contains(b, []byte(c.Dir)) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return os.RemoveAll(c.Dir)
}

// Saved waits until the scheduler has written its job and its printer.
func (c *Scheduler) Saved(ctx context.Context) error {
	for {
		jobs, err := filepath.Glob(filepath.Join(c.Dir, "spool", "c*"))
		if err != nil {
			return err
		}
		if _, err := os.Stat(filepath.Join(c.Dir, "root", "printers.conf")); err == nil && len(jobs) > 0 {
			return nil
		}
		if pause(ctx, 100*time.Millisecond); ctx.Err() != nil {
			return fmt.Errorf("cupsd has not saved its job: %w", context.Cause(ctx))
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
