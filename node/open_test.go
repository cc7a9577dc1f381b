package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"printq/queue"
	"printq/queue/queuepb"
)

func createJob(printer string) *queuepb.Command {
	return &queuepb.Command{Body: &queuepb.Command_CreateJob{CreateJob: &queuepb.CreateJob{Printer: printer, Name: "n"}}}
}

// attach sends a document for a job through a member, as a front end does.
func (c *cluster) attach(ctx context.Context, n *Node, job uint64, doc io.Reader) (Answer, error) {
	c.t.Helper()
	d, err := n.UploadFor(ctx, job, doc, 1<<30)
	if err != nil {
		return Answer{}, err
	}
	return n.Propose(ctx, &queuepb.Command{Body: &queuepb.Command_AttachDocument{AttachDocument: &queuepb.AttachDocument{
		Job: job, Upload: d.Upload, Chunks: d.Chunks, Bytes: uint64(d.Bytes), Sha256: d.SHA256[:], Last: true,
	}}}, d.Inline)
}

// A slow body: a piece of it each minute.
type drip struct {
	left [][]byte
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.left) == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Minute) // virtual
	n := copy(p, d.left[0])
	d.left[0] = d.left[0][n:]
	if len(d.left[0]) == 0 {
		d.left = d.left[1:]
	}
	return n, nil
}

// A job is made at one member; its document breaks off at the second, goes to the third, and is repeated at the first.
func TestDocumentAfterJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		defer c.end()
		n := c.h.nodes
		if _, err := n[1].Propose(t.Context(), setPrinter("p", "tray:/a"), nil); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{1, 3<<20 + 17} {
			doc := bytes.Repeat([]byte("x"), size)
			a, err := n[1].Propose(t.Context(), createJob("p"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.attach(t.Context(), n[2], a.Job, io.MultiReader(bytes.NewReader(doc[:size/2]), brokenReader{})); err == nil {
				t.Fatal("half a document was taken")
			}
			if _, err := c.attach(t.Context(), n[3], a.Job, bytes.NewReader(doc)); err != nil {
				t.Fatal(err)
			}
			again, err := c.attach(t.Context(), n[1], a.Job, bytes.NewReader(doc))
			if err != nil || !again.Repeated || again.Job != a.Job {
				t.Errorf("the same document: %+v, %v", again, err)
			}
			if _, err := c.attach(t.Context(), n[1], a.Job, bytes.NewReader([]byte("another"))); !errors.Is(err, queue.ErrState) {
				t.Errorf("another document: %v", err)
			}
			if _, err := n[2].Barrier(t.Context()); err != nil { // it may be behind
				t.Fatal(err)
			}
			if got := c.read(n[2], a.Job); sha256.Sum256(got) != sha256.Sum256(doc) {
				t.Errorf("%d bytes came back as %d", size, len(got))
			}
		}
	})
}

// The leader gives up a job whose document does not come, and no job whose document is on its way, however slow.
func TestOpenJobsAreGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.all()
		defer c.end()
		n := c.h.nodes[1]
		if _, err := n.Propose(t.Context(), setPrinter("p", "tray:/a"), nil); err != nil {
			t.Fatal(err)
		}
		open := func() uint64 {
			a, err := n.Propose(t.Context(), createJob("p"), nil)
			if err != nil {
				t.Fatal(err)
			}
			return a.Job
		}
		left, slow := open(), open()
		if _, err := n.OpenDocument(t.Context(), must(n.Job(left)).Job); !errors.Is(err, queue.ErrState) {
			t.Errorf("a document that has not come: %v", err)
		}
		d := &drip{}
		for range 12 {
			d.left = append(d.left, make([]byte, queue.MaxInline))
		}
		if _, err := c.attach(t.Context(), n, slow, d); err != nil {
			t.Errorf("after %d of 12 minutes: %v", 12-len(d.left), err)
		}
		if j := must(n.Job(left)); queue.JobState(j.State) != queue.Aborted || j.Reason != "document-timed-out" {
			t.Errorf("the other is %s %q", queue.JobState(j.State), j.Reason)
		}
	})
}

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}
