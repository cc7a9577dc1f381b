package ipp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A fake is a member in memory: what is proposed is committed at once, unless it was told to fail.
type fake struct {
	mu       sync.Mutex
	jobs     []*queue.Job
	docs     map[uint64][]byte
	upload   []byte
	printers map[string]*node.PrinterStatus
	// What a method answers instead, by its name.
	errs map[string]error
	// A pending job completes when it is this old; 0: never.
	finish time.Duration
	causes []*queuepb.Cause
	// The commands of front ends, in order.
	asked         []*queuepb.Command
	subscriptions []*queue.Subscription
	lines         []queue.Line
	members       []node.MemberStatus
}

func newFake(printers ...string) *fake {
	f := &fake{docs: map[uint64][]byte{}, printers: map[string]*node.PrinterStatus{}, errs: map[string]error{}}
	for _, name := range printers {
		uri := "file:/tmp/" + name // of which nobody knows what it can do
		f.printers[name] = &node.PrinterStatus{
			Printer: &queue.Printer{Name: name}, Settings: queue.Settings{Devices: []string{uri}}, Devices: []*queue.Device{{Id: 1, Uri: uri}},
		}
	}
	return f
}

func (f *fake) failing(method string, err error) *fake { f.errs[method] = err; return f }

// submitted adds jobs of a user, with these states, to a printer.
func (f *fake) submitted(printer, user string, states ...queue.JobState) *fake {
	for _, s := range states {
		a, err := f.Propose(context.Background(), &queuepb.Command{Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
			Printer: printer, User: user, Name: "a job", Format: "text/plain", Bytes: 1, Pages: 2, Units: 2, Copies: 1, Priority: 50,
		}}}, []byte("x"))
		if err != nil {
			panic(err)
		}
		f.jobs[a.Job-1].State = uint32(s)
		if s.Ended() {
			f.jobs[a.Job-1].Ended = time.Now().UnixNano()
		}
	}
	return f
}

func (f *fake) Propose(_ context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Propose"]; err != nil {
		return node.Answer{}, err
	}
	switch c := cmd.Body.(type) {
	case *queuepb.Command_Submit:
		return f.submit(c.Submit, payload)
	case *queuepb.Command_Reprint:
		f.causes = append(f.causes, c.Reprint.Cause)
		old, err := f.job(c.Reprint.Job)
		if err != nil {
			return node.Answer{}, err
		}
		if !queue.JobState(old.State).Ended() {
			return node.Answer{}, fmt.Errorf("%w: job %d has not ended", queue.ErrState, old.Id)
		}
		return f.submit(&queuepb.Submit{Printer: old.Printer, Name: old.Name, User: old.User, Bytes: old.Bytes, Copies: old.Copies}, f.docs[old.Id])
	case *queuepb.Command_Cancel:
		return f.act(c.Cancel.Job, c.Cancel.Cause, queue.Canceled)
	case *queuepb.Command_Hold:
		return f.act(c.Hold.Job, c.Hold.Cause, queue.Held)
	case *queuepb.Command_Release:
		return f.act(c.Release.Job, c.Release.Cause, queue.Pending)
	case *queuepb.Command_Move:
		a, err := f.act(c.Move.Job, c.Move.Cause, queue.Pending)
		if err == nil {
			f.jobs[a.Job-1].Printer = c.Move.Printer
		}
		return a, err
	case *queuepb.Command_PausePrinter:
		return f.pause(c.PausePrinter.Name, c.PausePrinter.Cause, true)
	case *queuepb.Command_ResumePrinter:
		return f.pause(c.ResumePrinter.Name, c.ResumePrinter.Cause, false)
	}
	if a, err := f.clerk(cmd, payload); a.Index != 0 || err != nil {
		return a, err
	}
	return node.Answer{}, fmt.Errorf("%w: %T", queue.ErrInvalid, cmd.Body)
}

func (f *fake) submit(c *queuepb.Submit, payload []byte) (node.Answer, error) {
	if f.printers[c.Printer] == nil {
		return node.Answer{}, fmt.Errorf("%w: %q", queue.ErrNoPrinter, c.Printer)
	}
	j := &queue.Job{
		Id: uint64(len(f.jobs)) + 1, Printer: c.Printer, State: uint32(queue.Pending), Name: c.Name, User: c.User, Format: c.Format,
		Bytes: c.Bytes, Sha256: c.Sha256, Pages: c.Pages, Units: c.Units, Copies: c.Copies, Priority: c.Priority, Options: c.Options,
		Submitted: &queuepb.Position{Time: time.Now().UnixNano()},
	}
	if c.Hold {
		j.State, j.Reason = uint32(queue.Held), "job-hold-until-specified"
	}
	f.jobs = append(f.jobs, j)
	f.docs[j.Id] = payload
	if c.Chunks > 0 {
		f.docs[j.Id] = f.upload
	}
	return node.Answer{Job: j.Id}, nil
}

