package lpd_test

import (
	"context"
	"testing"
	"time"

	"printq/http/intake/intaketest"
	"printq/http/lpd"
	"printq/node"
	"printq/queue/queuepb"
)

// The acknowledgement of job 7 is lost in different ways, and the client sends it again.
func TestSentAgain(t *testing.T) {
	n := intaketest.New("labels")
	one, stopOne := serve(t, n, nil)
	two, _ := serve(t, n, nil)
	want := func(jobs int, after string) {
		t.Helper()
		if n.Count() != jobs {
			t.Fatalf("%d jobs %s, want %d", n.Count(), after, jobs)
		}
	}
	c := dial(t, one)
	c.label(7, "x")
	c.vanish()
	want(1, "at first")

	c = dial(t, two)
	c.label(7, "x")
	c.vanish()
	want(1, "sent again through another member")

	c = dial(t, one)
	c.label(7, "x")
	c.end()
	want(1, "sent again through the first")

	c = dial(t, one)
	c.label(7, "x")
	c.vanish()
	want(2, "sent as a new one under the same number, by a client that had its acknowledgement")

	c = dial(t, one)
	c.label(7, "x")
	c.end()
	want(2, "and that one again")

	c = dial(t, one)
	c.label(7, "y")
	c.end()
	want(3, "with another document")

	c = dial(t, one)
	c.label(8, "x")
	c.end()
	want(4, "under another number")

	stopOne()
	for id := range uint64(4) {
		n.Age(id+1, 11*time.Minute)
	}
	c = dial(t, two)
	c.label(8, "x")
	c.end()
	want(5, "after the window")
}

// TestSentAgainByCUPS: its backend (2.4.2) leaves out the line that prints the file when it sends a job again.
func TestSentAgainByCUPS(t *testing.T) {
	n := intaketest.New("labels")
	addr, _ := serve(t, n, nil)
	for _, control := range []string{
		"Hvm\nPada\nJt\nldfA754vm\nUdfA754vm\nNt\n",
		"Hvm\nPada\nJt\nUdfA754vm\nNt\n",
	} {
		c := dial(t, addr)
		c.begin("labels")
		c.wantFile(2, "cfA754vm", control)
		c.wantFile(3, "dfA754vm", "^XA^FDhello^FS^XZ")
		c.vanish()
	}
	if n.Count() != 1 {
		t.Errorf("%d jobs", n.Count())
	}
}

// TestSentAgainOnOneConnection: going on is an acknowledgement of the acknowledgement.
func TestSentAgainOnOneConnection(t *testing.T) {
	n := intaketest.New("labels")
	addr, _ := serve(t, n, nil)
	c := dial(t, addr)
	c.begin("labels")
	for range 3 {
		c.wantFile(2, "cfA001host", labelControl(1))
		c.wantFile(3, "dfA001host", "x")
	}
	c.end()
	if n.Count() != 3 {
		t.Errorf("%d jobs", n.Count())
	}
}

// TestUnknown: a job that was committed although its client was told otherwise is the same when it comes again; and so is what
// was committed of a job of several files.
func TestUnknown(t *testing.T) {
	n := intaketest.New("labels")
	calls := 0
	n.OnPropose = func(_ context.Context, _ *queuepb.Command, commit func() (node.Answer, error)) (node.Answer, error) {
		a, err := commit()
		if calls++; calls == 2 {
			return node.Answer{}, node.ErrUnknown
		}
		return a, err
	}
	addr, _ := serve(t, n, func(o *lpd.Options) { o.MaxConns = 1 })
	for _, octet := range []int{1, 0} {
		c := dial(t, addr)
		c.begin("labels")
		c.wantFile(3, "dfA1h", "one")
		c.wantFile(3, "dfB1h", "two")
		if got := c.file(2, "cfA1h", "Hh\nldfA1h\nldfB1h\n"); got != octet {
			t.Errorf("octet %d, want %d", got, octet)
		}
		c.vanish()
	}
	if n.Count() != 2 {
		t.Errorf("%d jobs", n.Count())
	}
}
