package ipp

import (
	"slices"

	"github.com/OpenPrinting/goipp"
)

// A size of media, by its PWG 5101.1 name, in hundredths of millimetres.
type size struct {
	name string
	x, y int
}

// sizes are offered for every printer: nobody told printq what is loaded. A document brings its own page size, and goes to
// the device as it is; media names it for the client's sake.
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

func mediaNames() (all []string) {
	for _, s := range sizes {
		all = append(all, s.name)
	}
	return all
}

func isMedia(name string) bool { return slices.Contains(mediaNames(), name) }

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

func mediaCollections() (all []goipp.Collection) {
	for _, s := range sizes {
		all = append(all, s.collection())
	}
	return all
}

// mediaTemplate is what media and media-col may be.
func mediaTemplate() []goipp.Attribute {
	all := mediaNames()
	return []goipp.Attribute{
		keywords("media-default", all[0]),
		keywords("media-ready", all...),
		keywords("media-supported", all...),
		collections("media-col-default", sizes[0].collection()),
		collections("media-col-ready", mediaCollections()...),
		keywords("media-col-supported", "media-bottom-margin", "media-left-margin", "media-right-margin", "media-size",
			"media-size-name", "media-source", "media-top-margin", "media-type"),
	}
}

func mediaDescription() []goipp.Attribute {
	var dimensions []goipp.Collection
	for _, s := range sizes {
		dimensions = append(dimensions, s.dimensions())
	}
	return []goipp.Attribute{
		integers("media-bottom-margin-supported", margin), integers("media-left-margin-supported", margin),
		integers("media-right-margin-supported", margin), integers("media-top-margin-supported", margin),
		collections("media-size-supported", dimensions...),
		keywords("media-source-supported", "auto"), keywords("media-type-supported", "stationery"),
	}
}

// supportedMedia reports whether a media-col is one of the sizes, or says none.
func supportedMedia(c goipp.Collection) bool {
	attrs := goipp.Attributes(c)
	if a := find(attrs, "media-size-name"); a != nil {
		return isMedia(a.Values[0].V.String())
	}
	a := find(attrs, "media-size")
	if a == nil {
		return true
	}
	dimensions, ok := a.Values[0].V.(goipp.Collection)
	x, givenX, errX := one[goipp.Integer](goipp.Attributes(dimensions), "x-dimension", goipp.TagInteger)
	y, givenY, errY := one[goipp.Integer](goipp.Attributes(dimensions), "y-dimension", goipp.TagInteger)
	return ok && givenX && givenY && errX == nil && errY == nil &&
		slices.ContainsFunc(sizes, func(s size) bool { return s.x == int(x) && s.y == int(y) })
}

// setDefaultMedia makes a size the default among the template's offers.
func setDefaultMedia(template []goipp.Attribute, name string) {
	i := slices.IndexFunc(sizes, func(s size) bool { return s.name == name })
	for k, a := range template {
		switch a.Name {
		case "media-default":
			template[k] = keywords(a.Name, name)
		case "media-col-default":
			template[k] = collections(a.Name, sizes[i].collection())
		}
	}
}
