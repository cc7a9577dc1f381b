package raw_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"printq/http/intake/intaketest"
	"printq/http/raw"
	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// serve runs a server for the printer "labels"; stop ends it and waits.
func serve(t *testing.T, n *intaketest.Node, change func(*raw.Options)) (addr string, stop func()) {
	t.Helper()
	o := raw.Options{Node: n, Printer: "labels", DrainTimeout: time.Second, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	s, err := raw.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return intaketest.Serve(t, s.Serve)
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// print sends a document, ends, and returns what came back up to the server's end; the error is nil for an orderly one.
func print(t *testing.T, addr string, document []byte) (back []byte, err error) {
	t.Helper()
	c := dial(t, addr)
	if _, err := c.Write(document); err != nil {
		return nil, err
	}
	if err := c.CloseWrite(); err != nil {
		return nil, err
	}
	return io.ReadAll(c)
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ENOTCONN)
}

func TestJobs(t *testing.T) {
	large := bytes.Repeat([]byte("a line of text\r\n"), 60_000)
	const exit = "\x1b%-12345X"
	for _, c := range []struct {
		name     string
		document string
		// Of the job: empty where it is the same.
		left, title, format string
	}{
		{name: "text", document: "hello\f", format: "text/plain"},
		{name: "a label", document: "^XA^FDx^FS^XZ", format: "application/vnd.zebra-zpl"},
		{name: "large", document: string(large), format: "text/plain"},
		{
			name: "a PJL job", document: exit + "@PJL JOB NAME = \"Rechnung 7\"\r\n@PJL SET COPIES=1\r\n@PJL ENTER LANGUAGE=PCL\r\n\x1bE...",
			title: "Rechnung 7", format: "application/vnd.hp-pcl",
		},
		{
			name: "the other name", document: exit + "@PJL SET JOBNAME=\"wie \xfcblich\"\n@PJL ENTER LANGUAGE=POSTSCRIPT\n%!PS\n",
			title: "wie üblich", format: "application/postscript",
		},
		{
			name: "questions in front", document: exit + "@PJL ECHO 42\r\n" + exit + exit + "@PJL JOB NAME=x DISPLAY=\"y\"\r\n@PJL ENTER LANGUAGE=PDF\r\n%PDF-1.4\n",
			left: exit + "@PJL JOB NAME=x DISPLAY=\"y\"\r\n@PJL ENTER LANGUAGE=PDF\r\n%PDF-1.4\n", title: "x", format: "application/pdf",
		},
		{name: "an escape that is no exit", document: "\x1bE\x1b&l0O", format: "application/vnd.hp-pcl"},
		{name: "an at sign", document: "@PJ, she wrote", format: "text/plain"},
		{name: "what sets the printer up", document: exit + "@PJL RDYMSG DISPLAY=\"hello\"\r\n" + exit},
		{name: "a line without end", document: "@PJL " + strings.Repeat("x", 10_000)},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := intaketest.New("labels")
			addr, _ := serve(t, n, nil)
			if _, err := print(t, addr, []byte(c.document)); err != nil {
				t.Fatal(err)
			}
			// The server has ended its side: the job is there.
			if n.Count() != 1 {
				t.Fatalf("%d jobs", n.Count())
			}
			j, _ := n.Job(1)
			if c.left == "" {
				c.left = c.document
			}
			if c.title == "" {
				c.title = "raw from 127.0.0.1"
			}
			if got := string(n.Document(1)); got != c.left {
				t.Errorf("the document is %.200q, want %.200q", got, c.left)
			}
			if j.Name != c.title || j.User != "127.0.0.1" || j.Printer != "labels" || j.Copies != 1 || c.format != "" && j.Format != c.format {
				t.Errorf("the job is %q of %q to %q, %d times, %s", j.Name, j.User, j.Printer, j.Copies, j.Format)
			}
		})
	}
}

