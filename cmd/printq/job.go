package main

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

func (a *app) newJobCmd() *cobra.Command {
	c := &cobra.Command{Use: "job", Short: "Look at a job, or act on it"}
	c.AddCommand(
		a.newJobShowCmd(), a.newJobMoveCmd(), a.newJobReprintCmd(), a.newJobResolveCmd(), a.newJobDocumentCmd(), a.newJobEventsCmd(),
		a.newJobActionCmd("cancel", "Cancel a job; one that prints stops after the page that is on its way"),
		a.newJobActionCmd("hold", "Hold a job until it is released"),
		a.newJobActionCmd("release", "Release a held job"),
	)
	return c
}

// onJob makes the RunE of a command whose argument is a job's id.
func (a *app) onJob(do func(ctx context.Context, c *client.Client, id uint64) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		id, err := jobID(args[0])
		if err != nil {
			return err
		}
		cl, err := a.client()
		if err != nil {
			return err
		}
		return do(c.Context(), cl, id)
	}
}

// actJob posts an action and shows the job as it is then.
func (a *app) actJob(ctx context.Context, c *client.Client, id uint64, action, key string, body any) error {
	r := &client.Request{Method: http.MethodPost, Path: client.JobPath(id) + "/" + action, Key: key, Repeatable: key != ""}
	job := new(api.Job)
	if err := c.Call(ctx, r, body, job); err != nil {
		return err
	}
	return showJobs(a, []api.Job{*job})
}

func (a *app) newJobShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show a job", Example: "  printq job show 17 -o json", Args: cobra.ExactArgs(1),
		RunE: a.onJob(func(ctx context.Context, c *client.Client, id uint64) error {
			job := new(api.Job)
			if err := c.Get(ctx, client.JobPath(id), nil, job); err != nil {
				return err
			}
			return showJob(a, job)
		}),
	}
}

func (a *app) newJobActionCmd(action, short string) *cobra.Command {
	var cause api.Cause
	c := &cobra.Command{
		Use: action + " ID", Short: short, Example: "  printq job " + action + " 17 --why 'wrong paper'", Args: cobra.ExactArgs(1),
		RunE: a.onJob(func(ctx context.Context, c *client.Client, id uint64) error {
			return a.actJob(ctx, c, id, action, "", cause)
		}),
	}
	a.causeFlags(c, &cause)
	return c
}

func (a *app) newJobMoveCmd() *cobra.Command {
	var body api.Move
	c := &cobra.Command{
		Use: "move ID --to PRINTER", Short: "Move a job to another printer",
		Long: `Move gives a job to another printer, where it begins at page 1. One that prints stops first. With --force it leaves a
device that does not answer: what that device may have printed is recorded as in doubt.`,
		Example: "  printq job move 17 --to backup --why 'out of toner'", Args: cobra.ExactArgs(1),
		RunE: a.onJob(func(ctx context.Context, c *client.Client, id uint64) error {
			if body.Printer == "" {
				return usage("say where to move it: --to PRINTER; printq printers lists them")
			}
			return a.actJob(ctx, c, id, "move", "", body)
		}),
	}
	c.Flags().StringVar(&body.Printer, "to", "", "the other printer")
	c.Flags().BoolVar(&body.Force, "force", false, "do not wait for the device")
	a.causeFlags(c, &body.Cause)
	return c
}

func (a *app) newJobReprintCmd() *cobra.Command {
	var body api.Reprint
	var key string
	c := &cobra.Command{
		Use: "reprint ID", Short: "Print a job's document again, as a new job",
		Example: "  printq job reprint 17 --from 5 -p backup", Args: cobra.ExactArgs(1),
		RunE: a.onJob(func(ctx context.Context, c *client.Client, id uint64) error {
			if key == "" {
				key = rand.Text()
			}
			return a.actJob(ctx, c, id, "reprint", key, body)
		}),
	}
	c.Flags().Uint32Var(&body.From, "from", 1, "the first page")
	c.Flags().StringVarP(&body.Printer, "printer", "p", "", "another printer")
	c.Flags().StringVar(&key, "key", "", "idempotency key; the default is made anew")
	a.causeFlags(c, &body.Cause)
	return c
}

func (a *app) newJobResolveCmd() *cobra.Command {
	var body api.Resolve
	var printed, from uint32
	c := &cobra.Command{
		Use: "resolve ID --printed N|--reprint-from N|--done", Short: "Say what came out of a job that is in doubt",
		Long: `Resolve answers what no machine can know: how many pages lie in the printer's tray. Count over all copies.`,
		Example: `  printq job resolve 17 --printed 12         # 12 pages came out: go on after them
  printq job resolve 17 --reprint-from 12    # print page 12 and what follows, again if need be
  printq job resolve 17 --done               # everything came out, or nobody needs the rest`,
		Args: cobra.ExactArgs(1),
	}
	c.Flags().Uint32Var(&printed, "printed", 0, "so many pages came out")
	c.Flags().Uint32Var(&from, "reprint-from", 0, "go on at this page")
	c.Flags().BoolVar(&body.Done, "done", false, "the job is done")
	a.causeFlags(c, &body.Cause)
	c.RunE = a.onJob(func(ctx context.Context, cl *client.Client, id uint64) error {
		given := 0
		for _, name := range []string{"printed", "reprint-from", "done"} {
			if c.Flags().Changed(name) {
				given++
			}
		}
		if given != 1 {
			return usage("say exactly one of --printed N, --reprint-from N and --done")
		}
		if c.Flags().Changed("printed") {
			body.Printed = &printed
		}
		if c.Flags().Changed("reprint-from") {
			body.ReprintFrom = &from
		}
		return a.actJob(ctx, cl, id, "resolve", "", body)
	})
	return c
}

func (a *app) newJobDocumentCmd() *cobra.Command {
	var to string
	c := &cobra.Command{
		Use: "document ID", Short: "Write a job's document to standard output, or with --to into a new file",
		Example: "  printq job document 17 --to report.pdf", Args: cobra.ExactArgs(1),
		RunE: a.onJob(func(ctx context.Context, c *client.Client, id uint64) error {
			if to == "" {
				return a.copyFrom(ctx, c, client.JobPath(id)+"/document", a.stdout)
			}
			f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			if err := a.copyFrom(ctx, c, client.JobPath(id)+"/document", f); err != nil {
				f.Close()
				os.Remove(to)
				return err
			}
			return f.Close()
		}),
	}
	c.Flags().StringVar(&to, "to", "", "the file; it must not exist")
	return c
}

func (a *app) newJobEventsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "events ID", Short: "Print the log lines about a job", Example: "  printq job events 17", Args: cobra.ExactArgs(1),
		RunE: a.onJob(func(ctx context.Context, c *client.Client, id uint64) error {
			return a.copyFrom(ctx, c, client.JobPath(id)+"/events", a.stdout)
		}),
	}
}

func (a *app) copyFrom(ctx context.Context, c *client.Client, path string, w io.Writer) error {
	resp, err := c.Do(ctx, &client.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}
