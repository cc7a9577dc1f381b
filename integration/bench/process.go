package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
)

// A nursery starts processes from a thread that lives until end: a child that is to die with this program dies with the
// thread that made it.
type nursery struct {
	starts chan func()
	ended  chan struct{}
}

func newNursery() nursery {
	n := nursery{make(chan func()), make(chan struct{})}
	go func() {
		defer close(n.ended)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for start := range n.starts {
			start()
		}
	}()
	return n
}

func (n nursery) end() { close(n.starts); <-n.ended }

// A process is one server.
type process struct {
	cmd *exec.Cmd
	// Its standard input: printq ends with it, however this program ends.
	rope   io.Closer
	output string // a file
	ended  chan struct{}
	err    error // how it ended; set before ended is closed
}

// start starts a server; what it says goes to a file.
func (n nursery) start(output, program string, args ...string) (*process, error) {
	file, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{cmd: exec.Command(program, args...), output: output, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	tie(p.cmd)
	if p.rope, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	n.starts <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop sends a signal and waits until the process has ended, or kills it.
func (p *process) stop(s os.Signal, patience time.Duration) error {
	_ = p.cmd.Process.Signal(s)
	defer p.rope.Close()
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
	return fmt.Errorf("process %d did not end within %v of %v: it said: %s", p.pid(), patience, s, p.said())
}

// said is the end of what it said.
func (p *process) said() string {
	b, err := os.ReadFile(p.output)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// await asks every few milliseconds until there is no error, for at most so long.
func await(ctx context.Context, what string, patience time.Duration, ask func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, errors.Join(ctx.Err(), err))
		}
	}
}

// freeAddrs finds free ports of loopback below those that outgoing connections use, so that none is taken while its server is down.
func freeAddrs(n int) (addrs []string, err error) {
	const low, high, tries = 10_000, 32_000, 400
	for range tries {
		if len(addrs) == n {
			return addrs, nil
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(high-low))))
		if err != nil {
			continue
		}
		defer l.Close() // when all are found
		addrs = append(addrs, l.Addr().String())
	}
	return nil, fmt.Errorf("found only %d of %d free ports of 127.0.0.1 from %d to %d", len(addrs), n, low, high)
}
