package ipp

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/printer/device"
)

// syntaxes of the job template attributes that are passed on (RFC 8011 §5.2, PWG 5100.x).
var syntaxes = []struct {
	tag   goipp.Tag
	names []string
}{
	{goipp.TagKeyword, []string{
		"sides", "print-color-mode", "output-bin", "print-scaling", "print-content-optimize", "presentation-direction-number-up",
		"print-rendering-intent", "page-delivery", "imposition-template", "job-sheets",
	}},
	{goipp.TagEnum, []string{"print-quality", "orientation-requested", "finishings"}},
	{goipp.TagInteger, []string{"number-up"}},
	{goipp.TagRange, []string{"page-ranges"}},
	{goipp.TagResolution, []string{"printer-resolution"}},
}

// template is what the printer is told of how to print, as far as it says that it supports it.
func (a *about) template(j device.Job, copies int) goipp.Attributes {
	var t goipp.Attributes
	if copies > 1 {
		t.Add(integer("copies", copies))
		if collated := "separate-documents-collated-copies"; slices.Contains(a.texts("multiple-document-handling-supported"), collated) {
			t.Add(keywords("multiple-document-handling", collated))
		}
	}
	for _, s := range syntaxes {
		for _, name := range s.names {
			value, given := j.Options[name]
			if !given || len(a.values(name+"-supported")) == 0 {
				continue
			}
			if option := encoded(name, s.tag, value); len(option.Values) > 0 {
				t.Add(option)
			}
		}
	}
	return append(t, a.media(j.Options)...)
}

// encoded is an option with its values, which commas part; one that cannot be read is left out.
func encoded(name string, tag goipp.Tag, value string) goipp.Attribute {
	a := goipp.Attribute{Name: name}
	for v := range strings.SplitSeq(value, ",") {
		v = strings.TrimSpace(v)
		low, high, _ := strings.Cut(v, "-")
		n, err := strconv.ParseInt(low, 10, 32)
		switch tag {
		case goipp.TagKeyword:
			if v != "" && len(v) <= 255 {
				a.Values.Add(tag, goipp.String(v))
			}
		case goipp.TagEnum, goipp.TagInteger:
			if err == nil && high == "" {
				a.Values.Add(tag, goipp.Integer(n))
			}
		case goipp.TagRange:
			if upper, e := strconv.ParseInt(cmp.Or(high, low), 10, 32); err == nil && e == nil {
				a.Values.Add(tag, goipp.Range{Lower: int(n), Upper: int(upper)})
			}
		case goipp.TagResolution:
			if r, ok := resolution(v); ok {
				a.Values.Add(tag, r)
			}
		}
	}
	return a
}

// resolution reads 600dpi or 600x1200dpi.
func resolution(v string) (goipp.Resolution, bool) {
	digits, ok := strings.CutSuffix(v, "dpi")
	across, along, two := strings.Cut(digits, "x")
	if !two {
		along = across
	}
	x, err := strconv.ParseUint(across, 10, 16)
	y, err2 := strconv.ParseUint(along, 10, 16)
	return goipp.Resolution{Xres: int(x), Yres: int(y), Units: goipp.UnitsDpi}, ok && err == nil && err2 == nil && x > 0 && y > 0
}
