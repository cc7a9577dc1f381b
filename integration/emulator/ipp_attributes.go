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

func uris(name string, values ...string) goipp.Attribute { return strs(name, goipp.TagURI, values) }

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
