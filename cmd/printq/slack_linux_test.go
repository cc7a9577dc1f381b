package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain is also a member that says how it was begun.
func TestMain(m *testing.M) {
	if os.Getenv("PRINTQ_TEST_SLACK") != "" {
		loosenTimers()
		slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		fmt.Println(slack, err, os.Getpid(), os.Args[1:], os.Getenv(slackSet) == "")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestLoosenTimers: the program begins anew once, as the same process, with the same arguments.
func TestLoosenTimers(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "serve", "--id", "1")
	c.Env = append(os.Environ(), "PRINTQ_TEST_SLACK=1")
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		t.Fatal(err, out.String())
	}
	if want := fmt.Sprintln(timerSlack.Nanoseconds(), nil, c.Process.Pid, "[serve --id 1]", true); want != out.String() {
		t.Errorf("got  %s\nwant %s", out.String(), want)
	}
}
