// Command peers is the load generator for etcd and for NATS JetStream, with their own clients. It is a module of its own, so that what it
// requires is not required by printq. Its only argument says which.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"printq/integration/bench/load"
)

// connections are shared by a generator's clients, as a program that uses these clients would.
const connections = 8

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 1 && args[0] == "etcd" {
		return load.Main(ctx, os.Stdin, os.Stdout, func(w load.Work) (load.Target, error) { return openEtcd(w) })
	}
	if len(args) == 1 && args[0] == "nats" {
		return load.Main(ctx, os.Stdin, os.Stdout, func(w load.Work) (load.Target, error) { return openNATS(ctx, w) })
	}
	return errors.New("usage: peers etcd|nats, with the work on standard input")
}

// around is a list that begins at its element i, counted around. Without failover, that element only.
func around(list []string, i int, failover bool) []string {
	i %= len(list)
	if !failover {
		return list[i : i+1]
	}
	return append(append([]string{}, list[i:]...), list[:i]...)
}
