package ipp

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/OpenPrinting/goipp"
)

// media is what is said of the paper. Its source and its type have a place in media-col only (PWG 5100.7 §6.3), and then its size stands there,
// too: a request has media or media-col, never both.
func (a *about) media(options map[string]string) goipp.Attributes {
	members := a.texts("media-col-supported")
	var col goipp.Collection
	for _, name := range []string{"media-source", "media-type"} {
		if options[name] != "" && slices.Contains(members, name) {
			col.Add(keywords(name, options[name]))
		}
	}
	size := options["media"]
	if col != nil && size != "" {
		if x, y, ok := dimensions(size); ok {
			of := goipp.Collection{integer("x-dimension", x), integer("y-dimension", y)}
			col.Add(goipp.MakeAttr("media-size", goipp.TagBeginCollection, of))
		} else {
			col = nil // the right size is worth more than the right tray
		}
	}
	switch {
	case col != nil:
		return goipp.Attributes{goipp.MakeAttr("media-col", goipp.TagBeginCollection, col)}
	case size != "" && len(a.values("media-supported")) > 0:
		return goipp.Attributes{encoded("media", goipp.TagKeyword, size)}
	}
	return nil
}

// dimensions of a self-describing size such as iso_a4_210x297mm, in hundredths of a millimetre (PWG 5101.1 §5).
func dimensions(name string) (x, y int, ok bool) {
	last := name[strings.LastIndex(name, "_")+1:]
	unit := 0.0
	for suffix, hundredths := range map[string]float64{"mm": 100, "in": 2540} {
		if number, found := strings.CutSuffix(last, suffix); found {
			last, unit = number, hundredths
		}
	}
	width, height, two := strings.Cut(last, "x")
	w, err := strconv.ParseFloat(width, 64)
	h, err2 := strconv.ParseFloat(height, 64)
	if !two || err != nil || err2 != nil || unit == 0 || !(w > 0 && w < 1e4 && h > 0 && h < 1e4) {
		return 0, 0, false
	}
	return int(math.Round(w * unit)), int(math.Round(h * unit)), true
}
