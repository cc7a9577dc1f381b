package emulator

import "time"

// IPPOptions of an IPP printer. The zero value prints at once, knows Create-Job, and reports each page.
type IPPOptions struct {
	// PageTime is how long a sheet is on its way.
	PageTime time.Duration
	// Name is printer-name; "": emulator. UUID is printer-uuid; "": a new one.
	Name, UUID string
	// Formats are document-format-supported; nil: text, PWG raster, ZPL, PDF, PostScript and application/octet-stream, of
	// which the first bytes are looked at.
	Formats []string
	// OtherPages, SkipsBlankRest and Sums are those of [Options].
	OtherPages     int
	SkipsBlankRest bool
	Sums           bool

	// NoCreateJob: Create-Job and Send-Document are not there, only Print-Job.
	NoCreateJob bool
	// NoImpressions: no job tells how many pages it printed. NoCounter: nor does the printer.
	NoImpressions, NoCounter bool
	// History is how many jobs are remembered that have ended; 0: 100; negative: none.
	History int
	// IDsGoOn: job ids go on after a loss of power. Else they begin at 1 again, and the id of an old job names another.
	IDsGoOn bool
	// OpenTime is how long a job without its document lives (multiple-operation-time-out); 0: two minutes.
	OpenTime time.Duration
	// PrintsPartial prints what came of a document whose request broke off, as a printer without a disk does. Else none of
	// it is printed. The job is aborted in both cases.
	PrintsPartial bool
	// TLS: the printer is ipps, with a certificate of its own making.
	TLS bool
}
