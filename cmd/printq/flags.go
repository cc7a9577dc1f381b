package main

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"printq/cmd/printq/internal/client"
)

// globalFlags are those of every client command.
type globalFlags struct {
	server  string
	timeout time.Duration
	output  string
}

func (f *globalFlags) register(root *cobra.Command, getenv func(string) string) {
	server := cmp.Or(getenv("PRINTQ_SERVER"), "127.0.0.1:"+client.DefaultPort)
	p := root.PersistentFlags()
	p.StringVar(&f.server, "server", server, "servers, separated by commas; PRINTQ_SERVER is the default")
	p.DurationVar(&f.timeout, "timeout", 30*time.Second, "how long a request is tried, over all servers")
	p.StringVarP(&f.output, "output", "o", "table", "table, json or ndjson")
}

// client checks the flags that belong to it.
func (a *app) client() (*client.Client, error) {
	switch a.flags.output {
	case "table", "json", "ndjson":
	default:
		return nil, usage("--output is %q: it must be table, json or ndjson", a.flags.output)
	}
	if a.flags.timeout <= 0 {
		return nil, usage("--timeout is %v: it must be above zero", a.flags.timeout)
	}
	c, err := client.New(a.flags.server, a.flags.timeout)
	if err != nil {
		return nil, usage("%v", err)
	}
	return c, nil
}
