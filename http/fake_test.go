package http

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"

	"printq/node"
	"printq/queue"
	"printq/queue/queuepb"
)

// A fake is a member in memory: what is proposed is committed at once, unless it was told to fail.
type fake struct {
	mu       sync.Mutex
	at       node.Position
	jobs     []*queue.Job
	docs     map[uint64][]byte
	keys     map[string]*queuepb.Submit
	keyJobs  map[string]uint64
	printerz map[string]*node.PrinterStatus
	lines    []queue.Line
	oldest   uint64
	more     chan struct{} // closed at each change
	// What a method answers instead, by its name.
	errs map[string]error
	// Propose and Barrier do not return before their context ends.
	hang bool
	// Not to copy an uploaded document into memory.
	discard bool
}

func newFake(printers ...string) *fake {
	f := &fake{
		at: node.Position{Index: 10, Term: 2}, docs: map[uint64][]byte{}, keys: map[string]*queuepb.Submit{},
		keyJobs: map[string]uint64{}, printerz: map[string]*node.PrinterStatus{}, oldest: 1, more: make(chan struct{}),
		errs: map[string]error{},
	}
	for _, name := range printers {
		f.setPrinter(&queuepb.SetPrinter{Name: name, Settings: &queuepb.PrinterSettings{Devices: []string{"tray:/tmp/" + name}}})
	}
	return f
}

func (f *fake) setPrinter(c *queuepb.SetPrinter) {
	f.printerz[c.Name] = &node.PrinterStatus{
		Printer:  &queue.Printer{Name: c.Name, Settings: c.Settings, Created: f.at.Index, Changed: f.at.Index},
		Settings: queue.Settings{Devices: c.Settings.Devices, InDoubt: "hold", Pool: "balanced", Keep: queue.DefaultKeep, Retention: queue.DefaultRetain},
		Devices:  []*queue.Device{{Id: 1, Uri: c.Settings.Devices[0], Token: &queuepb.Token{Term: 2, Index: 7}, Resumed: true}},
	}
}

func (f *fake) failing(method string, err error) *fake { f.errs[method] = err; return f }

// add appends a line about a job; the caller holds the mutex.
func (f *fake) add(kind, printer string, job uint64) {
	seq := uint64(len(f.lines)) + 1
	text := fmt.Sprintf(`{"seq":%d,"index":%d,"term":%d,"time":"2026-01-02T03:04:05.000000Z","type":%q,"printer":%q,"job":%d,"hash":"%x"}`,
		seq, f.at.Index, f.at.Term, kind, printer, job, sha256.Sum256([]byte{byte(seq)}))
	f.lines = append(f.lines, queue.Line{Seq: seq, JSON: []byte(text), Job: job, Printer: printer})
	f.notify()
}

func (f *fake) notify() {
	close(f.more)
	f.more = make(chan struct{})
}

// log appends n lines from outside.
func (f *fake) log(n int, printer string, job uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range n {
		f.at.Index++
		f.add("printed", printer, job)
	}
}

// end gives a job its last state.
func (f *fake) end(id uint64, state queue.JobState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.change(id, state)
}

func (f *fake) change(id uint64, state queue.JobState) {
	f.at.Index++
	job := proto.Clone(f.jobs[id-1]).(*queue.Job)
	job.State, job.Changed = uint32(state), f.at.Index
	if state.Ended() {
		job.Ended = 1e18
	}
	f.jobs[id-1] = job
	f.add(state.String(), job.Printer, id)
}

func (f *fake) ProposeDocument(ctx context.Context, cmd *queuepb.Command, d *node.Document) (node.Answer, error) {
	return f.Propose(ctx, cmd, d.Inline)
}

func (f *fake) Propose(ctx context.Context, cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	if f.hang {
		<-ctx.Done()
		return node.Answer{}, ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Propose"]; err != nil {
		return node.Answer{}, err
	}
	return f.carryOut(cmd, payload)
}

