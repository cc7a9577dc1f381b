package emulator

import (
	"strings"
	"time"

	"github.com/OpenPrinting/goipp"
)

// operations are operations-supported.
func (p *IPP) operations() []int {
	ops := []goipp.Op{goipp.OpPrintJob, goipp.OpValidateJob}
	if !p.options.NoCreateJob {
		ops = append(ops, goipp.OpCreateJob, goipp.OpSendDocument)
	}
	ops = append(ops, goipp.OpCancelJob, goipp.OpGetJobAttributes, goipp.OpGetJobs, goipp.OpGetPrinterAttributes)
	var out []int
	for _, op := range ops {
		out = append(out, int(op))
	}
	return out
}

// state is printer-state and printer-state-reasons (RFC 8011 §5.4.11, §5.4.12).
func (p *IPP) state() (int, string) {
	const idle, processing, stopped = 3, 4, 5
	switch {
	case p.coverOpen:
		return stopped, "cover-open-error"
	case p.noPaper:
		return stopped, "media-empty-error"
	case p.offline:
		return stopped, "paused"
	case p.active() > 0:
		return processing, "none"
	}
	return idle, "none"
}

// active counts the jobs that have not ended.
func (p *IPP) active() (n int) {
	for _, j := range p.jobList {
		if !j.state.ended() && j.state != held {
			n++
		}
	}
	return n
}

// printerAttributes are all that the printer has of itself (RFC 8011 §5.4).
func (p *IPP) printerAttributes() goipp.Attributes {
	security := "none"
	if p.cert != nil {
		security = "tls"
	}
	printerState, reason := p.state()
	out := goipp.Attributes{
		uris("printer-uri-supported", p.uri()), keywords("uri-security-supported", security),
		keywords("uri-authentication-supported", "none"), uris("printer-uuid", p.uuid),
		names("printer-name", p.options.Name), texts("printer-info", p.options.Name), texts("printer-location", ""),
		texts("printer-make-and-model", "printq emulator"), uris("printer-more-info", strings.Replace(p.uri(), "ipp", "http", 1)),
		integer("printer-up-time", p.upTime(time.Now())),
		enums("printer-state", printerState), keywords("printer-state-reasons", reason),
		boolean("printer-is-accepting-jobs", true), integer("queued-job-count", p.active()),
		keywords("ipp-versions-supported", "1.1", "2.0"), enums("operations-supported", p.operations()...),
		strs("charset-configured", goipp.TagCharset, []string{"utf-8"}),
		strs("charset-supported", goipp.TagCharset, []string{"utf-8"}),
		strs("natural-language-configured", goipp.TagLanguage, []string{"en"}),
		strs("generated-natural-language-supported", goipp.TagLanguage, []string{"en"}),
		strs("document-format-default", goipp.TagMimeType, p.options.Formats[:1]),
		strs("document-format-supported", goipp.TagMimeType, p.options.Formats),
		keywords("compression-supported", "none"), keywords("pdl-override-supported", "not-attempted"),
		boolean("multiple-document-jobs-supported", false),
		integer("multiple-operation-time-out", int(p.options.OpenTime/time.Second)),
		keywords("multiple-operation-time-out-action", "abort-job"),
		keywords("which-jobs-supported", "completed", "not-completed", "all"),
		keywords("job-creation-attributes-supported", "copies", "sides", "document-format", "job-name"),
	}
	out = append(out, templateAttributes()...)
	if !p.options.NoCounter {
		out.Add(integer("printer-impressions-completed", p.count))
		out.Add(integer("printer-media-sheets-completed", p.sheets))
	}
	return out
}

// templateAttributes are what a job may ask for (RFC 8011 §5.2), and what PWG 5100.12 §6.2 wants a printer to have.
func templateAttributes() goipp.Attributes {
	dpi := goipp.Resolution{Xres: 300, Yres: 300, Units: goipp.UnitsDpi}
	a4 := goipp.MakeAttrCollection("media-size", integer("x-dimension", 21000), integer("y-dimension", 29700))
	const none, portrait, normal = 3, 3, 4
	return goipp.Attributes{
		integer("copies-default", 1),
		goipp.MakeAttr("copies-supported", goipp.TagRange, goipp.Range{Lower: 1, Upper: maxCopies}),
		keywords("sides-default", "one-sided"), keywords("sides-supported", sidesSupported...),
		keywords("media-default", "iso_a4_210x297mm"), keywords("media-supported", "iso_a4_210x297mm", "na_letter_8.5x11in"),
		keywords("media-ready", "iso_a4_210x297mm"),
		goipp.MakeAttr("printer-resolution-default", goipp.TagResolution, dpi),
		goipp.MakeAttr("printer-resolution-supported", goipp.TagResolution, dpi),
		goipp.MakeAttr("pwg-raster-document-resolution-supported", goipp.TagResolution, dpi),
		keywords("pwg-raster-document-type-supported", "sgray_8", "black_1", "srgb_8"),
		keywords("print-color-mode-default", "monochrome"), keywords("print-color-mode-supported", "monochrome", "color"),
		boolean("color-supported", true),
		goipp.MakeAttrCollection("media-col-default", a4),
		enums("finishings-default", none), enums("finishings-supported", none),
		enums("orientation-requested-default", portrait), enums("orientation-requested-supported", portrait),
		enums("print-quality-default", normal), enums("print-quality-supported", normal),
		keywords("output-bin-default", "face-down"), keywords("output-bin-supported", "face-down"),
		integer("pages-per-minute", 60), integer("pages-per-minute-color", 60),
	}
}
