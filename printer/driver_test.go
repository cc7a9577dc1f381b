package printer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"printq/printer/device"
	"printq/printer/tray"
	"printq/queue"
	"printq/queue/queuepb"
)

// A fakeLog is a log of one member, whose meaning is the real state machine's. What is decided commits a millisecond
// later.
type fakeLog struct {
	t      *testing.T
	driver *Driver
	warned bytes.Buffer // the driver's own; read after synctest.Wait

	mu        sync.Mutex // guards what follows
	state     *queue.State
	view      records
	index     uint64
	term      uint64
	leads     bool
	cancel    context.CancelFunc
	documents map[uint64]string // by the job
	damaged   bool
	opened    int // documents that were not closed
	decided   []*queuepb.Command
}

func newFakeLog(t *testing.T) *fakeLog {
	return &fakeLog{t: t, state: queue.New("c"), view: records{}, index: 1, documents: map[uint64]string{}, cancel: func() {}}
}

// commit applies an entry; l.mu is held.
func (l *fakeLog) commit(data []byte) {
	l.index++
	r, err := l.state.Apply(queue.Entry{Index: l.index, Term: l.term, Data: data}, l.view)
	if err != nil {
		l.t.Error(err)
	}
	l.view.drain(l.state)
	var drives []queue.Drive
	for _, id := range r.Devices {
		drives = append(drives, l.state.Drive(id))
	}
	if l.leads && len(drives) > 0 {
		l.driver.Changed(drives)
	}
}

func (l *fakeLog) fact(c *queuepb.Command) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.commit(queue.Pack(0, []queue.Packed{{Head: queue.Encode(c), Payload: make([]byte, c.Payload)}}))
}

func (l *fakeLog) printer(name, uri string) {
	l.fact(&queuepb.Command{Body: &queuepb.Command_SetPrinter{SetPrinter: &queuepb.SetPrinter{
		Name: name, Settings: &queuepb.PrinterSettings{Devices: []string{uri}},
	}}})
}

func (l *fakeLog) submit(printer, document string) {
	l.submitUnits(printer, document, strings.Count(document, "\f"))
}

func (l *fakeLog) submitUnits(printer, document string, units int) {
	sum := sha256.Sum256([]byte{0})
	l.mu.Lock()
	l.documents[l.state.LastJob()+1] = document
	l.mu.Unlock()
	l.fact(&queuepb.Command{Payload: 1, Body: &queuepb.Command_Submit{Submit: &queuepb.Submit{
		Printer: printer, Bytes: 1, Sha256: sum[:], Format: "text/plain", Units: uint32(units), Copies: 2,
	}}})
}

func (l *fakeLog) lead() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cancel()
	l.term++
	l.leads = false
	l.commit(nil)
	var ctx context.Context
	ctx, l.cancel = context.WithCancel(context.Background())
	l.leads = true
	l.driver.Lead(ctx, l.term, l.state.Drives())
}

func (l *fakeLog) lose() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leads = false
	l.cancel()
}

func (l *fakeLog) Decide(term uint64, c *queuepb.Command) bool {
	head := queue.Encode(c)
	l.mu.Lock()
	l.decided = append(l.decided, c)
	l.mu.Unlock()
	time.AfterFunc(time.Millisecond, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.term == term {
			l.commit(queue.Pack(0, []queue.Packed{{Head: head}}))
		}
	})
	return true
}

func (l *fakeLog) Leads(term uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leads && l.term == term
}

func (l *fakeLog) Document(_ context.Context, w *queue.Work) (Document, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.damaged {
		return nil, fmt.Errorf("member 1: %w", ErrDocumentDamaged)
	}
	l.opened++
	return &fakeDocument{Reader: strings.NewReader(l.documents[w.Job]), log: l}, nil
}

type fakeDocument struct {
	*strings.Reader
	log *fakeLog
}

func (d *fakeDocument) Close() error {
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	d.log.opened--
	return nil
}

func (l *fakeLog) job(id uint64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	j, err := l.state.Job(id, l.view)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%v %s %d", queue.JobState(j.State), j.Reason, j.Printed)
}

func (l *fakeLog) reason(id uint64) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state.Drive(id).Reason
}

// A fakeDevice is a fence in memory that can fail and hang on request.
type fakeDevice struct {
	fence device.Fence
	mu    sync.Mutex
	fail  error           // of the next requests; guarded by mu
	hang  chan struct{}   // Print waits for it, or its context
	deaf  bool            // and not for its context
	paper strings.Builder // what came out
	// It prepares; what it was given so. Its errors are to mean nothing.
	prepares bool
	prepared strings.Builder
}

func (f *fakeDevice) failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail
}