func TestNoJob(t *testing.T) {
	const exit = "\x1b%-12345X"
	for _, document := range []string{"", exit, exit + "@PJL\r\n@PJL INFO STATUS\r\n" + exit, exit + "@PJL JOB\r\n@PJL ECHO x\r\n@PJL EOJ\r\n" + exit, "@PJL ECHO end"} {
		n := intaketest.New("labels")
		addr, _ := serve(t, n, nil)
		if _, err := print(t, addr, []byte(document)); err != nil || n.Count() != 0 {
			t.Errorf("%q: %d jobs, %v", document, n.Count(), err)
		}
	}
}

// TestAnswers holds a conversation: software asks, waits, and only then sends.
func TestAnswers(t *testing.T) {
	n := intaketest.New("labels")
	addr, _ := serve(t, n, nil)
	c := dial(t, addr)
	for _, turn := range []struct{ ask, answer string }{
		{"\x1b%-12345X@PJL ECHO 17:05 x\r\n", "@PJL ECHO 17:05 x\r\n\f"},
		{"@PJL INFO ID\r\n", "@PJL INFO ID\r\n\"printq\"\r\n\f"},
	} {
		if _, err := io.WriteString(c, turn.ask); err != nil {
			t.Fatal(err)
		}
		back := make([]byte, len(turn.answer))
		if _, err := io.ReadFull(c, back); err != nil || string(back) != turn.answer {
			t.Fatalf("%q is answered %q, %v", turn.ask, back, err)
		}
	}
	if _, err := io.WriteString(c, "@PJL INFO STATUS\n@PJL INQUIRE COPIES\n\x1b%-12345Xdata"); err != nil {
		t.Fatal(err)
	}
	c.CloseWrite()
	back, err := io.ReadAll(c)
	want := "@PJL INFO STATUS\r\nCODE=10001\r\nDISPLAY=\"READY\"\r\nONLINE=TRUE\r\n\f@PJL INQUIRE COPIES\r\n\"?\"\r\n\f"
	if err != nil || string(back) != want {
		t.Errorf("answered %q, %v", back, err)
	}
	if got := string(n.Document(1)); got != "\x1b%-12345Xdata" {
		t.Errorf("the document is %q", got)
	}
}

// TestRefused: an orderly end always means committed.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		commit bool
		change func(*raw.Options)
	}{
		{name: "no quorum", err: node.ErrNoQuorum},
		{name: "full", err: node.ErrFull},
		{name: "disk full", err: node.ErrDiskFull},
		{name: "outcome unknown", err: node.ErrUnknown, commit: true},
		{name: "no such printer", change: func(o *raw.Options) { o.Printer = "lables" }},
		{name: "too large", change: func(o *raw.Options) { o.MaxDocument = 10 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := intaketest.New("labels")
			if c.err != nil {
				n.OnPropose = func(_ context.Context, _ *queuepb.Command, commit func() (node.Answer, error)) (node.Answer, error) {
					if c.commit {
						_, _ = commit()
					}
					return node.Answer{}, fmt.Errorf("planted: %w", c.err)
				}
			}
			addr, _ := serve(t, n, c.change)
			if back, err := print(t, addr, []byte("twelve bytes")); !isReset(err) {
				t.Errorf("%q, %v", back, err)
			}
			if got := n.Count() == 1; got != c.commit {
				t.Errorf("%d jobs", n.Count())
			}
		})
	}
}

// TestEndAfterCommit: the server's side stays open as long as the job is not committed.
func TestEndAfterCommit(t *testing.T) {
	n := intaketest.New("labels")
	proposed, commit := make(chan bool), make(chan bool)
	n.OnPropose = func(_ context.Context, _ *queuepb.Command, do func() (node.Answer, error)) (node.Answer, error) {
		proposed <- true
		<-commit
		return do()
	}
	addr, _ := serve(t, n, nil)
	c := dial(t, addr)
	io.WriteString(c, "x")
	c.CloseWrite()
	<-proposed
	c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	var timeout net.Error
	if _, err := c.Read(make([]byte, 1)); !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("before the commit: %v", err)
	}
	close(commit)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("after the commit: %v", err)
	}
}

