package emulator

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"
)

// A Page is one side of paper that came out.
type Page struct {
	// Job counts the jobs of this printer from 1, in the order in which they began, over all its life: what lies between
	// the JOB and EOJ of PJL, else a connection; a job of an IPP printer.
	Job int
	// Name is the job's, as it was given.
	Name string
	// Number is the page's place in its job as the printer counts, from 1. Pages of the non-printing mode count.
	Number int
	// Sheet counts the sheets from 1; in duplex, two pages share one.
	Sheet int
	// Data is what was sent for this page, without the form feed that ended it; of a document that is taken whole, all of it
	// for each page. Never changed. With the option Sums there is no Data but its SHA-256, in Sum.
	Data []byte
	Sum  [sha256.Size]byte
	// Time is when it landed, or was torn.
	Time time.Time
	// Torn: the power went, or the connection, while it was on its way. What is on it, nobody knows.
	Torn bool
}

// An Engine is the part of a printer that the paper goes through. Its methods may be called from any goroutine.
type Engine struct {
	// Guards all that follows and the memory of the printer around it.
	mu sync.Mutex
	// Signalled at every change of what mu guards.
	cond     *sync.Cond
	pageTime time.Duration
	sums     bool

	paper  []Page
	sheets int
	landed int           // pages on the paper that are not torn
	jobs   int           // jobs begun
	grown  chan struct{} // closed at every change of the paper

	sheet []Page        // on its way
	boot  int           // counts losses of power
	dead  chan struct{} // closed when the power goes

	off, closed                       bool
	noPaper, coverOpen, offline, hung bool
	shows                             Status // while nothing of the above is so, and nothing prints

	hooks []hook
}

// A hook is called once, at or after page number at.
type hook struct {
	at      int
	feeding bool
	call    func()
}

func (e *Engine) init(pageTime time.Duration, sums bool) {
	e.cond = sync.NewCond(&e.mu)
	e.pageTime, e.sums = pageTime, sums
	e.dead = make(chan struct{})
	e.grown = make(chan struct{})
}

// page is one that was read.
func (e *Engine) page(data []byte) Page {
	if e.sums {
		return Page{Sum: sha256.Sum256(data)}
	}
	return Page{Data: data}
}

// Pages is the paper: what came out so far, in its order.
func (e *Engine) Pages() []Page {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.paper)
}

// Wait returns the paper when it is enough, as the function says, or else the context's error.
func (e *Engine) Wait(ctx context.Context, enough func([]Page) bool) ([]Page, error) {
	for {
		e.mu.Lock()
		paper, grown := slices.Clone(e.paper), e.grown
		e.mu.Unlock()
		if enough(paper) {
			return paper, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return paper, ctx.Err()
		}
	}
}

// AfterPages calls f once, when n more pages have landed, before the printer tells anybody of the last of them. f runs where
// the printer prints, so that the printer waits for it: it may use every control but Close, and must not wait for paper.
func (e *Engine) AfterPages(n int, f func()) { e.hook(n, false, f) }

// DuringPage calls f once, while the nth page from now is on its way: it has left its drawer and has not landed. Power that
// goes in f tears this page. For the rest, see [Engine.AfterPages].
func (e *Engine) DuringPage(n int, f func()) { e.hook(n, true, f) }

func (e *Engine) hook(n int, feeding bool, f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.hooks = append(e.hooks, hook{at: e.landed + n, feeding: feeding, call: f})
}

// due takes the hooks out whose page has been reached. mu is held.
func (e *Engine) due(feeding bool, page int) (calls []func()) {
	e.hooks = slices.DeleteFunc(e.hooks, func(h hook) bool {
		hit := h.feeding == feeding && h.at <= page
		if hit {
			calls = append(calls, h.call)
		}
		return hit
	})
	return calls
}

// run calls the hooks that are due. mu is held, but not while they run.
func (e *Engine) run(calls []func()) {
	e.mu.Unlock()
	defer e.mu.Lock()
	for _, call := range calls {
		call()
	}
}

// print takes a sheet's pages through the engine: it waits while the printer cannot print, then for the page's time. It
// reports whether they landed. They did not where the power went or boot is of an earlier power-up, or where stop says that
// the sheet is not wanted any more before it was fed; nil: it is. stop is called with mu held.
func (e *Engine) print(boot int, stop func() bool, pages ...Page) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.boot == boot && e.stopped() && (stop == nil || !stop()) {
		e.cond.Wait()
	}
	if e.boot != boot || stop != nil && stop() {
		return false
	}
	e.sheet = pages
	e.run(e.due(true, e.landed+len(pages)))
	e.travel(boot)
	if e.boot != boot {
		return false // torn, and on the paper
	}
	e.lay(pages, false)
	e.sheet = nil
	e.landed += len(pages)
	e.run(e.due(false, e.landed))
	return true
}

// travel takes the time that a sheet is on its way. mu is held, but not meanwhile.
func (e *Engine) travel(boot int) {
	if e.pageTime == 0 || e.boot != boot {
		return
	}
	dead := e.dead
	e.mu.Unlock()
	defer e.mu.Lock()
	timer := time.NewTimer(e.pageTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-dead:
	}
}

// lay puts pages on the paper. mu is held.
func (e *Engine) lay(pages []Page, torn bool) {
	e.sheets++
	for _, p := range pages {
		p.Sheet, p.Time, p.Torn = e.sheets, time.Now(), p.Torn || torn
		e.paper = append(e.paper, p)
	}
	close(e.grown)
	e.grown = make(chan struct{})
	e.cond.Broadcast()
}
