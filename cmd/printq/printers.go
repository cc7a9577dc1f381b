package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
	"printq/http/api"
)

func (a *app) newPrintersCmd() *cobra.Command {
	return &cobra.Command{
		Use: "printers", Short: "List printers", Example: "  printq printers -o json", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cl, err := a.client()
			if err != nil {
				return err
			}
			var list api.Printers
			if err := cl.Get(c.Context(), "/v1/printers", nil, &list); err != nil {
				return err
			}
			return showPrinters(a, list.Printers)
		},
	}
}

func showPrinters(a *app, list []api.Printer) error {
	return show(a, list, "NAME STATE PENDING HELD PROCESSING STOPPED DEVICE WHY", func(p *api.Printer) []any {
		device := p.Device
		if n := len(p.Devices); n > 1 {
			device = fmt.Sprintf("%s and %d more", device, n-1)
		}
		return []any{p.Name, p.State, p.Pending, p.Held, p.Processing, p.Stopped, dash(device), dash(p.Reason)}
	})
}

func (a *app) newPrinterCmd() *cobra.Command {
	c := &cobra.Command{Use: "printer", Short: "Look at a printer, or change it"}
	c.AddCommand(
		a.newPrinterSetCmd(), a.newPrinterShowCmd(), a.newPrinterTestCmd(),
		a.newPrinterActionCmd("pause", http.MethodPost, "/pause", "Begin no further job"),
		a.newPrinterActionCmd("resume", http.MethodPost, "/resume", "Go on after a pause"),
		a.newPrinterActionCmd("accept", http.MethodPost, "/accept", "Take new jobs again"),
		a.newPrinterActionCmd("reject", http.MethodPost, "/reject", "Take no new jobs; those that are there print"),
		a.newPrinterActionCmd("default", http.MethodPost, "/default", "Mean this printer where a client names none"),
		a.newPrinterDescribeCmd(),
		a.newPrinterActionCmd("adopt", http.MethodPost, "/adopt", "Take a device whose identity or cluster changed as the printer's own"),
		a.newPrinterActionCmd("rm", http.MethodDelete, "", "Remove a printer"),
	)
	return c
}

// onPrinter makes the RunE of a command whose argument is a printer's name.
func (a *app) onPrinter(do func(ctx context.Context, c *client.Client, name string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		cl, err := a.client()
		if err != nil {
			return err
		}
		return do(c.Context(), cl, args[0])
	}
}

func (a *app) newPrinterSetCmd() *cobra.Command {
	var body api.PrinterSettings
	var offers []string
	c := &cobra.Command{
		Use: "set NAME --device URI...", Short: "Make a printer, or change its settings",
		Long: "Set gives a printer all of its settings: one that is left out takes its default. Doing it again changes nothing.",
		Example: `  printq printer set office --device tray:/var/spool/office
  printq printer set labels --device socket://10.0.0.7 --device socket://10.0.0.8 --in-doubt reprint
  printq printer set floor2 --device socket://10.0.0.9 --offer sides=one-sided,two-sided-long-edge`,
		Args: cobra.ExactArgs(1),
		RunE: a.onPrinter(func(ctx context.Context, c *client.Client, name string) (err error) {
			if body.Offers, err = offersOf(offers); err != nil {
				return err
			}
			if len(body.Devices) == 0 {
				return usage("a printer needs a device: --device tray:DIR")
			}
			r := &client.Request{Method: http.MethodPut, Path: client.PrinterPath(name), Repeatable: true}
			return a.actPrinter(ctx, c, r, body)
		}),
	}
	p := c.Flags()
	p.StringArrayVar(&body.Devices, "device", nil, "where it prints; several make a pool")
	p.StringVar(&body.InDoubt, "in-doubt", "", "what to do with pages that nobody can know of: hold (default), reprint or skip")
	p.StringVar(&body.Pool, "pool", "", "which of several devices gets the next job: balanced (default), ordered or standby")
	p.StringVar(&body.TTL, "ttl", "", "how long a job may wait to start, such as 2h; default: for ever")
	p.StringVar(&body.Keep, "keep", "", "how long documents are kept for reprint; default 1h")
	p.StringVar(&body.Retention, "retention", "", "how long finished jobs are kept; default 24h")
	p.StringArrayVar(&offers, "offer", nil, "what the device can do, where it does not say so itself, as NAME=VALUE,VALUE...; the first is what happens by itself")
	a.causeFlags(c, &body.Cause)
	return c
}

// offersOf reads the values of --offer.
func offersOf(list []string) (map[string]string, error) {
	offers := make(map[string]string, len(list))
	for _, o := range list {
		name, values, ok := strings.Cut(o, "=")
		if _, twice := offers[name]; !ok || twice {
			return nil, usage("--offer %s: want NAME=VALUE,VALUE..., each name once", o)
		}
		offers[name] = values
	}
	return offers, nil
}