func (f *fake) carryOut(cmd *queuepb.Command, payload []byte) (node.Answer, error) {
	switch c := cmd.Body.(type) {
	case *queuepb.Command_Submit:
		return f.submit(c.Submit, payload)
	case *queuepb.Command_Reprint:
		if _, err := f.job(c.Reprint.Job); err != nil {
			return node.Answer{}, err
		}
		again := f.jobs[c.Reprint.Job-1]
		return f.submit(&queuepb.Submit{Printer: again.Printer, Sha256: again.Sha256, Key: c.Reprint.Key}, f.docs[again.Id])
	case *queuepb.Command_Cancel:
		return f.act(c.Cancel.Job, queue.Canceled)
	case *queuepb.Command_Hold:
		return f.act(c.Hold.Job, queue.Held)
	case *queuepb.Command_Release:
		return f.act(c.Release.Job, queue.Pending)
	case *queuepb.Command_Move:
		return f.act(c.Move.Job, queue.Pending)
	case *queuepb.Command_Resolve:
		return f.act(c.Resolve.Job, queue.Pending)
	case *queuepb.Command_SetPrinter:
		f.at.Index++
		f.setPrinter(c.SetPrinter)
		return node.Answer{Position: f.at}, nil
	case *queuepb.Command_RemovePrinter:
		_, err := f.printer(c.RemovePrinter.Name)
		delete(f.printerz, c.RemovePrinter.Name)
		return node.Answer{Position: f.at}, err
	case *queuepb.Command_PausePrinter:
		return f.pause(c.PausePrinter.Name, true)
	case *queuepb.Command_ResumePrinter:
		return f.pause(c.ResumePrinter.Name, false)
	case *queuepb.Command_AdoptPrinter:
		_, err := f.printer(c.AdoptPrinter.Name)
		return node.Answer{Position: f.at}, err
	case *queuepb.Command_SetAccepting:
		p, err := f.printer(c.SetAccepting.Printer)
		if err == nil {
			p.Rejecting = !c.SetAccepting.Accepting
		}
		return node.Answer{Position: f.at}, err
	case *queuepb.Command_SetDefault:
		p, err := f.printer(c.SetDefault.Printer)
		if err == nil {
			p.Default = true
		}
		return node.Answer{Position: f.at}, err
	case *queuepb.Command_DescribePrinter:
		p, err := f.printer(c.DescribePrinter.Printer)
		if err == nil {
			p.Description = &queuepb.PrinterDescription{Info: c.DescribePrinter.GetInfo(), Location: c.DescribePrinter.GetLocation()}
		}
		return node.Answer{Position: f.at}, err
	}
	return node.Answer{}, fmt.Errorf("%w: %T", queue.ErrInvalid, cmd.Body)
}

func (f *fake) submit(c *queuepb.Submit, payload []byte) (node.Answer, error) {
	if _, err := f.printer(c.Printer); err != nil {
		return node.Answer{}, err
	}
	if old := f.keys[c.Key]; c.Key != "" && old != nil {
		if !bytes.Equal(old.Sha256, c.Sha256) {
			return node.Answer{}, fmt.Errorf("%w: take a new key", queue.ErrKeyReused)
		}
		return node.Answer{Position: f.at, Job: f.keyJobs[c.Key], Repeated: true}, nil
	}
	f.at.Index++
	id := uint64(len(f.jobs)) + 1
	f.jobs = append(f.jobs, &queue.Job{
		Id: id, Printer: c.Printer, State: uint32(queue.Pending), Name: c.Name, User: c.User, Format: c.Format, Bytes: c.Bytes,
		Sha256: c.Sha256, Pages: c.Pages, Units: c.Units, Copies: c.Copies, Priority: c.Priority, Ttl: c.Ttl,
		Submitted: &queuepb.Position{Index: f.at.Index, Term: f.at.Term, Time: 1.7e18}, Changed: f.at.Index,
		Attempts: []*queuepb.Attempt{{Token: &queuepb.Token{Term: 2, Index: 7}, Number: f.at.Index, Device: 1}},
	})
	if c.Upload == nil {
		f.docs[id] = payload
	} else {
		f.docs[id] = f.docs[0]
	}
	if c.Key != "" {
		f.keys[c.Key], f.keyJobs[c.Key] = c, id
	}
	f.add("submit", c.Printer, id)
	return node.Answer{Position: f.at, Job: id}, nil
}

func (f *fake) act(id uint64, state queue.JobState) (node.Answer, error) {
	job, err := f.job(id)
	if err != nil {
		return node.Answer{}, err
	}
	if queue.JobState(job.State).Ended() {
		return node.Answer{}, fmt.Errorf("%w: job %d has ended: reprint it", queue.ErrState, id)
	}
	f.change(id, state)
	return node.Answer{Position: f.at, Job: id}, nil
}

func (f *fake) pause(name string, on bool) (node.Answer, error) {
	p, err := f.printer(name)
	if err == nil {
		f.at.Index++
		p.Paused = on
	}
	return node.Answer{Position: f.at}, err
}

func (f *fake) ProposeAll(ctx context.Context, cmds []*queuepb.Command, payloads [][]byte) ([]node.Answer, []error) {
	answers, errs := make([]node.Answer, len(cmds)), make([]error, len(cmds))
	for i := range cmds {
		answers[i], errs[i] = f.Propose(ctx, cmds[i], payloads[i])
	}
	return answers, errs
}

