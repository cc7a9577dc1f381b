package pages

// whole is the scanner of a format whose pages do not stand alone: no units, only a count.
type whole struct{ count pageCounter }

type pageCounter interface {
	write(p []byte)
	pages() int
}

func (w *whole) write(p []byte, _ func(Span)) { w.count.write(p) }
func (w *whole) rest() (Span, bool)           { return Span{}, false }
func (w *whole) pages() int                   { return w.count.pages() }
func (w *whole) broken() bool                 { return false }

type one struct{}

func (one) write([]byte) {}
func (one) pages() int   { return 1 }

type unknown struct{}

func (unknown) write([]byte) {}
func (unknown) pages() int   { return 0 }
