package emulator

import "time"

// PaperOut takes the paper away: the page on its way lands, the next one waits.
func (e *Engine) PaperOut() { e.set(&e.noPaper, true) }

// PaperIn puts paper in.
func (e *Engine) PaperIn() { e.set(&e.noPaper, false) }

// OpenCover opens the cover: the page on its way lands, the next one waits.
func (e *Engine) OpenCover() { e.set(&e.coverOpen, true) }

// CloseCover closes the cover.
func (e *Engine) CloseCover() { e.set(&e.coverOpen, false) }

// Offline presses the key that takes the printer off line: the next page waits. What arrives is still read.
func (e *Engine) Offline() { e.set(&e.offline, true) }

// Online presses it again.
func (e *Engine) Online() { e.set(&e.offline, false) }

// SetPageTime changes how long a page takes, from the next page on.
func (e *Engine) SetPageTime(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pageTime = d
}

func (e *Engine) set(flag *bool, to bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	*flag = to
	e.cond.Broadcast()
}

// stopped: no page is fed. mu is held.
func (e *Engine) stopped() bool { return e.noPaper || e.coverOpen || e.offline || e.hung }

// powerOff ends everything that lives by power and tears the sheet on its way. It reports whether there was power.
// mu is held.
func (e *Engine) powerOff() bool {
	if e.off {
		return false
	}
	e.off = true
	e.boot++
	close(e.dead)
	if e.sheet != nil {
		e.lay(e.sheet, true)
		e.sheet = nil
	}
	e.cond.Broadcast()
	return true
}

// powerOn starts the printer. A printer that hung does not any more; no paper is no paper. mu is held.
func (e *Engine) powerOn() bool {
	if !e.off {
		return false
	}
	e.off, e.hung, e.offline = false, false, false
	e.dead = make(chan struct{})
	e.cond.Broadcast()
	return true
}

// A Status is what a printer shows of itself, by the numbers of PJL (appendix D).
type Status struct {
	Code    int
	Display string
	Online  bool
}

// Status is the printer's state, the worst condition first.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status()
}

func (e *Engine) status() Status {
	switch {
	case e.coverOpen:
		return Status{40021, "12 PRINTER OPEN", false}
	case e.noPaper:
		return Status{41002, "11 PAPER OUT", false} // 41xxx: no source has paper of the size
	case e.offline:
		return Status{10002, "00 OFFLINE", false}
	case e.sheet != nil:
		return Status{10023, "02 PRINTING", true}
	case e.shows.Code != 0:
		return e.shows
	}
	return Status{10001, "00 READY", true}
}