func (f *fake) Upload(_ context.Context, r io.Reader, limit int64) (*node.Document, error) {
	if err := f.errs["Upload"]; err != nil {
		return nil, err
	}
	if f.discard {
		n, err := io.Copy(io.Discard, r)
		return &node.Document{Upload: []byte("u"), Chunks: 1, Bytes: n}, err
	}
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("%w: it may have %d bytes", node.ErrTooLarge, limit)
	}
	doc := &node.Document{Bytes: int64(len(body)), SHA256: sha256.Sum256(body)}
	if len(body) <= queue.MaxInline {
		doc.Inline = body
		return doc, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.docs[0] = body
	doc.Upload, doc.Chunks = []byte("0123456789abcdef"), uint32((len(body)+queue.MaxInline-1)/queue.MaxInline)
	return doc, nil
}

func (f *fake) Barrier(ctx context.Context) (node.Position, error) {
	if f.hang {
		<-ctx.Done()
		return node.Position{}, ctx.Err()
	}
	return f.Applied(), f.errs["Barrier"]
}

func (f *fake) Applied() node.Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at
}

func (f *fake) job(id uint64) (*queue.Job, error) {
	if id == 0 || id > uint64(len(f.jobs)) {
		return nil, fmt.Errorf("%w: %d: list them with GET /v1/jobs", queue.ErrNoJob, id)
	}
	return f.jobs[id-1], nil
}

func (f *fake) Job(id uint64) (*node.JobStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Job"]; err != nil {
		return nil, err
	}
	job, err := f.job(id)
	return &node.JobStatus{Job: job}, err
}

func (f *fake) Jobs(filter node.JobFilter) (found []*node.JobStatus, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, job := range slices.Backward(f.jobs) {
		if len(found) < filter.Limit && (filter.Before == 0 || job.Id < filter.Before) &&
			(filter.Printer == "" || filter.Printer == job.Printer) && (filter.User == "" || filter.User == job.User) &&
			(filter.States == nil || slices.Contains(filter.States, queue.JobState(job.State))) {
			found = append(found, &node.JobStatus{Job: job})
		}
	}
	return found, f.errs["Jobs"]
}

func (f *fake) WaitJob(ctx context.Context, id, index uint64) (*node.JobStatus, error) {
	for {
		job, err := f.Job(id)
		f.mu.Lock()
		more := f.more
		f.mu.Unlock()
		if err != nil || job.Changed > index {
			return job, err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return job, nil
		}
	}
}

func (f *fake) printer(name string) (*node.PrinterStatus, error) {
	if p := f.printerz[name]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%w: %q: list them with GET /v1/printers", queue.ErrNoPrinter, name)
}

func (f *fake) Printer(name string) (*node.PrinterStatus, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.printer(name)
}

func (f *fake) Takes(string, string) error { return f.errs["Takes"] }

func (f *fake) Printers() (all []node.PrinterStatus, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(f.printerz)) {
		all = append(all, *f.printerz[name])
	}
	return all, nil
}

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

func (f *fake) OpenDocument(_ context.Context, job *queue.Job) (io.ReadSeekCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return nopCloser{bytes.NewReader(f.docs[job.Id])}, f.errs["OpenDocument"]
}

func (f *fake) Lines(from uint64, limit int) ([]queue.Line, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.errs["Lines"]; err != nil {
		return nil, err
	}
	if from < f.oldest {
		return nil, fmt.Errorf("%w: %d", node.ErrTrimmed, from)
	}
	if from > uint64(len(f.lines)) {
		return nil, nil
	}
	rest := f.lines[from-1:]
	return slices.Clone(rest[:min(limit, len(rest))]), nil
}

func (f *fake) WaitLines(ctx context.Context, seq uint64) error {
	for {
		f.mu.Lock()
		more, have, err := f.more, uint64(len(f.lines)), f.errs["WaitLines"]
		f.mu.Unlock()
		if have >= seq || err != nil {
			return err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (f *fake) Cluster() node.ClusterStatus {
	return node.ClusterStatus{
		Cluster: "c0ffee", ID: 2, Leader: 1, Term: 2, Applied: 10, Commit: 10, Version: 1, Chain: hex.EncodeToString(make([]byte, 32)),
		Members: []node.MemberStatus{{ID: 1, HTTP: "127.0.0.1:1", Peer: "127.0.0.1:2", Voter: true, Connected: true}, {ID: 2, Voter: true, Lag: -1}},
	}
}

func (f *fake) Transfer(context.Context, uint64) error { return f.errs["Transfer"] }
func (f *fake) Ready() error                           { return f.errs["Ready"] }

func (f *fake) Stats() node.Stats {
	f.mu.Lock()
	defer f.mu.Unlock()
	return node.Stats{Lines: uint64(len(f.lines)), OldestLine: f.oldest, Applied: f.at.Index}
}
