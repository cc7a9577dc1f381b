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

// features is what a job's ticket may say. A device is given the document's bytes as they are: it is the queue that makes
// copies, orders and holds; whatever would need the device's help has one value only, which is what it does by itself.
var features = []feature{
	ofRange("copies", 1, queue.MaxCopies, integers("copies-default", 1), between("copies-supported", 1, queue.MaxCopies)),
	ofRange("job-priority", 1, 100, integers("job-priority-default", queue.DefaultPriority), integers("job-priority-supported", 100)),
	ofKeywords("job-hold-until", "no-hold", "no-hold", "indefinite"),
	ofKeywords("job-sheets", "none", "none"),
	ofKeywords("multiple-document-handling", "separate-documents-collated-copies", "separate-documents-collated-copies"),
	{name: "media", offers: mediaTemplate(), supports: func(v goipp.Value) bool { return isMedia(v.String()) }},
	{name: "media-col", supports: func(v goipp.Value) bool {
		c, ok := v.(goipp.Collection)
		return ok && supportedMedia(c)
	}},
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
}

func templateOffers() (all []goipp.Attribute) {
	for _, f := range features {
		all = append(all, f.offers...)
	}
	return all
}

func featureNames() (all []string) {
	for _, f := range features {
		all = append(all, f.name)
	}
	return all
}

// unsupportedIn are the job attributes that cannot be done, as they are to be answered: one that nobody knows without its
// value, another with the values that are wrong (RFC 8011 §4.1.7).
func unsupportedIn(job goipp.Attributes) (bad goipp.Attributes) {
	for _, a := range job {
		i := slices.IndexFunc(features, func(f feature) bool { return f.name == a.Name })
		if i < 0 {
			bad.Add(missing(a.Name, goipp.TagUnsupportedValue))
			continue
		}
		wrong := goipp.Attribute{Name: a.Name}
		for _, v := range a.Values {
			if !features[i].supports(v.V) {
				wrong.Values.Add(v.T, v.V)
			}
		}
		if len(wrong.Values) > 0 {
			bad.Add(wrong)
		}
	}
	return bad
}
