package ipp

import (
	"slices"

	"github.com/OpenPrinting/goipp"

	"printq/queue"
)

// A feature is a job template attribute: what is offered, and whether a value of it is what happens anyway or can be done.
type feature struct {
	name     string
	offers   []goipp.Attribute // default and supported
	supports func(v goipp.Value) bool
}

func ofKeywords(name, otherwise string, all ...string) feature {
	return feature{
		name: name, offers: []goipp.Attribute{keywords(name+"-default", otherwise), keywords(name+"-supported", all...)},
		supports: func(v goipp.Value) bool { return slices.Contains(all, v.String()) },
	}
}

func ofEnum(name string, only int) feature {
	return feature{
		name: name, offers: []goipp.Attribute{enums(name+"-default", only), enums(name+"-supported", only)},
		supports: func(v goipp.Value) bool { return v == goipp.Integer(only) },
	}
}

func ofRange(name string, low, high int, offers ...goipp.Attribute) feature {
	return feature{name: name, offers: offers, supports: func(v goipp.Value) bool {
		n, ok := v.(goipp.Integer)
		return ok && low <= int(n) && int(n) <= high
	}}
}

// resolutions are those that a client may render at.
var resolutions = []int{150, 180, 300, 360, 600, 720}

// features is what a job's ticket may say at any printer. Whatever would need the device's help has one value only, which is what
// it does by itself: offersOf knows of devices that can do more.
var features = []feature{
	ofRange("copies", 1, queue.MaxCopies, integers("copies-default", 1), between("copies-supported", 1, queue.MaxCopies)),
	ofRange("job-priority", 1, 100, integers("job-priority-default", queue.DefaultPriority), integers("job-priority-supported", 100)),
	ofKeywords("job-hold-until", "no-hold", "no-hold", "indefinite"),
	ofKeywords("job-sheets", "none", "none"),
	// Of a job of several documents, each is printed with all its copies; of one document, both words mean the same.
	ofKeywords("multiple-document-handling", "separate-documents-uncollated-copies", "separate-documents-uncollated-copies",
		"separate-documents-collated-copies"),
	{name: "media"},
	{name: "media-col"}, // offers.does knows the sizes
	ofEnum("finishings", 3),
	ofRange("number-up", 1, 1, integers("number-up-default", 1), integers("number-up-supported", 1)),
	ofEnum("orientation-requested", 3),
	ofKeywords("output-bin", "face-down", "face-down"),
	ofKeywords("print-color-mode", "auto", "auto"),
	ofKeywords("print-content-optimize", "auto", "auto"),
	ofEnum("print-quality", 4),
	ofKeywords("print-rendering-intent", "auto", "auto"),
	ofKeywords("print-scaling", "auto", "auto"),
	{
		name:   "printer-resolution",
		offers: []goipp.Attribute{dpi("printer-resolution-default", 300), dpi("printer-resolution-supported", resolutions...)},
		supports: func(v goipp.Value) bool {
			r, ok := v.(goipp.Resolution)
			return ok && r.Xres == r.Yres && r.Units == goipp.UnitsDpi && slices.Contains(resolutions, r.Xres)
		},
	},
	ofKeywords("sides", "one-sided", "one-sided"),
	{name: "page-ranges", offers: []goipp.Attribute{boolean("page-ranges-supported", true)}, supports: func(v goipp.Value) bool {
		r, ok := v.(goipp.Range)
		return ok && r.Lower >= 1 && r.Upper >= r.Lower
	}},
	{name: "overrides", offers: []goipp.Attribute{keywords("overrides-supported", overrideScopes...)}},
}

// overrideScopes are what an override may be about.
var overrideScopes = []string{"pages", "document-copies", "document-number", "document-numbers"}

// does reports whether a value of the feature is what happens anyway or can be done.
func (o *offers) does(f feature, v goipp.Value) bool {
	switch f.name {
	case "overrides":
		return o.vacuous(v)
	case "media":
		return o.isMedia(v.String())
	case "media-col":
		c, ok := v.(goipp.Collection)
		return ok && o.supportedMedia(c)
	}
	return f.supports(v)
}

// vacuous reports whether an override asks, for some pages, only for what happens to all of them.
func (o *offers) vacuous(v goipp.Value) bool {
	c, ok := v.(goipp.Collection)
	for _, a := range goipp.Attributes(c) {
		f := o.feature(a.Name)
		switch {
		case slices.Contains(overrideScopes, a.Name):
		case f == nil || len(f.offers) == 0 || !onlyOne(*f) || !f.supports(a.Values[0].V):
			return false
		}
	}
	return ok
}

// onlyOne reports whether a feature has one value, which is what happens anyway.
func onlyOne(f feature) bool {
	i := slices.IndexFunc(f.offers, func(a goipp.Attribute) bool { return a.Name == f.name+"-supported" })
	return i >= 0 && f.supports != nil && len(f.offers[i].Values) == 1 && f.offers[i].Values[0].T != goipp.TagRange && f.offers[i].Values[0].T != goipp.TagBoolean
}

// unsupportedIn are the job attributes that cannot be done, as they are to be answered: one that nobody knows without its
// value, another with the values that are wrong (RFC 8011 §4.1.7).
func (o *offers) unsupportedIn(job goipp.Attributes) (bad goipp.Attributes) {
	for _, a := range job {
		f := o.feature(a.Name)
		if f == nil {
			bad.Add(missing(a.Name, goipp.TagUnsupportedValue))
			continue
		}
		wrong := goipp.Attribute{Name: a.Name}
		for _, v := range a.Values {
			if !o.does(*f, v.V) {
				wrong.Values.Add(v.T, v.V)
			}
		}
		if len(wrong.Values) > 0 {
			bad.Add(wrong)
		}
	}
	return bad
}
