package device

import (
	"fmt"

	"printq/queue"
)

// A Fence is rule R8 as a value: what a device remembers, and what it says to each request. It does no I/O; whoever keeps
// it makes each change durable before it answers.
type Fence struct {
	Epoch   string
	Cluster string
	High    queue.Token // the highest opened
	Mark    Mark
}

// A Verdict is the answer to a page that is not refused.
type Verdict uint8

const (
	// Refused comes with an error.
	Refused Verdict = iota
	// Prints: the page is the next one, and now in the mark.
	Prints
	// Repeats: the page is out already, and is not printed again.
	Repeats
)

// NewFence is the fence of a device that has printed nothing.
func NewFence(epoch, cluster string) Fence {
	return Fence{Epoch: epoch, Cluster: cluster, Mark: Mark{Closed: true}}
}

// Open raises the fence. Opening the highest token again changes nothing.
func (f *Fence) Open(t queue.Token) error {
	if t.Less(f.High) {
		return f.stale(t)
	}
	f.High = t
	return nil
}

// Check is what every request but Open must pass first.
func (f *Fence) Check(t queue.Token, epoch string) error {
	if err := f.token(t); err != nil {
		return err
	}
	if epoch != f.Epoch {
		return fmt.Errorf("%w: the device's epoch is %s, not %s: it forgot what it had printed", ErrRefused, f.Epoch, epoch)
	}
	return nil
}

func (f *Fence) token(t queue.Token) error {
	if t.Less(f.High) {
		return f.stale(t)
	}
	if t != f.High || t == (queue.Token{}) {
		return fmt.Errorf("%w: token (%d,%d) was not opened", ErrRefused, t.Term, t.Index)
	}
	return nil
}

func (f *Fence) stale(t queue.Token) error {
	return fmt.Errorf("%w: (%d,%d), the device serves (%d,%d)", ErrStale, t.Term, t.Index, f.High.Term, f.High.Index)
}

// A Page is as much of a Unit as the fence needs.
type Page struct {
	Token       queue.Token
	Attempt     uint64
	Copy, Page  int
	First, Last bool
	// PerCopy is how many pages a copy has; 0: not said. Then the first page of the next copy may come after any page.
	PerCopy int
}

// Print decides about a page, and moves the mark if it prints.
func (f *Fence) Print(p Page) (Verdict, error) {
	if err := f.token(p.Token); err != nil {
		return Refused, err
	}
	if p.Attempt == 0 || p.Copy < 1 || p.Page < 1 {
		return Refused, fmt.Errorf("%w: attempt %d copy %d page %d is none", ErrRefused, p.Attempt, p.Copy, p.Page)
	}
	if p.Attempt < f.Mark.Attempt {
		return Refused, fmt.Errorf("%w: attempt %d is over, the device is at %d", ErrRefused, p.Attempt, f.Mark.Attempt)
	}
	if p.Attempt > f.Mark.Attempt {
		return f.begin(p)
	}
	return f.goOn(p)
}

// begin takes the first page of an attempt that is higher than the mark's.
func (f *Fence) begin(p Page) (Verdict, error) {
	if !f.Mark.Closed {
		return Refused, fmt.Errorf("%w: attempt %d is still open, %d may not begin", ErrRefused, f.Mark.Attempt, p.Attempt)
	}
	start := p.Copy == 1 && p.Page == 1
	if !start && !p.First {
		return Refused, fmt.Errorf("%w: attempt %d begins with copy %d page %d: pages before it are missing", ErrRefused, p.Attempt, p.Copy, p.Page)
	}
	f.move(p)
	return Prints, nil
}

// goOn takes a page of the mark's own attempt.
func (f *Fence) goOn(p Page) (Verdict, error) {
	m := f.Mark
	switch {
	case p.Copy < m.Copy, p.Copy == m.Copy && p.Page <= m.Page:
		return Repeats, nil
	case m.Closed:
		return Refused, fmt.Errorf("%w: attempt %d is closed", ErrRefused, p.Attempt)
	case m.Unclear:
		return Refused, fmt.Errorf("%w: nobody can say whether the unit after copy %d page %d came out", ErrRefused, m.Copy, m.Page)
	case p.Copy == m.Copy && p.Page == m.Page+1:
	case p.Copy == m.Copy+1 && p.Page == 1 && (p.PerCopy == 0 || m.Page == p.PerCopy):
	default:
		return Refused, fmt.Errorf("%w: copy %d page %d leaves a gap after copy %d page %d", ErrRefused, p.Copy, p.Page, m.Copy, m.Page)
	}
	f.move(p)
	return Prints, nil
}

func (f *Fence) move(p Page) {
	f.Mark = Mark{Attempt: p.Attempt, Copy: p.Copy, Page: p.Page, Closed: p.Last}
}

// Close ends an attempt; one that was not seen yet is remembered as closed, an older one is over anyway.
func (f *Fence) Close(t queue.Token, attempt uint64) error {
	if err := f.token(t); err != nil {
		return err
	}
	switch {
	case attempt == f.Mark.Attempt:
		f.Mark.Closed = true
	case attempt > f.Mark.Attempt:
		f.Mark = Mark{Attempt: attempt, Closed: true}
	}
	return nil
}
