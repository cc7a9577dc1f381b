package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

// submitFlags are those of printq submit.
type submitFlags struct {
	printer, key, name, user, format string
	copies, priority                 int
	hold                             bool
	ttl, wait                        time.Duration
	options                          map[string]string
}

// waitForever is what --wait without a time means.
const waitForever = 100 * 365 * 24 * time.Hour

func (a *app) newSubmitCmd() *cobra.Command {
	var f submitFlags
	c := &cobra.Command{
		Use:   "submit FILE|-... -p PRINTER",
		Short: "Print documents",
		Long: `Submit sends each file as one job and prints the jobs that were made. A file named - is standard input.

Each job gets an idempotency key, so that a request that is repeated, by printq or by you with --key, prints once.`,
		Example: `  printq submit report.pdf -p office
  printq submit label1.zpl label2.zpl -p labels --copies 2 --priority 90
  make-invoice | printq submit - -p office --name invoice-17 --key invoice-17 --wait=5m`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error { return a.submit(c.Context(), f, files) },
	}
	p := c.Flags()
	p.StringVarP(&f.printer, "printer", "p", a.getenv("PRINTQ_PRINTER"), "the printer; PRINTQ_PRINTER is the default")
	p.IntVarP(&f.copies, "copies", "n", 1, "copies, collated")
	p.IntVar(&f.priority, "priority", 50, "1 to 100, higher first")
	p.BoolVar(&f.hold, "hold", false, "do not print before printq job release")
	p.StringVar(&f.key, "key", "", "idempotency key; the default is made anew for each file")
	p.StringVar(&f.name, "name", "", "name of the job; the default is the file's")
	p.StringVar(&f.user, "user", a.getenv("USER"), "whose job it is")
	p.StringVar(&f.format, "format", "", "media type of the document; the default is to look at it")
	p.DurationVar(&f.ttl, "ttl", 0, "abort the job if it has not started by then; the default is the printer's")
	p.StringToStringVarP(&f.options, "option", "O", nil, "how to print it, as in sides=two-sided-long-edge: "+strings.Join(api.JobOptions, ", "))
	p.DurationVar(&f.wait, "wait", 0, "wait until it has printed, at most so long")
	p.Lookup("wait").NoOptDefVal = waitForever.String()
	return c
}

func (f *submitFlags) check(files []string) error {
	stdin := 0
	for _, file := range files {
		if file == "-" {
			stdin++
		}
	}
	switch {
	case f.printer == "":
		return usage("no printer is named: use -p PRINTER; printq printers lists them")
	case f.key != "" && len(files) > 1:
		return usage("--key is for one file: submit them one by one, or leave it out")
	case stdin > 1:
		return usage("- is named twice: standard input is one document")
	case f.copies < 1 || f.priority < 1 || f.priority > 100:
		return usage("--copies must be at least 1, and --priority from 1 to 100")
	case !knownOptions(f.options):
		return usage("--option takes NAME=VALUE, where NAME is %s", strings.Join(api.JobOptions, ", "))
	case f.ttl < 0 || f.wait < 0:
		return usage("--ttl and --wait must not be negative")
	}
	return nil
}

func knownOptions(options map[string]string) bool {
	for name := range options {
		if !slices.Contains(api.JobOptions, name) {
			return false
		}
	}
	return true
}

func (f *submitFlags) query(file string) url.Values {
	q := url.Values{}
	set := func(name, value string, given bool) {
		if given {
			q.Set(name, value)
		}
	}
	name := f.name
	if name == "" && file != "-" {
		name = filepath.Base(file)
	}
	set("name", name, name != "")
	set("user", f.user, f.user != "")
	set("format", f.format, f.format != "")
	set("copies", strconv.Itoa(f.copies), f.copies != 1)
	set("priority", strconv.Itoa(f.priority), f.priority != 50)
	set("hold", "true", f.hold)
	set("ttl", f.ttl.String(), f.ttl > 0)
	for name, value := range f.options {
		set(name, value, true)
	}
	return q
}