func (a *app) newPrinterDescribeCmd() *cobra.Command {
	var body api.Description
	var info, location string
	c := &cobra.Command{
		Use: "describe NAME", Short: "Change what people are told about a printer",
		Long:    "Describe changes what print dialogs show of a printer. What is left out stays; an empty text takes it away.",
		Example: `  printq printer describe office --info "Colour, two-sided" --location "2nd floor"`,
		Args:    cobra.ExactArgs(1),
	}
	c.RunE = a.onPrinter(func(ctx context.Context, cl *client.Client, name string) error {
		if c.Flags().Changed("info") {
			body.Info = &info
		}
		if c.Flags().Changed("location") {
			body.Location = &location
		}
		if body.Info == nil && body.Location == nil {
			return usage("say --info or --location")
		}
		r := &client.Request{Method: http.MethodPost, Path: client.PrinterPath(name) + "/describe", Repeatable: true}
		return a.actPrinter(ctx, cl, r, body)
	})
	c.Flags().StringVar(&info, "info", "", "what it is")
	c.Flags().StringVar(&location, "location", "", "where it stands")
	a.causeFlags(c, &body.Cause)
	return c
}

// actPrinter shows the printer as it is after the request; nothing where it is gone.
func (a *app) actPrinter(ctx context.Context, c *client.Client, r *client.Request, body any) error {
	if r.Method == http.MethodDelete {
		return c.Call(ctx, r, body, nil)
	}
	p := new(api.Printer)
	if err := c.Call(ctx, r, body, p); err != nil {
		return err
	}
	return showPrinters(a, []api.Printer{*p})
}

func (a *app) newPrinterActionCmd(name, method, suffix, short string) *cobra.Command {
	var cause api.Cause
	c := &cobra.Command{
		Use: name + " NAME", Short: short, Example: "  printq printer " + name + " office", Args: cobra.ExactArgs(1),
		RunE: a.onPrinter(func(ctx context.Context, c *client.Client, printer string) error {
			r := &client.Request{Method: method, Path: client.PrinterPath(printer) + suffix, Repeatable: method == http.MethodPost}
			return a.actPrinter(ctx, c, r, cause)
		}),
	}
	a.causeFlags(c, &cause)
	return c
}

func (a *app) newPrinterTestCmd() *cobra.Command {
	var cause api.Cause
	c := &cobra.Command{
		Use: "test NAME", Short: "Print a test page", Example: "  printq printer test office", Args: cobra.ExactArgs(1),
		RunE: a.onPrinter(func(ctx context.Context, c *client.Client, name string) error {
			r := &client.Request{Method: http.MethodPost, Path: client.PrinterPath(name) + "/test", Key: rand.Text(), Repeatable: true}
			job := new(api.Job)
			if err := c.Call(ctx, r, cause, job); err != nil {
				return err
			}
			return showJobs(a, []api.Job{*job})
		}),
	}
	a.causeFlags(c, &cause)
	return c
}

func (a *app) newPrinterShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show NAME", Short: "Show a printer, its settings and devices", Example: "  printq printer show office", Args: cobra.ExactArgs(1),
		RunE: a.onPrinter(func(ctx context.Context, c *client.Client, name string) error {
			p := new(api.Printer)
			if err := c.Get(ctx, client.PrinterPath(name), nil, p); err != nil {
				return err
			}
			return showOne(a, p, func(w io.Writer) { printerFacts(w, p) })
		}),
	}
}

func printerFacts(w io.Writer, p *api.Printer) {
	fact(w, "printer", p.Name)
	fact(w, "state", p.State)
	fact(w, "reason", p.Reason)
	fact(w, "info", p.Info)
	fact(w, "location", p.Location)
	if !p.Accepting {
		fact(w, "accepting", "no")
	}
	if p.Default {
		fact(w, "default", "yes")
	}
	for _, name := range slices.Sorted(maps.Keys(p.Offers)) {
		fact(w, "offers", name+"="+p.Offers[name])
	}
	fact(w, "in doubt", p.InDoubt)
	if len(p.Devices) > 1 {
		fact(w, "pool", p.Pool)
	}
	fact(w, "ttl", p.TTL)
	fact(w, "keep", p.Keep)
	fact(w, "retention", p.Retention)
	fact(w, "jobs", fmt.Sprintf("%d pending, %d held, %d processing, %d stopped", p.Pending, p.Held, p.Processing, p.Stopped))
	for _, d := range p.Status {
		state := "not claimed"
		if d.Token != [2]uint64{} {
			state = fmt.Sprintf("claimed under term %d, index %d", d.Token[0], d.Token[1])
		}
		if d.Job != 0 {
			state += fmt.Sprintf(", job %d, %d out", d.Job, d.Printed)
		}
		fact(w, "device", fmt.Sprintf("%s: %s", d.URI, state))
		fact(w, "class", d.Class)
		fact(w, "promise", d.Promise)
		fact(w, "about", d.About)
		fact(w, "identity", d.Identity)
		if d.Reason != "" {
			fact(w, "problem", d.Reason+": "+d.Detail)
		}
	}
}
