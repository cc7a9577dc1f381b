package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// A bar shows how far something is, on a terminal; elsewhere it does nothing.
type bar struct {
	w     io.Writer // nil: silent
	label string
	total int64

	mu    sync.Mutex // guards all below
	now   int64
	shown time.Time
	drawn bool
}

// barAfter: what is over sooner needs no bar.
const barAfter = 300 * time.Millisecond

func (a *app) newBar(label string, total int64) *bar {
	b := &bar{label: label, total: total, shown: time.Now().Add(barAfter)}
	if a.hints {
		b.w = a.stderr
	}
	return b
}

func (b *bar) set(now int64, note string) {
	const width, every = 30, 100 * time.Millisecond
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
	if b.w == nil || b.total <= 0 || time.Until(b.shown) > 0 {
		return
	}
	b.shown, b.drawn = time.Now().Add(every), true
	share := min(1, float64(now)/float64(b.total))
	full := int(share * width)
	fmt.Fprintf(b.w, "\r\x1b[K%s [%s%s] %3.0f%% %s", b.label, strings.Repeat("=", full), strings.Repeat(" ", width-full), 100*share, note)
}

func (b *bar) done() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drawn {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
	b.w = nil
}

// reader shows how much of r was read.
func (b *bar) reader(r io.Reader) io.ReadCloser { return io.NopCloser(&barReader{b, r, 0}) }

type barReader struct {
	bar *bar
	r   io.Reader
	n   int64
}

func (r *barReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.n += int64(n)
	r.bar.set(r.n, "")
	return n, err
}
