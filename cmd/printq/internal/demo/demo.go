// Package demo shows printq keeping its promise: three members as processes, real sockets and disk, a tray, a leader that is
// killed in the middle of a job, and a check of every page.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"printq/cmd/printq/internal/client"
	"printq/cmd/printq/internal/tail"
	"printq/http/api"
	"printq/printer/device"
	"printq/printer/tray"
)

// ErrViolation: printq broke its promise.
var ErrViolation = errors.New("the promise is broken")

// Options of a demo.
type Options struct {
	Exe   string   // the program whose serve command the members run
	Files []string // printed too
	// Dir holds everything and is kept; it must be empty or not exist. Empty: a temporary one, which is kept only if
	// something went wrong.
	Dir string
	// Serve: stay until the context ends.
	Serve bool
	Out   io.Writer
	// Say tells what goes on.
	Say func(format string, args ...any)
	// Limit for all of it but Serve; 0: 25 s.
	Limit time.Duration
}

// Run returns nil if everything was as it must be, ErrViolation if not, or why it could not be shown.
func Run(ctx context.Context, o Options) (err error) {
	files, err := read(o.Files)
	if err != nil {
		return err
	}
	dir, temporary, err := makeDir(o.Dir)
	if err != nil {
		return err
	}
	defer func() {
		if temporary && (err == nil || ctx.Err() != nil) {
			os.RemoveAll(dir)
		} else if err != nil {
			err = fmt.Errorf("%w (everything is kept in %s)", err, dir)
		}
	}()
	if o.Limit == 0 {
		o.Limit = 25 * time.Second
	}
	// Ending the members takes time too.
	limited, cancel := context.WithTimeout(ctx, o.Limit-2*time.Second)
	defer cancel()
	c, err := newCluster(o.Exe, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	if err := show(limited, c, o, files); err != nil {
		return err
	}
	if o.Serve {
		serve(ctx, c, o.Out)
	}
	return nil
}

func makeDir(dir string) (path string, temporary bool, err error) {
	if dir == "" {
		path, err = os.MkdirTemp("", "printq-demo-*")
		return path, true, err
	}
	if path, err = filepath.Abs(dir); err != nil {
		return "", false, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return "", false, err
	}
	if entries, err := os.ReadDir(path); err != nil || len(entries) > 0 {
		return "", false, errors.Join(err, fmt.Errorf("%s is not empty: name a new directory", path))
	}
	return path, false, nil
}

// show is the play: start, submit, kill, go on, check.
func show(ctx context.Context, c *cluster, o Options, files []*source) error {
	began := time.Now()
	if err := begin(ctx, c); err != nil {
		return err
	}
	o.Say("3 members are ready after %v; the tray is %s", since(began), trayDir(c))
	t := &traffic{client: c.client}
	killed, err := play(ctx, c, t, o, files)
	if err != nil {
		return err
	}
	o.Say("%d jobs are acknowledged; waiting until they are out", len(t.documents))
	failed, err := t.settle(ctx)
	if err != nil {
		return err
	}
	paper, err := readTray(trayDir(c))
	if err != nil {
		return err
	}
	r := Check(paper, t.documents)
	chain, err := tail.Compare(ctx, c.client, 0, 5*time.Second, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(o.Out, r)
	fmt.Fprintf(o.Out, "%d pages compared byte for byte with what was sent\n", len(paper))
	fmt.Fprintln(o.Out, killed)
	fmt.Fprintf(o.Out, "longest time between two acknowledgements: %v\n", t.gap().Round(time.Millisecond))
	fmt.Fprintf(o.Out, "log verified on %d members: %d lines, hash %s\n", size, chain.Count, chain.Hash)
	failed = append(failed, r.Violations()...)
	for _, v := range failed {
		fmt.Fprintln(o.Out, "VIOLATION:", v)
	}
	if len(failed) > 0 {
		return fmt.Errorf("%w: %d times", ErrViolation, len(failed))
	}
	fmt.Fprintf(o.Out, "done in %v\n", since(began))
	return nil
}

func since(t time.Time) time.Duration { return time.Since(t).Round(10 * time.Millisecond) }

func trayDir(c *cluster) string { return filepath.Join(c.dir, "tray") }

// begin starts the members and makes the printer, which takes its time for each page so that there is a middle.
func begin(ctx context.Context, c *cluster) error {
	const limit = 10 * time.Second
	for _, m := range c.members {
		if err := c.start(m); err != nil {
			return err
		}
	}
	for _, m := range c.members {
		if err := m.ready(ctx, limit); err != nil {
			return err
		}
	}
	settings := api.PrinterSettings{Device: "tray:" + filepath.ToSlash(trayDir(c)) + "?delay=2ms"}
	r := &client.Request{Method: http.MethodPut, Path: client.PrinterPath(printer), Repeatable: true}
	if err := c.client.Call(ctx, r, settings, nil); err != nil {
		return fmt.Errorf("make the printer: %w", err)
	}
	return nil
}

// play submits, and kills the leader meanwhile. It says what it did.
func play(ctx context.Context, c *cluster, t *traffic, o Options, files []*source) (string, error) {
	first, err := t.submit(ctx, long())
	if err != nil {
		return "", err
	}
	group, ctx := errgroup.WithContext(ctx)
	enough := make(chan struct{})
	group.Go(func() error { return t.flow(ctx, append(files, several()...), enough) })
	said := ""
	group.Go(func() error {
		defer close(enough)
		var err error
		said, err = killLeader(ctx, c, t, o, first)
		return err
	})
	err = group.Wait()
	return said, err
}

// killLeader kills the leader while the job prints, and starts it again once others acknowledge.
func killLeader(ctx context.Context, c *cluster, t *traffic, o Options, job *api.Job) (string, error) {
	job, err := middle(ctx, c, job)
	if err != nil {
		return "", err
	}
	m, err := c.leader(ctx)
	if err != nil {
		return "", err
	}
	m.kill()
	killed := time.Now()
	o.Say("member %d led and was killed while page %d of %d of job %d printed", m.id, job.Printed+1, job.Units, job.ID)
	// A request that was on its way may still be answered; what counts comes later.
	for !t.acknowledgedSince(killed.Add(20 * time.Millisecond)) {
		if err := pause(ctx); err != nil {
			return "", fmt.Errorf("nothing is acknowledged since member %d was killed: %w", m.id, err)
		}
	}
	next, err := c.leader(ctx)
	if err != nil {
		return "", err
	}
	o.Say("member %d leads", next.id)
	if err := c.start(m); err != nil {
		return "", err
	}
	if err := m.ready(ctx, 10*time.Second); err != nil {
		return "", err
	}
	o.Say("member %d is back", m.id)
	return fmt.Sprintf("member %d led and was killed while page %d of %d of job %d printed; member %d went on",
		m.id, job.Printed+1, job.Units, job.ID, next.id), nil
}

// middle waits until the job is in its middle.
func middle(ctx context.Context, c *cluster, job *api.Job) (*api.Job, error) {
	for job.Printed < job.Units/5 {
		if api.Ended(job.State) {
			return nil, fmt.Errorf("job %d is %s before it was in its middle: %s", job.ID, job.State, job.Reason)
		}
		if err := pause(ctx); err != nil {
			return nil, fmt.Errorf("job %d does not come to its middle: it is %s, %d out (%s %s): %w", job.ID, job.State, job.Printed, job.Reason, job.Waits, err)
		}
		next := new(api.Job)
		if err := c.client.Get(ctx, client.JobPath(job.ID), nil, next); err != nil {
			return nil, err
		}
		job = next
	}
	return job, nil
}

func pause(ctx context.Context) error {
	select {
	case <-time.After(5 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// readTray is the paper: what the ledger lists, in its order, with the bytes of the files. A fence asks itself before it
// writes a page's line; a line that it would have refused says that the page came out all the same, after what counts. (A
// stale line is another thing: a higher token overtook it on its way, and its page was not let out.)
func readTray(dir string) ([]Page, error) {
	ledger, err := tray.Read(dir)
	if err != nil {
		return nil, err
	}
	var paper []Page
	for _, p := range ledger.Pages {
		page := Page{Job: p.Job, Copy: p.Copy, Page: p.Page}
		if page.Err = p.Verify(); page.Err == nil {
			page.Data, page.Err = os.ReadFile(p.Path)
		}
		paper = append(paper, page)
	}
	for _, line := range ledger.Ignored {
		if !line.Page || errors.Is(line.Err, device.ErrStale) {
			continue
		}
		var page Page
		if err := json.Unmarshal([]byte(line.Text), &page); err != nil {
			return nil, fmt.Errorf("ledger line %d: %w", line.Line, err)
		}
		paper = append(paper, page)
	}
	return paper, nil
}

func serve(ctx context.Context, c *cluster, out io.Writer) {
	servers := ""
	for i, m := range c.members {
		fmt.Fprintf(out, "member %d: http://%s, log %s\n", m.id, m.http, m.stderr)
		if i > 0 {
			servers += ","
		}
		servers += m.http
	}
	fmt.Fprintf(out, `pages: %s

try, in another terminal:
  export PRINTQ_SERVER=%s
  %s submit %s -p %s --wait
  %s status
  %s log --follow
  %s leader transfer
ends with Ctrl-C
`, filepath.Join(trayDir(c), "pages"), servers, c.exe, "FILE", printer, c.exe, c.exe, c.exe)
	<-ctx.Done()
}
