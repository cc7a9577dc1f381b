package printer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"printq/printer/device"
	"printq/queue"
)

// Options of a Driver.
type Options struct {
	// Member is this member's id, for devices that only one member reaches.
	Member uint64
	// Open makes the device of a URI; nil: the package's Open. For tests, and for programs with devices of their own.
	Open func(uri string) (device.Device, error)
	// Logger; nil: none.
	Logger *slog.Logger
}

// A Driver drives all devices of this member. One loop owns everything; a goroutine runs for each operation under way, so a
// device that hangs holds up no other, and an idle one costs nothing.
type Driver struct {
	log     Log
	options Options
	wake    chan struct{} // holds one token when the inbox may not be empty

	mu    sync.Mutex // guards what follows
	inbox []event
	stats map[uint64]DeviceStats
}

// Stats are counters that only grow, but for LastError.
type Stats struct {
	Opens, Units, Closes uint64
	// Refusals by the device: attempts that were stale or not what may come next.
	Refusals uint64
	// Errors of operations, and how many were tried again.
	Errors, Retries uint64
	// Abandoned operations, because the leadership was lost.
	Abandoned uint64
	// LastError is empty when the last operation succeeded.
	LastError string
}

// DeviceStats are those of one device since this process began to drive it.
type DeviceStats struct {
	Device       uint64
	Printer, URI string
	Stats
}

// An event is something that the loop is told.
type event func(*loop)

// New is a Driver that does nothing before Run.
func New(log Log, o Options) *Driver {
	if o.Open == nil {
		o.Open = Open
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Driver{log: log, options: o, wake: make(chan struct{}, 1), stats: map[uint64]DeviceStats{}}
}

// Lead says that this member leads in that term, and its own entry of the term is applied: this is the state of every device now. The
// context ends the instant that the leadership or the term is lost. It never blocks; one call after the other.
func (d *Driver) Lead(ctx context.Context, term uint64, drives []queue.Drive) {
	d.post(func(l *loop) { l.lead(ctx, term, drives) })
}

// Changed says how devices stand after an entry applied live. It never blocks, and has no effect while this member does not
// lead.
func (d *Driver) Changed(drives []queue.Drive) {
	d.post(func(l *loop) { l.changed(drives) })
}

// Finish lets the units that are on their way end and be recorded, and begins nothing new until the next Lead. It returns when that is
// so, or with the context's error. Run must be running.
func (d *Driver) Finish(ctx context.Context) error {
	quiet := make(chan struct{})
	d.post(func(l *loop) { l.finish(quiet) })
	select {
	case <-quiet:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stats of every device, in no order.
func (d *Driver) Stats() []DeviceStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make([]DeviceStats, 0, len(d.stats))
	for _, s := range d.stats {
		all = append(all, s)
	}
	return all
}

func (d *Driver) post(e event) {
	d.mu.Lock()
	d.inbox = append(d.inbox, e)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (d *Driver) take() []event {
	d.mu.Lock()
	defer d.mu.Unlock()
	batch := d.inbox
	d.inbox = nil
	return batch
}

func (d *Driver) setStats(h *hand) {
	d.mu.Lock()
	defer d.mu.Unlock()
	drive := h.core.drive
	d.stats[drive.Device] = DeviceStats{drive.Device, drive.Printer, drive.URI, h.core.Stats()}
}

func (d *Driver) dropStats(id uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.stats, id)
}

// Run drives until the context ends, and returns when every operation has ended and every device is let go.
func (d *Driver) Run(ctx context.Context) error {
	l := &loop{Driver: d, hands: map[uint64]*hand{}, cancel: func() {}}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-d.wake:
			for _, e := range d.take() {
				e(l)
			}
			l.checkQuiet()
		}
	}
	l.cancel()
	l.running.Wait()
	for _, h := range l.hands {
		h.release()
	}
	return ctx.Err()
}

// A loop is what Run owns.
type loop struct {
	*Driver
	hands   map[uint64]*hand
	running sync.WaitGroup // operations
	paged   int            // of them, those that are

	lease  int             // counts leaderships
	ctx    context.Context // of this one
	cancel context.CancelFunc
	term   uint64 // 0: this member does not lead
	drain  bool   // until the next Lead
	quiet  []chan struct{}
}

func (l *loop) lead(ctx context.Context, term uint64, drives []queue.Drive) {
	l.cancel()
	l.lease++
	lease := l.lease
	l.ctx, l.cancel = context.WithCancel(ctx)
	l.term, l.drain = term, false
	context.AfterFunc(l.ctx, func() { l.post(func(l *loop) { l.revoke(lease) }) })
	named := map[uint64]bool{}
	for _, drive := range drives {
		named[drive.Device] = true
		l.hand(drive).core.Lead(term, drive)
	}
	for id, h := range l.hands {
		if !named[id] {
			h.core.Revoke() // it is gone from the configuration
			h.core.drive.Removed = true
		}
		l.step(h)
	}
}

