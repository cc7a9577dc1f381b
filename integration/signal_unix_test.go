//go:build unix

package integration

import (
	"syscall"
	"testing"
)

// pause stops the process at whatever instruction it is, until wake.
func (p *process) pause(*testing.T) { p.signal(syscall.SIGSTOP) }

func (p *process) wake() { p.signal(syscall.SIGCONT) }
