package head

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"printq/printer/device"
	"printq/queue"
)

// A work is one unit on its way to the printer. It belongs to the head, not to the request that brought it, which may go away.
type work struct {
	unit Unit
	done chan struct{}
	err  error // once done
}

// print takes a unit whose bytes lie in spooled, which is removed when they are no longer needed. It returns when the unit is
// out, refused, or has been under way for Patience.
func (s *Server) print(ctx context.Context, u Unit, spooled *os.File) error {
	w, err := s.begin(u, spooled)
	if w == nil {
		discard(spooled)
		return err
	}
	return s.await(ctx, w)
}

// begin decides about a unit, and starts its work; nil: there is nothing to wait for, err says why, and a nil err that it is
// out.
func (s *Server) begin(u Unit, spooled *os.File) (*work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return nil, s.failed
	}
	f := s.store.record.fence()
	if err := f.Check(u.Token.queue(), u.Epoch); err != nil {
		return nil, err
	}
	if w := s.work; w != nil {
		if w.unit == u {
			discard(spooled)
			return w, nil
		}
		return nil, s.trouble("another unit is printing")
	}
	verdict, err := f.Print(device.Page{
		Token: u.Token.queue(), Attempt: u.Attempt, Copy: u.Copy, Page: u.Page, First: u.First, Last: u.Last, PerCopy: u.PerCopy,
	})
	if err != nil || verdict != device.Prints {
		return nil, err
	}
	w := &work{unit: u, done: make(chan struct{})}
	s.work = w
	s.running.Go(func() { s.run(w, f.Mark, spooled) })
	return w, nil
}

// await waits for a work's end, at most for Patience.
func (s *Server) await(ctx context.Context, w *work) error {
	timer, stop := s.after(Patience)
	defer stop()
	select {
	case <-w.done:
		return w.err
	case <-timer:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble("the printer has not taken the page yet")
}

// run brings a unit to the printer. After is the mark once it is out.
func (s *Server) run(w *work, after device.Mark, spooled *os.File) {
	defer discard(spooled)
	err := s.bring(w.unit, spooled)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason, s.detail = "", ""
	r := s.store.record
	switch {
	case err == nil:
		r.Mark, r.Begun = markOf(after), nil
		err = s.keep(r)
	case r.Begun == nil: // it was never begun
	case errors.Is(err, device.ErrUnreachable): // nothing of it reached the printer
		r.Begun = nil
		err = errors.Join(err, s.keep(r))
	default:
		err = fmt.Errorf("%w: %w", device.ErrRefused, err) // only a new claim learns what is known
	}
	w.err = err
	s.work = nil
	close(w.done)
}

// bring announces the unit in the store, and sends it.
func (s *Server) bring(u Unit, spooled *os.File) error {
	s.printing.Lock()
	defer s.printing.Unlock()
	job, to := u.job(), (u.Copy-1)*u.PerCopy+u.Page
	begun, err := s.announce(u, job, to)
	if err != nil {
		return err
	}
	s.mu.Lock()
	r := s.store.record
	r.Begun = begun
	err = s.keep(r)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	sent, err := s.printer.Send(s.ctx, device.Window{
		Token: u.Token.queue(), Job: job, From: to - 1, To: to,
		Next: func(context.Context) (device.Piece, error) {
			_, err := spooled.Seek(0, io.SeekStart)
			return device.Piece{Size: u.Size, Body: io.LimitReader(spooled, u.Size)}, err
		},
		Told: func(device.Sent) {}, Waits: s.waits, Stop: make(chan struct{}),
	})
	if err == nil && sent.Out < to {
		err = fmt.Errorf("%w: the printer stopped", device.ErrUnclear)
	}
	if err != nil {
		s.ready = readiness{}
	}
	return err
}

// A readiness is what the printer answered before the first unit that it got over its present connection.
type readiness struct {
	attempt uint64
	base    int // units out then
	device.Readiness
}

// announce makes the printer ready, once for an attempt as long as nothing fails, and says where its counter stands before the unit:
// a unit of several is a page.
func (s *Server) announce(u Unit, job device.Job, to int) (*begun, error) {
	if s.ready.attempt != u.Attempt {
		ready, err := s.printer.Ready(s.ctx, job)
		if err != nil {
			return nil, asTrouble(err)
		}
		s.ready = readiness{u.Attempt, to - 1, ready}
	}
	since := to - 1 - s.ready.base
	return &begun{Unit: u, Counts: s.ready.Counts && (since == 0 || u.PerCopy > 1), Counter: s.ready.Counter + uint64(since)}, nil
}

// job is what the printer is told of a unit's job. The head learns of units one by one: the copies end with the one that is
// last.
func (u *Unit) job() device.Job {
	j := device.Job{
		Cluster: "head", ID: u.Job, Attempt: u.Attempt, Format: u.Format, Units: u.PerCopy, Pages: u.PerCopy, Copies: u.Copy + 1, Bytes: u.Size,
		Start: (u.Copy-1)*u.PerCopy + u.Page - 1,
	}
	if u.Last {
		j.Copies = u.Copy
	}
	if !u.First {
		j.Start = 0
	}
	if u.PerCopy == 1 {
		j.Pages = 0
	}
	return j
}

// waits notes what the printer waits for. It does not for what is only a warning.
func (s *Server) waits(reason, detail string) {
	if !queue.Blocking(reason) {
		reason, detail = "", ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason, s.detail = reason, detail
}

// trouble is the answer to who has to come again. The caller holds mu.
func (s *Server) trouble(otherwise string) error {
	if s.reason != "" {
		return &device.Trouble{Reason: s.reason, Detail: s.detail}
	}
	return &device.Trouble{Reason: "connecting-to-device", Detail: otherwise}
}

// keep stores a record. A head that cannot store must not print on. The caller holds mu.
func (s *Server) keep(r record) error {
	if s.failed != nil {
		return s.failed
	}
	if err := s.store.save(r); err != nil {
		s.failed = fmt.Errorf("%w: restart the head once its disk is well", err)
		s.stop(s.failed)
		return s.failed
	}
	return nil
}

// asTrouble keeps the printer's reason, and makes one of any other error of a printer that got nothing.
func asTrouble(err error) error {
	var trouble *device.Trouble
	if errors.As(err, &trouble) {
		return err
	}
	return &device.Trouble{Reason: "connecting-to-device", Detail: err.Error()}
}

func discard(f *os.File) {
	if f != nil {
		_ = f.Close() // its name is gone already, where the system lets go of it before
		_ = os.Remove(f.Name())
	}
}