func (f *fakeDevice) failWith(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

func (f *fakeDevice) Open(_ context.Context, o device.Opening) (device.State, error) {
	if err := f.failure(); err != nil {
		return device.State{}, err
	}
	err := f.fence.Open(o.Token)
	return device.State{Mark: f.fence.Mark, Epoch: f.fence.Epoch, Cluster: f.fence.Cluster, Identity: f.fence.Epoch, Prepares: f.prepares}, err
}

func (f *fakeDevice) Prepare(_ context.Context, u device.Unit) error {
	b, err := io.ReadAll(u.Body)
	fmt.Fprintf(&f.prepared, "%s ", b)
	return errors.Join(err, errors.New("no room for it"))
}

func (f *fakeDevice) Print(ctx context.Context, u device.Unit) error {
	if f.hang != nil && f.deaf {
		<-f.hang
	} else if f.hang != nil {
		select {
		case <-f.hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := f.failure(); err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(u.Body); err != nil {
		return err
	}
	if err := f.fence.Check(u.Token, u.Epoch); err != nil {
		return err
	}
	v, err := f.fence.Print(device.Page{Token: u.Token, Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy})
	if v == device.Prints {
		f.paper.Write(b.Bytes())
	}
	return err
}

func (f *fakeDevice) Close(_ context.Context, c device.Closing) (device.Mark, error) {
	err := f.fence.Close(c.Token, c.Attempt)
	return f.fence.Mark, err
}

func (f *fakeDevice) Release() error { return nil }

// drive runs a driver with fake devices, one for each printer, in a bubble of its own.
func drive(t *testing.T, printers int, test func(*fakeLog, []*fakeDevice)) {
	synctest.Test(t, func(t *testing.T) {
		l := newFakeLog(t)
		devices := make([]*fakeDevice, printers)
		l.driver = New(l, Options{Member: 1, Logger: slog.New(slog.NewTextHandler(&l.warned, nil)), Open: func(uri string) (device.Device, error) {
			var n int
			_, err := fmt.Sscanf(uri, "tray:/%d", &n)
			return devices[n], err
		}})
		for i := range devices {
			devices[i] = &fakeDevice{fence: device.NewFence(fmt.Sprint("e", i), "c")}
			l.printer(fmt.Sprint("p", i), fmt.Sprintf("tray:/%d", i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = l.driver.Run(ctx) })
		defer func() {
			cancel()
			wg.Wait()
			if l.opened != 0 {
				t.Errorf("%d documents were not closed", l.opened)
			}
		}()
		l.lead()
		test(l, devices)
	})
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// settle waits for a second of the bubble's time, in which the driver does what it can.
func settle() {
	time.Sleep(time.Second)
	synctest.Wait()
}

func TestDriverPrints(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		l.submit("p0", "a\fb\f")
		l.submit("p0", "c\f")
		settle()
		expect(t, d[0].paper.String(), "a\fb\fa\fb\fc\fc\f")
		expect(t, l.job(1), "completed job-completed-successfully 4")
		s := l.driver.Stats()
		if len(s) != 1 || s[0].Opens != 1 || s[0].Units != 6 || s[0].Printer != "p0" {
			t.Errorf("%+v", s)
		}
	})
}

func TestDriverPrepares(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		d[0].prepares, d[0].hang = true, make(chan struct{})
		for _, document := range []string{"a\f", "b\fc\f", "d\f"} {
			l.submit("p0", document)
		}
		close(d[0].hang)
		settle()
		expect(t, d[0].prepared.String(), "b\f d\f ")
		expect(t, d[0].paper.String(), "a\fa\fb\fc\fb\fc\fd\fd\f")
		expect(t, l.warned.String(), "")
		if s := l.driver.Stats(); s[0].Units != 8 || s[0].Errors != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Where many devices print, nothing is prepared: it would take time from them.
func TestDriverPreparesAlone(t *testing.T) {
	for others, want := range map[int]string{alone: "b\f c\f ", alone + 1: ""} {
		drive(t, 1+others, func(l *fakeLog, d []*fakeDevice) {
			d[0].prepares = true
			for i := range d {
				d[i].hang = make(chan struct{})
				l.submit(fmt.Sprint("p", i), "a\f")
			}
			l.submit("p0", "b\f")
			l.submit("p0", "c\f")
			settle()
			close(d[0].hang)
			settle()
			expect(t, d[0].prepared.String(), want)
			expect(t, d[0].paper.String(), "a\fa\fb\fb\fc\fc\f")
			for _, other := range d[1:] {
				close(other.hang)
			}
			settle()
			expect(t, d[1].paper.String(), "a\fa\f")
		})
	}
}

func TestDriverHangingDevice(t *testing.T) {
	drive(t, 2, func(l *fakeLog, d []*fakeDevice) {
		d[0].hang, d[0].deaf = make(chan struct{}), true
		l.submit("p0", "a\f")
		l.submit("p1", "b\f")
		settle()
		expect(t, d[1].paper.String(), "b\fb\f")
		time.Sleep(silence)
		synctest.Wait()
		expect(t, l.reason(1), reasonTimedOut)
		// A new leadership, of this member again, does not send a second request after the one that hangs.
		l.lead()
		settle()
		expect(t, d[0].paper.String(), "")
		close(d[0].hang)
		settle()
		expect(t, d[0].paper.String(), "a\fa\f")
		expect(t, l.reason(1), "")
	})
}

func TestDriverLosesLeadership(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		d[0].hang = make(chan struct{})
		l.submit("p0", "a\fb\f")
		settle()
		l.lose()
		settle()
		close(d[0].hang)
		settle()
		expect(t, d[0].paper.String(), "")
		l.lead()
		settle()
		expect(t, d[0].paper.String(), "a\fb\fa\fb\f")
		if s := l.driver.Stats(); s[0].Abandoned != 1 || s[0].Errors != 0 {
			t.Errorf("%+v", s)
		}
	})
}

func TestDriverFinishes(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		d[0].hang = make(chan struct{})
		l.submit("p0", "a\fb\f")
		settle()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		time.AfterFunc(time.Second, func() { close(d[0].hang) })
		if err := l.driver.Finish(ctx); err != nil {
			t.Fatal(err)
		}
		expect(t, d[0].paper.String(), "a\f")
		expect(t, l.job(1), "processing job-printing 1")
		l.lead() // the transfer failed
		settle()
		expect(t, d[0].paper.String(), "a\fb\fa\fb\f")
	})
}

