package ipp

import (
	"slices"
	"strings"

	"github.com/OpenPrinting/goipp"

	"printq/node"
	"printq/printer/pages"
	"printq/queue"
)

// offers are what a printer's jobs may ask for. A document goes to the device as it is: it is the queue that makes copies,
// orders and holds, and cuts pages out where they stand alone. All else is the device's to do:
//
//   - what an ipp:// device says of itself is offered; of a pool, what all of its devices say;
//   - a tray takes note of whatever is asked of an office printer, for whoever makes paper of its pages (trayOffers);
//   - what whoever set the printer up says it can do (queue.Settings.Offers) counts before that;
//   - of the rest, one value is offered: what happens by itself.
type offers struct {
	features []feature
	formats  []string
	sizes    []size
	// Attributes that are told as a device tells them; those with no value are not told.
	told map[string]goipp.Attribute
	// Pages that cannot be cut out here can be left out by the device.
	skipsPages bool
}

// tellable are the printer attributes in which an ipp:// device speaks for the printer: what it can do. Never who or where it
// is, what it counts, or how it is.
var tellable = []string{
	"color-supported", "document-format-preferred", "jpeg-features-supported", "jpeg-x-dimension-supported", "jpeg-y-dimension-supported",
	"media-bottom-margin-supported", "media-left-margin-supported", "media-right-margin-supported", "media-size-supported",
	"media-source-supported", "media-top-margin-supported", "media-type-supported", "pages-per-minute", "pages-per-minute-color",
	"pdf-versions-supported", "printer-kind", "pwg-raster-document-resolution-supported", "pwg-raster-document-sheet-back",
	"pwg-raster-document-type-supported", "urf-supported",
}

// mediaTold are told together, or not at all: they are of the same sizes.
var mediaTold = []string{
	"media-col-default", "media-col-ready", "media-col-supported", "media-default", "media-ready", "media-supported",
}

func offersOf(p *node.PrinterStatus) *offers {
	o := &offers{features: slices.Clone(features), formats: formats, sizes: sizes, told: map[string]goipp.Attribute{}}
	if said := saidBy(p.Devices); said != nil {
		o.device(said)
	} else if isTray(p.Settings.Devices) {
		o.set(trayOffers)
	}
	o.set(p.Settings.Offers)
	return o
}

// trayOffers are what printing clients expect of an office printer. A tray keeps pages as they are, and its jobs keep what was asked: see
// docs/decisions/026-stock-offers.md.
var trayOffers = map[string]string{
	"sides": "one-sided,two-sided-long-edge,two-sided-short-edge", "number-up": "1,2,4", "job-sheets": "none,standard",
}

func isTray(devices []string) bool {
	other := func(uri string) bool { return !strings.HasPrefix(uri, "tray:") }
	return len(devices) > 0 && !slices.ContainsFunc(devices, other)
}

// set takes over what somebody says, values that commas part: the first is what happens where a job says nothing.
func (o *offers) set(said map[string]string) {
	for name, values := range said {
		if a, ok := wishAttribute(name, values); ok && len(a.Values) > 0 {
			o.offer(name, goipp.Values{a.Values[0]}, a.Values)
		}
	}
}

// saidBy is what all devices say of themselves; nil where one of them says nothing, or none has been asked yet.
func saidBy(devices []*queue.Device) (all goipp.Attributes) {
	asked := 0
	for _, d := range devices {
		if !d.Known {
			continue
		}
		var m goipp.Message
		if len(d.Capabilities) == 0 || m.DecodeBytes(d.Capabilities) != nil {
			return nil
		}
		if asked++; asked == 1 {
			all = m.Printer
		} else {
			all = common(all, m.Printer)
		}
	}
	return all
}

// common are the attributes that are in both, with the values that are in both: a default stays only where it is the same.
func common(a, b goipp.Attributes) (both goipp.Attributes) {
	for _, x := range a {
		y := find(b, x.Name)
		if y == nil {
			continue
		}
		values := slices.DeleteFunc(slices.Clone(x.Values), func(v struct {
			T goipp.Tag
			V goipp.Value
		},
		) bool {
			return !contains(y.Values, v.V)
		})
		if len(values) > 0 {
			both.Add(goipp.Attribute{Name: x.Name, Values: values})
		}
	}
	return both
}

