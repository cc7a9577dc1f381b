package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"testing"
	"time"
)

// An outcome is what a command of printq came to.
type outcome struct {
	code           int
	stdout, stderr string
}

// command runs printq to its end. What does not end in time is killed, and has code -1.
func command(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	return commandUntil(ctx, t, args...)
}

// commandUntil is command with as much time as ctx has.
func commandUntil(ctx context.Context, t *testing.T, args ...string) outcome {
	t.Helper()
	cmd := exec.CommandContext(ctx, exe, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// A pipe that stays open while this process lives: what takes --exit-with-stdin ends with it.
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run printq %q: %v", args, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func copyTo(w io.Writer, b body) error {
	r, err := b.open()
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(w, r)
	return err
}