func (l *loop) revoke(lease int) {
	if lease != l.lease {
		return
	}
	l.term = 0
	for _, h := range l.hands {
		h.core.Revoke()
		l.step(h)
	}
}

func (l *loop) changed(drives []queue.Drive) {
	if l.term == 0 {
		return
	}
	for _, drive := range drives {
		h, known := l.hands[drive.Device]
		if known {
			h.core.Change(drive)
		} else {
			h = l.hand(drive)
			h.core.Lead(l.term, drive)
			if l.drain {
				h.core.Drain()
			}
		}
		l.step(h)
	}
}

func (l *loop) finish(quiet chan struct{}) {
	l.quiet, l.drain = append(l.quiet, quiet), true
	for _, h := range l.hands {
		h.core.Drain()
		l.step(h)
	}
}

// checkQuiet lets those who wait in Finish go.
func (l *loop) checkQuiet() {
	if len(l.quiet) == 0 {
		return
	}
	for _, h := range l.hands {
		if !h.core.Quiet() {
			return
		}
	}
	for _, q := range l.quiet {
		close(q)
	}
	l.quiet = nil
}

func (l *loop) hand(drive queue.Drive) *hand {
	h := l.hands[drive.Device]
	if h == nil {
		h = &hand{core: NewCore(l.options.Member, drive.Device)}
		l.hands[drive.Device] = h
	}
	return h
}

// alone is how many other devices may print while something is prepared on one: it makes the chain of one device's jobs shorter and costs
// some CPU, and where many print, the CPU is what they wait for.
const alone = 3

// step asks the core of a device what is to be done, and does it.
func (l *loop) step(h *hand) {
	h.core.busy = l.paged > alone
	todo := h.core.Step(time.Now())
	for _, command := range todo.Decisions {
		l.log.Decide(h.core.term, command)
	}
	l.arm(h, todo.Wake)
	if op := todo.Operation; op != nil {
		l.start(h, op)
	}
	if op := h.core.op; op != nil && op.ID == todo.Stop {
		close(op.stop) // Step says it once
	}
	l.tidy(h)
}

// start runs an operation in a goroutine of its own, which has the hand's device and document to itself until it ends.
func (l *loop) start(h *hand, op *Operation) {
	ctx, uri := l.ctx, h.core.drive.URI
	h.used = true
	if op.Kind.paged() {
		l.paged++
	}
	op.stop = make(chan struct{})
	op.told = func(s device.Sent) {
		l.post(func(l *loop) {
			h.core.Told(op.ID, s)
			l.step(h)
		})
	}
	op.waits = func(reason, detail string) {
		l.post(func(l *loop) {
			h.core.Waits(op.ID, reason, detail)
			l.step(h)
		})
	}
	l.running.Go(func() {
		r := h.run(ctx, l.Driver, uri, op)
		l.post(func(l *loop) { l.ended(h, op, r) })
	})
}

func (l *loop) ended(h *hand, op *Operation, r Result) {
	if op.Kind.paged() {
		l.paged--
	}
	h.core.Result(time.Now(), r)
	l.setStats(h)
	if op.Term == l.term && op.Kind != PrepareUnit {
		l.complain(h, r.Err)
	}
	l.step(h)
}

// complain says what is wrong with a device once, however often it is tried.
func (l *loop) complain(h *hand, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != h.complaint {
		drive := h.core.drive
		l.options.Logger.Warn("device operation", "printer", drive.Printer, "device", drive.URI, "term", l.term, "err", err)
	}
	h.complaint = text
}

// arm sets the hand's timer.
func (l *loop) arm(h *hand, at time.Time) {
	h.alarm++
	if h.timer != nil {
		h.timer.Stop()
		h.timer = nil
	}
	if at.IsZero() {
		return
	}
	alarm := h.alarm
	h.timer = time.AfterFunc(time.Until(at), func() {
		l.post(func(l *loop) {
			if h.alarm == alarm {
				l.step(h)
			}
		})
	})
}

// tidy lets go of what an idle hand does not need.
func (l *loop) tidy(h *hand) {
	if h.core.op != nil {
		return
	}
	w, next := h.core.drive.Work, h.core.drive.Next
	if !h.core.leads || (w == nil || w.Job != h.document.job) && (next == nil || next.Job != h.document.job) {
		h.document.close()
	}
	if h.core.drive.Class != queue.Fenced && h.used && (!h.core.leads || w == nil) {
		h.rest() // others may print there, too
	}
	if h.core.drive.Removed {
		h.release()
		delete(l.hands, h.core.drive.Device)
		l.dropStats(h.core.drive.Device)
	}
}