// submit sends the files one by one. What has been acknowledged is shown also where a later one fails.
func (a *app) submit(ctx context.Context, f submitFlags, files []string) error {
	if err := f.check(files); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	var jobs []api.Job
	var failed []error
	for _, file := range files {
		job, err := a.submitFile(ctx, c, f, file)
		if job != nil {
			jobs = append(jobs, *job)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", file, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(jobs) > 0 {
		if err := showJobs(a, jobs); err != nil {
			return err
		}
	}
	return a.reportAll(failed)
}

// reportAll gives each error its line; the first one's kind is the exit code.
func (a *app) reportAll(failed []error) error {
	if len(failed) < 2 {
		return errors.Join(failed...)
	}
	for _, err := range failed {
		fmt.Fprintln(a.stderr, "printq: "+client.OneLine(err))
	}
	return &silentError{failed[0]}
}

func (a *app) submitFile(ctx context.Context, c *client.Client, f submitFlags, file string) (*api.Job, error) {
	doc, err := a.openDocument(file)
	if err != nil {
		return nil, err
	}
	defer doc.close()
	key := f.key
	if key == "" {
		key = rand.Text()
	}
	bar := a.newBar("sending "+filepath.Base(file), doc.size)
	r := &client.Request{
		Method: http.MethodPost, Path: client.PrinterPath(f.printer) + "/jobs", Query: f.query(file), Key: key, Repeatable: true,
		Length: doc.size, Body: func() (io.ReadCloser, error) { return bar.reader(doc.open()), nil },
		ContentType: "application/octet-stream",
	}
	job := new(api.Job)
	err = c.Call(ctx, r, nil, job)
	bar.done()
	if err != nil {
		return nil, err
	}
	a.hint("job %d is committed", job.ID)
	if f.wait == 0 {
		return job, nil
	}
	return a.await(ctx, c, job, f.wait)
}

// await waits for the job's end. It returns the job also where that is not what was hoped for.
func (a *app) await(ctx context.Context, c *client.Client, job *api.Job, wait time.Duration) (*api.Job, error) {
	bar := a.newBar(fmt.Sprintf("job %d", job.ID), int64(units(job)))
	defer bar.done()
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	job, err := c.WaitJob(limited, job, func(j *api.Job) { bar.set(int64(j.Printed), why(j)) })
	switch {
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return job, fmt.Errorf("%w: job %d is %s after %v%s: see printq job show %d", errWait, job.ID, job.State, wait, because(job), job.ID)
	case err != nil:
		return job, fmt.Errorf("job %d is committed, but cannot be followed: %w", job.ID, err)
	case job.State != "completed":
		return job, fmt.Errorf("%w: job %d is %s%s: see printq job events %d", errAborted, job.ID, job.State, because(job), job.ID)
	}
	return job, nil
}

func because(j *api.Job) string {
	if w := why(j); w != "" {
		return " (" + w + ")"
	}
	return ""
}

// A document can be read several times: a request may have to be repeated.
type document struct {
	file *os.File
	size int64
	temp bool
}

func (a *app) openDocument(name string) (*document, error) {
	if name == "-" {
		return spool(a.stdin)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		defer f.Close()
		if info.IsDir() {
			return nil, usage("it is a directory: name the files in it")
		}
		return spool(f)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &document{file: f, size: info.Size()}, nil
}

// spool keeps what can be read only once.
func spool(r io.Reader) (*document, error) {
	f, err := os.CreateTemp("", "printq-submit-*")
	if err != nil {
		return nil, fmt.Errorf("keep standard input for a repeat: %w", err)
	}
	d := &document{file: f, temp: true}
	if d.size, err = io.Copy(f, r); err != nil {
		d.close()
		return nil, fmt.Errorf("keep standard input for a repeat: %w", err)
	}
	return d, nil
}

func (d *document) open() io.Reader { return io.NewSectionReader(d.file, 0, d.size) }

func (d *document) close() {
	d.file.Close()
	if d.temp {
		os.Remove(d.file.Name())
	}
}