func TestDriverFinishGivesUp(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		d[0].hang = make(chan struct{})
		l.submit("p0", "a\f")
		settle()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := l.driver.Finish(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestDriverDeviceFails(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		d[0].failWith(fmt.Errorf("%w: %w", device.ErrUnreachable, syscall.ENOSPC))
		l.submit("p0", "a\f")
		settle()
		expect(t, l.reason(1), reasonFull)
		time.Sleep(time.Hour)
		synctest.Wait()
		reports := 0
		for _, c := range l.decided {
			if c.GetReport() != nil {
				reports++
			}
		}
		if s := l.driver.Stats(); reports != 1 || s[0].Errors > 160 || s[0].Errors < 100 || s[0].LastError == "" {
			t.Errorf("%d reports, %+v", reports, s)
		}
		if n := strings.Count(l.warned.String(), "\n"); n != 1 {
			t.Errorf("%d warnings of one thing", n)
		}
		d[0].failWith(nil)
		time.Sleep(lastRetry)
		settle()
		expect(t, d[0].paper.String(), "a\fa\f")
		expect(t, l.reason(1), "")
	})
}

func TestDriverDamagedDocument(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		l.damaged = true
		l.submit("p0", "a\f")
		settle()
		l.damaged = false
		l.submit("p0", "b\f")
		settle()
		expect(t, l.job(1), "held document-damaged 0")
		expect(t, d[0].paper.String(), "b\fb\f")
	})
}

func TestDriverOtherUnits(t *testing.T) {
	drive(t, 1, func(l *fakeLog, d []*fakeDevice) {
		l.submitUnits("p0", "a\fb\fc\f", 2)
		settle()
		expect(t, l.job(1), "held document-format-error 1")
		expect(t, d[0].paper.String(), "a\f")
	})
}

func TestDriverManyIdle(t *testing.T) {
	drive(t, 200, func(l *fakeLog, d []*fakeDevice) {
		settle()
		decided := len(l.decided)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if len(l.decided) != decided {
			t.Errorf("%d decisions about idle devices", len(l.decided)-decided)
		}
		for _, s := range l.driver.Stats() {
			if s.Opens != 1 {
				t.Errorf("%+v", s)
			}
		}
	})
}

// With a real tray, and the driver's process gone in the middle of each job: what an auditor reads is what was submitted.
func TestDriverTray(t *testing.T) {
	dir := t.TempDir()
	l := newFakeLog(t)
	l.driver = New(l, Options{Member: 1})
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() { _ = l.driver.Run(ctx) })
	l.printer("p", "tray:"+dir)
	l.lead()
	for range 5 {
		l.submit("p", "a\fb\fc\f")
	}
	for deadline := time.Now().Add(10 * time.Second); !strings.HasPrefix(l.job(5), "completed"); {
		if time.Now().After(deadline) {
			t.Fatal(l.job(5))
		}
		l.mu.Lock()
		again := l.index%7 == 0
		l.mu.Unlock()
		if again {
			l.lead()
		}
		wait := make(chan struct{})
		time.AfterFunc(3*time.Millisecond, func() { close(wait) })
		<-wait
	}
	cancel()
	wg.Wait()
	ledger, err := tray.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	var paper strings.Builder
	for _, p := range ledger.Pages {
		if err := p.Verify(); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(&paper, "%d-%d-%d ", p.Job, p.Copy, p.Page)
	}
	want := ""
	for job := range 5 {
		for i := range 6 {
			want += fmt.Sprintf("%d-%d-%d ", job+1, i/3+1, i%3+1)
		}
	}
	expect(t, paper.String(), want)
}