// TestCut: what breaks or stands still before its end makes no job, whatever its size.
func TestCut(t *testing.T) {
	for _, size := range []int{3, 100, queue.MaxInline - 1, queue.MaxInline, queue.MaxInline + 1, 3 * queue.MaxInline} {
		for _, how := range []string{"reset", "idle"} {
			t.Run(fmt.Sprint(how, size), func(t *testing.T) {
				n := intaketest.New("labels")
				addr, stop := serve(t, n, func(o *raw.Options) {
					if how == "idle" {
						o.IdleTimeout = 50 * time.Millisecond
					}
				})
				c := dial(t, addr)
				if _, err := c.Write(bytes.Repeat([]byte("x"), size)); err != nil && !isReset(err) {
					t.Fatal(err)
				}
				if how == "reset" {
					c.SetLinger(0)
					c.Close()
				} else if _, err := io.ReadAll(c); !isReset(err) {
					t.Errorf("the client sees %v", err)
				}
				stop()
				if n.Count() != 0 {
					t.Errorf("%d jobs of %d bytes", n.Count(), len(n.Document(1)))
				}
			})
		}
	}
}

// TestStop: at the end, a document that has begun may come to its end, and a connection without any is reset.
func TestStop(t *testing.T) {
	n := intaketest.New("labels")
	addr, stop := serve(t, n, func(o *raw.Options) { o.DrainTimeout = 20 * time.Second })
	begun, idle := dial(t, addr), dial(t, addr)
	// The answer says that the document has begun.
	io.WriteString(begun, "@PJL ECHO\n")
	if _, err := io.ReadFull(begun, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan bool)
	go func() { stop(); close(stopped) }()
	if _, err := io.ReadAll(idle); !isReset(err) {
		t.Errorf("the idle one sees %v", err)
	}
	io.WriteString(begun, "document")
	begun.CloseWrite()
	if _, err := io.ReadAll(begun); err != nil {
		t.Errorf("the one that had begun sees %v", err)
	}
	<-stopped
	if n.Count() != 1 {
		t.Errorf("%d jobs", n.Count())
	}
}

// TestStopCuts: what does not come to its end in time makes no job.
func TestStopCuts(t *testing.T) {
	n := intaketest.New("labels")
	addr, stop := serve(t, n, func(o *raw.Options) { o.DrainTimeout = 50 * time.Millisecond })
	c := dial(t, addr)
	io.WriteString(c, "@PJL ECHO\n")
	if _, err := io.ReadFull(c, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	io.WriteString(c, "half a docu")
	stop()
	if _, err := io.ReadAll(c); !isReset(err) || n.Count() != 0 {
		t.Errorf("%d jobs, %v", n.Count(), err)
	}
}

// TestCrowd: more connections than may be at once wait, and get their turn.
func TestCrowd(t *testing.T) {
	n := intaketest.New("labels")
	var at, most atomic.Int64
	n.OnPropose = func(_ context.Context, _ *queuepb.Command, commit func() (node.Answer, error)) (node.Answer, error) {
		now := at.Add(1)
		defer at.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		return commit()
	}
	addr, _ := serve(t, n, func(o *raw.Options) { o.MaxConns = 3 })
	const crowd = 40
	done := make(chan error)
	for i := range crowd {
		go func() {
			c, err := net.Dial("tcp", addr)
			if err == nil {
				fmt.Fprintf(c, "label %d", i)
				c.(*net.TCPConn).CloseWrite()
				_, err = io.ReadAll(c)
				c.Close()
			}
			done <- err
		}()
	}
	for range crowd {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n.Count() != crowd || most.Load() > 3 {
		t.Errorf("%d jobs, %d at once", n.Count(), most.Load())
	}
}

func TestInsecure(t *testing.T) {
	s, err := raw.New(raw.Options{Node: intaketest.New("labels"), Printer: "labels"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), l); err == nil || !strings.Contains(err.Error(), "--insecure") {
		t.Errorf("%v", err)
	}
}
