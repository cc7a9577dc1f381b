package emulator

import "time"

// A PJL says how much of PJL a model knows.
type PJL int

// Models of PJL.
const (
	// PJLFull is a laser printer that answers.
	PJLFull PJL = iota
	// PJLMute understands it, and has no way back: it never sends a byte.
	PJLMute
	// PJLSkipped throws PJL lines away, obeys none and answers none.
	PJLSkipped
	// PJLPrinted knows nothing of it: PJL comes out on paper.
	PJLPrinted
)

// A Break says what a printer does when the connection ends in the middle of a document: by a reset, or by an end of stream
// before the EOJ of a PJL job or the UEL after ENTER. Pages that arrived whole are printed in all cases but the last.
type Break int

// What a break does.
const (
	// BreakPrints ejects what arrived of the last page like any other.
	BreakPrints Break = iota
	// BreakTears ejects it as a torn page.
	BreakTears
	// BreakDrops forgets it.
	BreakDrops
	// BreakFlushes forgets it and, at a reset, all that is in the input buffer.
	BreakFlushes
)

// Options of a raw TCP printer. The zero value is a laser printer that knows all of PJL and takes no time.
type Options struct {
	// PageTime is how long a sheet is on its way.
	PageTime time.Duration
	// Buffer is how many bytes the printer takes before they are printed; 0: 64 KiB. No more are read meanwhile.
	Buffer int
	// SocketBuffer is how many bytes the system takes before the printer's Buffer, where Start opens the listener, on Unix; 0: as it
	// likes, often megabytes. A printer's network stack has some KiB.
	SocketBuffer int
	// OtherPages is how many pages a document has in whose language the pages are not looked for; 0: 1.
	OtherPages int
	// SkipsBlankRest: white space after the last form feed is no page. Else it is.
	SkipsBlankRest bool
	// Sums: of each page only its digest is kept, so that documents may be of any size (see [Page]).
	Sums bool
	// Duplex prints two pages on a sheet and counts both, also where the second is blank.
	Duplex bool
	// RefusesSecond resets a connection that comes while one is served. Else it waits until the paper of the one before is
	// out.
	RefusesSecond bool
	// OnBreak is what happens to a document whose connection breaks.
	OnBreak Break
	// IdleTimeout ends a connection that sent nothing for so long while the printer would have read; 0: never.
	IdleTimeout time.Duration

	PJL PJL
	// NoPageStatus: USTATUS PAGE is not known; NoStatus: all of USTATUS.
	NoPageStatus, NoStatus bool
	// NoStart: the JOB command's START and END are ignored, and all pages come out.
	NoStart bool
	// SaysSkipped sends a page status for pages of the non-printing mode too.
	SaysSkipped bool
	// SaysUnknown answers a command that is not known with "?". Else it is dropped without a word (but an INFO or
	// INQUIRE of something unknown is answered so by all).
	SaysUnknown bool
	// BareCount answers INFO PAGECOUNT with the number alone, as some models do. Else PAGECOUNT=number.
	BareCount bool
	// HostStatus: a label printer, which answers ZPL's ~HS where that stands between labels, in its turn. It knows no PJL.
	HostStatus bool
	// Model is what INFO ID says; "": EMULATOR.
	Model string

	// Delay is how late everything that the printer sends is.
	Delay time.Duration
	// Noise is sent at the beginning of each connection: what another host's questions left behind, or no PJL at all.
	Noise string
	// Dribbles sends byte by byte.
	Dribbles bool
	// ClosesAtFIN: when the host ends its sending side, the printer ends the connection at once, and prints on unseen. Else
	// it sends until all is printed.
	ClosesAtFIN bool
	// HalfCloses: the printer ends its sending side as soon as it is connected. The host reads an end of stream, while what
	// it sends is printed.
	HalfCloses bool
}