func (f *fake) act(id uint64, c *queuepb.Cause, state queue.JobState) (node.Answer, error) {
	f.causes = append(f.causes, c)
	j, err := f.job(id)
	if err != nil {
		return node.Answer{}, err
	}
	if queue.JobState(j.State).Ended() {
		return node.Answer{}, fmt.Errorf("%w: job %d has ended", queue.ErrState, id)
	}
	f.jobs[id-1].State = uint32(state)
	if state.Ended() {
		f.jobs[id-1].Ended = time.Now().UnixNano()
	}
	return node.Answer{Job: id}, nil
}

func (f *fake) pause(name string, c *queuepb.Cause, on bool) (node.Answer, error) {
	f.causes = append(f.causes, c)
	p := f.printers[name]
	if p == nil {
		return node.Answer{}, fmt.Errorf("%w: %q", queue.ErrNoPrinter, name)
	}
	p.Paused = on
	return node.Answer{}, nil
}

func (f *fake) ProposeAll(ctx context.Context, cmds []*queuepb.Command, payloads [][]byte) ([]node.Answer, []error) {
	answers, errs := make([]node.Answer, len(cmds)), make([]error, len(cmds))
	for i := range cmds {
		answers[i], errs[i] = f.Propose(ctx, cmds[i], payloads[i])
	}
	return answers, errs
}

func (f *fake) UploadFor(_ context.Context, _ uint64, r io.Reader, limit int64) (*node.Document, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("upload: %w", err)
	}
	switch {
	case f.errs["Upload"] != nil:
		return nil, f.errs["Upload"]
	case len(body) == 0:
		return nil, fmt.Errorf("%w: send a byte", node.ErrEmpty)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: it may have %d bytes", node.ErrTooLarge, limit)
	}
	doc := &node.Document{Bytes: int64(len(body)), SHA256: sha256.Sum256(body)}
	if len(body) < queue.MaxInline {
		doc.Inline = body
		return doc, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.upload = body
	doc.Upload, doc.Chunks = []byte("0123456789abcdef"), uint32((len(body)+queue.MaxInline-1)/queue.MaxInline)
	return doc, nil
}

func (f *fake) Barrier(context.Context) (node.Position, error) {
	return node.Position{}, f.errs["Barrier"]
}

// job is as it is by now; the caller holds the mutex.
func (f *fake) job(id uint64) (*queue.Job, error) {
	if id == 0 || id > uint64(len(f.jobs)) {
		return nil, fmt.Errorf("%w: %d", queue.ErrNoJob, id)
	}
	j := f.jobs[id-1]
	if at := j.Submitted.Time + int64(f.finish); f.finish > 0 && j.State == uint32(queue.Pending) && time.Now().UnixNano() > at {
		j.State, j.Ended, j.Reason, j.Printed = uint32(queue.Completed), at, "job-completed-successfully", j.Units*j.Copies
	}
	return proto.Clone(j).(*queue.Job), nil
}

func (f *fake) Job(id uint64) (*node.JobStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Job"]; err != nil {
		return nil, err
	}
	j, err := f.job(id)
	return &node.JobStatus{Job: j}, err
}

func (f *fake) Jobs(filter node.JobFilter) (found []*node.JobStatus, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	newest := uint64(len(f.jobs))
	if filter.Before != 0 {
		newest = min(newest, filter.Before-1)
	}
	for id := newest; id > 0 && len(found) < filter.Limit; id-- {
		j, _ := f.job(id)
		if (filter.Printer == "" || filter.Printer == j.Printer) && (filter.User == "" || filter.User == j.User) &&
			(len(filter.States) == 0 || slices.Contains(filter.States, queue.JobState(j.State))) {
			found = append(found, &node.JobStatus{Job: j})
		}
	}
	return found, f.errs["Jobs"]
}

func (f *fake) Printer(name string) (*node.PrinterStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.printers[name]
	if p == nil {
		return nil, fmt.Errorf("%w: %q", queue.ErrNoPrinter, name)
	}
	return &node.PrinterStatus{
		Printer: proto.Clone(p.Printer).(*queue.Printer), Settings: p.Settings, Devices: p.Devices, Processing: p.Processing,
		StateChanged: time.Unix(1, 0),
	}, nil
}

func (f *fake) Printers() (all []node.PrinterStatus, err error) {
	for _, name := range slices.Sorted(maps.Keys(f.printers)) {
		p, err := f.Printer(name)
		if err != nil {
			return nil, err
		}
		all = append(all, *p)
	}
	return all, f.errs["Printers"]
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func (f *fake) OpenDocument(_ context.Context, job *queue.Job) (io.ReadSeekCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return nopCloser{bytes.NewReader(f.docs[job.Id])}, f.errs["OpenDocument"]
}

func (f *fake) Cluster() node.ClusterStatus {
	return node.ClusterStatus{Cluster: "c0ffee", Seq: uint64(len(f.lines)), Members: f.members}
}
