package ipp

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// A size of media, by its PWG 5101.1 name, in hundredths of millimetres.
type size struct {
	name string
	x, y int
}

// sizes are offered where neither the device nor a setting says what there is. A document brings its own page size, and goes to
// the device as it is, with the name of the size that the client asked for.
var sizes = []size{
	{"iso_a4_210x297mm", 21000, 29700},
	{"iso_a3_297x420mm", 29700, 42000},
	{"iso_a5_148x210mm", 14800, 21000},
	{"iso_a6_105x148mm", 10500, 14800},
	{"na_letter_8.5x11in", 21590, 27940},
	{"na_legal_8.5x14in", 21590, 35560},
	{"na_index-4x6_4x6in", 10160, 15240},
	{"na_5x7_5x7in", 12700, 17780},
	{"na_number-10_4.125x9.5in", 10477, 24130},
	{"iso_dl_110x220mm", 11000, 22000},
}

// margin is what laser printers leave blank, in hundredths of millimetres.
const margin = 423

// sizeOf reads a self-describing name (PWG 5101.1 §5.1), such as iso_a4_210x297mm; those of a range of sizes are none.
func sizeOf(name string) (s size, ok bool) {
	parts := strings.Split(name, "_")
	if len(parts) != 3 || strings.HasPrefix(name, "custom_m") || len(name) > 255 {
		return size{}, false
	}
	unit := 2540.0
	digits, metric := strings.CutSuffix(parts[2], "mm")
	if metric {
		unit = 100
	} else if digits, ok = strings.CutSuffix(parts[2], "in"); !ok {
		return size{}, false
	}
	x, y, _ := strings.Cut(digits, "x")
	across, errX := strconv.ParseFloat(x, 64)
	along, errY := strconv.ParseFloat(y, 64)
	if errX != nil || errY != nil || !(across > 0 && across < 10000 && along > 0 && along < 100000) {
		return size{}, false
	}
	return size{name, int(math.Round(across * unit)), int(math.Round(along * unit))}, true
}

func (o *offers) mediaNames() (all []string) {
	for _, s := range o.sizes {
		all = append(all, s.name)
	}
	return all
}

func (o *offers) isMedia(name string) bool { return slices.Contains(o.mediaNames(), name) }

func (s size) dimensions() goipp.Collection {
	return goipp.Collection{integers("x-dimension", s.x), integers("y-dimension", s.y)}
}

func (s size) collection() goipp.Collection {
	return goipp.Collection{
		keywords("media-size-name", s.name), collections("media-size", s.dimensions()),
		integers("media-bottom-margin", margin), integers("media-left-margin", margin),
		integers("media-right-margin", margin), integers("media-top-margin", margin),
		keywords("media-source", "auto"), keywords("media-type", "stationery"),
	}
}

func (o *offers) mediaCollections() (all []goipp.Collection) {
	for _, s := range o.sizes {
		all = append(all, s.collection())
	}
	return all
}

// mediaTemplate is what media and media-col may be.
func (o *offers) mediaTemplate() []goipp.Attribute {
	all := o.mediaNames()
	return []goipp.Attribute{
		keywords("media-default", all[0]),
		keywords("media-ready", all...),
		keywords("media-supported", all...),
		collections("media-col-default", o.sizes[0].collection()),
		collections("media-col-ready", o.mediaCollections()...),
		keywords("media-col-supported", "media-bottom-margin", "media-left-margin", "media-right-margin", "media-size",
			"media-size-name", "media-source", "media-top-margin", "media-type"),
	}
}

func (o *offers) mediaDescription() []goipp.Attribute {
	var dimensions []goipp.Collection
	for _, s := range o.sizes {
		dimensions = append(dimensions, s.dimensions())
	}
	return []goipp.Attribute{
		integers("media-bottom-margin-supported", margin), integers("media-left-margin-supported", margin),
		integers("media-right-margin-supported", margin), integers("media-top-margin-supported", margin),
		collections("media-size-supported", dimensions...),
		keywords("media-source-supported", "auto"), keywords("media-type-supported", "stationery"),
	}
}

// sizeIn is the size that a media-col asks for; asked: it asks for one.
func (o *offers) sizeIn(attrs goipp.Attributes) (s size, known, asked bool) {
	if a := find(attrs, "media-size-name"); a != nil {
		i := slices.Index(o.mediaNames(), a.Values[0].V.String())
		if i < 0 {
			return size{}, false, true
		}
		return o.sizes[i], true, true
	}
	a := find(attrs, "media-size")
	if a == nil {
		return size{}, false, false
	}
	dimensions, ok := a.Values[0].V.(goipp.Collection)
	x, givenX, errX := one[goipp.Integer](goipp.Attributes(dimensions), "x-dimension", goipp.TagInteger)
	y, givenY, errY := one[goipp.Integer](goipp.Attributes(dimensions), "y-dimension", goipp.TagInteger)
	if !ok || !givenX || !givenY || errX != nil || errY != nil {
		return size{}, false, true
	}
	// Inches do not come out even: what is nearer than half a millimetre is the same size.
	i := slices.IndexFunc(o.sizes, func(s size) bool { return near(s.x, int(x)) && near(s.y, int(y)) })
	if i < 0 {
		return size{}, false, true
	}
	return o.sizes[i], true, true
}

func near(a, b int) bool { return a-b < 50 && b-a < 50 }

// supportedMedia reports whether a media-col is one of the sizes, or says none.
func (o *offers) supportedMedia(c goipp.Collection) bool {
	_, known, asked := o.sizeIn(goipp.Attributes(c))
	return known || !asked
}

// mediaWishes are what a media-col asks for: size, source and type. A source or type that the device does not have is no wish.
func (o *offers) mediaWishes(attrs goipp.Attributes, found map[string]string) {
	if s, known, _ := o.sizeIn(attrs); known {
		found["media"] = s.name
	}
	for _, name := range []string{"media-source", "media-type"} {
		a, can := find(attrs, name), o.told[name+"-supported"]
		if a != nil && contains(can.Values, a.Values[0].V) {
			found[name] = wishText(a.Values[0].V)
		}
	}
}

// setDefaultMedia makes a size the default among the template's offers.
func (o *offers) setDefaultMedia(template []goipp.Attribute, name string) {
	i := slices.Index(o.mediaNames(), name)
	if i < 0 {
		return
	}
	for k, a := range template {
		switch a.Name {
		case "media-default":
			template[k] = keywords(a.Name, name)
		case "media-col-default":
			template[k] = collections(a.Name, o.sizes[i].collection())
		}
	}
}
