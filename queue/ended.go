package queue

import (
	"cmp"
	"slices"
	"time"

	"printq/queue/queuepb"
)

// ended is what is remembered of the jobs that have ended, in the order in which they did.
type ended struct {
	byID      map[uint64]*finished
	all       fifo[*finished]
	byPrinter []*past // by name
}

// past is that of one printer: its settings say how long.
type past struct {
	printer   string
	jobs      fifo[*finished]
	documents fifo[*finished] // that are kept
}

func (e *ended) of(printer string) *past {
	i, found := slices.BinarySearchFunc(e.byPrinter, printer, func(p *past, name string) int { return cmp.Compare(p.printer, name) })
	if !found {
		e.byPrinter = slices.Insert(e.byPrinter, i, &past{printer: printer})
	}
	return e.byPrinter[i]
}

func (e *ended) add(f *finished) {
	e.byID[f.id] = f
	e.all.push(f)
	p := e.of(f.printer)
	p.jobs.push(f)
	if f.document != nil {
		p.documents.push(f)
	}
}

// letGo forgets the document of a job, and gives it.
func (e *ended) letGo(f *finished) []Extent {
	document := f.document
	if document != nil {
		f.document = nil
		e.of(f.printer).documents.remove(f.id)
	}
	return document
}

func (e *ended) remove(f *finished) {
	delete(e.byID, f.id)
	e.all.remove(f.id)
	e.of(f.printer).jobs.remove(f.id)
}

// keep and retention are those of the printer of that name now; the defaults if there is none any more.
func (s *State) keep(printer string) int64 {
	return orDefault(s.printers[printer].set().GetKeep(), DefaultKeep)
}

func (s *State) retention(printer string) int64 {
	return orDefault(s.printers[printer].set().GetRetention(), DefaultRetain)
}

func orDefault(nanoseconds int64, d time.Duration) int64 {
	if nanoseconds == 0 {
		return int64(d)
	}
	return nanoseconds
}

// over reports whether something that began at start and lasts so long is over.
func (s *State) over(start, lasts int64) bool { return s.time-start >= lasts }

// set is the settings of a printer that may be nil.
func (p *printer) set() *queuepb.PrinterSettings {
	if p == nil {
		return nil
	}
	return p.settings
}
