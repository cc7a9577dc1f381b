package demo

import (
	"os/exec"
	"syscall"
)

// tie makes the child die with the thread that starts it; its standard input is the second rope.
func tie(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
