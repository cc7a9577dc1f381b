//go:build linux

package stream

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"printq/printer/device"
	"printq/queue"
)

func a(int) (device.Piece, error) { return piece("a\f"), nil }

func openURI(t *testing.T, path string) *Device {
	t.Helper()
	d, err := File(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPlainFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := openURI(t, path)
	state, err := d.Open(t.Context(), device.Opening{})
	if err != nil || state.Class != queue.Blind || state.Window != 1 || !state.Mark.Closed {
		t.Fatalf("%+v, %v", state, err)
	}
	job := textJob(3)
	if _, err := d.Ready(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		sent, err := d.Send(t.Context(), window(job, n, n+1, a))
		if err != nil || sent != (device.Sent{Whole: n + 1, Out: n + 1}) {
			t.Fatalf("%+v, %v", sent, err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "before\na\fa\fa\f" {
		t.Errorf("%q, %v", text, err)
	}
	if d.link != nil {
		t.Error("the file stays open after the job")
	}
}

func TestNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, hint := range map[string]string{
		dir: "is a directory", filepath.Join(dir, "none", "out"): "no such file", fifo: "nobody reads",
	} {
		_, err := openURI(t, path).Open(t.Context(), device.Opening{})
		if !errors.Is(err, device.ErrUnreachable) || !strings.Contains(err.Error(), hint) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A FIFO whose reader takes nothing is waited for, and the job says so; a reader that goes away leaves the unit in doubt.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	d := openURI(t, path)
	job := textJob(1)
	if _, err := d.Open(t.Context(), device.Opening{}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Ready(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	big := strings.Repeat("x", 1<<20)
	w := window(job, 0, 1, func(int) (device.Piece, error) { return piece(big), nil })
	read, reason := make(chan int64, 1), ""
	w.Waits = func(r, _ string) {
		if r != "" {
			reason = r
			go func() {
				n, _ := io.CopyN(io.Discard, reader, 300_000)
				reader.Close()
				read <- n
			}()
		}
	}
	sent, err := d.Send(t.Context(), w)
	if !errors.Is(err, device.ErrUnclear) || !errors.Is(err, syscall.EPIPE) || !sent.Unclear || sent.Out != 0 || reason != timedOut {
		t.Fatalf("%+v, %v, waited for %q", sent, err, reason)
	}
	if n := <-read; n != 300_000 {
		t.Errorf("%d bytes were read", n)
	}
}

func TestLines(t *testing.T) {
	for status, want := range map[int]string{
		0xdf & ^lpPaperOut: "", lpSelected | lpNoError | lpPaperOut: "media-empty", lpNoError: "paused", lpSelected: "other",
	} {
		if reason, detail := lines(status); reason != want || (reason == "") != (detail == "") {
			t.Errorf("%#x: %q %q", status, reason, detail)
		}
	}
}

// Reading from a device that says nothing ends with the connection.
func TestCloseEndsReading(t *testing.T) {
	conn, err := openFile(t.Context(), "/dev/ptmx", true)
	if err != nil {
		t.Skip(err)
	}
	l := newLink(conn, false)
	if l.mute {
		t.Error("a terminal cannot be read from")
	}
	l.abort()
}