func contains(values goipp.Values, v goipp.Value) bool {
	for _, w := range values {
		if goipp.ValueEqual(w.V, v) {
			return true
		}
		r, isRange := w.V.(goipp.Range)
		if n, isInt := v.(goipp.Integer); isRange && isInt && r.Lower <= int(n) && int(n) <= r.Upper {
			return true
		}
	}
	return false
}

// device takes over what the devices say.
func (o *offers) device(said goipp.Attributes) {
	o.deviceFormats(said)
	for _, name := range tellable {
		o.told[name] = goipp.Attribute{Name: name}
		if a := find(said, name); a != nil {
			o.told[name] = *a
		}
	}
	for name := range wishes {
		supported := find(said, name+"-supported")
		if supported == nil || name == "media" || name == "page-ranges" {
			continue
		}
		otherwise := goipp.Values{supported.Values[0]}
		if a := find(said, name+"-default"); a != nil && contains(supported.Values, a.Values[0].V) {
			otherwise = a.Values
		}
		o.offer(name, otherwise, supported.Values)
	}
	if a := find(said, "page-ranges-supported"); a != nil {
		o.skipsPages = a.Values[0].V == goipp.Boolean(true)
	}
	o.deviceMedia(said)
}

// deviceFormats are those that the device takes, whatever printq makes of them; and what is sensed.
func (o *offers) deviceFormats(said goipp.Attributes) {
	a := find(said, "document-format-supported")
	if a == nil {
		return
	}
	o.formats = []string{pages.OctetStream}
	for _, v := range a.Values {
		if f := pages.Canonical(v.V.String()); f != pages.OctetStream && !slices.Contains(o.formats, f) && strings.Contains(f, "/") {
			o.formats = append(o.formats, f)
		}
	}
}

// deviceMedia takes over the sizes, if one of them can be named.
func (o *offers) deviceMedia(said goipp.Attributes) {
	a := find(said, "media-supported")
	if a == nil {
		return
	}
	found := sizesOf(a.Values)
	if found == nil {
		return
	}
	o.sizes = found
	for _, name := range mediaTold {
		o.told[name] = goipp.Attribute{Name: name}
		if a := find(said, name); a != nil {
			o.told[name] = *a
		}
	}
}

// offer replaces what is offered of a feature.
func (o *offers) offer(name string, otherwise, all goipp.Values) {
	if name == "media" {
		o.offerMedia(all)
		return
	}
	f := feature{
		name: name, offers: []goipp.Attribute{{Name: name + "-default", Values: otherwise}, {Name: name + "-supported", Values: all}},
		supports: func(v goipp.Value) bool { return contains(all, v) },
	}
	if name == "media-source" || name == "media-type" { // members of media-col
		o.told[name+"-supported"] = f.offers[1]
		return
	}
	if i := slices.IndexFunc(o.features, func(f feature) bool { return f.name == name }); i >= 0 {
		o.features[i] = f
	} else {
		o.features = append(o.features, f)
	}
}

func sizesOf(names goipp.Values) (found []size) {
	for _, v := range names {
		if s, ok := sizeOf(v.V.String()); ok {
			found = append(found, s)
		}
	}
	return found
}

func (o *offers) offerMedia(all goipp.Values) {
	found := sizesOf(all)
	if found == nil {
		return
	}
	o.sizes = found
	for _, name := range mediaTold {
		delete(o.told, name)
	}
	delete(o.told, "media-size-supported")
}

// feature is the one of that name; nil: it is not offered.
func (o *offers) feature(name string) *feature {
	if i := slices.IndexFunc(o.features, func(f feature) bool { return f.name == name }); i >= 0 {
		return &o.features[i]
	}
	return nil
}

// template is what is offered, as attributes.
func (o *offers) template() (all []goipp.Attribute) {
	for _, f := range o.features {
		all = append(all, f.offers...)
	}
	return o.tell(append(all, o.mediaTemplate()...))
}

// tell puts what the device says in the place of what is said for any printer.
func (o *offers) tell(attrs []goipp.Attribute) (told []goipp.Attribute) {
	for _, a := range attrs {
		if by, ok := o.told[a.Name]; ok {
			a = by
		}
		if len(a.Values) > 0 {
			told = append(told, a)
		}
	}
	return told
}

func (o *offers) names() (all []string) {
	for _, f := range o.features {
		all = append(all, f.name)
	}
	return all
}
