package main

import (
	"os"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/demo"
)

func (a *app) newDemoCmd() *cobra.Command {
	o := demo.Options{Out: a.stdout, Say: a.hint}
	c := &cobra.Command{
		Use: "demo [FILE...]", Short: "See it work: three members, a tray, a leader that is killed, and a check of every page",
		Long: `Demo starts three members as processes of their own, with real sockets and disk, and a tray to print into. It submits
some forty jobs, and the files named, at once; kills the leader while a job prints, starts it again, and waits for all jobs.
Then it compares every page that came out with what was sent, byte for byte, and the logs of the members with each other.

It exits with 0 only if nothing was lost, doubled, mixed or altered. It takes a few seconds, and cleans up.`,
		Example: `  printq demo
  printq demo report.txt --serve
  printq demo --dir /tmp/demo; ls /tmp/demo/tray/pages`,
		RunE: func(c *cobra.Command, files []string) error {
			var err error
			o.Files = files
			if o.Exe, err = os.Executable(); err != nil {
				return err
			}
			return demo.Run(c.Context(), o)
		},
	}
	c.Flags().BoolVar(&o.Serve, "serve", false, "leave the members running, and print what to try")
	c.Flags().StringVar(&o.Dir, "dir", "", "a new directory for everything, which is kept; the default is a temporary one")
	return c
}
