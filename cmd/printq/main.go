// Command printq is a replicated print queue: its servers, and the client that talks to them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"printq/cmd/printq/internal/client"
)

// version is set by the linker (-X main.version=…).
var version = "dev"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		loosenTimers()
	}
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		hints: term.IsTerminal(int(os.Stderr.Fd())),
	}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// endings are the signals that end a command in order: of a terminal that is closed, too, unless nohup had it ignored.
func endings() []os.Signal {
	list := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		list = append(list, syscall.SIGHUP)
	}
	return list
}

// An app is one run of the program.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	// hints: stderr is a terminal, where progress and hints are welcome.
	hints bool
	flags globalFlags
}

// run carries out a command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.newRoot()
	root.SetArgs(args)
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !isSilent(err) {
		fmt.Fprintln(a.stderr, "printq: "+client.OneLine(err))
	}
	return exitCode(err)
}

// hint says something that only a person needs.
func (a *app) hint(format string, args ...any) {
	if a.hints {
		fmt.Fprintf(a.stderr, format+"\n", args...)
	}
}

func (a *app) newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "printq",
		Short: "A replicated print queue",
		Long: `printq is a replicated print queue: no acknowledged job is lost, no page is doubled, no two jobs' pages are mixed,
whichever minority of its servers is killed, paused or cut off.

Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 refused, 5 conflict, 6 no quorum or no server (nothing was done: safe
to retry), 7 outcome unknown (retry with the same key), 8 wait timed out, 9 job aborted or canceled.`,
		Example: `  printq demo
  printq serve --id 1 --data /var/lib/printq --http 127.0.0.1:8631 --peer 127.0.0.1:8632
  printq printer set office --device tray:/tmp/tray
  printq submit report.pdf -p office --wait`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	a.flags.register(root, a.getenv)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage("%v: see %s --help", err, c.CommandPath()) })
	root.AddCommand(
		a.newSubmitCmd(), a.newJobsCmd(), a.newJobCmd(), a.newPrintersCmd(), a.newPrinterCmd(), a.newLogCmd(), a.newStatusCmd(),
		a.newLeaderCmd(), a.newBenchCmd(), a.newDemoCmd(), a.newVersionCmd(), newServeCmd(), newHeadCmd(),
	)
	prepare(root)
	return root
}

// prepare makes a wrong number of arguments, and a command that does not exist, usage errors.
func prepare(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usage("%v: see %s --help", err, c.CommandPath())
			}
			return nil
		}
	}
	if !c.Runnable() {
		c.Args = cobra.ArbitraryArgs
		c.RunE = func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("%s has no command %q: see %s --help", c.CommandPath(), args[0], c.CommandPath())
			}
			return c.Help()
		}
	}
	for _, sub := range c.Commands() {
		prepare(sub)
	}
}

func (a *app) newVersionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(a.stdout, "printq", version)
			return err
		},
	}
}
