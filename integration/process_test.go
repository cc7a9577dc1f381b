package integration

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// A nursery starts processes from a thread that lives until the test's cleanup: a child that is to die with its parent
// dies with the thread that made it.
type nursery chan func()

func newNursery(t *testing.T) nursery {
	n := make(nursery)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for start := range n {
			start()
		}
	}()
	t.Cleanup(func() { close(n); <-ended })
	return n
}

// A process is one run of the program.
type process struct {
	cmd *exec.Cmd
	// Its standard input. Where the test binary is killed it closes, and with --exit-with-stdin the process ends: the second
	// rope, beside the thread.
	stdin io.Closer
	ended chan struct{} // closed once err is set
	err   error         // how it ended
}

// start starts the program, with what it says going to a file.
func (n nursery) start(output string, args ...string) (*process, error) {
	file, err := os.OpenFile(output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd := exec.Command(exe, args...)
	cmd.Stdout, cmd.Stderr = file, file
	tie(cmd)
	return n.begin(cmd)
}

// begin starts a command that is tied.
func (n nursery) begin(cmd *exec.Cmd) (p *process, err error) {
	p = &process{cmd: cmd, ended: make(chan struct{})}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	started := make(chan error)
	n <- func() { started <- p.cmd.Start() }
	if err := <-started; err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// signal is lost on a process that has ended.
func (p *process) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// kill is SIGKILL: no byte more is written.
func (p *process) kill() {
	p.signal(os.Kill)
	<-p.ended
	p.stdin.Close()
}

func (p *process) running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// terminate asks it to end in good order.
func (p *process) terminate() { p.signal(syscall.SIGTERM) }
