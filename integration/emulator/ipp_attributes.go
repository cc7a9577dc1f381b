package emulator

import (
	"time"

	"github.com/OpenPrinting/goipp"
)

const maxCopies = 99

var sidesSupported = []string{"one-sided", "two-sided-long-edge", "two-sided-short-edge"}

func strs(name string, tag goipp.Tag, values []string) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(tag, goipp.String(v))
	}
	return a
}

func keywords(name string, values ...string) goipp.Attribute {
	return strs(name, goipp.TagKeyword, values)
}
func uris(name string, values ...string) goipp.Attribute  { return strs(name, goipp.TagURI, values) }
func names(name string, values ...string) goipp.Attribute { return strs(name, goipp.TagName, values) }
func texts(name string, values ...string) goipp.Attribute { return strs(name, goipp.TagText, values) }

func integer(name string, value int) goipp.Attribute {
	return goipp.MakeAttr(name, goipp.TagInteger, goipp.Integer(value))
}

func enums(name string, values ...int) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for _, v := range values {
		a.Values.Add(goipp.TagEnum, goipp.Integer(v))
	}
	return a
}

func boolean(name string, value bool) goipp.Attribute {
	return goipp.MakeAttr(name, goipp.TagBoolean, goipp.Boolean(value))
}

// jobState: a job that is being printed on a stopped printer is stopped too.
func (p *IPP) jobState(j *ippJob) goipp.Attribute {
	s := j.state
	if s == processing && p.stopped() && p.sheet == nil {
		s = stopped
	}
	return enums("job-state", int(s))
}

func (p *IPP) jobReasons(j *ippJob) goipp.Attribute {
	reasons := j.reasons
	if j.state == processing && j.canceled {
		reasons = append([]string{"processing-to-stop-point"}, reasons...)
	}
	if !j.state.ended() && p.stopped() {
		reasons = append([]string{"printer-stopped"}, reasons...)
	}
	return keywords("job-state-reasons", reasons...)
}

// jobAttributes are all that the printer has of a job (RFC 8011 §5.3).
func (p *IPP) jobAttributes(j *ippJob) goipp.Attributes {
	sides := sidesSupported[0]
	if j.duplex {
		sides = sidesSupported[1]
	}
	out := goipp.Attributes{
		uris("job-uri", p.jobURI(j)), integer("job-id", j.id), uris("job-printer-uri", p.uri()),
		uris("job-uuid", j.uuid), names("job-name", j.name), names("job-originating-user-name", j.user),
		p.jobState(j), p.jobReasons(j),
		integer("job-k-octets", (j.octets+1023)/1024), integer("number-of-documents", j.documents),
		p.at("time-at-creation", j.created), p.at("time-at-processing", j.processed), p.at("time-at-completed", j.finish),
		integer("job-printer-up-time", p.upTime(time.Now())),
		strs("document-format", goipp.TagMimeType, []string{j.format}),
		integer("copies", j.copies), keywords("sides", sides),
	}
	if !p.options.NoImpressions {
		out.Add(integer("job-impressions-completed", j.impressions))
		out.Add(integer("job-media-sheets-completed", j.sheets))
	}
	return out
}

// at is a time in the printer's own count, or no-value where it has not come.
func (p *IPP) at(name string, t time.Time) goipp.Attribute {
	if t.IsZero() {
		return goipp.MakeAttr(name, goipp.TagNoValue, goipp.Void{})
	}
	return integer(name, p.upTime(t))
}

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

// printerAttributes are all that the printer has of itself (RFC 8011 §5.4, PWG 5100.12, PWG 5100.14).
func (p *IPP) printerAttributes() goipp.Attributes {
	security := "none"
	if p.cert != nil {
		security = "tls"
	}
	printerState, reason := p.state()
	dpi := goipp.Resolution{Xres: 300, Yres: 300, Units: goipp.UnitsDpi}
	out := goipp.Attributes{
		uris("printer-uri-supported", p.uri()), keywords("uri-security-supported", security),
		keywords("uri-authentication-supported", "none"), uris("printer-uuid", p.uuid),
		names("printer-name", p.options.Name), texts("printer-info", p.options.Name), texts("printer-location", ""),
		texts("printer-make-and-model", "printq emulator"), integer("printer-up-time", p.upTime(time.Now())),
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
	}
	if !p.options.NoCounter {
		out.Add(integer("printer-impressions-completed", p.count))
		out.Add(integer("printer-media-sheets-completed", p.sheets))
	}
	return out
}
